"""What is checked: a log whose events lie in some order, with the hashes that were stored beside them, and what is found
wrong with it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ledger.errors import StoreFault, Text, Unavailable
from ledger.seal.merkle import SIZE_LIMIT


class OutOfReach(Unavailable):
    """A log on a server that does not answer: nothing was found out about it, so nothing is said of its events."""


class LogDamaged(StoreFault):
    """A part of a log cannot be read; others may be, and are asked for one by one. No other error says that of an event."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the event at a position. ``code`` is stable kebab-case.

    With ``through`` the evidence only says that the first wrong event is one of those from ``position`` to ``through``.
    ``position`` is None for what is wrong with no event but with how all are kept; ``schema_object`` is then what it
    is about, if it is a part of the schema. What is ``harmless`` is worth knowing and leaves the log whole. What is
    ``of_rules`` was told by what the event says, whose seal may well be right.
    """

    position: int | None
    code: str
    text: Text
    type_name: str | None = None
    through: int | None = None
    schema_object: str | None = None
    harmless: bool = False
    of_rules: bool = False

    @property
    def place(self) -> int:
        """Where it is told among others: what is about no event comes last."""
        return SIZE_LIMIT if self.position is None else self.position


class Row(NamedTuple):
    """One event as it lies in a log. ``leaf`` is what was hashed, and is made of the three that follow it.

    ``tags`` is the JSON array as text; ``run`` the stored hashes (:mod:`ledger.seal.merkle`), None where a log keeps none.
    """

    position: int
    leaf: bytes
    type_name: str
    tags: bytes
    data: bytes
    run: bytes | None


class SealedLog(Protocol):
    """A log to be checked: what it had when it was opened. Opens what it needs when first asked, so that one that can be
    pickled may be handed to other processes; ``divisible`` tells whether it can.
    """

    @property
    @abstractmethod
    def size(self) -> int: ...

    @property
    @abstractmethod
    def divisible(self) -> bool: ...

    @property
    def end_unreadable(self) -> bool:
        """Whether there may be more events than ``size``, which cannot be read: then nobody knows how many there were."""
        return False

    @abstractmethod
    def rows(self, first: int, last: int) -> list[Row]:
        """The events from one position to another, both included, as they lie there. What is missing is left out; what
        does not belong there is given, to be found. Raises :class:`LogDamaged` where some of it cannot be read."""
        ...

    @abstractmethod
    def findings(self, first: int, last: int) -> list[Finding]:
        """What else is wrong with how these events are kept: an index that does not find them, for instance. Raises
        :class:`LogDamaged` where that cannot be read."""
        ...

    @abstractmethod
    def closing_findings(self) -> list[Finding]:
        """What is wrong with the log as a whole."""
        ...

    @abstractmethod
    def close(self) -> None: ...
