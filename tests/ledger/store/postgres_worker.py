"""The roles of sqlite_worker.py on a PostgreSQL store, and more: ``postgres_worker.py ROLE ARGUMENT…``."""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from eventsourcing.dcb.api import DCBEvent

from ledger.store.postgres import PostgresDCBRecorder
from tests.ledger.store import sqlite_worker
from tests.ledger.store.sqlite_worker import append, crowd, say, start, win

LATER = datetime(2026, 3, 3, tzinfo=UTC)
"""The time of day in every process: after what the test has prepared."""

sqlite_worker.SQLiteDCBRecorder = PostgresDCBRecorder  # type: ignore[misc,assignment]


def delay(url: str, prefix: str, count: str) -> None:
    """Record ``count`` events, each after a random while under the write lock."""
    recorder = PostgresDCBRecorder(url)
    for number in range(int(count)):
        with recorder.transaction() as transaction:
            time.sleep(hash((prefix, number)) % 7 / 1000)
            transaction.append([DCBEvent("counted", b"{}", [f"{prefix}-{number}", f"of-{prefix}"])])
            time.sleep(hash((number, prefix)) % 5 / 1000)
    recorder.close()


def hold(url: str) -> None:
    """Hold the write lock with an event appended, say so, and never let go."""
    with PostgresDCBRecorder(url).transaction() as transaction:
        transaction.append([DCBEvent("half-written", b"{}", ["half"])])
        transaction.read(limit=1)
        say("holding")
        time.sleep(3600)


def door(url: str, who: str, case: str, amount_fen: str) -> None:
    """Sixteen threads ask for money of one award at once, each twice; say how many were given it."""
    # Only here: the other roles start in a third of the time without them.
    from ledger.application import FundingLedger
    from ledger.commands.request_disbursement import RequestDisbursement
    from ledger.errors import Refusal
    from ledger.policy.registry import PolicyRegistry
    from projections.compose import compose

    recorder = PostgresDCBRecorder(url)
    ledger = FundingLedger(recorder, PolicyRegistry.load(), compose(), lambda: LATER, os.urandom)

    def ask(number: int) -> bool:
        command = RequestDisbursement(case=case, amount_fen=int(amount_fen))
        try:
            ledger.execute(command, actor="finance", key=f"{who}-{number}")
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        say(json.dumps(sum(threads.map(ask, range(32)))))
    recorder.close()


ROLES = {role.__name__: role for role in (append, win, crowd, start, delay, hold, door)}

if __name__ == "__main__":
    say("ready")
    sys.stdin.readline()
    ROLES[sys.argv[1]](*sys.argv[2:])
