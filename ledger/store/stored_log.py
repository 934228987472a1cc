"""A store as a sealed log, to be checked, exported and proven from."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

import msgspec

from ledger.errors import StoreFault
from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import NodeReader, run_length
from ledger.seal.verification import Finding, Row, SealedLog
from ledger.store.contract import LedgerStore

_encode = msgspec.json.Encoder().encode


class StoredLog(SealedLog, Protocol):
    """A sealed log that lies in a store, with the hashes that the store keeps of it."""

    @abstractmethod
    def nodes(self) -> NodeReader:
        """The stored hashes, for proofs and for the root at an earlier size."""
        ...


class RecorderLog(StoredLog):
    """The events of any open store, through what every store answers, up to the last that was there at the beginning.

    Closes the store when it is closed.
    """

    divisible = False

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._size = store.head()

    @property
    def size(self) -> int:
        return self._size

    def rows(self, first: int, last: int) -> list[Row]:
        found = [
            (stored.position, stored.event)
            for stored in self._store.read(after=first - 1, limit=last - first + 1)
            if stored.position <= last
        ]
        runs = self._runs([position for position, _ in found])
        return [
            Row(
                position,
                leaf_bytes(event.type, event.tags, event.data),
                event.type,
                _encode(event.tags),
                event.data,
                run,
            )
            for (position, event), run in zip(found, runs, strict=True)
        ]

    def nodes(self) -> NodeReader:
        return self._store.nodes()

    def close(self) -> None:
        self._store.close()

    def findings(self, first: int, last: int) -> list[Finding]:
        return []

    def closing_findings(self) -> list[Finding]:
        return []

    def _runs(self, positions: list[int]) -> list[bytes]:
        reader = self._store.nodes()
        ids = [[(level, at - 1 >> level) for level in range(run_length(at - 1))] for at in positions]
        try:
            flat = iter(reader.nodes([node for run in ids for node in run]))
            return [b"".join(next(flat) for _ in run) for run in ids]
        except StoreFault:
            # One of them is missing or malformed: an empty run is what that is found by.
            return [self._run(reader, run) for run in ids]

    def _run(self, reader: NodeReader, run: list[tuple[int, int]]) -> bytes:
        try:
            return b"".join(reader.nodes(run))
        except StoreFault:
            return b""
