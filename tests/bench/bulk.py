"""P11 and P12: a file of the bank's results, and the room that a disbursement takes on the disk."""

from __future__ import annotations

import csv
import io
import sqlite3
from pathlib import Path
from typing import Any

import apsw

from api.imports.csv_file import read_sheet
from api.imports.settlements import check_settlements
from ledger.application import Instruction
from ledger.calendar import business_date, system_clock
from ledger.identity import award_id
from ledger.money import format_yuan
from ledger.policy.registry import PolicyRegistry
from ledger.store.sqlite import SQLiteDCBRecorder
from projections.reader import Reader
from projections.runner import ViewsRunner
from tests.bench.measuring import Bench, Goal, Pair, Row, clock, row
from tests.bench.peers import closing, open_plain
from tests.bench.staging import AMOUNT_FEN, ORDERED, Matter, Names, Stage
from tests.bench.till import Till, loaded_policies, open_ledger, serials

WEIGHINGS = 5


def imported(bench: Bench) -> Row:
    sizes, folder = bench.sizes, bench.place("p11")
    store, plain = SQLiteDCBRecorder(folder / "facts.sqlite"), open_plain(folder / "plain.sqlite")
    plain.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, type TEXT, tags TEXT, run BLOB, data BLOB)")
    plain.execute("CREATE TABLE tags (tag TEXT, position INTEGER, PRIMARY KEY (tag, position)) WITHOUT ROWID")
    stage = Stage(store, "P11")
    stage.staff()
    policies, each = loaded_policies(), sizes.lines // sizes.rounds
    names = [Names(f"P11-{turn}") for turn in range(sizes.rounds)]
    with closing(store, plain):
        pairs = [_one_file(store, plain, policies, stage, name.matters(ORDERED, each)) for name in names]
    what = (
        f"disbursement lines imported a second, {sizes.lines:,} in {sizes.rounds} files, all checks, from the file's bytes "
        "to the last commit; anchor: batch INSERT of the same rows, events and tags, without any check"
    )
    return row("P11", what, pairs, Goal(0.25, at_least=True))


def _one_file(
    store: SQLiteDCBRecorder, plain: apsw.Connection, policies: PolicyRegistry, stage: Stage, matters: list[Matter]
) -> Pair:
    stage.matters(matters)
    content, head = bank_file(matters), store.head()
    seconds = clock(lambda: _import(store, policies, content))
    assert store.head() == head + len(matters), "every line is recorded"
    rows = _rows(store, head)
    return len(rows) / seconds, len(rows) / clock(lambda: _insert(plain, rows))


def bank_file(matters: list[Matter]) -> bytes:
    file = io.StringIO()
    lines = csv.writer(file)
    lines.writerow(["资助编号", "拨付序号", "金额", "银行流水号", "到账日期", "凭证号"])
    day = business_date(system_clock()).isoformat()
    for number, matter in enumerate(matters):
        lines.writerow([award_id(matter.case), 1, format_yuan(AMOUNT_FEN), next(serials), day, f"凭{number}"])
    return file.getvalue().encode()


def _import(store: SQLiteDCBRecorder, policies: PolicyRegistry, content: bytes) -> None:
    """What ``funding-ledger import-settlements`` does when somebody has signed in."""
    ledger, reader = open_ledger(store), Reader(store, policies)
    checked = check_settlements(read_sheet(content), reader.case, reader.known, business_date(system_clock()))
    assert not checked.errors, checked.errors[:3]
    instructions = (Instruction(each.command, "cashier", each.key) for each in checked.settlements)
    for answer in ledger.execute_many(instructions):
        assert not isinstance(answer, Exception), answer


def _rows(store: SQLiteDCBRecorder, after: int) -> list[tuple[Any, ...]]:
    return [
        (each.position, each.event.type, "[]", b"x" * 64, each.event.data, each.event.tags)
        for each in store.read(after=after)
    ]


def _insert(plain: apsw.Connection, rows: list[tuple[Any, ...]]) -> None:
    """A thousand to a commit."""
    for first in range(0, len(rows), 1_000):
        batch = rows[first : first + 1_000]
        with plain:
            plain.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", [each[:5] for each in batch])
            plain.executemany("INSERT INTO tags VALUES (?, ?)", [(tag, each[0]) for each in batch for tag in each[5]])


def weight(bench: Bench) -> Row:
    sizes, folder = bench.sizes, bench.place("p12")
    store = SQLiteDCBRecorder(folder / "facts.sqlite")
    views = ViewsRunner(store, f"sqlite:///{folder / 'views.sqlite'}")
    pairs = []
    with closing(store):
        till = Till(store, "P12", settling=sizes.weighed * WEIGHINGS)
        for count in [sizes.weighed] * WEIGHINGS:
            views.catch_up()
            before, head = _bytes(folder), store.head()
            till.settle_all(count)
            views.catch_up()
            grown = _bytes(folder) - before
            facts = [len(each.event.data) for each in store.read(after=head)]
            pairs.append((grown / count, sum(facts) / len(facts)))
        views.stop()
    what = "bytes on disk for a disbursement, indexes, hashes and views included, SQLite; anchor: the event's JSON"
    return row("P12", what, pairs, Goal(4, at_least=False))


def _bytes(folder: Path) -> int:
    """What both databases take when their write-ahead logs are written back into them."""
    # Each through the library that its owner uses: two SQLite libraries in one process must not share a file.
    facts = apsw.Connection(str(folder / "facts.sqlite"))
    views = sqlite3.connect(folder / "views.sqlite")
    try:
        pages = [facts.pragma("page_count"), *views.execute("PRAGMA page_count").fetchone()]
        sizes = [facts.pragma("page_size"), *views.execute("PRAGMA page_size").fetchone()]
    finally:
        facts.close()
        views.close()
    return sum(count * size for count, size in zip(pages, sizes, strict=True))
