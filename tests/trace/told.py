"""What the books tell: articles, clauses, numbers and scenarios with their rows, and which rows show what. Plain data,
joined in :mod:`tests.trace.matrix`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ledger.policy.citation import SUPPLEMENT
from ledger.policy.model import Funding, Policy, Reading, Rule
from tests.trace.numbers import WAYS, Number
from tests.trace.run import Played


@dataclass(frozen=True, slots=True)
class RowTold:
    """One example by its line, with its cells in order; ``played`` is None where it was not run."""

    line: int
    cells: tuple[str, ...]
    played: Played | None


@dataclass(frozen=True, slots=True)
class Told:
    """A scenario as it was run. ``rows`` are each example, or the scenario itself; ``article`` is that of its clause."""

    file: str
    line: int
    name: str
    clause: str
    article: str
    rows: tuple[RowTold, ...]

    @property
    def numeral(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def title(self) -> str:
        return self.name.partition(" ")[2] or self.name

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def passed_rows(self) -> int:
        return sum(row.played is not None and row.played.passed for row in self.rows)

    @property
    def passed(self) -> bool:
        return bool(self.rows) and self.passed_rows == len(self.rows)

    def where(self, holds: Callable[[Played], bool]) -> Proof | None:
        """The first passing row that ``holds``."""
        for row in self.rows:
            if row.played is not None and row.played.passed and holds(row.played):
                return Proof(self, row)
        return None


@dataclass(frozen=True, slots=True)
class Proof:
    """A passing row that shows something."""

    scene: Told
    row: RowTold

    @property
    def line(self) -> int:
        return self.row.line

    @property
    def place(self) -> str:
        return f"{self.scene.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class NumberTold:
    """A number with the rows that would fail if it were one step lower or higher, in its own article's scenarios.

    ``why_not``: the way that the policy file itself cannot go.
    """

    number: Number
    file: str
    proofs: Mapping[str, tuple[Proof, ...]]
    why_not: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.number.line}"

    @property
    def told_in(self) -> str:
        return article_heading(self.number.article)

    @property
    def missing(self) -> list[str]:
        return [way for way in WAYS if not self.proofs[way] and way not in self.why_not]


@dataclass(frozen=True, slots=True)
class ClauseTold:
    """A clause: the rule that carries it out, where it has one of its own, and what the features say of it."""

    id: str
    title: str
    words: str
    rule: Rule | None
    place: str
    numbers: tuple[NumberTold, ...]
    scenes: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class ReadingTold:
    """An open question with the reading taken; ``shown``: rows whose answer would change under another option."""

    reading: Reading
    place: str
    shown: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class ArticleTold:
    """``limits`` are the yearly ceilings, which belong to several clauses; ``refusal`` what citing an article without
    money is answered, with the rows that show it.
    """

    number: str
    name: str
    funding: Funding | None
    place: str
    clauses: tuple[ClauseTold, ...]
    limits: tuple[NumberTold, ...]
    readings: tuple[ReadingTold, ...]
    refusal: str
    refused: tuple[Proof, ...]

    @property
    def heading(self) -> str:
        return article_heading(self.number)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole book. ``stray`` are scenarios that stand in no clause."""

    policy: Policy
    file: str
    sha256: str
    money: tuple[ArticleTold, ...]
    without_money: tuple[ArticleTold, ...]
    supplement: ArticleTold
    procedures: tuple[ClauseTold, ...]
    other: tuple[ClauseTold, ...]
    stray: tuple[Told, ...]

    @property
    def articles(self) -> tuple[ArticleTold, ...]:
        return (*self.money, self.supplement, *self.without_money)

    @property
    def clauses(self) -> Iterator[ClauseTold]:
        for article in self.articles:
            yield from article.clauses
        yield from (*self.procedures, *self.other)

    @property
    def scenes(self) -> list[Told]:
        return [*(scene for clause in self.clauses for scene in clause.scenes), *self.stray]

    @property
    def numbers(self) -> list[NumberTold]:
        clauses = [number for clause in self.clauses for number in clause.numbers]
        return [*clauses, *(number for article in self.articles for number in article.limits)]

    @property
    def readings(self) -> list[ReadingTold]:
        return [reading for article in self.articles for reading in article.readings]


def article_heading(article: str) -> str:
    return article if article == SUPPLEMENT else f"第{article}条"
