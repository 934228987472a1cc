"""The promises of test_sqlite_subscription.py on PostgreSQL, random delays of commits, and connections that are lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.store import postgres_subscription
from ledger.store.postgres import PostgresDCBRecorder
from tests.fixtures.postgres import (  # noqa: F401
    postgres_server_url,
    postgres_url,
    recorder,
    start_worker,
    statement,
)
from tests.ledger.store import test_sqlite_subscription as promised
from tests.ledger.store.test_sqlite_subscription import (  # noqa: F401 - the same promises
    LONG_S,
    tagged,
    test_a_history_longer_than_one_slice_is_neither_cut_nor_repeated,
    test_a_subscription_that_was_stopped_before_it_began_delivers_nothing,
    test_events_of_many_threads_arrive_once_and_in_order,
    test_events_of_other_processes_arrive_once_and_in_order,
    test_events_of_the_same_process_do_not_wait_for_the_poll,
    test_stopping_ends_a_consumer_that_waits,
)

# ruff: noqa: F811

LISTENING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%'"


@pytest.fixture(autouse=True)
def on_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promised, "sqlite_subscription", postgres_subscription)


@pytest.fixture
def path(postgres_url: str) -> str:
    return postgres_url


def test_commits_delayed_at_random_are_all_delivered_once_and_in_order(
    recorder: PostgresDCBRecorder, postgres_url: str, start_worker: Callable[..., Any], go: Callable[..., None]
) -> None:
    workers = [start_worker("delay", postgres_url, name, 60) for name in "wxyz"]
    with recorder.subscribe() as everything, recorder.subscribe(tagged("of-y")) as some:
        go(*workers)
        followed = list(islice(everything, 240))
        assert [found.position for found in followed] == list(range(1, 241))
        assert [found.event.tags[0] for found in islice(some, 60)] == [f"y-{n}" for n in range(60)]
    assert followed == list(recorder.read())


def test_a_commit_elsewhere_is_heard_of_without_the_poll(
    recorder: PostgresDCBRecorder, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_subscription, "POLL_SECONDS", LONG_S)
    other = PostgresDCBRecorder(postgres_url)
    with recorder.subscribe() as subscription, ThreadPoolExecutor(1) as threads:
        for position in range(1, 21):
            waiting = threads.submit(next, subscription)
            other.append([DCBEvent("counted", b"")])
            assert waiting.result(timeout=60).position == position
    other.close()


def test_a_notification_that_never_comes_costs_a_poll_and_no_event(
    recorder: PostgresDCBRecorder, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_subscription, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(postgres_subscription.Listener, "_hear", lambda self: self._ended.wait(60))
    other = PostgresDCBRecorder(postgres_url)
    with recorder.subscribe() as subscription, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: [next(subscription).position for _ in range(3)])
        for _ in range(3):
            other.append([DCBEvent("counted", b"")])
        assert waiting.result(timeout=60) == [1, 2, 3]
    other.close()


def test_a_listener_whose_connection_is_ended_hears_again_and_nothing_is_skipped(
    recorder: PostgresDCBRecorder, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_subscription, "POLL_SECONDS", LONG_S)
    monkeypatch.setattr(postgres_subscription, "_RECONNECT_SECONDS", 0.05)
    other = PostgresDCBRecorder(postgres_url)
    stop = threading.Event()

    def cut() -> None:
        while not stop.wait(0.05):
            for (pid,) in statement(postgres_url, LISTENING):
                statement(postgres_url, "SELECT pg_terminate_backend(%s)", pid)

    with recorder.subscribe() as subscription, ThreadPoolExecutor(2) as threads:
        cutting = threads.submit(cut)
        waiting = threads.submit(lambda: [next(subscription).position for _ in range(200)])
        try:
            for _ in range(200):
                other.append([DCBEvent("counted", b"")])
            assert waiting.result(timeout=60) == list(range(1, 201))
        finally:
            stop.set()
            subscription.stop()
        cutting.result()
    other.close()
