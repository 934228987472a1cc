"""A PostgreSQL store read as evidence, and a log carried into it. What tampering it finds: tests/reliability."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ledger.errors import NotFound, StoreFault, Text
from ledger.seal.merkle import frontier_at
from ledger.seal.sealed_log import OutOfReach, Row
from ledger.seal.verification import SPAN
from ledger.store.carrying import NotEmpty, carry, carry_into_file
from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.postgres_log import PostgresLog
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_log import SQLiteLog
from projections.verification import verify
from tests.fixtures.postgres import postgres_server_url, postgres_url, recorder, statement  # noqa: F401
from tests.office import Office

# ruff: noqa: F811


@pytest.fixture
def in_file(tmp_path: Path) -> Iterator[SQLiteLog]:
    office = Office(tmp_path)
    office.pay(office.approved("国械注准20263010001"), 1_000_000_00, "流水1")
    office.close()
    with closing(SQLiteLog(tmp_path / "facts.sqlite")) as log:
        yield log


def root_of(log: SQLiteLog | PostgresLog) -> bytes:
    return frontier_at(log.size, log.nodes()).root


@pytest.fixture
def log(in_file: SQLiteLog, recorder: PostgresDCBRecorder, postgres_url: str) -> Iterator[PostgresLog]:
    carry(in_file, recorder, root_of(in_file))
    with closing(PostgresLog(postgres_url)) as log:
        yield log


def test_both_stores_do_not_show_different_bytes(in_file: SQLiteLog, log: PostgresLog) -> None:
    assert log.size == in_file.size
    assert log.rows(1, 7) == in_file.rows(1, 7)
    assert log.rows(3, log.size) == in_file.rows(3, log.size)
    assert root_of(log) == root_of(in_file)
    assert verify(log, []) == verify(in_file, [])


def test_a_log_handed_to_another_process_is_not_another(log: PostgresLog) -> None:
    other = pickle.loads(pickle.dumps(log))
    assert (other.size, other.rows(1, 5)) == (log.size, log.rows(1, 5))
    other.close()


@pytest.mark.beside_the_door
def test_a_check_shared_by_processes_is_not_another_check(recorder: PostgresDCBRecorder, postgres_url: str) -> None:
    office = Office(Path("x"), store=recorder)
    event = office.store.read(limit=1)
    one = next(iter(event)).event
    for _ in range(0, SPAN, 512):
        recorder.append([one] * 512)
    with closing(PostgresLog(postgres_url)) as log:
        assert verify(log, [], jobs=2) == verify(log, [])


def test_what_came_after_it_was_opened_is_not_in_it(log: PostgresLog, recorder: PostgresDCBRecorder) -> None:
    recorder.append([next(iter(recorder.read(limit=1))).event])
    assert log.size == recorder.head() - 1
    assert verify(log, []).whole


def test_a_log_that_is_read_cannot_be_written_to(log: PostgresLog) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        log._connected().execute("CREATE TABLE mine (x int)")


def test_a_database_without_a_ledger_is_told_and_left_alone(postgres_url: str) -> None:
    with pytest.raises(NotFound, match="no ledger in the database"):
        PostgresLog(postgres_url)
    assert statement(postgres_url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'ledger'") == [(0,)]
    statement(postgres_url, "CREATE SCHEMA ledger; CREATE TABLE ledger.other (x int)")
    with pytest.raises(StoreFault):
        PostgresLog(postgres_url)


def test_a_server_that_is_away_for_one_span_is_not_taken_for_events_that_cannot_be_read(
    log: PostgresLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = OutOfReach(Text("没有应答", "it does not answer"))

    def rows(self: PostgresLog, first: int, last: int) -> list[Row]:
        raise away

    monkeypatch.setattr(PostgresLog, "rows", rows)
    with pytest.raises(OutOfReach):
        verify(log, [])
    told = pickle.loads(pickle.dumps(away))
    assert (type(told), told.text) == (OutOfReach, away.text), "also by another process"


def test_a_store_of_a_newer_program_is_not_called_wrong(log: PostgresLog, postgres_url: str) -> None:
    statement(postgres_url, "COMMENT ON TABLE ledger.events IS 'funding-ledger event store, schema version 9'")
    with pytest.raises(StoreFault, match="upgrade this one"):
        verify(log, [])


def test_a_log_is_not_carried_into_one_that_holds_events(
    in_file: SQLiteLog, log: PostgresLog, recorder: PostgresDCBRecorder, tmp_path: Path
) -> None:
    for full in (recorder, SQLiteDCBRecorder(tmp_path / "facts.sqlite")):
        head = full.head()
        with pytest.raises(NotEmpty, match=f"holds {head} events"):
            carry(in_file, full, root_of(in_file))
        assert full.head() == head
    full.close()


def test_a_log_that_does_not_come_to_its_root_is_not_kept(in_file: SQLiteLog, recorder: PostgresDCBRecorder) -> None:
    with pytest.raises(StoreFault, match="no copy was kept"):
        carry(in_file, recorder, bytes(32))
    assert recorder.head() == 0


def test_what_was_carried_into_a_file_needs_no_log_beside_it(log: PostgresLog, tmp_path: Path) -> None:
    carry_into_file(log, tmp_path / "copy", root_of(log))
    assert {path.name for path in tmp_path.glob("copy*")} == {"copy"}
    (tmp_path / "copy").chmod(0o400)
    with closing(SQLiteLog(tmp_path / "copy")) as copied:
        assert root_of(copied) == root_of(log)
        assert verify(copied, []).whole
