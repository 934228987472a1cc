"""P9 and P10: checking a whole log, and filling the views anew from it."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from eventsourcing.dcb.api import DCBSequencedEvent

from api.cli.auditing import jobs_for
from ledger.mapper import from_stored
from ledger.money import format_yuan
from ledger.seal.merkle import frontier_at
from ledger.seal.note import Checkpoint
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_log import SQLiteLog
from projections.runner import BATCH_EVENTS, ViewsRunner
from projections.verification import verify
from tests.bench.measuring import Bench, Goal, Row, clock, interleaved, row, unmeasured
from tests.bench.peers import closing
from tests.bench.staging import SETTLED, STEPS, Names, Stage

VERIFYING: Final = Goal(5, at_least=True)


def finished_log(path: Path, events: int) -> SQLiteDCBRecorder:
    """A store with matters that went through every step."""
    store = SQLiteDCBRecorder(path)
    stage = Stage(store, "audit")
    stage.staff()
    stage.matters(Names("audit").matters(SETTLED, events // len(STEPS)))
    return store


def verification(bench: Bench) -> Row:
    sizes, folder = bench.sizes, bench.place("p9")
    store = finished_log(folder / "facts.sqlite", sizes.verified)
    size = store.head()
    checkpoint = Checkpoint("bench.example/ledger", size, frontier_at(size, store.nodes()).root)
    journal = folder / "ledger.journal"
    written = write_journal(store, journal)
    store.close()

    def ours() -> float:
        log = SQLiteLog(folder / "facts.sqlite")
        with closing(log):
            seconds = clock(lambda: _require_whole(verify(log, [checkpoint], jobs=jobs_for(size, None)).whole))
        return seconds

    what = (
        f"money movements checked a second in a log of {size:,} events: hashes, tree, order, limits and balances; "
        f"anchor: hledger check of the same {written:,} movements"
    )
    program = shutil.which("hledger")
    if program is None:
        return unmeasured("P9", what, "hledger is not installed (apt-get install hledger)", VERIFYING, written / ours())

    def anchor() -> float:
        return clock(lambda: subprocess.run([program, "-f", str(journal), "check", "-s"], check=True))

    pairs = interleaved(min(sizes.rounds, 5), 1, ours, anchor)
    return row("P9", what, [(written / each, written / other) for each, other in pairs], VERIFYING)


def _require_whole(whole: bool) -> None:
    assert whole, "a staged log verifies"


class _Movement(msgspec.Struct):
    case: str | None = None
    enterprise: str | None = None
    amount_fen: int = 0


class _Movements(msgspec.Struct):
    payload: _Movement


_BETWEEN: Final = {
    "award-approved": ("budget", "awarded"),
    "disbursement-requested": ("awarded", "requested"),
    "disbursement-ordered": ("requested", "ordered"),
    "disbursement-settled": ("ordered", "paid"),
}


def write_journal(store: SQLiteDCBRecorder, path: Path) -> int:
    """Every movement of money as a transaction with asserted balances; how many."""
    decode = msgspec.json.Decoder(_Movements).decode
    written = 0
    balances: dict[str, int] = {}
    with path.open("w", encoding="utf-8") as file:
        for account in ("budget", *(target for _, target in _BETWEEN.values())):
            file.write(f"account {account}\n")
        file.write("commodity 1000.00 CNY\n\n")
        for stored in _all(store):
            if (between := _BETWEEN.get(stored.event.type)) is None:
                continue
            said, (source, target) = decode(stored.event.data).payload, between
            lines = []
            for account, fen in ((source, -said.amount_fen), (target, said.amount_fen)):
                balances[account] = balances.get(account, 0) + fen
                lines.append(f"    {account}  {format_yuan(fen)} CNY = {format_yuan(balances[account])} CNY\n")
            file.write(f"2026-03-02 {stored.event.type} {said.case} {said.enterprise}\n{''.join(lines)}\n")
            written += 1
    return written


def _all(store: SQLiteDCBRecorder) -> Iterator[DCBSequencedEvent]:
    after = 0
    while batch := list(store.read(after=after, limit=BATCH_EVENTS)):
        yield from batch
        after = batch[-1].position


def rebuild(bench: Bench) -> Row:
    sizes, folder = bench.sizes, bench.place("p10")
    store = finished_log(folder / "facts.sqlite", sizes.viewed)
    size = store.head()
    views = ViewsRunner(store, f"sqlite:///{folder / 'views.sqlite'}")
    views.catch_up()
    served: list[int] = []

    def ours() -> float:
        """While somebody turns the pages."""
        over = threading.Event()
        answers: list[int] = []

        def reader() -> None:
            while not over.is_set():
                answers.append(views.cases(page=2).total)
                over.wait(0.02)

        reading = threading.Thread(target=reader)
        reading.start()
        seconds = clock(views.rebuild)
        over.set()
        reading.join()
        served.append(len(answers) if answers and set(answers) == {answers[0]} else 0)
        return seconds

    def anchor() -> float:
        return clock(lambda: [from_stored(stored) for stored in _all(store)])

    with closing(store):
        pairs = interleaved(min(sizes.rounds, 5), 1, ours, anchor)
        views.stop()
    what = (
        f"events a second into fresh views, {size:,} events, lists served meanwhile; anchor: reading and decoding them"
    )
    problem = "" if all(served) else "a reader was not served, or saw half of the views"
    return row(
        "P10", what, [(size / each, size / other) for each, other in pairs], Goal(0.5, at_least=True), unless=problem
    )
