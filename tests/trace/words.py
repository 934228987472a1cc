"""How the books tell what the matrix holds, in the officer's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.policy.model import Reading
from tests.features.application_tables import NOT_STATED
from tests.trace.numbers import HIGHER, LOWER
from tests.trace.told import ArticleTold, ClauseTold, Matrix, NumberTold, Proof, Told

PROOFS_SHOWN: Final = 3
OPEN_QUESTIONS: Final = "口径"
SIGNATURE: Final = ("经办人", "审核人", "日期")


def result(scene: Told) -> str:
    if any(row.played is None for row in scene.rows) or not scene.rows:
        return "未运行"
    if not scene.passed:
        return f"未通过（{len(scene.rows)}例中{scene.passed_rows}例通过）"
    return "通过" if len(scene.rows) == 1 else f"通过（{len(scene.rows)}例）"


def source(number: NumberTold) -> str:
    """The article that a number is cited from, and the reading that it was read by."""
    its = number.number
    return number.told_in + (f"、口径{its.reading}" if its.reading else "")


def proofs_shown(number: NumberTold, way: str) -> tuple[Sequence[Proof], int]:
    """The first rows that would fail if the number were a step away, and how many scenarios more."""
    proofs = number.proofs.get(way, ())
    return proofs[:PROOFS_SHOWN], max(0, len(proofs) - PROOFS_SHOWN)


def example(proof: Proof) -> str:
    """What the row says; a scenario without examples is told by its own title."""
    return "｜".join(cell for cell in proof.row.cells if cell != NOT_STATED) or proof.scene.title


def step_words(number: NumberTold) -> dict[str, str]:
    return {LOWER: f"少{number.number.step}即不符", HIGHER: f"多{number.number.step}即不符"}


def clause_words(clause: ClauseTold) -> str:
    """The clause as the policy file states its conditions, and as the features restate it."""
    if clause.rule is None:
        return clause.words
    return f"{clause.rule.beneficiary}：{clause.rule.condition}。{clause.words}"


def alternatives(reading: Reading) -> str:
    """Every other way to read an open question, and which of them the office can switch to."""
    options = [f"{told}（可切换）" for value, told in reading.options.items() if value != reading.value]
    free = ["可另定其值（可切换）"] if reading.switchable and not reading.options else []
    return "；".join([*options, *reading.alternatives, *free]) or "无"


def counts(matrix: Matrix) -> str:
    scenes = matrix.scenes
    rows = sum(len(scene.rows) for scene in scenes)
    passed = sum(scene.passed_rows for scene in scenes)
    return (
        f"有资金资助的条{len(matrix.money)}条、规则{len(matrix.policy.rules)}款、数{len(matrix.numbers)}个；"
        f"没有资金资助的条{len(matrix.without_money)}条；口径{len(matrix.readings)}项；"
        f"场景{len(scenes)}个、共{rows}例，通过{passed}例。"
    )


def heading(article: ArticleTold) -> str:
    return f"{article.heading}　{article.name}"


def size(article: ArticleTold) -> tuple[int, int, int]:
    """How many numbers, scenarios and open questions an article has."""
    numbers = len(article.limits) + sum(len(clause.numbers) for clause in article.clauses)
    return numbers, scenes_of(article.clauses), len(article.readings)


def scenes_of(clauses: Sequence[ClauseTold]) -> int:
    return sum(len(clause.scenes) for clause in clauses)
