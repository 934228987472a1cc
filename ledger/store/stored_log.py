"""A store as a sealed log, to be checked, exported and proven from."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from ledger.seal.merkle import NodeReader
from ledger.seal.verification import SealedLog


class StoredLog(SealedLog, Protocol):
    """A sealed log that lies in a store, with the hashes that the store keeps of it."""

    @abstractmethod
    def nodes(self) -> NodeReader:
        """The stored hashes, for proofs and for the root at an earlier size."""
        ...
