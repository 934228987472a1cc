"""Item ceilings, proposals, nothing left, nothing to grant."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import Refusal
from ledger.rules import Binding


def refusal(office: Any, rule: str, item: str = "item-1", **particulars: object) -> Refusal:
    with pytest.raises(Refusal) as refused:
        office.quote(rule, item, **particulars)
    assert refused.value.text.zh
    assert refused.value.text.en
    return refused.value


def test_an_item_ceiling_counts_over_all_awards_and_years(office: Any) -> None:
    office.award("8.1", actual_cost="50000000.00")
    office.cap_year = 2027
    second = office.award("8.1", actual_cost="50000000.00")
    assert (second.amount_fen, second.bound_by) == (500_000_000, Binding("八", "item"))
    nothing = refusal(office, "8.1", actual_cost="50000000.00")
    assert nothing.code == "limit-exhausted"
    assert nothing.limit is not None
    assert (nothing.limit.limit, nothing.limit.left_fen) == ("item", 0)


def test_one_fen_left_is_less_than_a_yuan(office: Any) -> None:
    office.used["shenzhen-meddev-2022/C5/91440300MA5FX3K72N/2026"] = 10**9 - 99
    assert refusal(office, "5.1", rd_cost="100.00", special_approval=False).code == "nothing-to-grant"
    office.used["shenzhen-meddev-2022/C5/91440300MA5FX3K72N/2026"] = 10**9 - 100
    assert office.yuan("5.1", rd_cost="100.00", special_approval=False) == "1.00"


def test_an_overdrawn_limit_is_told_and_refuses(office: Any) -> None:
    office.used["shenzhen-meddev-2022/C5/91440300MA5FX3K72N/2026"] = 10**9 + 1
    nothing = refusal(office, "5.1", rd_cost="100.00", special_approval=False)
    assert nothing.code == "limit-exhausted"
    assert nothing.limit is not None
    assert nothing.limit.left_fen == -1


@pytest.mark.parametrize(("cost", "granted"), [("2.50", "1.00"), ("2.49", None), ("0.00", None)])
def test_less_than_a_yuan_is_nothing(office: Any, cost: str, granted: str | None) -> None:
    if granted is not None:
        assert office.yuan("5.1", rd_cost=cost, special_approval=False) == granted
    else:
        nothing = refusal(office, "5.1", rd_cost=cost, special_approval=False)
        assert (nothing.code, nothing.clause) == ("nothing-to-grant", "五")


@pytest.mark.parametrize(
    ("rule", "clause", "ceiling"),
    [
        ("2.1", "二", "30000000.00"),
        ("2.2", "二", "15000000.00"),
        ("10.1", "十", "500000.00"),
        ("10.3", "十", "5000000.00"),
    ],
)
def test_a_proposal_is_granted_up_to_the_ceiling_and_refused_a_fen_above(
    office: Any, rule: str, clause: str, ceiling: str
) -> None:
    quote = office.quote(rule, proposed=ceiling)
    assert [s.step for s in quote.steps] == ["ceiling"]
    assert quote.bound_by is None
    above = refusal(office, rule, proposed=ceiling[:-1] + "1")
    assert (above.code, above.clause) == ("above-ceiling", clause)
    assert refusal(office, rule, proposed="0.00").code == "nothing-to-grant"


@pytest.mark.parametrize(
    ("rule", "basis", "at", "ceiling_fen"),
    [
        ("2.3", "total_investment", 12_500_000_000, 5_000_000_000),
        ("3.1", "project_cost", 3_000_000_000, 3_000_000_000),
        ("3.2", "total_investment", 75_000_000_000, 30_000_000_000),
        ("10.2", "audited_cost", 500_000_000, 500_000_000),
        ("14.1", "audited_cost", 1_000_000_000, 1_000_000_000),
        ("22.1", "total_investment", 100_000_000_000, 10_000_000_000),
        ("23.1", "training_cost", 1_000_000_000, 500_000_000),
    ],
)
def test_a_rate_reaches_its_ceiling_and_stays_there(
    office: Any, rule: str, basis: str, at: int, ceiling_fen: int
) -> None:
    def amount(cost_fen: int) -> Any:
        return office.quote(rule, **{basis: f"{cost_fen // 100}.{cost_fen % 100:02d}"})

    assert (amount(at).amount_fen, amount(at).bound_by) == (ceiling_fen, None)
    assert amount(at - 1).amount_fen == ceiling_fen - 100
    assert amount(at + 1).amount_fen == ceiling_fen
    assert amount(at + 1).bound_by is not None


def test_both_limits_cut_and_the_last_one_binds(office: Any) -> None:
    office.award("5.2", "A", rd_cost="20000000.00", special_approval=True)
    both = office.quote("5.2", "B", rd_cost="20000000.00", special_approval=False)
    assert [s.amount_fen for s in both.steps] == [800_000_000, 500_000_000, 400_000_000]
    assert both.bound_by == Binding("五", "C5")


def test_a_certificate_is_funded_once_even_below_its_ceiling(office: Any) -> None:
    office.award("5.1", rd_cost="100.00", special_approval=False)
    again = refusal(office, "5.1", rd_cost="100.00", special_approval=False)
    assert (again.code, again.clause) == ("item-already-awarded", "五")
    assert office.yuan("5.1", "another", rd_cost="100.00", special_approval=False) == "40.00"
