"""What holds for every claim, and agreement with a deliberately naive second computation in plain integers."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refusal
from ledger.policy import BUILT_IN, Policy, read_policy
from ledger.rules import Claim, Determination, ItemAward, RecognisedWindow, determine, read_particulars
from ledger.rules.decision import whole_shares
from ledger.scopes import Scope

ENTERPRISE = "91440300MA5FX3K72N"
POLICY: Policy = read_policy(BUILT_IN / "shenzhen-meddev-2022" / "1.toml").as_read_on(None)

# rule: basis, rate in percent, item ceiling, yearly ceiling (fen); written down again from the policy's text
NAIVE: dict[str, tuple[str, int, int | None, int | None]] = {
    "2.3": ("total_investment", 40, 5_000_000_000, None),
    "3.1": ("project_cost", 100, 3_000_000_000, None),
    "3.2": ("total_investment", 40, 30_000_000_000, None),
    "5.1": ("rd_cost", 40, 300_000_000, 1_000_000_000),
    "5.2": ("rd_cost", 40, 500_000_000, 1_000_000_000),
    "8.1": ("actual_cost", 20, 1_500_000_000, 3_000_000_000),
    "8.2": ("actual_cost", 20, 1_500_000_000, 3_000_000_000),
    "10.2": ("audited_cost", 100, 500_000_000, None),
    "14.1": ("audited_cost", 100, None, 1_000_000_000),
    "15.1": ("purchase_total", 3, 300_000_000, 500_000_000),
    "22.1": ("total_investment", 10, 10_000_000_000, None),
    "23.1": ("training_cost", 50, 500_000_000, None),
}


ONCE = ("2.3", "3.1", "3.2", "5.1", "5.2", "10.2", "22.1", "23.1")


class Used:
    """The same use in every scope of a kind; no window."""

    def __init__(self, item_fen: int = 0, year_fen: int = 0) -> None:
        self.item_fen, self.year_fen = item_fen, year_fen

    def used_fen(self, scope: Scope) -> int:
        return self.item_fen if scope.limit == "item" else self.year_fen

    def item_awards(self, scope: Scope) -> list[ItemAward]:
        return []

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return None


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def ask(rule_id: str, used: Used, **raw: Any) -> Determination | str:
    rule = POLICY.rule(rule_id)
    claim = Claim(POLICY, rule, ENTERPRISE, "item", 2026, read_particulars(rule, raw), date(2026, 6, 1))
    try:
        return determine(claim, used)
    except Refusal as refusal:
        return refusal.code


def naive(rule_id: str, cost: int, special: bool, used: Used) -> int | str:
    _, percent, item_cap, year_cap = NAIVE[rule_id]
    if item_cap is not None and rule_id in ("5.1", "5.2"):
        item_cap += 100_000_000 if special else 0
    if rule_id in ONCE and used.item_fen > 0:
        return "item-already-awarded"
    hundredths = cost * percent
    for cap, taken in ((item_cap, used.item_fen), (year_cap, used.year_fen)):
        if cap is None:
            continue
        if hundredths > 0 and cap - taken <= 0:
            return "limit-exhausted"
        hundredths = min(hundredths, max(0, cap - taken) * 100)
    granted = hundredths // 10_000 * 100
    return granted if granted > 0 else "nothing-to-grant"


def stated(rule_id: str, cost: int, special: bool) -> dict[str, Any]:
    more = {
        "5.1": {"special_approval": special},
        "5.2": {"special_approval": special},
        "8.2": {"equity_relation": False},
        "15.1": {"purchase_year": 2026},
    }
    return {NAIVE[rule_id][0]: yuan(cost), **more.get(rule_id, {})}


near_round = [n * 10**8 + d for n in range(30) for d in (-1, 0, 1) if n + d >= 0]
costs = st.one_of(st.integers(0, 10**12), st.integers(0, 1000), st.sampled_from(near_round))
uses = st.builds(Used, st.sampled_from([0, 0, 1, 10**8, 10**9]), st.one_of(st.just(0), st.integers(0, 4 * 10**9)))


@settings(max_examples=600, deadline=None)
@given(rule_id=st.sampled_from(sorted(NAIVE)), cost=costs, special=st.booleans(), used=uses)
def test_the_rates_agree_with_naive_integers(rule_id: str, cost: int, special: bool, used: Used) -> None:
    answer = ask(rule_id, used, **stated(rule_id, cost, special))
    expected = naive(rule_id, cost, special, used)
    assert (answer.amount_fen if isinstance(answer, Determination) else answer) == expected


@settings(max_examples=300, deadline=None)
@given(cost=costs, area=st.integers(0, 10**7))
def test_the_area_rule_agrees_with_naive_integers(cost: int, area: int) -> None:
    answer = ask("7.1", Used(), build_cost=yuan(cost), area_m2=yuan(area))
    granted = min(cost * 40, area * 3_000 * 100, 1_000_000_000 * 100) // 10_000 * 100
    assert (answer.amount_fen if isinstance(answer, Determination) else 0) == granted


@settings(max_examples=300, deadline=None)
@given(
    rent=st.integers(0, 200_000), actual=st.integers(0, 200_000), area=st.integers(0, 10**6),
    first=st.integers(0, 47), count=st.integers(1, 48), used_fen=st.integers(0, 600_000_000),
)  # fmt: skip
def test_the_rent_agrees_with_naive_integers(
    rent: int, actual: int, area: int, first: int, count: int, used_fen: int
) -> None:
    def month(n: int) -> str:
        return f"{2023 + n // 12}-{n % 12 + 1:02d}-01"

    last_day = (date.fromisoformat(month(first + count)).toordinal()) - 1
    answer = ask(
        "22.2", Used(year_fen=used_fen), benchmark_rent=yuan(rent), actual_rent=yuan(actual), area_m2=yuan(area),
        tenancy_from="2023-01-01", claim_from=month(first), claim_until=date.fromordinal(last_day).isoformat(),
    )  # fmt: skip
    twohundredths = 0  # of a fen
    for year in range(3):
        months = [n for n in range(first, first + count) if year * 12 <= n < year * 12 + 12]
        left = max(0, 500_000_000 - used_fen)
        twohundredths += min(min(rent, actual) * area * len(months), left * 200)
    granted = twohundredths // 20_000 * 100
    assert (answer.amount_fen if isinstance(answer, Determination) else 0) == granted
    if isinstance(answer, Determination):
        assert_sound(answer)


def assert_sound(answer: Determination) -> None:
    assert answer.amount_fen > 0
    assert answer.amount_fen % 100 == 0
    left = {head.scope: head.left_fen for head in answer.headroom}
    by_limit: dict[str, int] = {}
    for draw in answer.draws:
        assert 0 < draw.amount_fen <= left[draw.scope]
        by_limit[draw.limit] = by_limit.get(draw.limit, 0) + draw.amount_fen
    assert all(total == answer.amount_fen for total in by_limit.values())
    assert set(by_limit) == {head.limit for head in answer.headroom}
    shown = [step.amount_fen for step in answer.steps if step.step != "rent-basis"]
    assert shown == sorted(shown, reverse=True)
    assert answer.amount_fen <= shown[-1]
    assert all(step.detail.zh and step.detail.en for step in answer.steps)
    if answer.bound_by is None:
        assert {step.amount_fen for step in answer.steps if step.step not in ("rent-basis", "rounding")} == {shown[0]}
    else:
        # What was cut may be less than a fen, which no line shows.
        assert shown[-1] < shown[0] or answer.steps[-1].step in ("rounding", "item-cap", "annual-cap")


@settings(max_examples=300, deadline=None)
@given(rule_id=st.sampled_from(sorted(NAIVE)), cost=costs, special=st.booleans(), used=uses)
def test_no_grant_is_above_a_limit_and_draws_sum_to_it(rule_id: str, cost: int, special: bool, used: Used) -> None:
    answer = ask(rule_id, used, **stated(rule_id, cost, special))
    if isinstance(answer, Determination):
        assert_sound(answer)


@settings(max_examples=200, deadline=None)
@given(rule_id=st.sampled_from(sorted(NAIVE)), cost=costs, more=st.integers(0, 10**10), special=st.booleans())
def test_a_higher_cost_never_grants_less(rule_id: str, cost: int, more: int, special: bool) -> None:
    def amount(fen: int) -> int:
        answer = ask(rule_id, Used(), **stated(rule_id, fen, special))
        return answer.amount_fen if isinstance(answer, Determination) else 0

    assert amount(cost) <= amount(cost + more)


@settings(max_examples=300, deadline=None)
@given(
    cost=st.integers(1, 10**10), begin=st.integers(0, 1000), length=st.integers(1, 1096), used_fen=st.integers(0, 10**8)
)
def test_a_cost_by_days_never_overdraws_a_year(cost: int, begin: int, length: int, used_fen: int) -> None:
    start = date(2023, 3, 15).toordinal() + begin
    end = min(start + length, date(2026, 3, 15).toordinal())
    answer = ask(
        "22.4", Used(year_fen=used_fen), operating_cost=yuan(cost), production_from="2023-03-15",
        period_from=date.fromordinal(start).isoformat(), period_until=date.fromordinal(end - 1).isoformat(),
    )  # fmt: skip
    if isinstance(answer, Determination):
        assert_sound(answer)


@given(
    parts=st.lists(st.fractions(min_value=0, max_value=1000, max_denominator=50), min_size=1, max_size=5),
    unit=st.sampled_from([1, 100]),
)
def test_whole_shares_lose_nothing_and_exceed_no_part_rounded_up(parts: list[Fraction], unit: int) -> None:
    total = int(sum(parts) // unit) * unit
    shares = whole_shares(parts, total)
    assert sum(shares) == total
    for share, part in zip(shares, parts, strict=True):
        assert 0 <= share <= -(-part.numerator // part.denominator)


@pytest.mark.parametrize(
    ("parts", "total", "shares"),
    [
        (["1/2", "1/2"], 1, [1, 0]),
        (["150", "250"], 400, [150, 250]),
        (["150", "250"], 300, [150, 150]),
        (["150", "50"], 100, [100, 0]),
        (["7/2", "3", "5/2"], 9, [4, 3, 2]),
    ],
)
def test_whole_shares_by_example(parts: list[str], total: int, shares: list[int]) -> None:
    assert whole_shares([Fraction(part) for part in parts], total) == shares
