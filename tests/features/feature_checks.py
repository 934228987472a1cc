"""What pytest-bdd lets pass in silence in a feature file; what the officer's files have agreed on besides is checked by
:mod:`tests.features.convention_checks`.

A *fault* is one line of text that names the file and the line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from gherkin.errors import CompositeParserException

from tests.features.book import PLACEHOLDER, Book, read_book
from tests.features.convention_checks import CONVENTIONS, Found

FIRST_LINE: Final = "# language: zh-CN"
KEYWORDS: Final = ("假如", "当", "那么", "并且", "但是")
ORDER: Final = ("", "given", "when", "then")
STEP_WORDS: Final = (*KEYWORDS, "假设", "假定", "而且", "同时")
"""Everything that Gherkin reads as the beginning of a step."""
OTHER_WORDS: Final = ("假设", "假定", "而且", "同时", "则", "且", "以及")
"""What people write instead of the five keywords."""
HEADINGS: Final = ("功能", "规则", "背景", "场景大纲", "场景", "例子")


def faults_of_file(file: str, content: bytes) -> list[str]:
    """Everything wrong with one feature file, as ``<file>:<line>: <what>``."""
    faults = list(_encoding_faults(content))
    if not faults:
        faults = list(_spelling_faults(content.decode()))
    if not faults:
        try:
            book = read_book(file, content.decode())
        except CompositeParserException as error:
            faults = [f"{its.location['line']}: Gherkin cannot read this: {its}" for its in error.errors]
        else:
            faults = [f"{number}: {what}" for check in _CHECKS for number, what in check(book)]
    return [f"{file}:{fault}" for fault in faults]


# --- before parsing: what stops Gherkin, or makes it read something else --------------------------


def _encoding_faults(content: bytes) -> Iterator[str]:
    if content.startswith(b"\xef\xbb\xbf"):
        yield "1: begins with a byte-order mark; save it as UTF-8 without one"
    try:
        content.decode()
    except UnicodeDecodeError:
        yield "1: is not UTF-8 (GBK?); save it as UTF-8"


def _spelling_faults(text: str) -> Iterator[str]:
    lines = text.splitlines()
    if not lines or lines[0] != FIRST_LINE:
        yield f"1: the first line must be exactly {FIRST_LINE!r}"
    for number, line in enumerate((line.strip() for line in lines), start=1):
        if re.match(rf"({'|'.join(HEADINGS)})\s*：", line):
            yield f"{number}: a full-width colon after {line.partition('：')[0]}; write a half-width one"
        for word in OTHER_WORDS:
            if line.startswith(word):
                yield f"{number}: begins with {word}; the keywords are {' '.join(KEYWORDS)}"
        if line.startswith("* "):
            yield f"{number}: begins with *; the keywords are {' '.join(KEYWORDS)}"


# --- what fails in silence ------------------------------------------------------------------------


def _doubled_names(book: Book) -> Found:
    counts = Counter(scene.name for scene in book.scenes)
    for scene in book.scenes:
        if counts[scene.name] > 1:
            yield scene.number, f"another scenario is also named {scene.name!r}: only the last of them runs"


def _idle_examples(book: Book) -> Found:
    for scene in book.scenes:
        outline = scene.keyword == "场景大纲"
        if outline and not scene.examples:
            yield scene.number, "a 场景大纲 without 例子 runs once, with its placeholders as text"
        if scene.examples and not outline:
            yield scene.number, "a scenario with 例子 is a 场景大纲"
        for examples in scene.examples:
            if not examples.rows:
                yield examples.number, "例子 without a row: the scenario runs once, with its placeholders as text"


def _placeholders_and_columns(book: Book) -> Found:
    for scene in book.scenes:
        texts = [text for step in scene.steps for text in [step.text, *(cell for row in step.table for cell in row)]]
        wanted = {name for text in texts for name in PLACEHOLDER.findall(text)}
        headers = [(examples.number, set(examples.header)) for examples in scene.examples] or [(scene.number, set())]
        for number, header in headers:
            for name in sorted(wanted - header):
                yield number, f"<{name}> has no column: it would run as the literal text"
            for name in sorted(header - wanted):
                yield number, f"the column {name} is used by no step"


def _steps_outside_scenarios(book: Book) -> Found:
    described = [(book.number, book.description), *((c.number, c.description) for c in book.chapters)]
    for number, description in described:
        for line in (line.strip() for line in description.splitlines()):
            if line.startswith(STEP_WORDS):
                yield number, f"a step before the first 场景 is description and never runs: {line}"


def _scenario_descriptions(book: Book) -> Found:
    for scene in book.scenes:
        if scene.description.strip():
            yield scene.number, "no description inside a 场景: a line of it that begins with 当 or 并且 becomes a step"


def _backgrounds(book: Book) -> Found:
    for background in book.backgrounds:
        if background.description.strip():
            yield background.number, "no description inside a 背景: what looks like a step may not be one"
        keywords = [step.keyword for step in background.steps]
        if keywords[:1] != ["假如"] or {step.role for step in background.steps} != {"given"}:
            yield background.number, "a 背景 begins with 假如 and states facts only"


def _order_of_steps(book: Book) -> Found:
    """假如…, one 当, 那么…: this also finds a line of prose that was taken for a step."""
    for scene in book.scenes:
        roles = [step.role for step in scene.steps]
        if roles.count("when") != 1:
            yield scene.number, f"has {roles.count('when')} 当; a scenario has exactly one"
        if roles != sorted(roles, key=ORDER.index) or not {"when", "then"} <= set(roles):
            yield scene.number, "the order is 假如, then one 当, then 那么"
        if scene.steps and scene.steps[0].keyword not in ("假如", "当"):
            yield scene.steps[0].number, f"a scenario does not begin with {scene.steps[0].keyword}"
        starts = Counter(step.keyword for step in scene.steps)
        for keyword in ("假如", "那么"):
            if starts[keyword] > 1:
                yield scene.number, f"{keyword} is written once; what follows it is 并且 or 但是"


_CHECKS: Final = (
    _doubled_names,
    _idle_examples,
    _placeholders_and_columns,
    _steps_outside_scenarios,
    _scenario_descriptions,
    _backgrounds,
    _order_of_steps,
    *CONVENTIONS,
)
