"""Which scenarios a mutant is shown, and in which order: those first that killed its neighbours, then those that between
them run every statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

Statement = tuple[str, int]
"""The module's name, and the line."""


class Asking:
    """The scenarios by position, ``names`` being those of the tests: an outline's rows differ after the bracket."""

    def __init__(self, names: Sequence[str]) -> None:
        self._outline_of = [name.partition("[")[0] for name in names]
        self._outlines: dict[str, list[int]] = {}
        for position, outline in enumerate(self._outline_of):
            self._outlines.setdefault(outline, []).append(position)
        self._reach: Mapping[Statement, Sequence[int]] = {}
        self._order = self._by_turns()
        self._killers: dict[str, list[int]] = {}

    @property
    def first_rows(self) -> list[int]:
        return [rows[0] for rows in self._outlines.values()]

    def learn(self, reach: Mapping[Statement, Sequence[int]]) -> None:
        """``reach``: statement → the scenarios that run it."""
        self._reach = reach
        statements: dict[int, set[Statement]] = {}
        for statement, positions in reach.items():
            for position in positions:
                statements.setdefault(position, set()).add(statement)
        self._order = list(dict.fromkeys([*_few_that_run_all(statements), *self._by_turns()]))

    def remember(self, places: Sequence[str], killer: int) -> None:
        """``places``: the function and the file of the mutant that was killed."""
        for place in places:
            before = self._killers.get(place, [])
            self._killers[place] = [killer, *(its for its in before if its != killer)]

    def asked(self, statement: Statement | None, places: Sequence[str] = ()) -> list[int]:
        """Those that run the statement; all of them where there is none to look for."""
        reaching = set(self._order if statement is None else self._reach.get(statement, ()))
        killers = [its for place in places for its in self._killers.get(place, ())]
        return [its for its in dict.fromkeys([*killers, *self._order]) if its in reaching]

    def neighbours(self, positions: Iterable[int]) -> list[int]:
        """The other rows of the same outlines."""
        asked = list(positions)
        outlines = {self._outline_of[position] for position in asked}
        near = {its for outline in outlines for its in self._outlines[outline]} - set(asked)
        return [its for its in self._order if its in near]

    def others(self, positions: Iterable[int]) -> list[int]:
        asked = set(positions)
        return [its for its in self._order if its not in asked]

    def _by_turns(self) -> list[int]:
        """One row of each outline before the second of any."""
        return [its for turn in zip_longest(*self._outlines.values()) for its in turn if its is not None]


def _few_that_run_all(statements: Mapping[int, set[Statement]]) -> list[int]:
    """Each time the scenario that runs most of what none before it ran."""
    chosen: list[int] = []
    left = set().union(*statements.values()) if statements else set()
    while left:
        best = max(sorted(statements), key=lambda position: len(statements[position] & left))
        chosen.append(best)
        left -= statements[best]
    return chosen
