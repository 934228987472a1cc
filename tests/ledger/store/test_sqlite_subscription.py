"""A subscription delivers every event once and in order, from whichever process, and stops at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem

from ledger.errors import StoreFault
from ledger.store import following, sqlite_subscription
from ledger.store.sqlite import SQLiteDCBRecorder

LONG_S = 3600


def tagged(*tags: str) -> DCBQuery:
    return DCBQuery([DCBQueryItem(tags=list(tags))])


def test_events_of_other_processes_arrive_once_and_in_order(
    recorder: SQLiteDCBRecorder, path: str, start_worker: Callable[..., Any], go: Callable[..., None]
) -> None:
    workers = [start_worker("append", path, name, 120) for name in "xyz"]
    with recorder.subscribe() as everything, recorder.subscribe(tagged("of-y")) as some:
        go(*workers)
        followed = list(islice(everything, 360))
        assert [found.position for found in followed] == list(range(1, 361))
        assert [found.event.tags[0] for found in islice(some, 120)] == [f"y-{n}" for n in range(120)]
    recorded = list(recorder.read())
    assert followed == recorded


def test_events_of_many_threads_arrive_once_and_in_order(recorder: SQLiteDCBRecorder) -> None:
    def record(thread: int) -> None:
        for number in range(40):
            recorder.append([DCBEvent("counted", b"", [f"{thread}-{number}"])] * (number % 3 + 1))

    total = 8 * sum(number % 3 + 1 for number in range(40))
    with recorder.subscribe() as subscription, ThreadPoolExecutor(8) as threads:
        writing = [threads.submit(record, thread) for thread in range(8)]
        assert [found.position for found in islice(subscription, total)] == list(range(1, total + 1))
        for each in writing:
            each.result()


@pytest.mark.parametrize("slice_size", [1, 2, 7, 500])
def test_a_history_longer_than_one_slice_is_neither_cut_nor_repeated(
    recorder: SQLiteDCBRecorder, monkeypatch: pytest.MonkeyPatch, slice_size: int
) -> None:
    monkeypatch.setattr(following, "_SLICE", slice_size)
    recorder.append([DCBEvent("counted", b"", ["odd"] if n % 2 else []) for n in range(1, 30)])
    with recorder.subscribe(tagged("odd"), after=4) as subscription:
        assert [found.position for found in islice(subscription, 13)] == list(range(5, 30, 2))
        recorder.append([DCBEvent("counted", b""), DCBEvent("counted", b"", ["odd"])])
        assert next(subscription).position == 31


def test_events_of_the_same_process_do_not_wait_for_the_poll(
    recorder: SQLiteDCBRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_subscription, "POLL_SECONDS", LONG_S)
    with recorder.subscribe() as subscription, ThreadPoolExecutor(1) as threads:
        for position in range(1, 51):
            waiting = threads.submit(next, subscription)
            recorder.append([DCBEvent("counted", b"")])
            assert waiting.result(timeout=60).position == position


@pytest.mark.parametrize("end", ["stop", "close"])
def test_stopping_ends_a_consumer_that_waits(
    recorder: SQLiteDCBRecorder, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(sqlite_subscription, "POLL_SECONDS", LONG_S)
    recorder.append([DCBEvent("counted", b"")])
    subscription = recorder.subscribe()
    received: list[int] = []
    first = threading.Event()

    def consume() -> None:
        for found in subscription:
            received.append(found.position)
            first.set()

    consumer = threading.Thread(target=consume)
    consumer.start()
    assert first.wait(60)
    subscription.stop() if end == "stop" else recorder.close()
    consumer.join(60)
    assert not consumer.is_alive()
    assert received == [1]
    assert list(subscription) == []


def test_a_subscription_that_was_stopped_before_it_began_delivers_nothing(recorder: SQLiteDCBRecorder) -> None:
    recorder.append([DCBEvent("counted", b"")])
    subscription = recorder.subscribe()
    subscription.stop()
    subscription.stop()
    assert list(subscription) == []


def test_a_log_that_ends_before_what_was_followed_is_not_waited_for(
    recorder: SQLiteDCBRecorder, tmp_path: Path
) -> None:
    recorder.append([DCBEvent("counted", b"")] * 3)
    shorter = SQLiteDCBRecorder(tmp_path / "shorter.sqlite")
    shorter.append([DCBEvent("counted", b"")])
    with recorder.subscribe() as subscription:
        assert [next(subscription).position for _ in range(3)] == [1, 2, 3]
        subscription._recorder = shorter
        with pytest.raises(StoreFault, match="had 3 events and now has 1"):
            next(subscription)
    shorter.close()
