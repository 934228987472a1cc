"""Each switch of a reading changes what it says it changes, and only from its day on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from ledger.causes import Cause
from ledger.errors import Malformed, Refusal
from ledger.policy import EvidenceKind, Interpretation, Policy, built_in_policies
from ledger.policy.model import EvidenceUse
from ledger.rules import ItemAward, OtherFunding, WayOut, determine

DAY = date(2026, 7, 1)
DAY_BEFORE = date(2026, 6, 30)
REGISTRY = built_in_policies()


def read(value: str, reading: str, on: date) -> Policy:
    switch = Interpretation(1, reading, value, DAY, "市发展和改革委员会", "会议纪要〔2026〕7号", "统一口径")
    return REGISTRY.get("shenzhen-meddev-2022", on=on, interpretations=[switch])


def answer(office: Any, rule: str, item: str = "item-1", **stated: Any) -> str:
    try:
        return str(office.yuan(rule, item, **stated))
    except Refusal as refusal:
        return refusal.code
    except Malformed as malformed:
        return malformed.errors[0].field


RD = {"special_approval": False}
UTILITIES = {"contract_signed_on": "2024-01-01", "paid_on": "2026-05-01", "billed_cost": "100.00"}
PURCHASE = {"purchase_total": "10000000.00", "purchase_year": 2025}
RENT = {"area_m2": "10000.00", "tenancy_from": "2024-07-01", "actual_rent": "50.00", "benchmark_rent": "100.00"}


def fill_c5(office: Any) -> None:
    office.used["shenzhen-meddev-2022/C5/91440300MA5FX3K72N/2026"] = 10**9


def fill_c15_of_purchase_year(office: Any) -> None:
    office.used["shenzhen-meddev-2022/C15/91440300MA5FX3K72N/2025"] = 5 * 10**8


def fill_first_benefit_year(office: Any) -> None:
    office.used["shenzhen-meddev-2022/C22R/91440300MA5FX3K72N/2024-07-01"] = 5 * 10**8


def cut_before(office: Any) -> None:
    """What a yearly limit cut to 1,000,000 yuan of 3,000,000."""
    granted_before(office, cut_fen=2 * 10**8)


def granted_before(office: Any, cut_fen: int, enterprise: str = "91440300MA5FX3K72N", rule: str = "5.1") -> None:
    """1,000,000 yuan for a certificate, and what a yearly limit cut off."""
    office.used["shenzhen-meddev-2022/item/item-1/C5"] = 10**8
    awards = [ItemAward("A0", rule, enterprise, None, 10**8, cut_fen)]
    office.items["shenzhen-meddev-2022/item/item-1/C5"] = awards


def uncut_before(office: Any) -> None:
    granted_before(office, cut_fen=0)


def cut_for_another_enterprise(office: Any) -> None:
    granted_before(office, cut_fen=2 * 10**8, enterprise="91440300MA5EYR2P9G")


def cut_under_another_rule(office: Any) -> None:
    granted_before(office, cut_fen=2 * 10**8, rule="5.2")


def bought_in_2025(office: Any) -> None:
    office.award("15.1", **PURCHASE)


def spend_training(office: Any) -> None:
    office.used["shenzhen-meddev-2022/item/91440300MA5FX3K72N/item-1/23.1"] = 5 * 10**8


def nothing(office: Any) -> None:
    """No award before."""


def after_the_policy(office: Any) -> None:
    office.today = date(2027, 10, 1)


SWITCHES: dict[str, tuple[str, str, Callable[[Any], None], str, dict[str, Any], str, str]] = {
    # name: (reading, value, what was before, rule, particulars, answer as read until now, answer as switched)
    "C5 counts by the certificate's year": (
        "B1", "event-year", fill_c5, "5.1",
        {**RD, "rd_cost": "100.00", "certified_on": "2025-03-01"}, "limit-exhausted", "40.00",
    ),
    "and then needs its day": (
        "B1", "event-year", nothing, "5.1", {**RD, "rd_cost": "100.00"}, "40.00", "particulars.certified_on",
    ),
    "C8 counts by the year the cost ended in": (
        "B1", "event-year", nothing, "8.1", {"actual_cost": "100.00"}, "20.00", "particulars.cost_until",
    ),
    "purchases count by the plan's year": (
        "B2", "plan-year", fill_c15_of_purchase_year, "15.1", PURCHASE, "limit-exhausted", "300000.00",
    ),
    "a purchase year is funded once, whatever the limit counts by": (
        "B2", "plan-year", bought_in_2025, "15.1", PURCHASE, "item-already-awarded", "item-already-awarded",
    ),
    "and another purchase year is another": (
        "B2", "plan-year", bought_in_2025, "15.1", {**PURCHASE, "purchase_year": 2026}, "300000.00", "300000.00",
    ),
    "rent counts by calendar years": (
        "B3", "calendar-year", fill_first_benefit_year, "22.2",
        {**RENT, "claim_from": "2025-01-01", "claim_until": "2025-01-31"}, "limit-exhausted", "250000.00",
    ),
    "a bill counts where it ends": (
        "B3.1", "by-period-end", nothing, "22.4",
        {"operating_cost": "50000000.00", "production_from": "2024-07-01", "period_from": "2025-06-01",
         "period_until": "2025-07-31"}, "9918032.00", "5000000.00",
    ),
    "special approval raises the year's ceiling": (
        "B6", "raised", fill_c5, "5.1", {"rd_cost": "100.00", "special_approval": True}, "limit-exhausted", "40.00",
    ),
    "but not without special approval": (
        "B6", "raised", fill_c5, "5.1", {"rd_cost": "100.00", "special_approval": False}, "limit-exhausted",
        "limit-exhausted",
    ),
    "only last year's bills": (
        "B11", "previous-year-and-paid", nothing, "22.3",
        {**UTILITIES, "period_from": "2024-12-31", "period_until": "2025-01-31"}, "50.00", "not-the-previous-year",
    ),
    "last year's bills still": (
        "B11", "previous-year-and-paid", nothing, "22.3",
        {**UTILITIES, "period_from": "2025-01-01", "period_until": "2025-12-31"}, "50.00", "50.00",
    ),
    "this year's bills no more": (
        "B11", "previous-year-and-paid", nothing, "22.3",
        {**UTILITIES, "period_from": "2025-12-01", "period_until": "2026-01-01"}, "50.00", "not-the-previous-year",
    ),
    "months to come as well": (
        "B11.1", "whole-window", nothing, "22.2", {**RENT, "claim_from": "2026-06-01", "claim_until": "2026-06-30"},
        "period-not-over", "250000.00",
    ),
    "prepaid bills of a time to come as well": (
        "B11.1", "whole-window", nothing, "22.3",
        {**UTILITIES, "period_from": "2026-06-01", "period_until": "2026-06-02"}, "period-not-over", "50.00",
    ),
    "unpaid bills still not": (
        "B11.1", "whole-window", nothing, "22.3",
        {**UTILITIES, "paid_on": "2026-06-02", "period_from": "2026-06-01", "period_until": "2026-06-02"},
        "period-not-over", "not-yet-paid",
    ),
    "costs of a time to come as well": (
        "B11.1", "whole-window", nothing, "22.4",
        {"operating_cost": "100.00", "production_from": "2024-07-01", "period_from": "2026-06-01",
         "period_until": "2026-06-02"}, "period-not-over", "20.00",
    ),
    "months after the window still not": (
        "B11.1", "whole-window", nothing, "22.2", {**RENT, "claim_from": "2027-07-01", "claim_until": "2027-07-31"},
        "window-ended", "window-ended",
    ),
    "the benchmark whatever was paid": (
        "B13", "benchmark", nothing, "22.2", {**RENT, "claim_from": "2025-01-01", "claim_until": "2025-01-31"},
        "250000.00", "500000.00",
    ),
    "but never more than was paid": (
        "B13", "benchmark", nothing, "22.2",
        {**RENT, "actual_rent": "10.00", "claim_from": "2025-01-01", "claim_until": "2025-01-31"},
        "50000.00", "100000.00",
    ),
    "square metres bound the cost": (
        "B15", "cost", nothing, "7.1", {"build_cost": "20000000.00", "area_m2": "2500.00"}, "7500000.00", "3000000.00",
    ),
    "ten is not more than ten": (
        "B18", "excluded", nothing, "19.1", {"project_count": 10, "proposed": "1.00", "service_year": 2025}, "1.00",
        "below-lowest-tier",
    ),
    "eleven is": (
        "B18", "excluded", nothing, "19.1", {"project_count": 11, "proposed": "1.00", "service_year": 2025}, "1.00",
        "1.00",
    ),
    "a lower rate overseas": ("B21", "70%", nothing, "14.1", {"audited_cost": "100.00"}, "100.00", "70.00"),
    "costs of two years only": (
        "B25", "2年", nothing, "5.1", {**RD, "rd_cost": "100.00", "cost_from": "2024-05-31"}, "40.00",
        "outside-cost-window",
    ),
    "certificates of one year only": (
        "B25.1", "1年", nothing, "5.1", {**RD, "rd_cost": "100.00", "certified_on": "2025-05-31"}, "40.00",
        "outside-cost-window",
    ),
    "a shorter tail": (
        "B25.2", "30日", nothing, "5.1",
        {**RD, "rd_cost": "100.00", "certified_on": "2025-06-01", "paid_until": "2025-08-30"}, "40.00",
        "outside-cost-window",
    ),
    "down to the fen": ("B27", "fen", nothing, "5.1", {**RD, "rd_cost": "99.99"}, "39.00", "39.99"),
    "what was cut is carried over": (
        "B30", "carried-over", cut_before, "5.1", {**RD, "rd_cost": "7500000.00"}, "item-already-awarded", "2000000.00",
    ),
    "up to the same entitlement and no further": (
        "B30", "carried-over", cut_before, "5.1", {**RD, "rd_cost": "2500000.00"}, "item-already-awarded",
        "item-already-awarded",
    ),
    "no more than the yearly limit cut off": (
        "B30", "carried-over", lambda office: granted_before(office, cut_fen=5 * 10**7), "5.1",
        {**RD, "rd_cost": "7500000.00"}, "item-already-awarded", "500000.00",
    ),
    "nothing where no yearly limit cut": (
        "B30", "carried-over", uncut_before, "5.1", {**RD, "rd_cost": "7500000.00"}, "item-already-awarded",
        "item-already-awarded",
    ),
    "nothing for another enterprise": (
        "B30", "carried-over", cut_for_another_enterprise, "5.1", {**RD, "rd_cost": "7500000.00"},
        "item-already-awarded", "item-already-awarded",
    ),
    "nothing under another rule": (
        "B30", "carried-over", cut_under_another_rule, "5.1", {**RD, "rd_cost": "7500000.00"}, "item-already-awarded",
        "item-already-awarded",
    ),
    "windows end with the policy": (
        "B33", "end", after_the_policy, "22.2",
        {**RENT, "tenancy_from": "2026-01-01", "claim_from": "2027-07-01", "claim_until": "2027-09-30"}, "750000.00",
        "250000.00",
    ),
    "rent of months before the policy": (
        "B33.1", "any-time", nothing, "22.2",
        {**RENT, "tenancy_from": "2022-07-01", "claim_from": "2022-07-01", "claim_until": "2022-08-31"}, "250000.00",
        "500000.00",
    ),
    "bills of before the policy": (
        "B33.1", "any-time", nothing, "22.3",
        {**UTILITIES, "contract_signed_on": "2022-01-01", "period_from": "2022-07-31", "period_until": "2022-08-31"},
        "before-policy-start", "50.00",
    ),
    "a purchase year before the policy": (
        "B33.1", "any-time", nothing, "15.1", {**PURCHASE, "purchase_year": 2021}, "before-policy-start", "300000.00",
    ),
    "training by the year": (
        "B41", "per-year", spend_training, "23.1", {"training_cost": "100.00"}, "item-already-awarded", "50.00",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_counts_from_its_day_on_and_not_before(office: Any, name: str) -> None:
    reading, value, before, rule, stated, until_now, switched = SWITCHES[name]
    before(office)
    office.policy = read(value, reading, DAY_BEFORE)
    assert answer(office, rule, **stated) == until_now
    office.policy = read(value, reading, DAY)
    assert answer(office, rule, **stated) == switched
    assert office.policy.readings[reading].value == value
    assert office.policy.readings[reading].document == "会议纪要〔2026〕7号"
    assert office.policy.pin == REGISTRY.get("shenzhen-meddev-2022").pin


def test_no_switchable_reading_is_without_a_test_of_its_switch() -> None:
    elsewhere = {"V1", "B5", "B9", "B10", "B29"}  # B29: tests/ledger/test_stages.py
    readings = REGISTRY.get("shenzhen-meddev-2022").readings.values()
    # What people go by: tests/ledger/test_interpretations.py.
    switchable = {reading.id for reading in readings if reading.switchable and reading.followed_by is None}
    assert switchable == {switch[0] for switch in SWITCHES.values()} | elsewhere


def test_the_first_day_may_be_switched() -> None:
    assert read("2022-09-01", "V1", DAY_BEFORE).validity.start == date(2022, 8, 1)
    assert read("2022-09-01", "V1", DAY).validity.end == date(2027, 9, 1)


def test_the_causes_that_restore_headroom_are_the_policy_s() -> None:
    assert read("none", "B5", DAY_BEFORE).restoring_causes.value == set(Cause) - {Cause.VIOLATION}
    assert read("none", "B5", DAY).restoring_causes.value == frozenset()
    assert read("duplicate, violation", "B5", DAY).restoring_causes.value == {Cause.DUPLICATE, Cause.VIOLATION}


def test_one_product_may_be_barred_from_a_second_claim() -> None:
    certificate = EvidenceKind.CERTIFICATE
    assert read("once", "B9", DAY_BEFORE).evidence[certificate].value is EvidenceUse.ONCE_PER_STAGE
    assert read("once", "B9", DAY).evidence[certificate].value is EvidenceUse.ONCE


def claim_beside(office: Any, rule: str, other_fen: int, way_out: WayOut | None = None, **stated: Any) -> Any:
    claim = office.claim(rule, "item-1", stated)
    other = OtherFunding(other_fen, way_out)
    return determine(type(claim)(**{name: getattr(claim, name) for name in claim.__slots__} | {"other_funding": other}),
                     office)  # fmt: skip


def test_other_money_blocks_until_it_is_decided_about(office: Any) -> None:
    with pytest.raises(Refusal) as refused:
        claim_beside(office, "8.1", 100, actual_cost="100.00")
    assert (refused.value.code, refused.value.clause) == ("other-funding", "附则")


@pytest.mark.parametrize(
    ("way_out", "other_fen", "granted"),
    [
        (WayOut.RETURN_THEN_CLAIM, 10**6, 2000),
        (WayOut.TOP_UP_DIFFERENCE, 500, 1500),
        (WayOut.TOP_UP_DIFFERENCE, 1900, 100),
        (WayOut.TOP_UP_DIFFERENCE, 1901, "nothing-to-grant"),
        (WayOut.TOP_UP_DIFFERENCE, 2000, "other-funding-not-less"),
        (WayOut.TOP_UP_DIFFERENCE, 2001, "other-funding-not-less"),
    ],
)
def test_the_two_ways_out(office: Any, way_out: WayOut, other_fen: int, granted: int | str) -> None:
    if isinstance(granted, str):
        with pytest.raises(Refusal) as refused:
            claim_beside(office, "8.1", other_fen, way_out, actual_cost="100.00")
        assert refused.value.code == granted
        return
    result = claim_beside(office, "8.1", other_fen, way_out, actual_cost="100.00")
    assert result.amount_fen == granted
    assert result.steps[-1].step == "other-funding"
    assert sum(draw.amount_fen for draw in result.draws if draw.limit == "C8") == granted
    assert result.bound_by == (None if granted == 2000 else type(result.bound_by)("附则", "other-funding"))


@pytest.mark.parametrize(("other_fen", "granted"), [(8000, 2000), (8100, 1900), (9900, 100)])
def test_stacked_money_stays_within_the_cost(office: Any, other_fen: int, granted: int) -> None:
    office.policy = read("stackable", "B10", DAY)
    assert claim_beside(office, "8.1", other_fen, actual_cost="100.00").amount_fen == granted


def test_a_rent_topped_up_gives_way_in_its_last_year_first(office: Any) -> None:
    lease = {**RENT, "claim_from": "2025-06-01", "claim_until": "2025-07-31"}
    result = claim_beside(office, "22.2", 26_000_000, WayOut.TOP_UP_DIFFERENCE, **lease)
    assert [(draw.scope[-10:], draw.amount_fen) for draw in result.draws] == [("2024-07-01", 24_000_000)]


def test_stacked_rent_stays_within_the_rent(office: Any) -> None:
    office.policy = read("stackable", "B10", DAY)
    lease = {**RENT, "claim_from": "2025-01-01", "claim_until": "2025-01-31"}
    assert claim_beside(office, "22.2", 30_000_000, **lease).amount_fen == 20_000_000


@pytest.mark.parametrize(
    ("stated", "fits"),
    [
        ({"cost_from": "2023-06-01"}, True),
        ({"cost_from": "2023-05-31"}, False),
        ({"certified_on": "2024-06-01"}, True),
        ({"certified_on": "2024-05-31"}, False),
        ({"certified_on": "2026-06-02"}, False),
        ({"certified_on": "2026-01-31", "cost_until": "2026-01-31"}, True),
        ({"certified_on": "2026-01-31", "cost_until": "2026-02-01"}, False),
        ({"cost_until": "2026-06-02"}, False),
        ({"certified_on": "2026-01-01", "paid_until": "2026-04-01"}, True),
        ({"certified_on": "2026-01-01", "paid_until": "2026-04-02"}, False),
        ({"certified_on": "2026-05-01", "paid_until": "2026-06-02"}, False),
    ],
)
def test_costs_come_in_time(office: Any, stated: dict[str, Any], fits: bool) -> None:
    expected = "40.00" if fits else "outside-cost-window"
    assert answer(office, "5.1", **RD, rd_cost="100.00", **stated) == expected


@pytest.mark.parametrize(("until", "fits"), [("2026-01-14", True), ("2026-01-15", False)])
def test_training_costs_span_three_years(office: Any, until: str, fits: bool) -> None:
    told = {"training_cost": "100.00", "cost_from": "2023-01-15", "cost_until": until}
    assert answer(office, "23.1", **told) == ("50.00" if fits else "outside-cost-window")


def test_a_period_of_costs_does_not_run_backwards(office: Any) -> None:
    told = {**RD, "rd_cost": "1.00", "cost_from": "2026-01-02", "cost_until": "2026-01-01"}
    assert answer(office, "5.1", **told) == "particulars.cost_until"


@pytest.mark.parametrize(("year", "fits"), [(2025, True), (2026, True), (2027, False)])
def test_a_year_that_has_not_come_is_not_claimed(office: Any, year: int, fits: bool) -> None:
    told = {"purchase_total": "100.00", "purchase_year": year}
    assert answer(office, "15.1", **told) == ("3.00" if fits else "year-not-come")
    told = {"project_count": 10, "proposed": "1.00", "service_year": year}
    assert answer(office, "19.1", **told) == ("1.00" if fits else "year-not-come")


@pytest.mark.parametrize(("stated", "missing"), [("cost_from", "cost_until"), ("cost_until", "cost_from")])
def test_three_years_cannot_be_checked_with_one_end_of_the_period(office: Any, stated: str, missing: str) -> None:
    with pytest.raises(Malformed) as raised:
        office.quote("23.1", **{"training_cost": "100.00", stated: "2016-01-01"})
    assert [(error.field, error.code) for error in raised.value.errors] == [(f"particulars.{missing}", "missing")]
    assert answer(office, "23.1", training_cost="100.00") == "50.00"


def test_a_bound_that_needs_one_day_only_takes_one(office: Any) -> None:
    told = {**RD, "rd_cost": "100.00", "cost_from": "2024-06-01"}
    assert answer(office, "5.1", **told) == "40.00"
