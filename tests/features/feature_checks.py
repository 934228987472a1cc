"""What pytest-bdd lets pass in silence in a feature file, and what the officer's files have agreed on.

A *fault* is one line of text that names the file and the line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from typing import Final

from gherkin.errors import CompositeParserException

from ledger.money import format_policy_amount, parse_policy_amount
from ledger.policy.citation import SUPPLEMENT, article_cited
from tests.features.book import PLACEHOLDER, Book, read_book
from tests.features.parse_types import AMOUNT, DATE

FIRST_LINE: Final = "# language: zh-CN"
KEYWORDS: Final = ("假如", "当", "那么", "并且", "但是")
ORDER: Final = ("", "given", "when", "then")
STEP_WORDS: Final = (*KEYWORDS, "假设", "假定", "而且", "同时")
"""Everything that Gherkin reads as the beginning of a step."""
OTHER_WORDS: Final = ("假设", "假定", "而且", "同时", "则", "且", "以及")
"""What people write instead of the five keywords."""
HEADINGS: Final = ("功能", "规则", "背景", "场景大纲", "场景", "例子")
NUMERALS: Final = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
NAMES_IN_LATIN: Final = {"GMP", "GCP", "CRO", "CDMO", "FDA", "PMDA", "CE"}
"""Words in Latin letters that the measures themselves use."""
READING: Final = re.compile(r"(?<![A-Za-z])[BV][0-9]{1,2}(?:\.[0-9])?")
"""The number of an open question in the office's register (口径B13)."""
CLAUSE_NAMED: Final = re.compile(rf"第[一二三四五六七八九十]{{1,3}}条|{SUPPLEMENT}")
ANSWERS_OF_ARTICLES: Final = (
    "单项上限", "年度上限", "资助期已满", "资助期未开始", "金额不足一元", "核定后余额已被占用",
    "每平方米上限", "拟资助高于余额", "未达最低一档", "费用尚未缴纳", "费用期间超出规定",
)  # fmt: skip
ANSWERS_OF_PROCEDURE: Final = (
    "高于核定金额", "超过资助余额", "超过可追缴金额", "超过尚欠金额", "超过未拨付金额", "与支付令不符", "不在有效期内",
    "超过年度预算",
)  # fmt: skip
"""Answers that turn on a number: each needs a table with a row just below it, one at it, and one just above it, in the file
of its article (第五条单项上限) or, for the procedure, in every file that gives it.
"""


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

Found = Iterator[tuple[int, str]]


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


# --- what has been agreed -------------------------------------------------------------------------


def _tags_and_numbers(book: Book) -> Found:
    if [tag for tag in book.tags if not tag.startswith("@policy:")] or len(book.tags) != 1:
        yield book.number, "a feature carries one tag, @policy:…"
    for scene in book.stray:
        yield scene.number, "a scenario stands in a 规则"
    for chapter in book.chapters:
        if len(chapter.tags) != 1 or not chapter.tags[0].startswith("@clause:"):
            yield chapter.number, "a 规则 carries one tag, @clause:…"
            continue
        clause = chapter.tags[0].removeprefix("@clause:")
        if chapter.name.partition(" ")[0] != clause:
            yield chapter.number, f"the 规则 of clause {clause} begins with that number"
        for scene, numeral in zip(chapter.scenes, NUMERALS, strict=False):
            if not scene.name.startswith(f"{clause}-{numeral} "):
                yield scene.number, f"is numbered {clause}-{numeral}"
        if len(chapter.scenes) > len(NUMERALS):
            yield chapter.number, f"more than {len(NUMERALS)} scenarios: is it really one clause?"
        if not chapter.scenes:
            yield chapter.number, "a 规则 without a 场景 promises nothing"


def _citations(book: Book) -> Found:
    head = book.file.removesuffix(".feature").partition("_")[0]
    if book.name.partition(" ")[0] != head:
        yield book.number, f"the 功能 begins as its file does: {head}"
    for chapter in book.chapters:
        clause = chapter.name.partition(" ")[0]
        article = article_cited(clause)
        if not chapter.description.strip():
            yield chapter.number, "a 规则 restates its clause in a description"
        if article is not None and f"第{article}条" not in chapter.description:
            yield chapter.number, f"the description names its article, 第{article}条"
        if article is not None and head != f"第{article}条":
            yield chapter.number, f"clause {clause} belongs in the file of 第{article}条"


def _language(book: Book) -> Found:
    described = [(book.number, f"{book.name}\n{book.description}")]
    described += [(c.number, f"{c.name}\n{c.description}") for c in book.chapters]
    for number, text in [*described, *(text for scene in book.scenes for text in scene.texts())]:
        for word in re.findall(r"[A-Za-z_]+", _plain(text)):
            if word not in NAMES_IN_LATIN:
                yield number, f"{word} is no word of a policy officer"
        if re.search(r"[{}\[\]\"`]|://", text):
            yield number, f"technical signs, or a name not in “ ”: {text.strip()}"


def _plain(text: str) -> str:
    """Without names in “ ”, without columns, and without the numbers of open questions."""
    return READING.sub("", re.sub(r"“[^“”]*”", "", PLACEHOLDER.sub("", text)))


def _numbers(book: Book) -> Found:
    for scene in book.scenes:
        for number, text in scene.texts():
            for amount in re.findall(AMOUNT, text):
                try:
                    policy_form = format_policy_amount(parse_policy_amount(amount))
                except ValueError as error:
                    yield number, f"no amount: {error}"
                    continue
                if policy_form != amount:
                    yield number, f"{amount} is written {policy_form}"
            for day in re.findall(DATE, text):
                try:
                    date.fromisoformat(day)
                except ValueError:
                    yield number, f"{day} does not exist"
            if re.search(r"[0-9]{4}\s*[年/.]\s*[0-9]{1,2}\s*[月/.]", text):
                yield number, f"dates are written 2026-01-31: {text}"
    for scene in book.scenes:
        for step in scene.steps:
            if re.search(r"[0-9<>]\s|\s[0-9<]", step.text):
                yield step.number, f"no space around numbers: {step.text}"


def _money_has_a_reason(book: Book) -> Found:
    for scene in book.scenes:
        for steps in scene.renderings():
            for step, following in zip(steps, [*steps[1:], None], strict=True):
                about_money = step.keyword == "那么" and ("结果" in step.text or re.search(AMOUNT, step.text))
                if not about_money or "依据" in {cell for row in step.table for cell in row}:
                    continue
                if following is None or following.keyword != "并且" or not CLAUSE_NAMED.search(following.text):
                    yield step.number, "a 那么 about money is followed by a 并且 that names its clause"


def _three_rows(book: Book) -> Found:
    article = book.name.partition(" ")[0]
    for answer in [*(f"{article}{word}" for word in ANSWERS_OF_ARTICLES), *ANSWERS_OF_PROCEDURE]:
        given = re.compile(rf"{answer}(?!已用完)")
        if not any(given.search(text) for scene in book.scenes for _, text in scene.texts()):
            continue
        tables = [t for scene in book.scenes for t in scene.examples if given.search(" ".join(chain(*t.rows)))]
        if not any(_is_triple(column) for table in tables for column in table.columns()):
            yield book.number, f"{answer}: no table has a row just below its number, one at it and one just above"


def _is_triple(column: Iterable[str]) -> bool:
    """Whether some x, x less its smallest step and x plus it are all there."""
    values = set(filter(None, map(_measured, column)))
    return any({(kind, size - 1), (kind, size + 1)} <= values for kind, size in values)


def _measured(cell: str) -> tuple[str, int] | None:
    """A cell in its smallest step: fen, 0.01 m², months, days."""
    if re.fullmatch(AMOUNT, cell):
        return "fen", parse_policy_amount(cell)
    if found := re.fullmatch(r"([0-9,]+)(?:\.([0-9]{2}))?平方米", cell):
        return "0.01 m²", int(found[1].replace(",", "")) * 100 + int(found[2] or 0)
    if found := re.fullmatch(r"([0-9]+)(个月|项)", cell):
        return found[2], int(found[1])
    if re.fullmatch(DATE, cell):
        return "day", date.fromisoformat(cell).toordinal()
    return None


_CHECKS: Final = (
    _doubled_names,
    _idle_examples,
    _placeholders_and_columns,
    _steps_outside_scenarios,
    _scenario_descriptions,
    _backgrounds,
    _order_of_steps,
    _tags_and_numbers,
    _citations,
    _language,
    _numbers,
    _money_has_a_reason,
    _three_rows,
)
