"""R4: room for ten, fifty who want it. Ten get it, whoever they are and however they come."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from ledger.errors import Refusal
from ledger.events import AwardApproved, CommandRefused
from tests.office import ENTERPRISE, Office
from tests.reliability.stores import EmptyStores, empty_stores, postgres_server_url  # noqa: F401

ROOT: Final = Path(__file__).resolve().parents[2]
CLAIMS: Final = 50
ROOM: Final = 10
CLAIM_FEN: Final = 1_000_000_00
"""A tenth of the yearly limit C5."""
PROCESSES: Final = 4

RACER: Final = """
import json, os, sys, threading
from datetime import datetime
from pathlib import Path

from ledger.application import FundingLedger
from ledger.commands.approve_award import ApproveAward
from ledger.errors import Refusal
from ledger.policy.registry import PolicyRegistry
from ledger.store.sqlite import SQLiteDCBRecorder
from projections.compose import compose

folder, now, *cases = sys.argv[1:]
store = SQLiteDCBRecorder(Path(folder) / "facts.sqlite")
instant = datetime.fromisoformat(now)
ledger = FundingLedger(store, PolicyRegistry.load(), compose(), lambda: instant, os.urandom)
answers = []

def approve(case):
    try:
        ledger.execute(ApproveAward(case=case, amount_fen=100_000_000), actor="approver", key="race-" + case)
        answers.append("approved")
    except Refusal as refusal:
        answers.append(refusal.code)

threads = [threading.Thread(target=approve, args=(case,)) for case in cases]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(answers), flush=True)
store.close()
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def determined_cases(office: Office) -> list[str]:
    """Each is due a million, and each sheet says that ten millions are left."""
    return [
        office.determined(f"演械注准{number:04d}", rd_cost="2500000.00", special_approval=False)
        for number in range(CLAIMS)
    ]


def check_exactly_ten(office: Office, answers: list[str]) -> None:
    counted = Counter(answers)
    assert counted.pop("approved") == ROOM
    assert sum(counted.values()) == CLAIMS - ROOM
    assert set(counted) <= {"headroom-moved", "limit-exhausted", "limit-exceeded"}
    recorded = office.reader.events(0, 10_000)
    awards = [e.event for e in recorded if isinstance(e.event, AwardApproved)]
    assert sum(award.amount_fen for award in awards) == ROOM * CLAIM_FEN
    assert len([e for e in recorded if isinstance(e.event, CommandRefused)]) == CLAIMS - ROOM
    (limit,) = [use for use in office.reader.limits(ENTERPRISE, 2026) if use.limit.limit == "C5"]
    assert limit.headroom.left_fen == 0
    assert len(limit.counted) == ROOM
    assert [e.position for e in recorded] == list(range(1, len(recorded) + 1))


@pytest.mark.slow
def test_fifty_threads_overshoot_a_limit_or_leave_room_unused(
    empty_stores: EmptyStores,  # noqa: F811
    tmp_path: Path,
) -> None:
    with empty_stores() as open_store:
        office = Office(tmp_path, store=open_store())
        race_fifty_threads(office)
        office.close()


def race_fifty_threads(office: Office) -> None:
    cases = determined_cases(office)
    answers: list[str] = []
    start = threading.Barrier(CLAIMS)

    def approve(case: str) -> None:
        start.wait()
        try:
            office.approve(case, CLAIM_FEN)
            answers.append("approved")
        except Refusal as refusal:
            answers.append(refusal.code)

    threads = [threading.Thread(target=approve, args=(case,)) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_exactly_ten(office, answers)


def test_four_processes_overshoot_a_limit_or_leave_room_unused(office: Office, tmp_path: Path) -> None:
    cases = determined_cases(office)
    now = (office.clock.now + timedelta(minutes=1)).isoformat()
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path), now, *cases[lane::PROCESSES]],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for lane in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [answer for racer in racers for answer in json.loads(racer.communicate(timeout=120)[0])]
    assert [racer.returncode for racer in racers] == [0] * PROCESSES
    check_exactly_ten(office, answers)
