"""R11: sixteen processes open one empty database at once, and each records something of its own and something of all's."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Final

from api.service import FACTS, open_service
from ledger.mapper import from_stored
from tests.reliability.offspring import Offspring
from tests.reliability.stores import EmptyStores
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
