"""What a store answers to a read, and which events a query means."""

from __future__ import annotations

from collections.abc import Iterable

from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBReadResponse, DCBSequencedEvent


class EventsRead(DCBReadResponse):
    """Events in the order of positions, and the head of the store at the instant of reading (``None`` where it is empty).

    With a limit, the head is the position of the last event returned (``None`` without any), as in
    eventsourcing's own recorders.
    """

    def __init__(self, events: Iterable[DCBSequencedEvent], head: int | None) -> None:
        self._events = iter(events)
        self._head = head

    @property
    def head(self) -> int | None:
        return self._head

    def __next__(self) -> DCBSequencedEvent:
        return next(self._events)


def matches(query: DCBQuery | None, event: DCBEvent) -> bool:
    """By what the event itself carries, whatever an index says of it."""
    if query is None or not query.items:
        return True
    return any(
        set(item.tags) <= set(event.tags) and (not item.types or event.type in item.types) for item in query.items
    )
