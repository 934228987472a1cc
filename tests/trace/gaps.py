"""What is left alone: a clause without a passing scenario, a number that no row holds in its place, a scenario of no clause.

A *gap* is one line: where, what, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ledger.policy.citation import SUPPLEMENT
from ledger.policy.model import Funding
from tests.trace.matrix import NO_MONEY_CLAUSE, PROCEDURE
from tests.trace.numbers import HIGHER, LOWER
from tests.trace.told import ArticleTold, ClauseTold, Matrix, NumberTold, Told

_WAYS_TOLD: Final = {LOWER: "lower", HIGHER: "higher"}
_ROW_WANTED: Final = {LOWER: "just below and at it", HIGHER: "just above it"}


@dataclass(frozen=True, slots=True)
class Gap:
    place: str
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}. {self.do}"


def gaps_of(matrix: Matrix) -> list[Gap]:
    """Every gap, each once."""
    return list(dict.fromkeys(gap for check in _CHECKS for gap in check(matrix)))


def _clauses_alone(matrix: Matrix) -> Iterator[Gap]:
    for clause in matrix.clauses:
        if clause.scenes and not any(scene.passed for scene in clause.scenes):
            yield Gap(clause.place, f"no scenario of clause {clause.id} passes", "Make at least one pass.")
        if not clause.scenes:
            do = f"Write a 规则 tagged @clause:{clause.id} with a 场景."
            yield Gap(clause.place, f"clause {clause.id} ({clause.title}) has no scenario", do)
    for article in matrix.money:
        if not any(scene.passed for clause in article.clauses for scene in clause.scenes):
            do = "Write the feature file of the article, and make it pass."
            yield Gap(article.place, f"article {article.number} grants money, and no scenario of it passes", do)


def _scenes_not_passed(matrix: Matrix) -> Iterator[Gap]:
    for scene in matrix.scenes:
        for row in scene.rows:
            if row.played is None:
                do = "Run all features; two scenarios of one name hide each other."
                yield Gap(f"{scene.file}:{row.line}", f"{scene.name} was not run", do)
            elif not row.played.passed:
                do = "Put right what it promises, or what the code does."
                yield Gap(f"{scene.file}:{row.line}", f"{scene.name} does not pass", do)


def _numbers_alone(matrix: Matrix) -> Iterator[Gap]:
    for its in matrix.numbers:
        for way in its.missing:
            number = its.number
            told = f"{number.key} = {number.value} ({number.label})"
            what = f"{told} could be {number.step} {_WAYS_TOLD[way]}, and no scenario of {its.told_in} would notice"
            yield Gap(its.place, what, f"Add rows to an 例子 of its clause: {_ROW_WANTED[way]}.")


def _scenes_alone(matrix: Matrix) -> Iterator[Gap]:
    for scene in matrix.stray:
        yield Gap(scene.place, f"{scene.name} stands in no clause", "Move it into a 规则 tagged @clause:….")
    for clause in matrix.clauses:
        for scene in clause.scenes if not _is_known(matrix, clause) else ():
            do = "Tag its 规则 with a rule of the policy file, or with an open question of it."
            yield Gap(scene.place, f"{scene.name}: the policy knows no clause {clause.id!r}", do)


def _is_known(matrix: Matrix, clause: ClauseTold) -> bool:
    if clause.rule is not None or clause.id in (SUPPLEMENT, NO_MONEY_CLAUSE) or clause.id in matrix.policy.readings:
        return True
    return bool(PROCEDURE.fullmatch(clause.id)) or any(_modifies(a, clause) for a in matrix.money)


def _modifies(article: ArticleTold, clause: ClauseTold) -> bool:
    """Whether a clause of an article with money, not a rule by itself, is about a number that several rules share: the
    article's yearly ceiling, or the bonus on an item's ceiling. Its scenarios show it by holding one of them in place.
    """
    if clause not in article.clauses:
        return False
    shared = [*article.limits, *(n for its in article.clauses for n in its.numbers if n.number.key.endswith("_bonus"))]
    return any(_holds(scene, number) for scene in clause.scenes for number in shared)


def _holds(scene: Told, number: NumberTold) -> bool:
    return any(proof.scene is scene for proofs in number.proofs.values() for proof in proofs)


def _refusals_alone(matrix: Matrix) -> Iterator[Gap]:
    for article in matrix.without_money:
        assert article.funding is Funding.NONE
        if not article.refused:
            what = (
                f"article {article.number} ({article.name}) grants no money, and no passing scenario shows its refusal"
            )
            yield Gap(article.place, what, f"Cite it in a scenario of {NO_MONEY_CLAUSE}.")


_CHECKS: Final[tuple[Callable[[Matrix], Iterator[Gap]], ...]] = (
    _clauses_alone,
    _scenes_not_passed,
    _numbers_alone,
    _scenes_alone,
    _refusals_alone,
)
