"""What the built-in policy says, against the numbers of the articles; and that every rule of the text can be carried."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from ledger.calendar import Window
from ledger.errors import Refusal, UnknownName
from ledger.policy import CapYear, Funding, Policy, Review, built_in_policies
from ledger.policy.model import OncePerItem

WITHOUT_MONEY = [
    "一",
    "四",
    "六",
    "九",
    "十一",
    "十二",
    "十三",
    "十六",
    "十七",
    "十八",
    "二十",
    "二十一",
    "二十四",
    "二十五",
    "二十六",
]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return built_in_policies().get("shenzhen-meddev-2022")


def test_the_first_registrations_are_funded_once_with_a_raised_ceiling(policy: Policy) -> None:
    caps = {}
    for rule_id in ("5.1", "5.2"):
        rule = policy.rules[rule_id]
        assert rule.item_cap_fen is not None
        assert rule.item_cap_bonus is not None
        assert rule.once_per_item is not None
        caps[rule_id] = (rule.item_cap_fen.value, rule.item_cap_bonus.amount_fen.value, rule.once_per_item.value)
        assert rule.review is Review.ENTITLED
    once = OncePerItem.EVER
    assert caps == {"5.1": (300_000_000, 100_000_000, once), "5.2": (500_000_000, 100_000_000, once)}
    assert policy.rounding_fen.value == 100


def test_five_years_from_the_assumed_day(policy: Policy) -> None:
    assert policy.validity == Window(date(2022, 8, 1), date(2027, 8, 1))
    assert "确认" in policy.readings["V1"].answer


def test_twenty_six_articles_fifteen_without_money(policy: Policy) -> None:
    assert len(policy.articles) == 26
    assert [n for n, a in policy.articles.items() if a.funding is Funding.NONE] == WITHOUT_MONEY
    assert sum(a.funding is Funding.RULED for a in policy.articles.values()) == 11


@pytest.mark.parametrize("citation", ["6", "6.1", "六", "第六条", "（六）", "(六)", "第6条", "６"])
def test_an_article_without_money_is_refused_however_it_is_cited(policy: Policy, citation: str) -> None:
    with pytest.raises(Refusal) as refused:
        policy.rule(citation)
    assert (refused.value.code, refused.value.clause) == ("no-money-rule", "六")
    assert "本条无资金资助条款" in refused.value.text.zh


@pytest.mark.parametrize("number", WITHOUT_MONEY)
def test_each_of_the_fifteen_is_known_by_name(policy: Policy, number: str) -> None:
    with pytest.raises(Refusal) as refused:
        policy.rule(number)
    assert refused.value.code == "no-money-rule"
    assert policy.articles[number].name in refused.value.text.zh


@pytest.mark.parametrize(
    ("citation", "clause"),
    [("7.2", "七"), ("5", "五"), ("5.3", "五"), ("27", None), ("", None), ("x" * 1000, None), ("5.2 ", "五"), ("0", None),
     ("6；7", None), ("6.", None), ("二十七", None)],
)  # fmt: skip
def test_what_is_no_rule_is_unknown(policy: Policy, citation: str, clause: str | None) -> None:
    with pytest.raises(UnknownName) as refused:
        policy.rule(citation)
    assert (refused.value.code, refused.value.clause) == ("unknown-rule", clause)


def test_the_file_s_format_carries_every_rule_of_the_text(policy: Policy) -> None:
    assert len(policy.rules) == 22
    rates = {r.id: r.terms.rate.value for r in policy.rules.values() if hasattr(r.terms, "rate")}
    percent = {
        "2.3": 40, "3.1": 100, "3.2": 40, "5.1": 40, "5.2": 40, "7.1": 40, "8.1": 20, "8.2": 20, "10.2": 100,
        "14.1": 100, "15.1": 3, "22.1": 10, "22.2": 50, "22.3": 50, "22.4": 20, "23.1": 50,
    }  # fmt: skip
    assert rates == {rule: Fraction(share, 100) for rule, share in percent.items()}
    caps = {r.id: r.item_cap_fen.value // 1_000_000 for r in policy.rules.values() if r.item_cap_fen}
    assert caps == {
        "2.1": 3000, "2.2": 1500, "2.3": 5000, "3.1": 3000, "3.2": 30000, "5.1": 300, "5.2": 500, "7.1": 1000,
        "8.1": 1500, "8.2": 1500, "10.1": 50, "10.2": 500, "10.3": 500, "15.1": 300, "22.1": 10000, "23.1": 500,
    }  # fmt: skip
    yearly = {name: limit.ceiling_fen.value // 1_000_000 for name, limit in policy.limits.items()}
    assert yearly == {"C5": 1000, "C8": 3000, "C14": 1000, "C15": 500, "C22R": 500, "C22U": 200, "C22O": 500}


def test_what_is_funded_once_and_whose_items_are_shared(policy: Policy) -> None:
    once = {r.id: r.once_per_item.value for r in policy.rules.values() if r.once_per_item}
    assert {rule for rule, its in once.items() if its is OncePerItem.EVER} == {
        "2.1", "2.2", "2.3", "3.1", "3.2", "5.1", "5.2", "7.1", "10.1", "10.2", "10.3", "22.1", "23.1",
    }  # fmt: skip
    assert {rule for rule, its in once.items() if its is OncePerItem.YEAR} == {"15.1"}
    shared = {r.id: r.item_shared for r in policy.rules.values() if r.item_shared and r.item_shared.value}
    assert set(shared) == {"5.1", "5.2", "8.1", "8.2"}
    assert {cited.reading for cited in shared.values()} == {"B23"}
    assert (policy.plan_years_ahead.value, policy.plan_years_ahead.reading) == (1, "B1")


def test_a_settlement_is_told_only_where_one_is_made(policy: Policy) -> None:
    assert [r.id for r in policy.rules.values() if "B29" in r.readings] == ["3.2"]


def test_the_modifiers_of_the_text_are_carried(policy: Policy) -> None:
    stages = policy.rules["3.2"].stages
    assert stages is not None
    assert [s.share for s in stages.stages] == [Fraction(2, 5), Fraction(3, 10), Fraction(3, 10)]
    assert stages.required
    assert (stages.settled.value, stages.settled.reading) == (True, "B29")
    assert {r.id for r in policy.rules.values() if r.audited and r.audited.value} == {"10.2", "14.1"}
    dates = policy.rules["23.1"].cost_dates
    assert dates is not None
    assert dates.length_months is not None
    assert dates.length_months.value == 36
    assert [bar.code for bar in policy.rules["8.2"].refused_when] == ["equity-relation"]
    assert policy.limits["C15"].cap_year.value is CapYear.PURCHASE
    assert policy.rules["14.1"].terms.rate.reading == "B21"  # type: ignore[union-attr]
