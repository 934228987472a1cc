"""What a server's administrator can do to a commit under a running service: the service does not answer it as durable.

On a server of their own, since these settings are the whole server's.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ledger.errors import StoreFault, Unavailable
from ledger.store.postgres import PostgresDCBRecorder
from tests import postgres_server
from tests.fixtures.postgres import statement
from tests.ledger.store.test_sqlite_recorder import event

_numbers = itertools.count(1)

NO_STANDBY = "synchronous_standby_names = 'nosuch'"
WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'funding-ledger' AND datname = current_database() "
    "AND wait_event = 'SyncRep'"
)


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="ledger-pg-own-", dir="/tmp"))
    try:
        server = postgres_server._start(folder)
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            postgres_server._stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(own_server: str) -> str:
    name = f"own_{next(_numbers)}"
    statement(own_server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return make_conninfo(own_server, dbname=name)


@pytest.fixture
def recorder(url: str) -> Iterator[PostgresDCBRecorder]:
    recorder = PostgresDCBRecorder(url)
    recorder.append([event("first")])
    yield recorder
    recorder.close()


@contextmanager
def altered(url: str, setting: str) -> Iterator[None]:
    """The server's own setting for a while, and in force."""
    name, _, value = setting.partition(" = ")
    before = statement(url, f"SHOW {name}")
    statement(url, f"ALTER SYSTEM SET {setting}")
    _reloaded(url, name, value.strip("'"))
    try:
        yield
    finally:
        statement(url, f"ALTER SYSTEM RESET {name}")
        _reloaded(url, name, before[0][0])


def _reloaded(url: str, name: str, value: str) -> None:
    statement(url, "SELECT pg_reload_conf()")
    until(lambda: statement(url, f"SHOW {name}") == [(value,)])


def until(holds: Callable[[], object], of: Future[object] | None = None) -> None:
    """Wait for another process; the test's own time limit ends it where that never comes."""
    while not holds():
        assert of is None or not of.done(), f"ended instead: {(of and of.exception()) or (of and of.result())}"
        time.sleep(0.005)


def cancel_the_wait(url: str, of: Future[object], how: str = "pg_cancel_backend") -> None:
    until(lambda: statement(url, WAITING), of)
    for (pid,) in statement(url, WAITING):
        statement(url, f"SELECT {how}({pid})")


def in_one_round_trip(recorder: PostgresDCBRecorder) -> object:
    return recorder.append([event("second")])


def events_before_their_commit(recorder: PostgresDCBRecorder) -> object:
    with recorder.transaction() as transaction:
        transaction.append([event("second")])
        return list(transaction.read(limit=1))


@pytest.mark.parametrize("record", [in_one_round_trip, events_before_their_commit])
def test_a_commit_whose_wait_for_a_standby_was_cancelled_is_not_answered_as_durable(
    recorder: PostgresDCBRecorder, url: str, record: Callable[[PostgresDCBRecorder], object]
) -> None:
    with ThreadPoolExecutor(1) as threads, altered(url, NO_STANDBY):
        recording = threads.submit(record, recorder)
        cancel_the_wait(url, recording)
        with pytest.raises(Unavailable, match=r"canceling wait.*not known.*same key"):
            recording.result()


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_what_may_be_on_no_standby_is_not_found_by_who_asks_again_until_one_has_it(
    recorder: PostgresDCBRecorder, url: str, how: str
) -> None:
    def ask_again() -> object:
        with recorder.transaction(["second"]) as transaction:
            return len(transaction.histories(["second"])["second"])

    with ThreadPoolExecutor(1) as threads:
        with altered(url, NO_STANDBY):
            recording = threads.submit(in_one_round_trip, recorder)
            cancel_the_wait(url, recording, how)
            with pytest.raises(Unavailable, match="same key"):
                recording.result()
            asking = threads.submit(ask_again)
            cancel_the_wait(url, asking)
            with pytest.raises(Unavailable, match="same key"):
                asking.result()
            asking = threads.submit(ask_again)
            until(lambda: statement(url, WAITING), asking)
        assert asking.result() == 1
    assert recorder.append([event("third")]) == 3


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_commit_that_a_power_failure_could_take_is_refused_under_a_running_service(
    recorder: PostgresDCBRecorder, url: str, name: str
) -> None:
    with altered(url, f"{name} = off"):
        with pytest.raises(Unavailable, match=f"{name} is off.*set {name} = on"):
            recorder.append([event("second")])
        with pytest.raises(StoreFault, match=f"{name} is off.*set {name} = on"):
            PostgresDCBRecorder(url)
        assert recorder.head() == 1
    assert recorder.append([event("second")]) == 2
