"""A connection that breaks, at every place where it can, and a server that is restarted: nothing half-written, and a
definite error, or "unknown, repeat with the same key".
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent

from ledger.errors import StoreFault, Unavailable
from ledger.store import postgres_subscription
from ledger.store.postgres import PostgresDCBRecorder
from tests.fixtures.postgres import postgres_server_url, postgres_url, recorder, statement  # noqa: F401
from tests.ledger.store.closing_proxy import ClosingProxy, closing_proxy
from tests.ledger.store.test_sqlite_recorder import event, tagged
from tests.office import Office

# ruff: noqa: F811

COMMIT = b"COMMIT\0"  # not "READ COMMITTED"
SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[ClosingProxy]:
    with closing_proxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture
def through(proxy: ClosingProxy) -> Iterator[PostgresDCBRecorder]:
    recorder = PostgresDCBRecorder(proxy.url)
    recorder.append([event("first")])
    yield recorder
    recorder.close()


def types(recorder: PostgresDCBRecorder) -> list[str]:
    return [found.event.tags[0] for found in recorder.read()]


def test_a_connection_lost_before_the_commit_arrived_is_told_as_unknown_and_nothing_is_recorded(
    through: PostgresDCBRecorder, proxy: ClosingProxy, recorder: PostgresDCBRecorder
) -> None:
    proxy.cut_before(COMMIT)
    with pytest.raises(Unavailable, match=r"lost during the commit.*not known.*same key"):
        through.append([event("second")])
    assert proxy.cuts == 1
    assert types(recorder) == ["first"]
    assert through.append([event("third")]) == 2


def test_a_connection_lost_after_the_commit_arrived_is_told_as_unknown_and_all_is_recorded(
    through: PostgresDCBRecorder, proxy: ClosingProxy, recorder: PostgresDCBRecorder
) -> None:
    proxy.cut_after(COMMIT)
    with pytest.raises(Unavailable, match=r"lost during the commit.*not known.*same key"):
        through.append([event("second"), event("third")])
    assert proxy.cuts == 1
    assert types(recorder) == ["first", "second", "third"]
    assert through.append([event("fourth")]) == 4


def test_a_connection_lost_while_idle_is_not_noticed(through: PostgresDCBRecorder, proxy: ClosingProxy) -> None:
    for position in range(2, 6):
        assert through.head() == position - 1
        proxy.cut_all()
        assert through.append([event(str(position))]) == position
        proxy.cut_all()
        assert len(list(through.read())) == position


def test_many_idle_connections_lost_at_once_are_not_noticed(through: PostgresDCBRecorder, proxy: ClosingProxy) -> None:
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            assert list(threads.map(lambda _: through.head(), range(32))) == [1] * 32
            proxy.cut_all()


@pytest.mark.parametrize("words", ["BEGIN", "event_tags"])
def test_a_connection_lost_before_anything_was_sent_to_be_written_records_nothing(
    through: PostgresDCBRecorder, proxy: ClosingProxy, words: str
) -> None:
    condition = DCBAppendCondition(tagged("second"))
    proxy.cut_before(words.encode())
    if words == "BEGIN":
        # Nothing had been asked of that connection: another one is as good.
        assert through.append([event("second")], condition) == 2
    else:
        with pytest.raises(Unavailable, match="Nothing was recorded"):
            through.append([event("second")], condition)
        assert types(through) == ["first"]
        assert through.append([event("second")], condition) == 2
    assert proxy.cuts == 1


def test_a_connection_lost_while_deciding_records_nothing(through: PostgresDCBRecorder, proxy: ClosingProxy) -> None:
    def decide() -> None:
        with through.transaction() as transaction:
            transaction.append([event("second")])
            transaction.read(limit=1)
            proxy.cut_all()
            with pytest.raises(Unavailable, match="Nothing was recorded"):
                transaction.read(limit=1)
            transaction.append([event("third")])

    with pytest.raises(Unavailable, match="same key"):
        decide()
    assert types(through) == ["first"]
    assert through.append([event("fourth")]) == 2


def test_a_read_that_is_cut_off_is_asked_again(through: PostgresDCBRecorder, proxy: ClosingProxy) -> None:
    assert through.head() == 1
    proxy.cut_after(b"event_tags")
    assert len(list(through.read(tagged("first")))) == 1
    assert proxy.cuts == 1


def test_a_server_that_is_gone_is_unavailable_for_everything(proxy: ClosingProxy) -> None:
    recorder = PostgresDCBRecorder(proxy.url, lock_timeout_s=1)
    recorder.append([event("first")])
    recorder.head()
    proxy.refuse()
    for use in (recorder.head, recorder.read, lambda: recorder.append([event("second")])):
        with pytest.raises(Unavailable, match="same key"):
            use()
    recorder.close()


def test_a_subscription_outlives_its_connections(
    through: PostgresDCBRecorder, proxy: ClosingProxy, recorder: PostgresDCBRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_subscription, "_RECONNECT_SECONDS", 0.02)
    stop = threading.Event()

    def cut() -> None:
        while not stop.wait(0.03):
            proxy.cut_all()

    def follow() -> list[int]:
        found: list[int] = []
        with through.subscribe() as subscription:
            while len(found) < 201:
                try:
                    found.append(next(subscription).position)
                except Unavailable:
                    continue
        return found

    with ThreadPoolExecutor(2) as threads:
        cutting, following = threads.submit(cut), threads.submit(follow)
        try:
            for number in range(200):
                recorder.append([event(str(number))])
            assert following.result(timeout=120) == list(range(1, 202))
        finally:
            stop.set()
        cutting.result()


def test_sessions_ended_by_an_administrator_at_any_moment_lose_and_double_nothing(
    postgres_url: str, recorder: PostgresDCBRecorder
) -> None:
    """Each event is recorded under a condition, as a command is under its key, and repeated until it is answered."""
    stop = threading.Event()
    chance = random.Random(7)

    def end_sessions() -> None:
        while not stop.wait(chance.random() / 20):
            statement(postgres_url, SESSIONS)

    def record(who: int) -> None:
        for number in range(40):
            tag = f"{who}-{number}"
            while True:
                try:
                    with recorder.transaction() as transaction:
                        if not transaction.histories([tag])[tag]:
                            transaction.append([event(tag), event(tag + "'")])
                    break
                except Unavailable:
                    continue

    with ThreadPoolExecutor(5) as threads:
        ending = threads.submit(end_sessions)
        for each in [threads.submit(record, who) for who in range(4)]:
            each.result()
        stop.set()
        ending.result()
    tags = types(recorder)
    assert sorted(tags[::2]) == sorted(f"{who}-{number}" for who in range(4) for number in range(40))
    assert tags[1::2] == [tag + "'" for tag in tags[::2]]


def test_a_command_cut_off_in_its_commit_is_answered_once_under_its_key(
    proxy: ClosingProxy, recorder: PostgresDCBRecorder, tmp_path: Path
) -> None:
    office = Office(tmp_path, store=PostgresDCBRecorder(proxy.url))
    for number, cut in enumerate([proxy.cut_after, proxy.cut_before] * 3):
        before = recorder.head()
        cut(COMMIT)
        with pytest.raises(Unavailable, match="same key"):
            office.submit(f"国械注准2026301000{number}")
        assert recorder.head() == before + (cut == proxy.cut_after)
    office.close()


def test_a_commit_that_the_server_refuses_records_nothing_and_leaves_the_store_usable(
    recorder: PostgresDCBRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.append([event("first")])

    def collide() -> None:
        with recorder.transaction() as transaction:
            transaction._head -= 1  # as if somebody had come first without the lock
            transaction.append([event("second"), event("third")])

    for _ in range(3):
        with pytest.raises(Unavailable, match="Nothing was recorded"):
            collide()
    assert recorder.append([DCBEvent("noted", b"", ["fourth"])]) == 2
    assert types(recorder) == ["first", "fourth"]


def test_a_transaction_that_met_an_error_is_not_taken_for_committed(recorder: PostgresDCBRecorder) -> None:
    def go_on_after_an_error() -> None:
        with recorder.transaction() as transaction:
            transaction.append([event("first")])
            transaction.read(limit=1)
            with pytest.raises(StoreFault):
                transaction._ask(("SELECT 1 / 0", ()))

    with pytest.raises(Unavailable, match="Nothing was recorded"):
        go_on_after_an_error()
    assert types(recorder) == []
    assert recorder.append([event("second")]) == 1


def test_another_server_that_took_over_is_not_taken_for_the_old_one(
    recorder: PostgresDCBRecorder, postgres_url: str
) -> None:
    recorder.append([event("first")])
    recorder._timeline = "00000000"  # as if the server had been another one
    statement(postgres_url, SESSIONS)
    with pytest.raises(Unavailable, match="taken over"):
        recorder.append([event("second")])
    assert recorder.append([event("second")]) == 2


def test_a_store_put_back_to_an_earlier_state_is_not_taken_for_the_one_that_was_known(
    recorder: PostgresDCBRecorder, postgres_url: str
) -> None:
    """Such as by a snapshot of the server's machine: the same timeline, and as many events or more, but others."""
    recorder.append([event("first"), event("second")])
    statement(postgres_url, "DROP SCHEMA ledger CASCADE")
    other = PostgresDCBRecorder(postgres_url)
    other.append([event("first"), event("another"), event("third")])
    other.close()
    statement(postgres_url, SESSIONS)
    with pytest.raises(Unavailable, match="earlier state"):
        recorder.append([event("fourth")])
    with recorder.transaction(["first"]) as transaction:
        assert transaction.head == 3
    assert recorder.append([event("fourth")]) == 4


def test_a_lost_connection_alone_does_not_make_a_log_unknown(recorder: PostgresDCBRecorder, postgres_url: str) -> None:
    other = PostgresDCBRecorder(postgres_url)
    for position in range(1, 6, 2):
        recorder.append([event("ours")])
        assert other.append([event("another's")]) == position + 1
        statement(postgres_url, SESSIONS)
    other.close()


def test_the_write_lock_is_not_kept_by_who_ran_out_of_memory(
    recorder: PostgresDCBRecorder, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(*_: object) -> None:
        raise MemoryError

    other = PostgresDCBRecorder(postgres_url, lock_timeout_s=2)
    with monkeypatch.context() as short:
        short.setattr("ledger.store.postgres.by_tag", too_much)
        with pytest.raises(MemoryError), recorder.transaction(["first"]):
            pass
    assert other.append([event("second")]) == 1
    assert recorder.append([event("third")]) == 2
    other.close()
