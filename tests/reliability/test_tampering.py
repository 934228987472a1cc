"""R6: whatever is changed in a store behind the program's back is detected, and the first wrong event named.

And the other way round: with the seal taken out, by a leaf hash that is the same for every event, these checks must fail.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.commands.grant_role import GrantRole
from ledger.errors import LedgerError, Refusal
from ledger.seal import merkle, verification
from ledger.seal.merkle import frontier_at
from ledger.seal.note import Checkpoint
from ledger.seal.sealed_log import OutOfReach
from ledger.store import postgres_log, sealing, sqlite_log
from ledger.store.carrying import carry_into_file
from ledger.store.contract import LedgerStore
from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.postgres_log import PostgresLog
from ledger.store.sqlite import SQLiteDCBRecorder
from projections.verification import Verdict, verify
from tests.fixtures.postgres import postgres_server_url, statement  # noqa: F401
from tests.office import POLICY, STAFF, Office
from tests.reliability.tampering import (
    Row,
    Tampered,
    TamperedPostgres,
    TamperedSQLite,
    changed_at,
    paths_in,
    reseal,
    role_never_given,
)

# ruff: noqa: F811

NO_REFUSAL = "CREATE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"

Kept = list[Checkpoint]

_numbers = itertools.count(1)


@contextmanager
def database(server_url: str, template: str = "template1") -> Iterator[str]:
    """A database of its own, empty or a copy of another that nobody is connected to."""
    name = f"tampering_{os.getpid()}_{next(_numbers)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    statement(server_url, create)
    try:
        yield name
    finally:
        statement(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def original_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    make_history(SQLiteDCBRecorder(folder / "facts.sqlite"))
    return folder / "facts.sqlite"


@pytest.fixture(scope="module")
def original_database(postgres_server_url: str) -> Iterator[str]:
    with database(postgres_server_url) as name:
        make_history(PostgresDCBRecorder(make_conninfo(postgres_server_url, dbname=name)))
        yield name


def make_history(store: LedgerStore) -> None:
    """Every kind of step: a budget, payments, a refusal, a release, a clawback."""
    office = Office(Path("the same for every store"), store=store)
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
def in_file(original_file: Path, tmp_path: Path) -> TamperedSQLite:
    shutil.copy(original_file, tmp_path / "facts.sqlite")
    return TamperedSQLite(tmp_path / "facts.sqlite")


@pytest.fixture
def in_database(original_database: str, postgres_server_url: str) -> Iterator[TamperedPostgres]:
    with database(postgres_server_url, original_database) as name:
        yield TamperedPostgres(make_conninfo(postgres_server_url, dbname=name))


@pytest.fixture(params=["in_file", "in_database"])
def store(request: pytest.FixtureRequest) -> Tampered:
    found: Tampered = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["in_file", "in_database"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tampered]:
    if request.param == "in_file":
        yield TamperedSQLite(tmp_path / "empty.sqlite")
        return
    server_url = request.getfixturevalue("postgres_server_url")
    with database(server_url) as name:
        yield TamperedPostgres(make_conninfo(server_url, dbname=name))


@pytest.fixture
def kept(store: Tampered) -> Kept:
    return [checkpoint_of(store)]


def checkpoint_of(store: Tampered, size: int | None = None) -> Checkpoint:
    with closing(store.log()) as log:
        size = log.size if size is None else size
        return Checkpoint("test", size, frontier_at(size, log.nodes()).root)


def verdict_on(store: Tampered, kept: Kept) -> Verdict:
    with closing(store.log()) as log:
        return verify(log, kept)


def first_wrong(store: Tampered, kept: Kept) -> tuple[int, str]:
    first = verdict_on(store, kept).first
    assert first is not None, "nothing was found"
    return first.position, first.code


def test_an_untouched_store_is_not_called_wrong(store: Tampered, kept: Kept) -> None:
    verdict = verdict_on(store, kept)
    assert verdict.findings == ()
    assert verdict.whole
    assert verdict.agreed == tuple(kept)
    assert verdict.totals.paid_fen == 2_500_000_00
    assert verdict.totals.recovered_fen == 1_000_000_00


def test_no_field_of_an_envelope_or_a_payload_can_be_changed_unnoticed(store: Tampered, kept: Kept) -> None:
    # What a hash covers is the same in either store: on the server a sample shows that it is asked.
    step = 8 if isinstance(store, TamperedPostgres) else 1
    seen = set()
    for event in store.rows():
        for way in paths_in(json.loads(event["data"])):
            # Of each type, each field once: the ways of list items are one field.
            kind = (event["type"], tuple(step for step in way if isinstance(step, str)))
            if kind in seen:
                continue
            seen.add(kind)
            if len(seen) % step:
                continue
            store.update(event["position"], data=changed_at(event["data"], way))
            assert first_wrong(store, kept)[0] == event["position"], kind
            store.update(event["position"], data=event["data"])
    assert len(seen) > 200
    assert verdict_on(store, kept).whole, "everything was put back"


@pytest.mark.parametrize("type_name", ["award-approved", "disbursement-settled", "role-granted", "command-refused"])
def test_no_byte_of_an_event_can_be_flipped_unnoticed(store: Tampered, kept: Kept, type_name: str) -> None:
    position = store.position_of(type_name)
    data: bytes = store.row(position)["data"]
    for at in range(0, len(data), max(1, len(data) // 12)):
        store.update(position, data=data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        assert first_wrong(store, kept)[0] == position, at


def test_a_changed_type_is_not_overlooked(store: Tampered, kept: Kept) -> None:
    position = store.position_of("disbursement-settled")
    store.update(position, type="disbursement-cancelled")
    assert first_wrong(store, kept) == (position, "not-as-sealed")
    store.update(position, type="no-such-event")
    assert first_wrong(store, kept)[0] == position


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
def test_a_changed_tag_is_not_overlooked(store: Tampered, kept: Kept, change: Callable[[list[str]], list[str]]) -> None:
    position = store.position_of("award-approved")
    store.update(position, tags=change(store.row(position)["tags"]))
    assert first_wrong(store, kept)[0] == position


def test_tags_written_with_another_space_are_not_taken_for_the_same_bytes(in_file: TamperedSQLite) -> None:
    kept, position = [checkpoint_of(in_file)], in_file.position_of("award-approved")
    with in_file.unguarded() as connection:
        connection.execute("UPDATE events SET tags = replace(tags, '\",\"', '\", \"') WHERE position = ?", (position,))
    assert first_wrong(in_file, kept)[0] == position


def test_a_tag_hidden_from_the_index_is_not_overlooked(store: Tampered, kept: Kept) -> None:
    position = store.position_of("award-approved")
    store.hide(position, "limit=")
    assert first_wrong(store, kept) == (position, "not-indexed")


def test_a_tag_slipped_into_the_index_is_not_overlooked(store: Tampered, kept: Kept) -> None:
    store.slip_in(7, "limit=x")
    assert first_wrong(store, kept) == (7, "index-foreign")


def test_a_second_event_at_a_position_is_not_overlooked(store: Tampered, kept: Kept, tmp_path: Path) -> None:
    store.add_twin(role_never_given("mallory", "admin", datetime(2027, 1, 1, tzinfo=UTC)))
    verdict = verdict_on(store, kept)
    assert not verdict.whole
    assert verdict.first is not None
    assert (verdict.first.position, verdict.first.code) == (kept[0].size, "duplicate")
    # SQLite knows what it finds on the pages; on the server the table can no longer be as it was.
    also = "schema-changed" if isinstance(store, TamperedPostgres) else "store-damaged"
    assert also in {finding.code for finding in verdict.findings}
    with closing(store.log()) as log, pytest.raises(LedgerError):
        carry_into_file(log, tmp_path / "carried", kept[0].root)


@pytest.mark.parametrize(("position", "as_if"), [(20, 19), (20, 2), (20, 40), (30, 29), (1, 2)])
def test_an_event_that_lies_where_it_does_not_belong_is_not_overlooked(
    in_file: TamperedSQLite, position: int, as_if: int
) -> None:
    kept = [checkpoint_of(in_file)]
    in_file.renumber(position, as_if)
    verdict = verdict_on(in_file, kept)
    assert verdict.first is not None
    assert verdict.first.position == min(position, as_if)
    assert "store-damaged" in {finding.code for finding in verdict.findings}


@pytest.mark.parametrize("position", [0, -1])
def test_an_event_before_the_first_is_not_overlooked_and_decides_nothing(
    store: Tampered, kept: Kept, position: int
) -> None:
    store.plant(position, role_never_given("mallory", "cashier", datetime(2026, 1, 1, tzinfo=UTC)))
    assert first_wrong(store, kept) == (position, "before-first")
    office = Office(Path("nobody"), store=store.open())
    assert not office.ledger.roles_of("mallory")
    office.close()


def test_an_index_entry_for_an_event_to_come_is_not_overlooked_and_decides_nothing(
    store: Tampered, kept: Kept, tmp_path: Path
) -> None:
    store.slip_in(kept[0].size + 1, "person=mallory")
    assert first_wrong(store, kept) == (kept[0].size + 1, "index-foreign")
    office = Office(tmp_path, store=store.open(), today=date(2026, 3, 3))
    office.give(GrantRole(person="bob", role="cashier"), "system")
    assert not office.ledger.roles_of("mallory")
    office.close()


def test_a_foreign_index_entry_is_not_balanced_by_an_event_that_nobody_reads(store: Tampered, kept: Kept) -> None:
    store.plant(-1, role_never_given("zoe", "cashier", datetime(2026, 1, 1, tzinfo=UTC)), indexed=False)
    store.slip_in(7, "person=mallory")
    codes = {(finding.position, finding.code) for finding in verdict_on(store, kept).findings}
    assert {(-1, "before-first"), (7, "index-foreign")} <= codes


def test_an_index_that_holds_more_than_the_events_carry_is_told_where_no_entry_can_be_named(
    store: Tampered, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.slip_in(7, "limit=x")
    monkeypatch.setattr(sqlite_log, "_NOT_CARRIED", sqlite_log._NOT_CARRIED.replace("NOT EXISTS", "1 > 2 AND EXISTS"))
    monkeypatch.setattr(
        postgres_log, "_NOT_CARRIED", postgres_log._NOT_CARRIED.replace("NOT EXISTS", "false AND EXISTS")
    )
    (finding,) = verdict_on(store, kept).findings
    assert (finding.position, finding.code) == (None, "index-differs")


@pytest.mark.parametrize("position", [1, 2, 8, 13, 16])
def test_a_changed_stored_hash_is_not_overlooked_and_the_event_not_blamed(
    store: Tampered, kept: Kept, position: int
) -> None:
    run: bytes = store.row(position)["run"]
    for at in range(0, len(run), 32):
        store.update(position, run=run[:at] + bytes([run[at] ^ 1]) + run[at + 1 :])
        first = verdict_on(store, kept).first
        assert first is not None
        assert first.code == "seal-changed"
        assert first.position <= position <= (first.through or first.position)


@pytest.mark.parametrize("put", ["recorded_at", "effective_on"])
def test_an_edited_date_is_not_overlooked(store: Tampered, kept: Kept, put: str) -> None:
    position = store.position_of("award-approved")
    data: bytes = store.row(position)["data"]
    date: str = json.loads(data)["envelope"][put]
    store.update(position, data=data.replace(date.encode(), date.replace("2026", "2025").encode()))
    assert first_wrong(store, kept) == (position, "not-as-sealed")


@pytest.mark.parametrize("position", [1, 2, 15, 16, 17, 30])
def test_a_deleted_event_is_not_overlooked(store: Tampered, kept: Kept, position: int) -> None:
    store.delete(position)
    assert first_wrong(store, kept)[0] == position


@pytest.mark.parametrize("position", [1, 2, 15, 16, 17])
def test_closing_the_gap_does_not_hide_a_deleted_event(store: Tampered, kept: Kept, position: int) -> None:
    store.rewrite(lambda rows: rows.__delitem__(position - 1))
    first = verdict_on(store, kept).first
    assert first is not None
    assert first.position <= position <= (first.through or first.position)


@pytest.mark.parametrize("position", [2, 15, 16, 17])
def test_an_inserted_event_is_not_overlooked(store: Tampered, kept: Kept, position: int) -> None:
    def insert(rows: list[Row]) -> None:
        rows.insert(position - 1, dict(rows[position - 2]))

    store.rewrite(insert)
    first = verdict_on(store, kept).first
    assert first is not None
    assert first.position <= position <= (first.through or first.position)


@pytest.mark.parametrize(("one", "other"), [(12, 13), (13, 15), (15, 30)])
def test_swapped_events_are_not_overlooked(store: Tampered, kept: Kept, one: int, other: int) -> None:
    def swap(rows: list[Row]) -> None:
        for name in ("type", "tags", "data"):
            rows[one - 1][name], rows[other - 1][name] = rows[other - 1][name], rows[one - 1][name]

    store.rewrite(swap)
    assert first_wrong(store, kept) == (one, "not-as-sealed")


@pytest.mark.parametrize("left", [0, 1, 16, 29])
def test_a_log_that_was_cut_off_is_not_whole(store: Tampered, kept: Kept, left: int) -> None:
    store.rewrite(lambda rows: rows.__delitem__(slice(left, None)))
    # One checkpoint tells that some are gone, not which; an earlier one tells from where on.
    assert first_wrong(store, kept) == (1, "shorter-than-checkpoint")
    if left:
        assert first_wrong(store, [*kept, checkpoint_of(store, left)]) == (left + 1, "shorter-than-checkpoint")


def test_a_fork_whose_hashes_all_agree_does_not_pass_the_kept_checkpoint(store: Tampered) -> None:
    kept = [checkpoint_of(store, size) for size in (10, 16, 30)]
    position = 20

    def fork(rows: list[Row]) -> None:
        data = rows[position - 1]["data"]
        assert isinstance(data, bytes)
        rows[position - 1]["data"] = data.replace(b'"2026-03-02T', b'"2026-03-01T', 1)
        reseal(rows)

    store.rewrite(fork)
    verdict = verdict_on(store, kept)
    assert [one.size for one in verdict.agreed] == [10, 16]
    whole_range = next(finding for finding in verdict.findings if finding.code == "not-of-checkpoint")
    assert (whole_range.position, whole_range.through) == (17, 30)
    assert not verdict.whole


def test_a_log_made_anew_from_the_same_acts_is_not_the_log_of_the_checkpoint(
    in_file: TamperedSQLite, empty_store: Tampered
) -> None:
    office = Office(Path("again"), store=empty_store.open())
    for number in range(60):
        office.submit(f"item-{number}")
    office.close()
    assert first_wrong(empty_store, [checkpoint_of(in_file)]) == (1, "not-of-checkpoint")


def test_triggers_that_were_not_put_back_are_not_overlooked(store: Tampered, kept: Kept) -> None:
    store.unguard()
    verdict = verdict_on(store, kept)
    assert {finding.code for finding in verdict.findings} == {"schema-changed"}
    assert verdict.first is None, "no event is accused"
    assert all(finding.schema_object and finding.position is None for finding in verdict.findings)


def test_a_hash_that_was_taken_out_is_not_proven_around(store: Tampered) -> None:
    store.update(5, run=b"")
    opened = store.open()
    with pytest.raises(LedgerError, match="position 5"):
        merkle.inclusion_proof(5, opened.head(), opened.nodes())
    opened.close()


# ---- on a server


@pytest.mark.parametrize(
    "change",
    [
        "DROP TRIGGER events_are_admitted ON ledger.events",
        "ALTER TABLE ledger.events ENABLE TRIGGER events_are_never_changed",
        "CREATE TRIGGER mine AFTER INSERT ON ledger.events EXECUTE FUNCTION ledger.refuse_tags()",
        "CREATE TABLE ledger.more () INHERITS (ledger.events)",
        "ALTER TABLE ledger.events ENABLE ROW LEVEL SECURITY",
        "CREATE RULE mine AS ON INSERT TO ledger.events DO ALSO NOTIFY mine",
        "ALTER TABLE ledger.event_tags DROP CONSTRAINT event_tags_pkey",
        "ALTER FUNCTION ledger.admit() SECURITY INVOKER",
        "COMMENT ON TABLE ledger.events IS 'another'",
        f"{NO_REFUSAL}; DROP TRIGGER events_are_never_changed ON ledger.events; CREATE TRIGGER events_are_never_changed "
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.events EXECUTE FUNCTION public.refuse_change(); "
        "ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_are_never_changed",
        "DROP TRIGGER events_are_never_changed ON ledger.events; CREATE TRIGGER events_are_never_changed "
        "BEFORE UPDATE OF position OR DELETE OR TRUNCATE ON ledger.events EXECUTE FUNCTION ledger.refuse_change(); "
        "ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_are_never_changed",
        "DROP TRIGGER events_are_never_changed ON ledger.events; CREATE TRIGGER events_are_never_changed "
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.event_tags EXECUTE FUNCTION ledger.refuse_change(); "
        "ALTER TABLE ledger.event_tags ENABLE ALWAYS TRIGGER events_are_never_changed",
        "CREATE TRIGGER events_are_admitted AFTER INSERT ON ledger.event_tags EXECUTE FUNCTION ledger.refuse_tags()",
        "ALTER TABLE ledger.events ADD CONSTRAINT quiet CHECK (type <> 'violation-found') NOT VALID",
        "ALTER TABLE ledger.events ALTER COLUMN run SET DEFAULT ''",
        "CREATE OR REPLACE VIEW ledger.journal AS SELECT position, type, tags, convert_from(data, 'UTF8')::json AS fact "
        "FROM ledger.events WHERE type <> 'disbursement-settled'",
        "DROP VIEW ledger.journal",
    ],
)
def test_what_keeps_the_tables_append_only_is_not_taken_away_unnoticed(
    in_database: TamperedPostgres, change: str
) -> None:
    kept = [checkpoint_of(in_database)]
    statement(in_database.url, change)
    verdict = verdict_on(in_database, kept)
    assert {finding.code for finding in verdict.findings} == {"schema-changed"}
    assert verdict.first is None


@pytest.mark.parametrize(
    ("name", "table"), [("event_tags", "events"), ("events", "event_tags"), ("mine", "events"), ("mine", "event_tags")]
)
def test_a_trigger_of_a_stranger_is_not_hidden_by_its_name(in_file: TamperedSQLite, name: str, table: str) -> None:
    kept = [checkpoint_of(in_file)]
    in_file.add_trigger_before_all(name, table)
    verdict = verdict_on(in_file, kept)
    assert {finding.schema_object for finding in verdict.findings} == {f"trigger {name}"}
    with pytest.raises(LedgerError):
        in_file.open()


def test_a_right_to_change_events_is_told_and_leaves_the_log_whole(
    in_database: TamperedPostgres, postgres_server_url: str
) -> None:
    kept = [checkpoint_of(in_database)]
    role = f"careless_{os.getpid()}_{next(_numbers)}"
    statement(postgres_server_url, f"CREATE ROLE {role}")
    try:
        statement(in_database.url, f"GRANT UPDATE, DELETE, INSERT ON ledger.events TO {role}")
        verdict = verdict_on(in_database, kept)
        assert verdict.whole
        assert [(remark.code, remark.schema_object) for remark in verdict.remarks] == [("rights", "table events")]
        assert f"{role} holds DELETE, UPDATE" in verdict.remarks[0].text.en
    finally:
        statement(in_database.url, f"DROP OWNED BY {role}")
        statement(postgres_server_url, f"DROP ROLE {role}")


def test_a_column_of_another_type_does_not_end_the_check(in_database: TamperedPostgres) -> None:
    kept = [checkpoint_of(in_database)]
    in_database.unguard()
    statement(in_database.url, "DROP VIEW ledger.journal")
    statement(in_database.url, "ALTER TABLE ledger.events ALTER COLUMN data TYPE text USING encode(data, 'hex')")
    codes = {finding.code for finding in verdict_on(in_database, kept).findings}
    assert {"unreadable", "schema-changed"} <= codes


def test_a_server_that_is_gone_is_not_taken_for_a_wrong_event(
    in_database: TamperedPostgres, postgres_server_url: str
) -> None:
    kept = [checkpoint_of(in_database)]
    name = str(psycopg.conninfo.conninfo_to_dict(in_database.url)["dbname"])
    hang_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with closing(PostgresLog(in_database.url)) as log:
        statement(postgres_server_url, hang_up, name)
        assert verify(log, kept).whole, "the first time it connects anew"
        close_it = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
        statement(postgres_server_url, close_it)
        statement(postgres_server_url, hang_up, name)
        with pytest.raises(OutOfReach, match="not currently accepting connections"):
            verify(log, kept)


# ---- without the seal


@pytest.fixture
def no_seal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The switch: every event has the same leaf hash, when it is sealed and when it is checked."""

    def constant(data: bytes) -> bytes:
        return bytes(32)

    for module in (merkle, sealing, verification):
        monkeypatch.setattr(module, "leaf_hash", constant)
    return


def test_without_the_seal_a_forged_payment_would_pass(no_seal: None, empty_store: Tampered) -> None:
    """If this fails, something else than the seal detects the forgery, and the tests above prove nothing of the seal."""
    make_history(empty_store.open())
    kept = [checkpoint_of(empty_store)]
    assert verdict_on(empty_store, kept).whole
    forge_a_bank_serial(empty_store)
    assert verdict_on(empty_store, kept).whole, "a bank's serial number was forged, and only the seal could have told"


def test_with_the_seal_the_same_forgery_does_not_pass(store: Tampered, kept: Kept) -> None:
    position = forge_a_bank_serial(store)
    assert first_wrong(store, kept) == (position, "not-as-sealed")


def forge_a_bank_serial(store: Tampered) -> int:
    position = store.position_of("disbursement-settled")
    row: dict[str, Any] = store.row(position)
    forged = row["data"].replace('"bank_serial":"流水1"'.encode(), '"bank_serial":"流水9"'.encode())
    assert forged != row["data"]
    tags = [tag.replace("bank-serial=流水1", "bank-serial=流水9") for tag in row["tags"]]
    assert tags != row["tags"]
    store.update(position, data=forged, tags=tags)
    return position
