"""R13, faults: a definite error or "repeat with the same key", nothing half-written, and the same process goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.commands.accept_application import AcceptApplication
from ledger.errors import Unavailable
from ledger.memory import Memory
from ledger.seal.merkle import NodeReader
from ledger.store.sealing import Sealer
from ledger.store.sqlite import SQLiteDCBRecorder
from tests.office import Office
from tests.reliability.faults import tell_on_failing_disks
from tests.reliability.soak_figures import SHORT

HOLDER = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_a_failing_disk_neither_loses_nor_doubles_nor_changes_a_fact() -> None:
    tally = tell_on_failing_disks(SHORT.fault_points, seed=13)
    assert tally.problems == []
    assert tally.points_met > tally.points // 3
    assert tally.met.keys() >= {"write", "flush", "read"}
    assert tally.came_back > 0, "no commit of unknown fate was found recorded"
    assert tally.recorded_later > 0, "no commit of unknown fate was found missing"


@pytest.mark.beside_the_door
def test_a_process_that_remembers_what_was_rolled_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "forget", lambda self: None)
    assert tell_on_failing_disks(60, seed=14).problems != []


def test_a_seal_that_goes_on_from_what_was_rolled_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def stubborn(self: Sealer, head: int, events: Sequence[DCBEvent], reader: NodeReader) -> list[bytes]:
        size = self._frontier.size
        return seal(self, size or head, events, reader)

    seal = Sealer.seal
    monkeypatch.setattr(Sealer, "seal", stubborn)
    monkeypatch.setattr(Sealer, "forget", lambda self: None)
    assert any("seal" in problem for problem in tell_on_failing_disks(60, seed=14).problems)


# --- a lock that somebody keeps -------------------------------------------------------------------


@contextmanager
def lock_held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the write lock until it is killed."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def test_a_lock_kept_by_another_process_is_told_in_time_and_leaves_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path, store=SQLiteDCBRecorder(tmp_path / "facts.sqlite", lock_timeout_s=1))
    case = office.submit("国械注准20263010001")
    before = office.head()
    command = AcceptApplication(case=case, acceptance_number="受理1")
    with lock_held(tmp_path / "facts.sqlite"):
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="Nothing was recorded: repeat with the same key"):
            office.give(command, "intake", key="k")
        assert time.monotonic() - begun < 5
        assert office.head() == before, "reading waits for the lock, or something was written"
    assert not office.give(command, "intake", key="k").replayed
    assert office.give(command, "intake", key="k").replayed
    assert office.head() == before + 1
    office.close()


# --- a clock that is set back ---------------------------------------------------------------------


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def accept(office: Office, case: str, key: str) -> Any:
    return office.give(AcceptApplication(case=case, acceptance_number=f"受理{key}"), "intake", key=key)


def test_a_clock_set_back_stops_the_same_process_until_it_is_right_and_the_key_records_once(office: Office) -> None:
    case = office.submit("国械注准20263010001")
    before = office.head()
    office.clock.now -= timedelta(hours=1)
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"clock.*repeat with the same key"):
            accept(office, case, "1")
    assert office.head() == before
    office.clock.now += timedelta(hours=1)
    assert [accept(office, case, "1").replayed for _ in range(2)] == [False, True]
    assert office.head() == before + 1


def test_a_clock_set_back_is_noticed_by_a_process_that_has_just_started(office: Office) -> None:
    case = office.submit("国械注准20263010001")
    office.clock.now -= timedelta(hours=1)
    office.ledger = office.reopen()
    with pytest.raises(Unavailable, match="clock"):
        accept(office, case, "1")


def test_what_was_answered_is_answered_again_while_the_clock_is_wrong(office: Office) -> None:
    case = office.submit("国械注准20263010001")
    first = accept(office, case, "1")
    office.clock.now -= timedelta(hours=1)
    assert accept(office, case, "1").position == first.position


def test_a_clock_that_slips_back_a_moment_neither_stops_anybody_nor_turns_the_log_round(office: Office) -> None:
    for number in range(5):
        office.clock.now -= timedelta(seconds=3)
        office.submit(f"国械注准2026301000{number}")
    instants = [recorded.envelope.recorded_at for recorded in office.reader.events(0, 100)]
    assert instants == sorted(instants)
