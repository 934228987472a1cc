"""Nothing is left alone unseen: each kind of gap is made in a sound sample, and found where it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.features.book import Book, read_book
from tests.trace.command import ROOT
from tests.trace.gaps import gaps_of
from tests.trace.matrix import NO_MONEY
from tests.trace.numbers import HIGHER, LOWER
from tests.trace.run import Played, Run
from tests.trace.sample import NUMBERS, matrix_of, our_books

POLICY_FILE = "ledger/policy/policies/shenzhen-meddev-2022/1.toml"
SEVEN = "第七条_厂房建设资助.feature"
AREA_CAP = 'rules."7.1".area_cap'


def found(books: list[Book], breaks: Callable[[Run], None] = lambda run: None) -> list[str]:
    return [str(gap) for gap in gaps_of(matrix_of(books, breaks))]


def rows_of(run: Run, file: str) -> list[Played]:
    return [played for (name, _), rows in run.played.items() if name == file for played in rows.values()]


def every_row(run: Run) -> list[Played]:
    return [played for rows in run.played.values() for played in rows.values()]


def edited(file: str, before: str, after: str) -> list[Book]:
    """Our books, one of them with its text changed."""
    text = (ROOT / "features" / file).read_text(encoding="utf-8")
    broken = re.sub(before, after, text, count=1)
    assert broken != text, "the sample is not broken"
    return [read_book(file, broken) if book.file == file else book for book in our_books()]


def line_of(file: str, text: str) -> int:
    lines = (ROOT / "features" / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_a_sound_sample_has_no_gap() -> None:
    assert found(list(our_books())) == []


def test_a_rule_that_no_feature_tells_is_found() -> None:
    books = [book for book in our_books() if book.file != SEVEN and "口径" not in book.file]
    line = NUMBERS.line('rules."7.1"')
    gaps = found(books)
    assert (
        f"{POLICY_FILE}:{line}: clause 7.1 (GMP厂房新建或改造) has no scenario. "
        "Write a 规则 tagged @clause:7.1 with a 场景." in gaps
    )
    assert any("article 七 grants money, and no scenario of it passes" in gap for gap in gaps)


def test_a_clause_of_which_no_scenario_passes_is_found() -> None:
    def fail(run: Run) -> None:
        for played in rows_of(run, SEVEN):
            played.passed = False

    gaps = found([book for book in our_books() if "口径" not in book.file], fail)
    assert any("no scenario of clause 7.1 passes" in gap for gap in gaps)
    assert any("article 七 grants money, and no scenario of it passes" in gap for gap in gaps)
    assert any(f"{AREA_CAP} = 3,000元" in gap for gap in gaps), "what a failing scenario touches proves nothing"


def test_a_row_that_does_not_pass_is_found() -> None:
    def fail(run: Run) -> None:
        rows_of(run, SEVEN)[0].passed = False

    line = line_of(SEVEN, "| 2000万元 | 2,500平方米     |")
    (gap,) = found(list(our_books()), fail)
    assert gap.startswith(f"features/{SEVEN}:{line}: 7.1-甲 ") and "does not pass" in gap


def test_a_scenario_that_was_not_run_is_found() -> None:
    def leave_out(run: Run) -> None:
        del run.played[next(key for key in run.played if key[1].startswith("7.1-己 "))]

    line = line_of(SEVEN, "场景: 7.1-己 ")
    (gap,) = found(list(our_books()), leave_out)
    assert gap.startswith(f"features/{SEVEN}:{line}: 7.1-己 ") and "was not run" in gap


@pytest.mark.parametrize(
    ("way", "wanted"), [(LOWER, "one lower row: just below and at it"), (HIGHER, "one higher row: just above it")]
)
def test_a_number_that_no_row_holds_in_its_place_is_found(way: str, wanted: str) -> None:
    def forget(run: Run) -> None:
        for played in every_row(run):
            played.numbers.discard((AREA_CAP, way))

    (gap,) = found(list(our_books()), forget)
    assert gap.startswith(f"{POLICY_FILE}:{NUMBERS.line(AREA_CAP)}: {AREA_CAP} = 3,000元")
    assert f"一分钱 {way}" in gap and gap.endswith(f"Add rows to an 例子 of its clause: {wanted.partition(': ')[2]}.")


def test_a_row_of_another_article_holds_no_number() -> None:
    def move(run: Run) -> None:
        for played in every_row(run):
            played.numbers.discard((AREA_CAP, LOWER))
        for played in rows_of(run, "第三条_重大专项资助.feature"):
            played.numbers.add((AREA_CAP, LOWER))

    assert len(found(list(our_books()), move)) == 1


def test_a_scenario_of_no_clause_is_found() -> None:
    books = edited(SEVEN, r"  @clause:7.1\n  规则: .*\n    依据.*\n", "")
    assert any(re.search(r"feature:\d+: 7\.1-甲 .* stands in no clause", gap) for gap in found(books))


def test_a_scenario_whose_rule_is_not_tagged_is_found() -> None:
    gaps = found(edited(SEVEN, r"  @clause:7.1\n", ""))
    assert any(re.search(r"feature:\d+: 7\.1-甲 .* stands in no clause", gap) for gap in gaps)
    assert any("clause 7.1 (GMP厂房新建或改造) has no scenario" in gap for gap in gaps)


@pytest.mark.parametrize("clause", ["7.9", "6.1", "27.1", "B99", "程序"])
def test_a_scenario_of_a_clause_that_the_policy_does_not_know_is_found(clause: str) -> None:
    books = edited(SEVEN, r"@clause:7.1\n  规则: 7.1", f"@clause:{clause}\n  规则: {clause}")

    def forget(run: Run) -> None:
        for played in rows_of(run, SEVEN):
            played.numbers.clear()

    assert any(f"the policy knows no clause {clause!r}" in gap for gap in found(books, forget))


def test_a_modifier_that_holds_no_shared_number_is_found() -> None:
    five = "第五条_首次注册资助.feature"

    def forget(run: Run) -> None:
        for (file, name), rows in run.played.items():
            if file == five and name.startswith("5.4-"):
                for played in rows.values():
                    played.numbers.clear()

    assert any("the policy knows no clause '5.4'" in gap for gap in found(list(our_books()), forget))


def test_an_article_without_money_whose_refusal_is_not_shown_is_found() -> None:
    def forget(run: Run) -> None:
        for played in every_row(run):
            played.refused.discard((NO_MONEY, "六"))

    (gap,) = found(list(our_books()), forget)
    line = NUMBERS.line('articles."六"')
    assert gap.startswith(f"{POLICY_FILE}:{line}: article 六 (注册申报服务) grants no money")
