"""A store as it stands now, and on top of it, in memory alone, what a rehearsal records: nothing reaches the store beneath.

The log only grows at its end, so that all up to a position is one state of it, however long it is looked at: a rehearsal
takes no lock, and keeps nobody from recording.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from eventsourcing.dcb.api import (
    DCBAppendCondition,
    DCBEvent,
    DCBQuery,
    DCBQueryItem,
    DCBReadResponse,
    DCBSequencedEvent,
    DCBSubscription,
)

from ledger.seal.merkle import NodeReader
from ledger.store.contract import LedgerStore
from ledger.store.events_read import EventsRead, matches

_TAGS_ASKED_MOST: Final = 100
"""In one question; many small histories cost a server one answer."""


class RehearsalStore(LedgerStore):
    """``beneath`` up to where it ends now, continued in memory: about 2 kB for each event. Nothing is sealed."""

    def __init__(self, beneath: LedgerStore) -> None:
        self._beneath = beneath
        self._base = beneath.head()
        self._added: list[DCBSequencedEvent] = []
        self._added_by_tag: defaultdict[str, list[DCBSequencedEvent]] = defaultdict(list)
        self._lock = threading.Lock()

    def head(self) -> int:
        return self._base + len(self._added)

    def read(self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None) -> EventsRead:
        after = after or 0
        found: list[DCBSequencedEvent] = []
        if after < self._base:
            beneath = self._beneath.read(query, after=after, limit=limit)
            found = [event for event in beneath if event.position <= self._base]
        added = self._added[max(after - self._base, 0) :]
        found += [each for each in added if matches(query, each.event)]
        if limit is None:
            return EventsRead(found, self.head() or None)
        found = found[:limit]
        return EventsRead(found, found[-1].position if found else None)

    @contextmanager
    def transaction(self, foreseen: Sequence[str] = ()) -> Iterator[_Rehearsed]:
        with self._lock:
            rehearsed = _Rehearsed(self)
            yield rehearsed
            self._add(rehearsed.events)

    def histories(self, tags: Sequence[str]) -> dict[str, list[DCBSequencedEvent]]:
        """The events that carry each of the tags, in order."""
        found: dict[str, list[DCBSequencedEvent]] = {tag: [] for tag in tags}
        asked = list(found)
        for first in range(0, len(asked), _TAGS_ASKED_MOST):
            items = [DCBQueryItem(tags=[tag]) for tag in asked[first : first + _TAGS_ASKED_MOST]]
            wanted = set(asked[first : first + _TAGS_ASKED_MOST])
            for event in self._beneath.read(DCBQuery(items=items)):
                if event.position <= self._base:
                    for tag in wanted.intersection(event.event.tags):
                        found[tag].append(event)
        for tag, history in found.items():
            history.extend(self._added_by_tag.get(tag, ()))
        return found

    def _add(self, events: Sequence[DCBEvent]) -> None:
        for position, event in enumerate(events, start=self.head() + 1):
            sequenced = DCBSequencedEvent(event, position)
            self._added.append(sequenced)
            for tag in event.tags:
                self._added_by_tag[tag].append(sequenced)

    def append(self, events: Sequence[DCBEvent], condition: DCBAppendCondition | None = None) -> int:
        raise AssertionError("a rehearsal records through its ledger")

    def subscribe(self, query: DCBQuery | None = None, *, after: int | None = None) -> DCBSubscription[RehearsalStore]:
        raise AssertionError("nobody follows a rehearsal")

    def nodes(self) -> NodeReader:
        raise AssertionError("a rehearsal is not sealed")

    def close(self) -> None:
        """What lies beneath is somebody else's to close."""


class _Rehearsed:
    """One batch of a rehearsal: a :class:`ledger.store.contract.WriteTransaction`."""

    def __init__(self, store: RehearsalStore) -> None:
        self._store = store
        self.events: list[DCBEvent] = []

    @property
    def head(self) -> int:
        return self._store.head() + len(self.events)

    def read(
        self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None
    ) -> DCBReadResponse:
        assert not self.events, "the door appends when it has read all"
        return self._store.read(query, after=after, limit=limit)

    def histories(self, tags: Sequence[str]) -> dict[str, list[DCBSequencedEvent]]:
        assert not self.events, "the door appends when it has read all"
        return self._store.histories(tags)

    def nodes(self) -> NodeReader:
        return self._store.nodes()

    def append(self, events: Sequence[DCBEvent]) -> int:
        self.events.extend(events)
        return self.head
