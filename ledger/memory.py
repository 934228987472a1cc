"""What the door remembers between decisions: folds by tag, kept current with the log and bounded in number.

A command then costs the same whether its scope has ten events or ten thousand. Nothing here is an authority: all of it can
be dropped at any time and is folded from the log again when it is asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from ledger.guards import Fold
from ledger.mapper import Recorded

TAGS_MAX: Final = 100_000
"""Histories remembered at once; the least recently asked for is forgotten first. About 1 kB each."""

_NOTHING: Final[dict[str, tuple[Fold[Any], Any]]] = {}


class Memory:
    """States of folds, by tag, and the instant of the log's last fact.

    Only touched under the store's write lock; not shared between threads by itself.
    """

    def __init__(self, tags_max: int = TAGS_MAX) -> None:
        self._tags_max = tags_max
        self.last_instant: datetime | None = None
        self._states: OrderedDict[str, dict[str, tuple[Fold[Any], Any]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    def knows(self, tag: str) -> bool:
        """Whether any fold of this tag is remembered."""
        return tag in self._states

    def recall(self, fold: Fold[Any], tag: str) -> tuple[Fold[Any], Any] | None:
        """The fold and its state, or None where it is not remembered."""
        kept = self._states.get(tag, _NOTHING).get(fold.name)
        if kept is not None:
            self._states.move_to_end(tag)
        return kept

    def keep(self, fold: Fold[Any], tag: str, state: Any) -> None:
        self._states.setdefault(tag, {})[fold.name] = (fold, state)
        self._states.move_to_end(tag)
        while len(self._states) > self._tags_max:
            self._states.popitem(last=False)

    def advance(self, recorded: Recorded) -> None:
        """Fold a new fact into everything remembered that it belongs to.

        Raises what a fold raises; then all histories that the fact belongs to are forgotten, for a fold that fails half-way
        leaves a state nobody may trust.
        """
        self.last_instant = recorded.envelope.recorded_at
        try:
            for tag in recorded.tags:
                states = self._states.get(tag, _NOTHING)
                for name, (fold, state) in states.items():
                    states[name] = (fold, fold.apply(state, recorded))
        except Exception:
            self.forget_histories(recorded.tags)
            raise

    def forget_histories(self, tags: Iterable[str]) -> None:
        for tag in tags:
            self._states.pop(tag, None)

    def forget(self) -> None:
        """Drop everything: after a commit that failed, nothing remembered is known to be true."""
        self._states.clear()
        self.last_instant = None
