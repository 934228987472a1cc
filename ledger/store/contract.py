"""What the ledger asks of a store beyond eventsourcing's recorder: to hold its write lock while a batch is decided."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBReadResponse, DCBRecorder, DCBSequencedEvent

from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import NodeReader


class WriteTransaction(Protocol):
    """The store under its write lock: what is read here is still true when it is committed."""

    @property
    def head(self) -> int:
        """The last position, 0 in an empty store."""
        ...

    def read(
        self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None
    ) -> DCBReadResponse: ...

    def histories(self, tags: Sequence[str]) -> dict[str, list[DCBSequencedEvent]]:
        """The events that carry each of the tags, in order; an empty list for a tag that nothing carries."""
        ...

    def nodes(self) -> NodeReader:
        """The nodes of the sealed log, with what this transaction has appended."""
        ...

    def append(self, events: Sequence[DCBEvent]) -> int:
        """Append at the next positions and return the last; durable when the transaction is committed."""
        ...


class LedgerStore(DCBRecorder, ABC):
    """An event store that many threads and processes may share. Reading never waits for writing."""

    @abstractmethod
    def head(self) -> int:
        """The position of the last event, 0 in an empty store."""

    @abstractmethod
    def transaction(self, foreseen: Sequence[str] = ()) -> AbstractContextManager[WriteTransaction]:
        """Hold the write lock for a ``with`` block; commit durably at its end, roll back if it raises.

        ``foreseen`` are tags whose histories will be asked for: a server can send them along with the lock.

        Raises :class:`~ledger.errors.Unavailable` where the lock or the disk did not answer.
        """

    @abstractmethod
    def nodes(self) -> NodeReader:
        """The nodes of the sealed log, for proofs."""

    def leaves(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """The events from one position to another, as they are sealed: each position, and what its leaf is the hash of."""
        found = self.read(after=first - 1, limit=last - first + 1)
        return [
            (stored.position, leaf_bytes(stored.event.type, stored.event.tags, stored.event.data)) for stored in found
        ]

    @abstractmethod
    def close(self) -> None:
        """Let what is under way finish, end subscriptions, close connections. May be called again."""
