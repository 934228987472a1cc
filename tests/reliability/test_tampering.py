"""R6: whatever is changed in a store behind the program's back is detected, and the first wrong event named.

And the other way round: with the seal taken out, by a leaf hash that is the same for every event, these checks must fail.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.errors import LedgerError, Refusal
from ledger.seal import merkle, verification
from ledger.seal.merkle import frontier_at
from ledger.seal.note import Checkpoint
from ledger.store import sealing
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_log import SQLiteLog
from projections.verification import Verdict, verify
from tests.office import POLICY, STAFF, Office
from tests.reliability.tampering import (
    backup_of,
    changed_at,
    paths_in,
    reseal,
    rewrite,
    rows_of,
    unguarded,
    update,
)

Kept = list[Checkpoint]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    make_history(folder)
    return folder / "facts.sqlite"


def make_history(folder: Path) -> None:
    """Every kind of step: a budget, payments, a refusal, a release, a clawback."""
    office = Office(folder)
    budget_officer = next(name for name, role in STAFF.items() if role in AppropriateBudget.roles)
    office.give(AppropriateBudget(policy=POLICY, year=2026, amount_fen=100_000_000_00), budget_officer)
    case = office.approved("国械注准20263010001")
    office.pay(case, 2_000_000_00, "流水1")
    with pytest.raises(Refusal):
        office.pay(case, 9_000_000_00, "流水2")
    office.claw_back(case, 1_000_000_00)
    office.receive(case, 1_000_000_00, "流水3")
    other = office.approved("国械注准20263010002", rd_cost="5000000.00", special_approval=False)
    office.pay(other, 500_000_00, "流水4")
    office.close()


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    backup_of(original)
    shutil.copy(original, tmp_path / "facts.sqlite")
    return tmp_path / "facts.sqlite"


@pytest.fixture
def kept(path: Path) -> Kept:
    return [checkpoint_of(path)]


def checkpoint_of(path: Path, size: int | None = None) -> Checkpoint:
    log = SQLiteLog(path)
    size = log.size if size is None else size
    root = frontier_at(size, log.nodes()).root
    log.close()
    return Checkpoint("test", size, root)


def verdict_on(path: Path, kept: Kept) -> Verdict:
    log = SQLiteLog(path)
    try:
        return verify(log, kept)
    finally:
        log.close()


def first_wrong(path: Path, kept: Kept) -> tuple[int, str]:
    first = verdict_on(path, kept).first
    assert first is not None, "nothing was found"
    return first.position, first.code


def position_of(path: Path, type_name: str) -> int:
    connection = apsw.Connection(str(path))
    found: int = connection.execute("SELECT min(position) FROM events WHERE type = ?", (type_name,)).get
    connection.close()
    return found


def test_an_untouched_store_is_not_called_wrong(path: Path, kept: Kept) -> None:
    verdict = verdict_on(path, kept)
    assert verdict.findings == ()
    assert verdict.whole
    assert verdict.agreed == tuple(kept)
    assert verdict.totals.paid_fen == 2_500_000_00
    assert verdict.totals.recovered_fen == 1_000_000_00


def test_no_field_of_an_envelope_or_a_payload_can_be_changed_unnoticed(path: Path, kept: Kept) -> None:
    connection = apsw.Connection(str(path))
    events = rows_of(connection)
    connection.close()
    seen = set()
    for event in events:
        for way in paths_in(json.loads(event["data"])):
            # Of each type, each field once: the ways of list items are one field.
            kind = (event["type"], tuple(step for step in way if isinstance(step, str)))
            if kind in seen:
                continue
            seen.add(kind)
            update(path, event["position"], data=changed_at(event["data"], way))
            assert first_wrong(path, kept)[0] == event["position"], kind
            update(path, event["position"], data=event["data"])
    assert len(seen) > 200
    assert verdict_on(path, kept).whole, "everything was put back"


@pytest.mark.parametrize("type_name", ["award-approved", "disbursement-settled", "role-granted", "command-refused"])
def test_no_byte_of_an_event_can_be_flipped_unnoticed(path: Path, kept: Kept, type_name: str) -> None:
    position = position_of(path, type_name)
    connection = apsw.Connection(str(path))
    data: bytes = connection.execute("SELECT data FROM events WHERE position = ?", (position,)).get
    connection.close()
    for at in range(0, len(data), max(1, len(data) // 12)):
        update(path, position, data=data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        assert first_wrong(path, kept)[0] == position, at


def test_a_changed_type_is_not_overlooked(path: Path, kept: Kept) -> None:
    position = position_of(path, "disbursement-settled")
    update(path, position, type="disbursement-cancelled")
    assert first_wrong(path, kept) == (position, "not-as-sealed")
    update(path, position, type="no-such-event")
    assert first_wrong(path, kept)[0] == position


@pytest.mark.parametrize(
    "change",
    [
        lambda tags: tags[:-1],
        lambda tags: [*tags, "limit=other"],
        lambda tags: [tag.replace("/2026", "/2027") for tag in tags],
        lambda tags: tags[::-1],
        lambda tags: [],
    ],
    ids=["one fewer", "one more", "another scope", "another order", "none"],
)
def test_a_changed_tag_is_not_overlooked(path: Path, kept: Kept, change: Callable[[list[str]], list[str]]) -> None:
    position = position_of(path, "award-approved")
    connection = apsw.Connection(str(path))
    tags = json.loads(connection.execute("SELECT tags FROM events WHERE position = ?", (position,)).get)
    connection.close()
    update(path, position, tags=json.dumps(change(tags), ensure_ascii=False, separators=(",", ":")))
    assert first_wrong(path, kept)[0] == position


def test_tags_written_with_another_space_are_not_taken_for_the_same_bytes(path: Path, kept: Kept) -> None:
    position = position_of(path, "award-approved")
    with unguarded(path) as connection:
        connection.execute("UPDATE events SET tags = replace(tags, '\",\"', '\", \"') WHERE position = ?", (position,))
    assert first_wrong(path, kept)[0] == position


def test_a_tag_hidden_from_the_index_is_not_overlooked(path: Path, kept: Kept) -> None:
    position = position_of(path, "award-approved")
    with unguarded(path) as connection:
        connection.execute("DELETE FROM event_tags WHERE position = ? AND tag LIKE 'limit=%'", (position,))
    assert first_wrong(path, kept) == (position, "not-indexed")


def test_a_tag_slipped_into_the_index_is_not_overlooked(path: Path, kept: Kept) -> None:
    with unguarded(path) as connection:
        connection.execute("INSERT INTO event_tags VALUES ('limit=x', 7)")
    assert first_wrong(path, kept) == (7, "index-foreign")


@pytest.mark.parametrize("position", [1, 2, 8, 13, 16])
def test_a_changed_stored_hash_is_not_overlooked_and_the_event_not_blamed(
    path: Path, kept: Kept, position: int
) -> None:
    connection = apsw.Connection(str(path))
    run: bytes = connection.execute("SELECT run FROM events WHERE position = ?", (position,)).get
    connection.close()
    for at in range(0, len(run), 32):
        update(path, position, run=run[:at] + bytes([run[at] ^ 1]) + run[at + 1 :])
        first = verdict_on(path, kept).first
        assert first is not None
        assert first.code == "seal-changed"
        assert first.position <= position <= (first.through or first.position)


@pytest.mark.parametrize("put", ["recorded_at", "effective_on"])
def test_an_edited_date_is_not_overlooked(path: Path, kept: Kept, put: str) -> None:
    position = position_of(path, "award-approved")
    with unguarded(path) as connection:
        connection.execute(
            f"UPDATE events SET data = CAST(replace(CAST(data AS TEXT), json_extract(data, '$.envelope.{put}'), "
            f"replace(json_extract(data, '$.envelope.{put}'), '2026', '2025')) AS BLOB) WHERE position = ?",
            (position,),
        )
    assert first_wrong(path, kept) == (position, "not-as-sealed")


@pytest.mark.parametrize("position", [1, 2, 15, 16, 17, 30])
def test_a_deleted_event_is_not_overlooked(path: Path, kept: Kept, position: int) -> None:
    with unguarded(path) as connection:
        connection.execute("DELETE FROM events WHERE position = ?", (position,))
    assert first_wrong(path, kept)[0] == position


@pytest.mark.parametrize("position", [1, 2, 15, 16, 17])
def test_closing_the_gap_does_not_hide_a_deleted_event(path: Path, kept: Kept, position: int) -> None:
    rewrite(path, lambda rows: rows.__delitem__(position - 1))
    first = verdict_on(path, kept).first
    assert first is not None
    assert first.position <= position <= (first.through or first.position)


@pytest.mark.parametrize("position", [2, 15, 16, 17])
def test_an_inserted_event_is_not_overlooked(path: Path, kept: Kept, position: int) -> None:
    def insert(rows: list[dict[str, object]]) -> None:
        rows.insert(position - 1, dict(rows[position - 2]))

    rewrite(path, insert)
    first = verdict_on(path, kept).first
    assert first is not None
    assert first.position <= position <= (first.through or first.position)


@pytest.mark.parametrize(("one", "other"), [(12, 13), (13, 15), (15, 30)])
def test_swapped_events_are_not_overlooked(path: Path, kept: Kept, one: int, other: int) -> None:
    def swap(rows: list[dict[str, object]]) -> None:
        for name in ("type", "tags", "data"):
            rows[one - 1][name], rows[other - 1][name] = rows[other - 1][name], rows[one - 1][name]

    rewrite(path, swap)
    assert first_wrong(path, kept) == (one, "not-as-sealed")


@pytest.mark.parametrize("left", [0, 1, 16, 29])
def test_a_log_that_was_cut_off_is_not_whole(path: Path, kept: Kept, left: int) -> None:
    rewrite(path, lambda rows: rows.__delitem__(slice(left, None)))
    assert first_wrong(path, kept) == (left + 1, "shorter-than-checkpoint")


def test_a_fork_whose_hashes_all_agree_does_not_pass_the_kept_checkpoint(path: Path) -> None:
    kept = [checkpoint_of(path, size) for size in (10, 16, 30)]
    position = 20

    def fork(rows: list[dict[str, object]]) -> None:
        data = rows[position - 1]["data"]
        assert isinstance(data, bytes)
        rows[position - 1]["data"] = data.replace(b'"2026-03-02T', b'"2026-03-01T', 1)
        reseal(rows)

    rewrite(path, fork)
    verdict = verdict_on(path, kept)
    assert [one.size for one in verdict.agreed] == [10, 16]
    whole_range = next(finding for finding in verdict.findings if finding.code == "not-of-checkpoint")
    assert (whole_range.position, whole_range.through) == (17, 30)
    assert not verdict.whole


def test_a_log_made_anew_from_the_same_acts_is_not_the_log_of_the_checkpoint(tmp_path: Path, kept: Kept) -> None:
    (tmp_path / "again").mkdir()
    office = Office(tmp_path / "again")
    for number in range(60):
        office.submit(f"item-{number}")
    office.close()
    assert first_wrong(tmp_path / "again" / "facts.sqlite", kept) == (1, "not-of-checkpoint")


def test_triggers_that_were_not_put_back_are_not_overlooked(path: Path, kept: Kept) -> None:
    with unguarded(path, put_back=False):
        pass
    verdict = verdict_on(path, kept)
    assert [finding.code for finding in verdict.findings] == ["schema-changed"]


def test_a_hash_that_was_taken_out_is_not_proven_around(path: Path) -> None:
    update(path, 5, run=b"")
    store = SQLiteDCBRecorder(path)
    with pytest.raises(LedgerError, match="position 5"):
        merkle.inclusion_proof(5, store.head(), store.nodes())
    store.close()


# ---- without the seal


@pytest.fixture
def no_seal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The switch: every event has the same leaf hash, when it is sealed and when it is checked."""

    def constant(data: bytes) -> bytes:
        return bytes(32)

    for module in (merkle, sealing, verification):
        monkeypatch.setattr(module, "leaf_hash", constant)
    return


def test_without_the_seal_a_forged_payment_would_pass(no_seal: None, tmp_path: Path) -> None:
    """If this fails, something else than the seal detects the forgery, and the tests above prove nothing of the seal."""
    make_history(tmp_path)
    path = tmp_path / "facts.sqlite"
    kept = [checkpoint_of(path)]
    assert verdict_on(path, kept).whole
    position = position_of(path, "disbursement-settled")
    with unguarded(path) as connection:
        data: bytes = connection.execute("SELECT data FROM events WHERE position = ?", (position,)).get
        forged = data.replace('"bank_serial":"流水1"'.encode(), '"bank_serial":"流水9"'.encode())
        assert forged != data
        tags: str = connection.execute("SELECT tags FROM events WHERE position = ?", (position,)).get
        connection.execute(
            "UPDATE events SET data = ?, tags = ? WHERE position = ?",
            (forged, tags.replace("bank-serial=流水1", "bank-serial=流水9"), position),
        )
        connection.execute("UPDATE event_tags SET tag = 'bank-serial=流水9' WHERE tag = 'bank-serial=流水1'")
    assert verdict_on(path, kept).whole, "a bank's serial number was forged, and only the seal could have told"


def test_with_the_seal_the_same_forgery_does_not_pass(path: Path, kept: Kept) -> None:
    position = position_of(path, "disbursement-settled")
    connection = apsw.Connection(str(path))
    data: bytes = connection.execute("SELECT data FROM events WHERE position = ?", (position,)).get
    tags: str = connection.execute("SELECT tags FROM events WHERE position = ?", (position,)).get
    connection.close()
    update(
        path,
        position,
        data=data.replace('"bank_serial":"流水1"'.encode(), '"bank_serial":"流水9"'.encode()),
        tags=tags.replace("bank-serial=流水1", "bank-serial=流水9"),
    )
    assert first_wrong(path, kept) == (position, "not-as-sealed")
