"""R11: sixteen processes open one empty database at once, and each records something of its own and something of all's."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from datetime import UTC, datetime
from typing import Final

from api.database import FACTS
from api.service import open_service
from ledger.application import FundingLedger
from ledger.commands.grant_role import GrantRole
from ledger.mapper import from_stored
from ledger.roles import SYSTEM
from projections.compose import compose
from tests.reliability.offspring import POLICIES, Offspring
from tests.reliability.stores import EmptyStores, Opener, empty_sqlite
from tests.reliability.workplace import workplace

WORKERS: Final = 16
NOW: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def start_services(processes: Offspring) -> list[str]:
    """Problems met when sixteen processes open the whole service in one empty folder."""
    with workplace("cold-start") as folder:
        ended = processes.do(job="start-service", folder=str(folder / "data"), count=WORKERS)
        if any(ended):
            return [f"workers ended with {ended}"]
        with open_service(folder / "data") as service:
            assert (folder / "data" / FACTS).exists()
            return _problems([recorded.envelope.key for recorded in service.reader.events(0, 1000)])


def start_stores(processes: Offspring, empty_stores: EmptyStores) -> list[str]:
    """Problems met when sixteen processes open one empty store and record through the door."""
    with empty_stores() as open_store:
        return _started(processes, open_store)


def start_on_a_log_left_behind(processes: Offspring) -> list[str]:
    """The same on a SQLite store that a process left with something in its log when it was killed."""
    with workplace("cold-start") as folder, empty_sqlite() as open_left:
        store = open_left()
        ledger = FundingLedger(store, POLICIES, compose(), lambda: NOW, os.urandom)
        ledger.execute(GrantRole(person="all", role="intake"), actor=SYSTEM, key="common")
        for suffix in ("", "-wal"):
            shutil.copy(open_left.address + suffix, folder / (FACTS + suffix))
        store.close()
        assert (folder / f"{FACTS}-wal").stat().st_size > 0
        return _started(processes, Opener("sqlite", str(folder / FACTS)))


def _started(processes: Offspring, open_store: Opener) -> list[str]:
    kind, address = open_store.kind, open_store.address
    ended = processes.do(job="start-store", kind=kind, address=address, count=WORKERS, now=NOW.isoformat())
    if any(ended):
        return [f"workers ended with {ended}"]
    store = open_store()
    try:
        return _problems([from_stored(stored).envelope.key for stored in store.read()])
    finally:
        store.close()


def _problems(keys: list[str | None]) -> list[str]:
    expected = Counter({"common": 1, **{f"own-{number}": 1 for number in range(WORKERS)}})
    return [] if Counter(keys) == expected else [f"recorded: {keys}"]
