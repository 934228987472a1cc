"""R12: writers that commit after random delays, and subscribers that must see every event once, in order, none skipped."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem

from ledger.store.contract import LedgerStore
from tests.reliability.stores import EmptyStores

WRITERS: Final = 4
LAST: Final = "the-last"
PATIENCE_S: Final = 60


@dataclass(slots=True)
class Followed:
    """``missed`` names the subscribers that did not see exactly what was recorded."""

    events: int = 0
    subscribers: int = 0
    missed: list[str] = field(default_factory=list)


def follow(empty_stores: EmptyStores, events: int, seed: int) -> Followed:
    """Four writers, two in each of two openers of one store, record ``events`` events while five follow them."""
    chance = random.Random(seed)
    with empty_stores() as open_store:
        stores = [open_store() for _ in range(3)]
        # One is in another process than any writer, as far as the store knows; one begins late; one comes and goes.
        followers = [
            Follower("beside a writer", stores[0]),
            Follower("apart from the writers", stores[2]),
            Follower("of one writer only", stores[2], tag="writer-1"),
            Follower("late", stores[1], begins_after_s=chance.uniform(0.05, 0.2)),
            Follower("comes and goes", stores[2], leaves_after=7),
        ]
        for follower in followers:
            follower.start()
        share = events // WRITERS
        writers = [
            threading.Thread(target=_write, args=(stores[number % 2], number, share, random.Random(seed * 10 + number)))
            for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        stores[0].append([DCBEvent(type=LAST, data=b"{}", tags=["writer-1"])])
        recorded = [(each.position, each.event.tags[0]) for each in stores[0].read()]
        followed = Followed(events=len(recorded), subscribers=len(followers))
        for follower in followers:
            follower.join(PATIENCE_S)
            follower.end()
            wanted = [each for each in recorded if follower.tag in (None, each[1])]
            if follower.seen != wanted:
                followed.missed.append(f"{follower.name}: {_difference(follower.seen, wanted)}")
        for store in stores:
            store.close()
    return followed


def _write(store: LedgerStore, number: int, count: int, chance: random.Random) -> None:
    written = 0
    while written < count:
        size = min(chance.randint(1, 4), count - written)
        with store.transaction() as transaction:
            transaction.append([_event(number) for _ in range(size)])
            if chance.random() < 0.2:
                time.sleep(chance.uniform(0, 0.01))
        written += size
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0, 0.01))


def _event(number: int) -> DCBEvent:
    return DCBEvent(type="counted", data=b"{}", tags=[f"writer-{number}"])


class Follower(threading.Thread):
    def __init__(
        self,
        name: str,
        store: LedgerStore,
        *,
        tag: str | None = None,
        begins_after_s: float = 0,
        leaves_after: int | None = None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.tag, self.seen = tag, list[tuple[int, str]]()
        self._store, self._begins_after_s, self._leaves_after = store, begins_after_s, leaves_after
        self._subscription: Any = None
        self._ended = False

    def run(self) -> None:
        time.sleep(self._begins_after_s)
        query = None if self.tag is None else DCBQuery([DCBQueryItem(tags=[self.tag])])
        while not self._ended:
            last = self.seen[-1][0] if self.seen else None
            with self._store.subscribe(query, after=last) as self._subscription:
                for count, each in enumerate(self._subscription, start=1):
                    self.seen.append((each.position, each.event.tags[0]))
                    if each.event.type == LAST:
                        return
                    if count == self._leaves_after:
                        break

    def end(self) -> None:
        self._ended = True
        if self._subscription is not None and self.is_alive():
            self._subscription.stop()


def _difference(seen: Sequence[tuple[int, str]], wanted: Sequence[tuple[int, str]]) -> str:
    at = next((n for n, (a, b) in enumerate(zip(seen, wanted, strict=False)) if a != b), min(len(seen), len(wanted)))
    return f"{len(seen)} of {len(wanted)}, first difference at {at}: {seen[at : at + 2]} for {wanted[at : at + 2]}"
