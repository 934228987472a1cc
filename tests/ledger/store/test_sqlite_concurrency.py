"""Many threads, many processes, and processes that die: one order of events, one winner of every race."""

from __future__ import annotations

import json
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.persistence import IntegrityError

from ledger.errors import Unavailable
from ledger.store.sqlite import SQLiteDCBRecorder

PLACES = 10


def tagged(*tags: str) -> DCBQuery:
    return DCBQuery([DCBQueryItem(tags=list(tags))])


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """The results of ``act(0) … act(count - 1)``, each in its own thread, all released together."""
    gate = threading.Barrier(count)

    def after_the_gate(number: int) -> Any:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(after_the_gate, range(count)))


def take_a_place(recorder: SQLiteDCBRecorder, who: int) -> bool:
    while True:
        taken = recorder.read(tagged("room"))
        head = taken.head
        if len(list(taken)) >= PLACES:
            return False
        try:
            recorder.append([DCBEvent("place-taken", b"%d" % who, ["room"])], DCBAppendCondition(tagged("room"), head))
        except IntegrityError:
            continue
        return True


def assert_gap_free(recorder: SQLiteDCBRecorder, count: int) -> None:
    assert [found.position for found in recorder.read()] == list(range(1, count + 1))


def test_sixteen_threads_record_every_event_once_at_gap_free_positions(recorder: SQLiteDCBRecorder) -> None:
    def record(thread: int) -> list[int]:
        return [recorder.append([DCBEvent("counted", b"", [f"{thread}-{n}"])]) for n in range(25)]

    positions = at_once(16, record)
    assert sorted(position for mine in positions for position in mine) == list(range(1, 401))
    assert all(mine == sorted(mine) for mine in positions)
    assert_gap_free(recorder, 400)
    assert len({found.event.tags[0] for found in recorder.read()}) == 400


def test_each_of_many_conditions_has_exactly_one_winner_among_sixteen_threads(recorder: SQLiteDCBRecorder) -> None:
    def compete(thread: int) -> list[str]:
        won = []
        for number in range(30):
            prize = f"prize-{number}"
            try:
                recorder.append([DCBEvent("prize-won", b"%d" % thread, [prize])], DCBAppendCondition(tagged(prize)))
                won.append(prize)
            except IntegrityError:
                pass
        return won

    wins = at_once(16, compete)
    assert sorted(prize for mine in wins for prize in mine) == sorted(f"prize-{n}" for n in range(30))
    assert_gap_free(recorder, 30)


def test_room_for_ten_raced_by_fifty_threads_takes_exactly_ten(recorder: SQLiteDCBRecorder) -> None:
    accepted = at_once(50, lambda who: take_a_place(recorder, who))
    assert sum(accepted) == PLACES
    assert len(list(recorder.read(tagged("room")))) == PLACES


def test_room_for_ten_raced_by_four_processes_takes_exactly_ten(
    recorder: SQLiteDCBRecorder, path: str, start_worker: Callable[..., Any], go: Callable[..., None]
) -> None:
    workers = [start_worker("crowd", path, who, 8) for who in range(4)]
    go(*workers)
    assert sum(json.loads(worker.communicate()[0]) for worker in workers) == PLACES
    assert len(list(recorder.read(tagged("room")))) == PLACES


def test_each_of_many_conditions_has_exactly_one_winner_among_four_processes(
    recorder: SQLiteDCBRecorder, path: str, start_worker: Callable[..., Any], go: Callable[..., None]
) -> None:
    workers = [start_worker("win", path, who, 60) for who in range(4)]
    go(*workers)
    wins = [json.loads(worker.communicate()[0]) for worker in workers]
    assert sorted(prize for mine in wins for prize in mine) == sorted(f"prize-{n}" for n in range(60))
    assert_gap_free(recorder, 60)


def test_head_and_events_are_of_one_instant_while_others_append(recorder: SQLiteDCBRecorder) -> None:
    done = threading.Event()

    def write() -> None:
        try:
            for _ in range(150):
                recorder.append([DCBEvent("counted", b"", ["even"]), DCBEvent("counted", b"", ["odd"])])
        finally:
            done.set()

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        while not done.is_set():
            everything = recorder.read()
            assert everything.head in (None, len(list(everything)))
            half = recorder.read(tagged("odd"))
            assert (half.head or 0) == 2 * len(list(half)), "half of a commit was seen"
        writing.result()


def test_a_cold_start_of_sixteen_processes_makes_one_sound_store(
    tmp_path: Path, start_worker: Callable[..., Any], go: Callable[..., None]
) -> None:
    paths = [str(tmp_path / f"{n}.db") for n in range(6)]
    workers = [start_worker("start", *paths) for _ in range(16)]
    go(*workers)
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0] * 16
    for path in paths:
        recorder = SQLiteDCBRecorder(path)
        assert_gap_free(recorder, 16)
        recorder.close()


def test_a_cold_start_of_sixteen_threads_makes_one_sound_store(path: str) -> None:
    recorders = at_once(16, lambda _: SQLiteDCBRecorder(path))
    for recorder in recorders:
        recorder.append([DCBEvent("started", b"")])
    assert_gap_free(recorders[0], 16)
    for recorder in recorders:
        recorder.close()


def test_twenty_writers_killed_in_the_middle_lose_no_acknowledged_event(
    path: str, start_worker: Callable[..., Any], go: Callable[..., None]
) -> None:
    chance = random.Random(20)
    acknowledged: list[str] = []
    next_up = start_worker("append", path, 0, 100_000)
    for number in range(20):
        worker, before = next_up, len(acknowledged)
        go(worker)
        if number < 19:  # the next one imports its modules meanwhile
            next_up = start_worker("append", path, number + 1, 100_000)
        for _ in range(chance.randint(1, 60)):
            acknowledged.append(worker.stdout.readline().strip())
        worker.send_signal(signal.SIGKILL)
        acknowledged += [line for line in worker.stdout.read().split("\n")[:-1] if line]
        worker.wait()
        recorder = SQLiteDCBRecorder(path)
        recorded = [found.event.tags[0] for found in recorder.read(tagged(f"of-{number}"))]
        mine = acknowledged[before:]
        assert recorded[: len(mine)] == mine, "an acknowledged event is lost, doubled or out of order"
        assert len(recorded) <= len(mine) + 1, "more than the one event under way was recorded"
        assert_gap_free(recorder, recorder.head())
        recorder.close()
    assert all(acknowledged)


def test_a_lock_held_by_another_connection_gives_unavailable_and_records_nothing(path: str) -> None:
    holder, waiter = SQLiteDCBRecorder(path), SQLiteDCBRecorder(path, lock_timeout_s=0)
    with holder.transaction() as transaction:
        transaction.append([DCBEvent("first", b"")])
        with pytest.raises(Unavailable, match="same key"):
            waiter.append([DCBEvent("second", b"")])
        assert waiter.head() == 0, "reading does not wait for a writer"
    assert waiter.append([DCBEvent("third", b"")]) == 2
    assert [found.event.type for found in waiter.read()] == ["first", "third"]
    holder.close()
    waiter.close()


def test_a_lock_held_by_another_thread_gives_unavailable_and_records_nothing(path: str) -> None:
    recorder = SQLiteDCBRecorder(path, lock_timeout_s=0)
    with recorder.transaction() as transaction, ThreadPoolExecutor(1) as threads:
        with pytest.raises(Unavailable, match="same key"):
            threads.submit(recorder.append, [DCBEvent("second", b"")]).result()
        transaction.append([DCBEvent("first", b"")])
    assert [found.event.type for found in recorder.read()] == ["first"]
    recorder.close()
