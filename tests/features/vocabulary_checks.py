"""The sentences that features are written in, and what the features say all together.

A *fault* is one line of text. Sentences are step definitions; the vocabulary is closed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.money import format_policy_amount
from ledger.policy.model import Policy, Rule
from ledger.policy.terms import Rate, RateArea, TierCeiling
from tests.features.book import Book

BUILT_IN_FORMATS: Final = frozenset("dlnwWsSDtgeFfxobiqa%")
EXHAUSTED: Final = "年度上限已用完"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A step definition. ``matches`` tells whether a step's text is this sentence."""

    role: str
    pattern: str
    where: str
    body_lines: int
    matches: Any


SENTENCES_AT_MOST: Final = 50
BODY_LINES_AT_MOST: Final = 5
_PLACE: Final = re.compile(r"\{([^{}]*)\}")


def faults_of_sentences(sentences: Sequence[Sentence]) -> list[str]:
    """What is wrong with the step definitions by themselves."""
    faults = []
    for its in sentences:
        for found in _PLACE.finditer(its.pattern):
            name, _, kind = found[1].partition(":")
            around = its.pattern[found.start() - 1 : found.start()] + its.pattern[found.end() : found.end() + 1]
            if not kind:
                faults.append(
                    f"{its.where}: {{{name}}} has no type and would split at the first chance; write {{{name}:名}}"
                )
            elif kind[-1] in BUILT_IN_FORMATS:
                faults.append(
                    f"{its.where}: {{{name}:{kind}}} refuses full-width digits and commas; use a type of ours"
                )
            elif kind == "名" and around != "“”":
                faults.append(f"{its.where}: the name {{{name}}} is not in “ ”, so that a sentence splits anywhere")
        if its.body_lines > BODY_LINES_AT_MOST:
            faults.append(
                f"{its.where}: a step function has at most {BODY_LINES_AT_MOST} lines, this has {its.body_lines}"
            )
    if len(sentences) > SENTENCES_AT_MOST:
        faults.append(f"{len(sentences)} sentences: the vocabulary is closed at {SENTENCES_AT_MOST}")
    return faults


def faults_of_vocabulary(books: Iterable[Book], sentences: Sequence[Sentence]) -> list[str]:
    """Steps that no sentence or two sentences match, and sentences that no step uses."""
    faults: dict[str, None] = {}
    used: set[Sentence] = set()
    for book in books:
        for scene in book.scenes:
            for step in (step for steps in scene.renderings() for step in steps):
                matching = [its for its in sentences if its.role == step.role and its.matches(step.text)]
                used.update(matching)
                if len(matching) != 1:
                    what = " and ".join(its.where for its in matching) or "no sentence"
                    faults[f"{book.file}:{step.number}: matched by {what}: {step.keyword}{step.text}"] = None
    return [*faults, *(f"{its.where}: no feature says this: {its.pattern}" for its in sentences if its not in used)]


def faults_between_files(books: Iterable[Book], policies: Iterable[Policy]) -> list[str]:
    """Clauses told twice, policies that do not exist, and numbers of a policy that no example turns on."""
    books, by_id = list(books), {policy.id: policy for policy in policies}
    faults = []
    clauses = Counter(chapter.name.partition(" ")[0] for book in books for chapter in book.chapters)
    faults += [f"clause {clause} has {count} 规则; it has one" for clause, count in clauses.items() if count > 1]
    for book in books:
        policy_id = book.tags[0].removeprefix("@policy:") if book.tags else ""
        if policy_id not in by_id:
            faults.append(f"{book.file}: there is no policy {policy_id!r}")
    for policy in by_id.values():
        faults += _policy_numbers(policy, books)
        faults += _policy_readings(policy, books)
    return faults


def _policy_numbers(policy: Policy, books: Sequence[Book]) -> Iterator[str]:
    """The ceilings of every rule that a 规则 tells. That every rule is told is for the traceability to see."""
    told = {chapter.name.partition(" ")[0]: book for book in books for chapter in book.chapters}
    limits: dict[str, Book] = {}
    for rule in (rule for rule in policy.rules.values() if rule.id in told):
        book = told[rule.id]
        if rule.limit is not None:
            limits[rule.limit.name] = book
        for cap_fen in _ceilings(rule):
            rate = rule.terms.rate.value if isinstance(rule.terms, Rate | RateArea) else 1
            reached_fen = -int(-cap_fen // rate)
            for fen in sorted({reached_fen - 1, reached_fen, reached_fen + 1, cap_fen} - book.amounts()):
                yield f"{book.file}: the ceiling {format_policy_amount(cap_fen)} lacks {format_policy_amount(fen)}"
        for tier in rule.terms.tiers if isinstance(rule.terms, TierCeiling) else ():
            cells = {text for scene in book.scenes if scene.clause == rule.id for _, text in scene.texts()}
            for count in (tier.at_least - 1, tier.at_least, tier.at_least + 1):
                if f"{count}项" not in cells:
                    yield f"{book.file}: the tier of {rule.id} from {tier.at_least}项 lacks {count}项"
    for name, book in limits.items():
        ceiling_fen = policy.limits[name].ceiling_fen.value
        if not any(EXHAUSTED in text for scene in book.scenes for _, text in scene.texts()):
            yield f"{book.file}: no example finds {name} used up"
        if ceiling_fen not in book.amounts():
            yield f"{book.file}: {name}'s ceiling {format_policy_amount(ceiling_fen)} is never reached"


def _policy_readings(policy: Policy, books: Sequence[Book]) -> Iterator[str]:
    """Every reading that the office may switch is switched by a scenario: of its own clause, where a number takes it."""
    scenes = [scene for book in books for scene in book.scenes]
    for reading in (reading for reading in policy.readings.values() if reading.switchable):
        switch = f"起，口径“{reading.id}”改为"
        own = [scene for scene in scenes if scene.clause == reading.id or reading.followed_by is not None]
        if not any(switch in step.text for scene in own for steps in scene.renderings() for step in steps):
            yield f"no scenario of clause {reading.id} switches that reading ({switch}“…”)"


def _ceilings(rule: Rule) -> list[int]:
    """The amounts above which a rule gives nothing more for one item, or for one tier."""
    if isinstance(rule.terms, TierCeiling):
        return [tier.ceiling_fen for tier in rule.terms.tiers]
    caps = [rule.item_cap_fen.value] if rule.item_cap_fen else []
    return caps + ([caps[0] + rule.item_cap_bonus.amount_fen.value] if caps and rule.item_cap_bonus else [])


def cucumber_report_faults(files: Mapping[str, str]) -> list[str]:
    """Commands that ask for Cucumber's report from many processes, which writes ``[]``."""
    parallel = any(re.search(r'"-n",\s*"(?!0")', text) for name, text in files.items() if name == "pyproject.toml")
    return [
        f"{name}:{number}: --cucumberjson writes [] under xdist; add -n 0"
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if "--cucumberjson" in line and parallel and not re.search(r"-n[\s\",=]*0", line)
    ]
