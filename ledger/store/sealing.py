"""Sealing: every event appended to a store becomes a leaf of its Merkle tree, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from eventsourcing.dcb.api import DCBEvent

from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import Frontier, NodeReader, frontier_at, leaf_hash


class Sealer:
    """The right edge of a store's tree, remembered between transactions. Only used under the store's write lock."""

    def __init__(self) -> None:
        self._frontier = Frontier(0, ())

    def seal(self, head: int, events: Sequence[DCBEvent], reader: NodeReader) -> list[bytes]:
        """The runs to store with ``events``, which follow position ``head``, one for each.

        Other processes may have appended since, and a transaction may have been rolled back: then the edge is read again.
        """
        if self._frontier.size != head:
            self._frontier = frontier_at(head, reader)
        leaves = [leaf_hash(leaf_bytes(event.type, event.tags, event.data)) for event in events]
        self._frontier, runs = self._frontier.append(leaves)
        return runs

    def forget(self) -> None:
        """After a rollback: what was sealed was not written."""
        self._frontier = Frontier(0, ())
