"""R5 across a crash: a process dies between commit and answer, or near it; the same keys are given again elsewhere."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger.application import FundingLedger
from ledger.commands.grant_role import GrantRole
from ledger.mapper import from_stored
from ledger.roles import SYSTEM
from ledger.store.contract import LedgerStore
from projections.compose import compose
from tests.reliability.offspring import POLICIES, claim, offspring
from tests.reliability.stores import EmptyStores

MOMENTS: Final = ("after-commit", "after-commit", "before-answer", "before-commit", "write", "flush")
"""The last two are moments of our own disk: of SQLite only."""
START: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(slots=True)
class Crashes:
    """``survived`` counts facts whose commit had returned when the process died: all of them must be found again."""

    crashes: int = 0
    survived: int = 0
    recorded_later: int = 0
    problems: list[str] = field(default_factory=list)


def crash_often(empty_stores: EmptyStores, count: int, seed: int) -> Crashes:
    """Let ``count`` processes die over one store, and repeat after each what it was asked."""
    chance, tally = random.Random(seed), Crashes()
    with empty_stores() as open_store, offspring() as processes:
        moments = MOMENTS if open_store.kind == "sqlite" else MOMENTS[:-2]
        now = START
        # Another process may have the store open all the while; else it is opened afresh after each crash.
        beside = open_store()
        _door(beside, now).execute(GrantRole(person="intake", role="intake"), actor=SYSTEM, key="role")
        for number in range(count):
            now += timedelta(seconds=1)
            moment = moments[number % len(moments)]
            keys = [f"{number}-{client}" for client in range(4)]
            if chance.random() < 0.5:
                beside.close()
                beside = open_store()
            (ended,) = processes.do(
                job="crash",
                moment=moment,
                nth=chance.randint(1, 12 if moment == "write" else 2),
                kind=open_store.kind,
                address=open_store.address,
                now=now.isoformat(),
                keys=keys,
                seed=chance.getrandbits(32),
            )
            if ended != -9 and moment not in ("write", "flush"):
                tally.problems.append(f"crash {number} ({moment}): the process ended with {ended}")
            tally.crashes += ended == -9
            store = beside if chance.random() < 0.5 else open_store()
            _repeat(store, now, keys, moment, tally)
            if store is not beside:
                store.close()
        _check_whole(beside, tally)
        beside.close()
    return tally


def _door(store: LedgerStore, now: datetime) -> FundingLedger:
    return FundingLedger(store, POLICIES, compose(), lambda: now, random.Random(now.isoformat()).randbytes)


def _positions(store: LedgerStore) -> dict[str | None, list[int]]:
    found: dict[str | None, list[int]] = {}
    for stored in store.read():
        found.setdefault(from_stored(stored).envelope.key, []).append(stored.position)
    return found


def _repeat(store: LedgerStore, now: datetime, keys: list[str], moment: str, tally: Crashes) -> None:
    before = _positions(store)
    survived = {key: before[key][0] for key in keys if key in before}
    if moment in ("after-commit", "before-answer") and not survived:
        tally.problems.append(f"{keys[0]} ({moment}): COMMIT returned, and nothing is there")
    tally.survived += len(survived)
    ledger = _door(store, now)
    for key in keys:
        first = ledger.execute(claim(key), actor="intake", key=key)
        again = ledger.execute(claim(key), actor="intake", key=key)
        tally.recorded_later += not first.replayed
        if (first.position if first.replayed else None) != survived.get(key):
            tally.problems.append(f"{key} ({moment}): at {survived.get(key)} before, answered with {first.position}")
        if not again.replayed or again.position != first.position:
            tally.problems.append(f"{key} ({moment}): answered twice")


def _check_whole(store: LedgerStore, tally: Crashes) -> None:
    positions = _positions(store)
    doubled = Counter({key: len(found) for key, found in positions.items() if len(found) != 1})
    if doubled:
        tally.problems.append(f"recorded more than once: {dict(doubled)}")
    if sorted(position for found in positions.values() for position in found) != list(range(1, store.head() + 1)):
        tally.problems.append("positions are not 1, 2, 3 …")
