"""The races, deaths and locks of test_sqlite_concurrency.py on PostgreSQL, and those that only a server knows."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem

from ledger.errors import Unavailable
from ledger.store.postgres import PostgresDCBRecorder
from tests.fixtures.postgres import (  # noqa: F401
    postgres_server_url,
    postgres_url,
    recorder,
    start_worker,
    statement,
)
from tests.ledger.store import test_sqlite_concurrency as promised
from tests.ledger.store.test_sqlite_concurrency import (  # noqa: F401 - the same promises
    assert_gap_free,
    at_once,
    test_a_cold_start_of_sixteen_threads_makes_one_sound_store,
    test_a_lock_held_by_another_connection_gives_unavailable_and_records_nothing,
    test_a_lock_held_by_another_thread_gives_unavailable_and_records_nothing,
    test_each_of_many_conditions_has_exactly_one_winner_among_four_processes,
    test_each_of_many_conditions_has_exactly_one_winner_among_sixteen_threads,
    test_head_and_events_are_of_one_instant_while_others_append,
    test_room_for_ten_raced_by_fifty_threads_takes_exactly_ten,
    test_room_for_ten_raced_by_four_processes_takes_exactly_ten,
    test_sixteen_threads_record_every_event_once_at_gap_free_positions,
    test_twenty_writers_killed_in_the_middle_lose_no_acknowledged_event,
)
from tests.office import Office

# ruff: noqa: F811


@pytest.fixture(autouse=True)
def on_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promised, "SQLiteDCBRecorder", PostgresDCBRecorder)


@pytest.fixture
def path(postgres_url: str) -> str:
    return postgres_url


def test_a_cold_start_of_sixteen_processes_makes_one_sound_store(
    postgres_url: str, start_worker: Callable[..., Any], go: Callable[..., None]
) -> None:
    workers = [start_worker("start", postgres_url) for _ in range(16)]
    go(*workers)
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0] * 16
    recorder = PostgresDCBRecorder(postgres_url)
    assert_gap_free(recorder, 16)
    recorder.close()


def test_a_writer_killed_while_it_holds_the_lock_leaves_no_trace_and_no_lock(
    recorder: PostgresDCBRecorder, postgres_url: str, start_worker: Callable[..., Any], go: Callable[..., None]
) -> None:
    worker = start_worker("hold", postgres_url)
    go(worker)
    assert worker.stdout.readline() == "holding\n"
    worker.send_signal(signal.SIGKILL)
    assert recorder.append([DCBEvent("noted", b"")]) == 1
    assert [found.event.type for found in recorder.read()] == ["noted"]


def test_a_writer_that_stops_in_the_middle_is_cut_off(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.store.postgres_connections.IDLE_WRITER_S", 1)
    stuck, other = PostgresDCBRecorder(postgres_url), PostgresDCBRecorder(postgres_url)

    def stop_in_the_middle() -> None:
        with stuck.transaction() as transaction:
            transaction.append([DCBEvent("never", b"")])
            assert other.append([DCBEvent("noted", b"")]) == 1

    with pytest.raises(Unavailable, match="same key"):
        stop_in_the_middle()
    assert stuck.append([DCBEvent("noted", b"")]) == 2
    assert {found.event.type for found in other.read()} == {"noted"}
    stuck.close()
    other.close()


def test_writers_that_take_no_lock_make_neither_a_gap_nor_a_wrong_order(
    recorder: PostgresDCBRecorder, postgres_url: str
) -> None:
    insert = (
        "INSERT INTO ledger.events (position, type, tags, run, data) "
        "SELECT coalesce(max(position), 0) + 1, 'noted', '{}', '', '' FROM ledger.events"
    )

    def intrude(_: int) -> int:
        count = 0
        for _ in range(25):
            # Whoever comes second is refused.
            with suppress(psycopg.Error):
                statement(postgres_url, insert)
                count += 1
        return count

    with recorder.subscribe() as subscription:
        total = sum(at_once(4, intrude))
        assert total >= 25
        assert [next(subscription).position for _ in range(total)] == list(range(1, total + 1))
    assert_gap_free(recorder, total)


def test_a_batch_longer_than_a_lock_wait_holds_nobody_up_who_reads(recorder: PostgresDCBRecorder) -> None:
    recorder.append([DCBEvent("noted", b"", ["a"])])
    with recorder.transaction() as transaction:
        transaction.append([DCBEvent("noted", b"", ["a"])])
        transaction.read(limit=1)
        began = time.monotonic()
        assert len(list(recorder.read(DCBQuery([DCBQueryItem(tags=["a"])])))) == 1
        assert time.monotonic() - began < 5


def test_the_one_door_raced_for_ten_places_by_four_processes_gives_exactly_ten(
    recorder: PostgresDCBRecorder,
    postgres_url: str,
    tmp_path: Path,
    start_worker: Callable[..., Any],
    go: Callable[..., None],
) -> None:
    office = Office(tmp_path, store=recorder)
    case = office.approved("国械注准20263010001")
    amount_fen = office.reader.case(case).awarded_fen
    workers = [start_worker("door", postgres_url, who, case, amount_fen // 10) for who in range(4)]
    go(*workers)
    given = [json.loads(worker.communicate()[0]) for worker in workers]
    assert sum(given) == 10, given
    requested = [found for found in recorder.read() if found.event.type == "disbursement-requested"]
    assert len(requested) == 10
    assert_gap_free(recorder, recorder.head())
