"""The worked examples E1 to E9, to the fen."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.errors import Refusal
from ledger.money import format_yuan
from ledger.rules import Binding

LEASE = {"benchmark_rent": "45.00", "area_m2": "4000.00", "tenancy_from": "2023-07-01"}
CALENDAR_2026 = {"claim_from": "2026-01-01", "claim_until": "2026-12-31"}


def test_the_quote_of_the_interface_comes_out_exactly(office: Any) -> None:
    quote = office.quote("5.2", item="国械注准20263010001", rd_cost="16000000.00", special_approval=True)
    assert quote.amount_fen == 600_000_000
    assert quote.bound_by == Binding("五", "item")
    assert [(s.clause, s.step, format_yuan(s.amount_fen)) for s in quote.steps] == [
        ("五", "rate", "6400000.00"),
        ("五", "item-cap", "6000000.00"),
        ("五", "annual-cap", "6000000.00"),
    ]
    yearly, item = quote.headroom
    assert (yearly.limit, yearly.ceiling_fen, yearly.used_fen, yearly.left_fen) == ("C5", 10**9, 0, 10**9)
    assert yearly.scope == "shenzhen-meddev-2022/C5/91440300MA5FX3K72N/2026"
    assert (item.limit, item.ceiling_fen, item.left_fen) == ("item", 600_000_000, 600_000_000)
    assert [(d.limit, d.amount_fen) for d in quote.draws] == [("C5", 600_000_000), ("item", 600_000_000)]
    assert "不核减" in quote.steps[2].detail.zh
    assert quote.window is None


@pytest.mark.parametrize(
    ("rule", "rd_cost", "special", "granted", "bound"),
    [
        ("5.2", "16000000.00", True, "6000000.00", "item"),
        ("5.2", "16000000.00", False, "5000000.00", "item"),
        ("5.2", "12000000.00", True, "4800000.00", None),
        ("5.1", "10000000.00", True, "4000000.00", None),
        ("5.1", "9999999.99", True, "3999999.00", None),
        ("5.1", "10000000.01", True, "4000000.00", "item"),
        ("5.2", "12500000.00", False, "5000000.00", None),
        ("5.2", "12500000.01", False, "5000000.00", "item"),
        ("5.1", "7500000.00", False, "3000000.00", None),
        ("5.1", "7500002.50", False, "3000000.00", "item"),
        ("5.1", "7499997.50", False, "2999999.00", None),
        ("5.1", "7499997.49", False, "2999998.00", None),
    ],
)
def test_e1_the_bonus_raises_the_ceiling_and_pays_nothing_itself(
    office: Any, rule: str, rd_cost: str, special: bool, granted: str, bound: str | None
) -> None:
    quote = office.quote(rule, rd_cost=rd_cost, special_approval=special)
    assert format_yuan(quote.amount_fen) == granted
    assert (quote.bound_by.limit if quote.bound_by else None) == bound


def test_e1_rounding_is_told_with_the_exact_figure_and_binds_nothing(office: Any) -> None:
    quote = office.quote("5.1", rd_cost="9999999.99", special_approval=True)
    assert quote.bound_by is None
    assert [s.step for s in quote.steps] == ["rate", "item-cap", "annual-cap", "rounding"]
    assert quote.steps[0].amount_fen == 399_999_999
    assert "3,999,999.996元" in quote.steps[0].detail.zh
    assert quote.steps[-1].amount_fen == 399_999_900


def test_e2_the_yearly_cap_cuts_the_last_of_three_and_the_rest_lapses(office: Any) -> None:
    a = office.award("5.2", "A", rd_cost="16000000.00", special_approval=True)
    b = office.award("5.1", "B", rd_cost="7000000.00", special_approval=False)
    c = office.award("5.1", "C", rd_cost="8000000.00", special_approval=False)
    assert [x.amount_fen for x in (a, b, c)] == [600_000_000, 280_000_000, 120_000_000]
    assert c.bound_by == Binding("五", "C5")
    assert [s.amount_fen for s in c.steps] == [320_000_000, 300_000_000, 120_000_000]
    with pytest.raises(Refusal) as refused:
        office.quote("5.1", "D", rd_cost="100.00", special_approval=False)
    assert refused.value.code == "limit-exhausted"
    assert refused.value.clause == "五"
    assert refused.value.limit is not None
    assert (refused.value.limit.limit, refused.value.limit.left_fen) == ("C5", 0)
    with pytest.raises(Refusal) as once:
        office.quote("5.1", "C", rd_cost="8000000.00", special_approval=False)
    assert once.value.code == "item-already-awarded"
    office.cap_year = 2027
    assert office.yuan("5.1", "D", rd_cost="100.00", special_approval=False) == "40.00"


@pytest.mark.parametrize(
    ("cost", "area", "granted", "bound"),
    [
        ("20000000.00", "2500.00", "7500000.00", "area"),
        ("30000000.00", "5000.00", "10000000.00", "item"),
        ("15000000.00", "4000.00", "6000000.00", None),
        ("26000000.00", "3333.33", "9999990.00", "area"),
        ("26000000.00", "3333.34", "10000000.00", "item"),
        ("18750000.00", "2500", "7500000.00", None),
        ("18750000.01", "2500.0", "7500000.00", "area"),
    ],
)
def test_e3_the_lowest_of_share_square_metres_and_ceiling(
    office: Any, cost: str, area: str, granted: str, bound: str | None
) -> None:
    quote = office.quote("7.1", build_cost=cost, area_m2=area)
    assert format_yuan(quote.amount_fen) == granted
    assert (quote.bound_by.limit if quote.bound_by else None) == bound
    assert [s.step for s in quote.steps] == ["rate", "area-cap", "item-cap"]


def test_e4_two_rules_draw_on_one_yearly_cap_and_kinship_bars(office: Any) -> None:
    assert office.award("8.1", "P1", actual_cost="80000000.00").amount_fen == 1_500_000_000
    assert office.award("8.1", "P2", actual_cost="60000000.00").amount_fen == 1_200_000_000
    third = office.award("8.2", "P3", actual_cost="25000000.00", equity_relation=False)
    assert (third.amount_fen, third.bound_by) == (300_000_000, Binding("八", "C8"))
    with pytest.raises(Refusal) as refused:
        office.quote("8.2", "P4", actual_cost="25000000.00", equity_relation=True)
    assert (refused.value.code, refused.value.clause) == ("equity-relation", "八")


def test_e4_exactly_at_the_ceiling_nothing_is_cut(office: Any) -> None:
    quote = office.quote("8.1", actual_cost="75000000.00")
    assert (quote.amount_fen, quote.bound_by) == (1_500_000_000, None)


def test_e5_one_product_under_three_articles_draws_on_three_pots(office: Any) -> None:
    granted = [
        office.award("5.1", "P", rd_cost="10000000.00", special_approval=True).amount_fen,
        office.award("8.1", "P", actual_cost="30000000.00").amount_fen,
        office.award("14.1", "P", audited_cost="3000000.00").amount_fen,
    ]
    assert granted == [400_000_000, 600_000_000, 300_000_000]
    assert office.yuan("8.1", "Q", actual_cost="29000000.00") == "5800000.00"


def test_e6_purchases_count_in_their_own_year(office: Any) -> None:
    first = office.award("15.1", "P1", purchase_total="120000000.00", purchase_year=2025)
    assert (first.amount_fen, first.bound_by) == (300_000_000, Binding("十五", "item"))
    second = office.award("15.1", "P2", purchase_total="70000000.00", purchase_year=2025)
    assert (second.amount_fen, second.bound_by) == (200_000_000, Binding("十五", "C15"))
    assert second.draws[0].scope.endswith("/2025")
    assert office.yuan("15.1", "P3", purchase_total="70000000.00", purchase_year=2026) == "2100000.00"


@pytest.mark.parametrize(
    ("count", "lead", "participant"),
    [
        (10, "1000000.00", "500000.00"),
        (19, "1000000.00", "500000.00"),
        (20, "2000000.00", "1000000.00"),
        (39, "2000000.00", "1000000.00"),
        (40, "3000000.00", "1500000.00"),
        (41, "3000000.00", "1500000.00"),
    ],
)
def test_e7_a_count_decides_how_much_may_be_proposed(office: Any, count: int, lead: str, participant: str) -> None:
    for rule, ceiling in (("19.1", lead), ("19.2", participant)):
        stated = {"project_count": count, "service_year": 2025}
        assert office.yuan(rule, proposed=ceiling, **stated) == ceiling
        with pytest.raises(Refusal) as refused:
            office.quote(rule, proposed=ceiling[:-2] + "01", **stated)
        assert (refused.value.code, refused.value.clause) == ("above-ceiling", "十九")


@pytest.mark.parametrize("rule", ["19.1", "19.2"])
def test_e7_nine_projects_are_below_the_lowest_tier(office: Any, rule: str) -> None:
    with pytest.raises(Refusal) as refused:
        office.quote(rule, project_count=9, proposed="1.00", service_year=2025)
    assert (refused.value.code, refused.value.clause) == ("below-lowest-tier", "十九")


def test_e7_a_hospital_may_draw_as_lead_and_as_participant(office: Any) -> None:
    office.award("19.1", project_count=11, proposed="1000000.00", service_year=2025)
    office.award("19.2", project_count=10, proposed="500000.00", service_year=2025)
    with pytest.raises(Refusal) as refused:
        office.quote("19.1", "another item", project_count=11, proposed="1.00", service_year=2025)
    assert refused.value.code == "limit-exhausted"
    assert office.yuan("19.1", project_count=11, proposed="1000000.00", service_year=2026) == "1000000.00"


def test_e8_a_benefit_year_of_rent(office: Any) -> None:
    quote = office.quote("22.2", **LEASE, claim_from="2023-07-01", claim_until="2024-06-30")
    assert format_yuan(quote.amount_fen) == "1080000.00"
    assert quote.bound_by is None
    assert [s.step for s in quote.steps] == ["rent-basis", "rate", "window", "annual-cap"]
    assert [format_yuan(s.amount_fen) for s in quote.steps] == ["2160000.00", *["1080000.00"] * 3]


def test_e8_a_large_tenant_is_cut_to_the_yearly_cap(office: Any) -> None:
    large = {**LEASE, "benchmark_rent": "60.00", "area_m2": "20000.00"}
    quote = office.quote("22.2", **large, claim_from="2023-07-01", claim_until="2024-06-30")
    assert (quote.amount_fen, quote.bound_by) == (500_000_000, Binding("二十二", "C22R"))


def test_e8_the_months_after_the_window_are_cut(office: Any) -> None:
    office.today = date(2026, 6, 30)
    quote = office.quote("22.2", **LEASE, **CALENDAR_2026)
    assert format_yuan(quote.amount_fen) == "540000.00"
    assert quote.bound_by == Binding("二十二", "window")
    assert [format_yuan(s.amount_fen) for s in quote.steps] == ["2160000.00", "1080000.00", "540000.00", "540000.00"]
    assert [d.scope for d in quote.draws] == ["shenzhen-meddev-2022/C22R/91440300MA5FX3K72N/2025-07-01"]
    assert quote.window is not None
    assert (quote.window.window.start.isoformat(), quote.window.window.end.isoformat()) == ("2023-07-01", "2026-07-01")
    assert (quote.window.funded.start.isoformat(), quote.window.funded.end.isoformat()) == ("2026-01-01", "2026-07-01")


def test_e8_a_fourth_year_is_refused(office: Any) -> None:
    with pytest.raises(Refusal) as refused:
        office.quote("22.2", **LEASE, claim_from="2026-07-01", claim_until="2027-06-30")
    assert (refused.value.code, refused.value.clause) == ("window-ended", "二十二")


def test_e8_thirty_six_months_come_to_three_years(office: Any) -> None:
    office.today = date(2026, 6, 30)
    quote = office.quote("22.2", **LEASE, claim_from="2023-07-01", claim_until="2026-06-30")
    assert format_yuan(quote.amount_fen) == "3240000.00"
    assert [d.amount_fen for d in quote.draws] == [108_000_000] * 3


def test_e8_a_landlord_s_free_month_pushes_the_end_back(office: Any) -> None:
    office.today = date(2026, 7, 31)
    quote = office.quote("22.2", **LEASE, **CALENDAR_2026, rent_free_months=1)
    assert format_yuan(quote.amount_fen) == "630000.00"
    assert quote.window is not None
    assert quote.window.window.end.isoformat() == "2026-08-01"


def utilities(cost: str, since: str, until: str, paid_on: str = "2026-05-01") -> dict[str, str]:
    contract = {"contract_signed_on": "2023-03-15", "paid_on": paid_on}
    return {"billed_cost": cost, "period_from": since, "period_until": until, **contract}


def test_e9_utilities_over_three_benefit_years(office: Any) -> None:
    granted = [
        office.award("22.3", **utilities("3500000.00", "2023-03-15", "2024-03-14")).amount_fen,
        office.award("22.3", **utilities("4600000.00", "2024-03-15", "2025-03-14")).amount_fen,
        office.award("22.3", **utilities("3900000.00", "2025-03-15", "2026-03-14")).amount_fen,
    ]
    assert granted == [175_000_000, 200_000_000, 195_000_000]
    assert sum(granted) == 570_000_000


def test_e9_a_bill_that_ends_after_the_window_is_outside(office: Any) -> None:
    with pytest.raises(Refusal) as refused:
        office.quote("22.3", **utilities("100000.00", "2026-03-01", "2026-03-31"))
    assert refused.value.code == "window-ended"


def test_e9_a_bill_not_yet_paid_waits(office: Any) -> None:
    with pytest.raises(Refusal) as refused:
        office.quote("22.3", **utilities("100000.00", "2024-04-01", "2024-04-30", paid_on="2026-06-02"))
    assert refused.value.code == "not-yet-paid"
    paid_today = utilities("100000.00", "2024-04-01", "2024-04-30", paid_on="2026-06-01")
    assert office.yuan("22.3", **paid_today) == "50000.00"
