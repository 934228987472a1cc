"""No number of a policy file is overlooked, and each is moved by its smallest step alone."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ledger.policy.terms import Rate, TierCeiling
from tests.trace.command import POLICY, POLICY_NAME
from tests.trace.numbers import HIGHER, LOWER, PolicyNumbers

NUMBERS = PolicyNumbers(POLICY, POLICY_NAME)
TEXT = POLICY.read_text(encoding="utf-8")


def moved(key: str, way: str) -> object:
    return NUMBERS.moves[key][way].policy


@pytest.mark.parametrize(
    ("key", "value", "article"),
    [
        ("policy.effective_from", "2022-08-01", "附则"),
        ("policy.validity", "5年", "附则"),
        ("limits.C22U.ceiling", "200万元", "二十二"),
        ('rules."3.2".stages.parts[2].share', "30%", "三"),
        ('rules."5.1".item_cap_bonus', "100万元", "五"),
        ('rules."5.2".cost_dates.tail', "90日", "五"),
        ('rules."7.1".area_cap', "3,000元", "七"),
        ('rules."14.1".rate', "100%", "十四"),
        ('rules."19.2".tiers[2].at_least', "40项", "十九"),
        ('rules."22.4".window.length', "3年", "二十二"),
    ],
)
def test_a_number_is_read_as_the_file_means_it(key: str, value: str, article: str) -> None:
    number = NUMBERS.numbers[key]
    assert (number.value, number.article) == (value, article)


def test_a_number_stands_on_the_line_that_it_is_said_to() -> None:
    for number in NUMBERS.numbers.values():
        line = TEXT.splitlines()[number.line - 1].strip()
        if number.key.endswith(".share") or ".tiers[" in number.key:
            assert line.startswith("{")
        else:
            assert line.startswith(f"{number.key.rpartition('.')[2]} = ")


def test_every_amount_in_the_rules_and_limits_is_a_number() -> None:
    head = TEXT[: TEXT.index("[readings.")]
    written = [line for line in head.splitlines() if "万元" in line or "亿元" in line or '"3000元"' in line]
    written = [line for line in written if not line.startswith("#")]
    money = [number for number in NUMBERS.numbers.values() if number.step == "一分钱"]
    assert len(money) == len(written) == len({number.line for number in money})


def test_a_rate_is_moved_alone_and_by_its_smallest_step() -> None:
    terms = moved('rules."5.1".rate', LOWER).rules["5.1"].terms  # type: ignore[attr-defined]
    assert isinstance(terms, Rate) and terms.rate.value == Fraction(3999, 10000)
    other = moved('rules."5.1".rate', LOWER).rules["5.2"].terms  # type: ignore[attr-defined]
    assert isinstance(other, Rate) and other.rate.value == Fraction(2, 5)


def test_a_tier_is_moved_by_one_project() -> None:
    terms = moved('rules."19.1".tiers[1].at_least', HIGHER).rules["19.1"].terms  # type: ignore[attr-defined]
    assert isinstance(terms, TierCeiling) and [tier.at_least for tier in terms.tiers] == [10, 21, 40]


def test_the_shares_of_stages_still_sum_to_the_whole() -> None:
    stages = moved('rules."3.2".stages.parts[2].share', HIGHER).rules["3.2"].stages.stages  # type: ignore[attr-defined]
    assert [stage.share * 10000 for stage in stages] == [4000, 2999, 3001]


def test_a_number_that_the_file_cannot_go_to_says_why() -> None:
    assert NUMBERS.moves['rules."14.1".rate'][HIGHER].why_not == "比例不会超过100%"
    whys = {(key, way) for key, ways in NUMBERS.moves.items() for way, its in ways.items() if its.policy is None}
    assert whys == {(f'rules."{rule}".rate', HIGHER) for rule in ("3.1", "10.2", "14.1")}
