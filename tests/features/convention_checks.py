"""What the officer's files have agreed on: how scenarios are numbered and articles cited, the officer's own words, how
amounts and dates are written, that every act is answered, and which rows a table needs.

A check yields the line and the fault, for :mod:`tests.features.feature_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from typing import Final

from ledger.money import format_policy_amount, parse_policy_amount
from ledger.policy.citation import SUPPLEMENT, article_cited
from tests.features.book import PLACEHOLDER, Book
from tests.features.parse_types import AMOUNT, DATE

NUMERALS: Final = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
NAMES_IN_LATIN: Final = {"GMP", "GCP", "CRO", "CDMO", "FDA", "PMDA", "CE"}
"""Words in Latin letters that the measures themselves use."""
READING: Final = re.compile(r"(?<![A-Za-z])[BV][0-9]{1,2}(?:\.[0-9])?")
"""The number of an open question in the office's register (口径B13)."""
CLAUSE_NAMED: Final = re.compile(rf"第[一二三四五六七八九十]{{1,3}}条|{SUPPLEMENT}")
ANSWERS_OF_ARTICLES: Final = (
    "单项上限", "年度上限", "资助期已满", "资助期未开始", "金额不足一元", "核定后余额已被占用",
    "每平方米上限", "拟资助高于上限", "未达最低一档", "费用尚未缴纳", "费用期间超出规定",
)  # fmt: skip
ANSWERS_OF_PROCEDURE: Final = (
    "高于核定金额", "超过资助余额", "超过可追缴金额", "超过尚欠金额", "超过未拨付金额", "与支付令不符", "不在有效期内",
    "超过年度预算",
)  # fmt: skip
"""Answers that turn on a number: each needs a table with a row just below it, one at it, and one just above it, in the file
of its article (第五条单项上限) or, for the procedure, in every file that gives it.
"""
ANSWERS_TO_ACTS: Final = {
    "^核定": ("核定结果为",),
    "试算：$": ("试算结果为",),
    "^审批": ("审批结果为", "办理结论为"),
    "^按受理顺序": ("各项结果依次为",),
    "": ("办理结论为",),
}
"""Which act → how a 那么 says what it was answered; the last is any other act."""

Found = Iterator[tuple[int, str]]


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


def _acts_are_answered(book: Book) -> Found:
    """A scenario whose 那么 never looks at what its 当 was answered would pass whatever the rules say."""
    for scene in book.scenes:
        act = next((step for step in scene.steps if step.role == "when"), None)
        first = next((step for step in scene.steps if step.role == "then"), None)
        if act is None or first is None:
            continue  # _order_of_steps tells
        answers = next(answers for asked, answers in ANSWERS_TO_ACTS.items() if re.search(asked, act.text))
        if not first.text.startswith(answers):
            yield first.number, f"the first 那么 says what the 当 was answered: {' or '.join(answers)}…"


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


CONVENTIONS: Final = (
    _tags_and_numbers,
    _citations,
    _language,
    _numbers,
    _acts_are_answered,
    _money_has_a_reason,
    _three_rows,
)
