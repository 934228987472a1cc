"""What the one door asks before it records: folds, and guards, which are folds with a veto.

The ledger only knows these shapes. The real set lives in ``projections`` and is handed in, so that the fold which shows a
headroom is the very fold that refuses to exceed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ledger.events import Event
from ledger.mapper import Envelope, Recorded
from ledger.rules import ItemAward, RecognisedWindow

S = TypeVar("S")


class Fold(Protocol[S]):
    """Adds up the events that carry one tag. ``apply`` may change and return the state it was given.

    ``kept`` tells whether a state is worth remembering between decisions: not where a tag is asked for once.
    """

    name: str
    kept: bool

    def start(self, tag: str) -> S: ...

    def apply(self, state: S, recorded: Recorded) -> S: ...


Look = Callable[[str], S]
"""Gives a fold's state for a tag, and makes that tag part of what the decision depends on."""


class Guard(Fold[S], Protocol[S]):
    """A projection with a veto: it folds events, and is asked before a new one is recorded."""

    def concerns(self, event: Event) -> Iterable[str]:
        """The tags whose events could change the answer about this one."""
        ...

    def permits(self, event: Event, envelope: Envelope, look: Look[S]) -> None:
        """Raise a :class:`~ledger.errors.Refusal` that names the clause, the limit and the room left; else return."""
        ...


class HasUsage(Protocol):
    """The state of a limit scope: what has been granted under it, net of releases.

    ``awards``, of an item: the awards that draw on it, by case.
    """

    @property
    def used_fen(self) -> int: ...

    @property
    def awards(self) -> Mapping[str, ItemAward]: ...


@dataclass(frozen=True, slots=True)
class Projections:
    """The folds that decisions read and the guards that may refuse, composed once by ``projections.compose``.

    The states of ``usage`` are :class:`HasUsage`.
    """

    usage: Fold[Any]
    windows: Fold[RecognisedWindow | None]
    guards: Sequence[Guard[Any]]
