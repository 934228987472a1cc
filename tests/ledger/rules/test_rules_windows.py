"""Windows: whole months, benefit years, what was recognised and funded before."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.calendar import Window, add_days
from ledger.errors import Malformed, Refusal
from ledger.rules import Binding, RecognisedWindow


def lease(since: str, until: str, tenancy: str = "2023-07-01", **more: Any) -> dict[str, Any]:
    stated = {"benchmark_rent": "100.00", "area_m2": "100.00", "tenancy_from": tenancy}
    return {**stated, "claim_from": since, "claim_until": until, **more}


MONTH_FEN = 500_000
"""Half of 100 yuan × 100 m²."""


@pytest.fixture(autouse=True)
def every_month_here_is_over(office: Any) -> None:
    office.today = date(2028, 1, 1)


def refusal_on(office: Any, day: date, rule: str, **stated: Any) -> str | None:
    """The code that a claim of a day is refused with; None where it is granted."""
    office.today = day
    try:
        office.quote(rule, **stated)
    except Refusal as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("2026-06-30", date(2026, 6, 30)),  # the window's last month
        ("2026-05-31", date(2026, 5, 31)),
        ("2026-12-31", date(2026, 6, 30)),  # what lies after the window is not paid, and not waited for
    ],
)
def test_rent_is_claimed_when_its_months_are_over(office: Any, until: str, last: date) -> None:
    days = (add_days(last, -1), last, add_days(last, 1))
    told = [refusal_on(office, day, "22.2", **lease("2026-01-01", until)) for day in days]
    assert told == ["period-not-over", None, None]


def test_a_month_that_is_outside_or_was_paid_is_not_called_one_to_come(office: Any) -> None:
    office.award("22.2", **lease("2026-05-01", "2026-05-31"))
    day = date(2026, 5, 15)
    assert refusal_on(office, day, "22.2", **lease("2026-07-01", "2027-06-30")) == "window-ended"
    assert refusal_on(office, day, "22.2", **lease("2026-06-01", "2026-06-30", "2026-06-15")) == "window-not-begun"
    assert refusal_on(office, day, "22.2", **lease("2026-05-01", "2026-05-31", "2023-06-30")) == "window-conflict"
    assert refusal_on(office, day, "22.2", **lease("2026-05-01", "2026-05-31")) == "months-already-funded"


def test_a_refusal_of_months_to_come_says_what_to_claim(office: Any) -> None:
    office.today = date(2026, 5, 30)
    with pytest.raises(Refusal) as refused:
        office.quote("22.2", **lease("2026-01-01", "2026-05-31"))
    assert refused.value.clause == "二十二"
    for told in (refused.value.text.zh, refused.value.text.en):
        assert "2026-05-30" in told
        assert "2026-05-31" in told
    assert "届满以后另行申报" in refused.value.text.zh
    assert "the rest when it is over" in refused.value.text.en


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2023-07-01", "2023-07-31", 1),
        ("2024-02-01", "2024-02-29", 1),
        ("2026-06-01", "2026-06-30", 1),
        ("2026-06-01", "2026-07-31", 1),
        ("2023-06-01", "2023-07-31", 1),
        ("2023-01-01", "2027-12-31", 36),
    ],
)
def test_only_months_inside_the_window_are_paid(office: Any, since: str, until: str, months: int) -> None:
    assert office.quote("22.2", **lease(since, until)).amount_fen == months * MONTH_FEN


@pytest.mark.parametrize(
    ("since", "until", "code"),
    [("2026-07-01", "2026-07-31", "window-ended"), ("2023-06-01", "2023-06-30", "window-not-begun")],
)
def test_months_wholly_outside_are_refused(office: Any, since: str, until: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        office.quote("22.2", **lease(since, until))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("since", "until"), [("2024-01-02", "2024-01-31"), ("2024-01-01", "2024-01-30"), ("2024-01-01", "2024-02-28")]
)
def test_parts_of_months_are_not_read(office: Any, since: str, until: str) -> None:
    with pytest.raises(Malformed) as malformed:
        office.quote("22.2", **lease(since, until))
    assert {(e.field, e.code) for e in malformed.value.errors} == {
        ("particulars.claim_from", "invalid-period"),
        ("particulars.claim_until", "invalid-period"),
    }


def test_a_period_that_ends_before_it_begins_is_not_read(office: Any) -> None:
    with pytest.raises(Malformed) as malformed:
        office.quote("22.2", **lease("2024-02-01", "2024-01-31"))
    assert [(e.field, e.code) for e in malformed.value.errors] == [("particulars.claim_until", "invalid-period")]


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2023-07-15", "2023-08-14", 1),  # the tenancy's own months
        ("2023-07-15", "2026-07-14", 36),
        ("2026-06-15", "2026-08-14", 1),
        ("2026-01-01", "2026-12-31", 6),  # calendar months: July 2026 is not wholly inside
        ("2023-07-01", "2023-12-31", 5),
    ],
)
def test_a_tenancy_in_mid_month_may_be_claimed_by_its_own_or_by_calendar_months(
    office: Any, since: str, until: str, months: int
) -> None:
    assert office.quote("22.2", **lease(since, until, "2023-07-15")).amount_fen == months * MONTH_FEN


def test_a_tenancy_from_the_31st_keeps_to_month_ends(office: Any) -> None:
    assert office.quote("22.2", **lease("2024-02-29", "2024-03-30", "2023-08-31")).amount_fen == MONTH_FEN


def test_the_yearly_cap_holds_in_each_benefit_year_by_itself(office: Any) -> None:
    # 2,000 m² × 1,000 yuan: 1,000,000 yuan a month after the rate
    big = lease("2024-01-01", "2024-12-31", benchmark_rent="1000.00", area_m2="2000.00")
    granted = office.award("22.2", **big)
    assert granted.amount_fen == 1_000_000_000
    assert [(d.scope[-10:], d.amount_fen) for d in granted.draws] == [
        ("2023-07-01", 500_000_000),
        ("2024-07-01", 500_000_000),
    ]
    assert [s.amount_fen for s in granted.steps if s.step == "annual-cap"] == [1_100_000_000, 1_000_000_000]
    assert granted.bound_by == Binding("二十二", "C22R")
    later = lease("2025-01-01", "2025-12-31", benchmark_rent="1000.00", area_m2="2000.00")
    half = office.quote("22.2", **later)
    assert [(d.scope[-10:], d.amount_fen) for d in half.draws] == [("2025-07-01", 500_000_000)]
    assert [h.left_fen for h in half.headroom] == [0, 500_000_000]


def test_nothing_left_in_the_benefit_year_refuses(office: Any) -> None:
    office.award("22.2", **lease("2023-07-01", "2023-12-31", benchmark_rent="1000.00", area_m2="2000.00"))
    with pytest.raises(Refusal) as refused:
        office.quote("22.2", "another lease", **lease("2024-01-01", "2024-06-30"))
    assert refused.value.code == "limit-exhausted"
    assert refused.value.limit is not None
    assert refused.value.limit.scope.endswith("/2023-07-01")


def test_a_later_tenancy_does_not_restart_the_window(office: Any) -> None:
    office.award("22.2", "first lease", **lease("2023-07-01", "2023-12-31"))
    moved = office.quote("22.2", "second lease", **lease("2026-01-01", "2026-12-31", "2025-01-01"))
    assert moved.amount_fen == 6 * MONTH_FEN
    assert moved.window is not None
    assert moved.window.anchor == date(2023, 7, 1)


def test_months_before_a_later_tenancy_are_not_paid(office: Any) -> None:
    office.award("22.2", "first lease", **lease("2023-07-01", "2023-12-31"))
    moved = office.quote("22.2", "second lease", **lease("2024-12-01", "2025-01-31", "2025-01-01"))
    assert (moved.amount_fen, moved.bound_by) == (MONTH_FEN, Binding("二十二", "window"))


def test_an_earlier_tenancy_than_the_recognised_one_conflicts(office: Any) -> None:
    office.award("22.2", **lease("2023-07-01", "2023-12-31"))
    with pytest.raises(Refusal) as refused:
        office.quote("22.2", **lease("2024-01-01", "2024-12-31", "2023-06-30"))
    assert (refused.value.code, refused.value.clause) == ("window-conflict", "二十二")


def test_another_enterprise_has_its_own_window(office: Any) -> None:
    office.award("22.2", **lease("2023-07-01", "2023-12-31"))
    other = "91440300MA5EYR2P9D"
    assert office.quote("22.2", enterprise=other, **lease("2022-09-01", "2022-09-30", "2022-09-01")).amount_fen


def test_a_month_is_paid_once_for_one_lease_and_names_the_award(office: Any) -> None:
    office.award("22.2", **lease("2023-07-01", "2023-12-31"))
    with pytest.raises(Refusal) as refused:
        office.quote("22.2", **lease("2023-12-01", "2024-06-30"))
    assert refused.value.code == "months-already-funded"
    assert "A1" in refused.value.text.zh
    assert "A1" in refused.value.text.en
    assert office.quote("22.2", **lease("2024-01-01", "2024-06-30")).amount_fen == 6 * MONTH_FEN
    assert office.quote("22.2", "second lease", **lease("2023-12-01", "2023-12-31")).amount_fen == MONTH_FEN


def test_months_past_the_window_may_overlap_nothing(office: Any) -> None:
    office.award("22.2", **lease("2026-01-01", "2026-12-31"))
    with pytest.raises(Refusal) as refused:
        office.quote("22.2", **lease("2026-07-01", "2026-07-31"))
    assert refused.value.code == "window-ended"


def test_the_longer_of_recognised_and_claimed_free_months_counts(office: Any) -> None:
    office.award("22.2", **lease("2023-07-01", "2023-12-31", rent_free_months=2))
    assert office.quote("22.2", **lease("2026-08-01", "2026-08-31")).window.window.end == date(2026, 9, 1)
    longer = office.quote("22.2", **lease("2026-08-01", "2026-08-31", rent_free_months=3))
    assert longer.window.window.end == date(2026, 10, 1)
    assert longer.window.rent_free_months == 3


def test_the_extension_belongs_to_the_last_benefit_year(office: Any) -> None:
    quote = office.quote("22.2", **lease("2026-07-01", "2026-07-31", rent_free_months=1))
    assert [d.scope[-10:] for d in quote.draws] == ["2025-07-01"]


def test_an_extension_does_not_pay_a_thirty_seventh_month(office: Any) -> None:
    whole = office.award("22.2", **lease("2023-07-01", "2026-07-31", rent_free_months=1))
    assert (whole.amount_fen, whole.bound_by) == (36 * MONTH_FEN, Binding("二十二", "window"))
    with pytest.raises(Refusal) as refused:
        office.quote("22.2", **lease("2026-07-01", "2026-07-31"))
    assert refused.value.code == "window-ended"
    assert "36" in refused.value.text.zh


def test_two_leases_of_one_month_count_as_one_supported_month(office: Any) -> None:
    office.award("22.2", "lease 1", **lease("2023-07-01", "2026-06-30", rent_free_months=1))
    second = office.quote("22.2", "lease 2", **lease("2026-05-01", "2026-07-31"))
    assert second.amount_fen == 2 * MONTH_FEN


@pytest.mark.parametrize(
    ("claims", "months"),
    [
        ([("2023-01-31", "2023-04-29"), ("2023-04-30", "2023-07-30"), ("2023-08-31", "2026-02-27")], [3, 3, 30]),
        ([("2023-01-31", "2023-04-29"), ("2023-08-31", "2026-02-27"), ("2023-04-30", "2023-07-30")], [3, 30, 3]),
    ],
)
def test_no_month_of_a_lease_from_the_31st_is_counted_twice(
    office: Any, claims: list[tuple[str, str]], months: list[int]
) -> None:
    """One rent-free month, from 31 July 2023: the window's 37 months hold the 36 that are paid."""
    granted = [office.award("22.2", **lease(*claim, "2023-01-31", rent_free_months=1)).amount_fen for claim in claims]
    assert granted == [each * MONTH_FEN for each in months]
    free = lease("2023-07-31", "2023-08-30", "2023-01-31")
    assert refusal_on(office, office.today, "22.2", **free) == "window-ended"


def all_but_november(office: Any) -> None:
    """36 months of one lease, without November 2023: a 37th in the window, which has a rent-free month."""
    office.award("22.2", "lease 1", **lease("2023-01-01", "2023-10-31", "2023-01-01", rent_free_months=1))
    office.award("22.2", "lease 1", **lease("2023-12-01", "2026-01-31", "2023-01-01"))


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2023-10-01", "2023-10-31", 1),
        ("2023-10-01", "2023-11-30", 1),
        ("2023-11-01", "2023-12-31", 1),
        ("2023-10-01", "2024-01-31", 3),
        ("2023-12-01", "2024-01-31", 2),
    ],
)
def test_a_month_too_many_does_not_take_those_with_it_that_count_already(
    office: Any, since: str, until: str, months: int
) -> None:
    all_but_november(office)
    assert office.quote("22.2", "lease 2", **lease(since, until, "2023-01-01")).amount_fen == months * MONTH_FEN
    assert refusal_on(office, office.today, "22.2", **lease("2023-11-01", "2023-11-30", "2023-01-01")) == "window-ended"


def test_what_is_paid_for_around_a_gap_is_recorded_and_told(office: Any) -> None:
    all_but_november(office)
    granted = office.quote("22.2", "lease 2", **lease("2023-10-01", "2024-01-31", "2023-01-01"))
    before, after = Window(date(2023, 10, 1), date(2023, 11, 1)), Window(date(2023, 12, 1), date(2024, 2, 1))
    assert granted.window is not None
    assert granted.window.parts == (before, after)
    assert granted.window.funded == Window(before.start, after.end)
    told = next(step.detail for step in granted.steps if step.step == "window")
    assert "2023-10-01至2023-10-31、2023-12-01至2024-01-31（申报4个月中的3个月）" in told.zh
    assert "2023-10-01 to 2023-10-31 and 2023-12-01 to 2024-01-31 (3 of 4 months claimed)" in told.en


def test_a_month_in_a_gap_is_not_paid_for_yet(office: Any) -> None:
    all_but_november(office)
    scope = office.award("22.2", "lease 2", **lease("2023-10-01", "2024-01-31", "2023-01-01")).window.scope
    left = tuple(span for span in office.windows[scope].funded if span.award_id != "A2")
    office.windows[scope] = RecognisedWindow(left)  # of lease 1 all was given back but ten months
    gap, after = lease("2023-11-01", "2023-11-30", "2023-01-01"), lease("2023-12-01", "2023-12-31", "2023-01-01")
    assert office.quote("22.2", "lease 2", **gap).amount_fen == MONTH_FEN
    assert refusal_on(office, office.today, "22.2", item="lease 2", **after) == "months-already-funded"


@pytest.mark.parametrize(("actual", "month_fen"), [("80.00", 400_000), ("100.00", 500_000), ("120.00", 500_000)])
def test_the_lower_rent_is_funded(office: Any, actual: str, month_fen: int) -> None:
    quote = office.quote("22.2", **lease("2024-01-01", "2024-01-31", actual_rent=actual))
    assert (quote.amount_fen, quote.bound_by) == (month_fen, None)


def test_the_rent_s_fractions_are_rounded_once_on_the_sum(office: Any) -> None:
    # 33.33 × 33.33 × 50 % = 555.444… yuan a month; twelve months 6,665.33…
    odd = lease("2024-01-01", "2024-12-31", benchmark_rent="33.33", area_m2="33.33")
    granted = office.quote("22.2", **odd)
    assert granted.amount_fen == 666_500
    assert sum(d.amount_fen for d in granted.draws) == 666_500
    assert granted.steps[-1].step == "rounding"


def bill(cost: str, since: str, until: str, **more: Any) -> dict[str, Any]:
    stated = {"operating_cost": cost, "production_from": "2023-03-15", "period_from": since, "period_until": until}
    return {**stated, **more}


def test_a_cost_over_two_benefit_years_is_split_by_days(office: Any) -> None:
    # 366 days of 2024: 74 before 15 March
    granted = office.quote("22.4", **bill("36600000.00", "2024-01-01", "2024-12-31"))
    assert [(d.scope[-10:], d.amount_fen) for d in granted.draws] == [
        ("2023-03-15", 148_000_000),
        ("2024-03-15", 500_000_000),
    ]
    assert granted.bound_by == Binding("二十二", "C22O")


@pytest.mark.parametrize(
    ("since", "until", "code"),
    [
        ("2023-03-14", "2023-12-31", "window-not-begun"),
        ("2026-03-01", "2026-03-15", "window-ended"),
        ("2026-04-01", "2026-04-30", "window-ended"),
    ],
)
def test_a_cost_that_is_not_wholly_inside_is_refused(office: Any, since: str, until: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        office.quote("22.4", **bill("100.00", since, until))
    assert refused.value.code == code


def test_the_first_and_the_last_day_of_the_window_count(office: Any) -> None:
    assert office.yuan("22.4", **bill("100.00", "2023-03-15", "2023-03-15")) == "20.00"
    assert office.yuan("22.4", **bill("100.00", "2026-03-14", "2026-03-14")) == "20.00"


def test_a_period_is_paid_once_for_one_item(office: Any) -> None:
    office.award("22.4", **bill("100.00", "2024-01-01", "2024-03-31"))
    with pytest.raises(Refusal) as refused:
        office.quote("22.4", **bill("100.00", "2024-03-31", "2024-04-30"))
    assert refused.value.code == "months-already-funded"
    assert office.yuan("22.4", **bill("100.00", "2024-04-01", "2024-04-30")) == "20.00"


def test_windows_of_two_limits_do_not_meet(office: Any) -> None:
    office.award("22.2", **lease("2023-07-01", "2023-12-31"))
    assert office.yuan("22.4", **bill("100.00", "2023-03-15", "2023-03-31")) == "20.00"


@pytest.mark.parametrize(("day", "code"), [(30, "period-not-over"), (31, None)])
def test_a_cost_is_claimed_when_its_period_is_over(office: Any, day: int, code: str | None) -> None:
    applied_on = date(2026, 1, day)
    assert refusal_on(office, applied_on, "22.4", **bill("100.00", "2025-12-01", "2026-01-31")) == code
    paid = {"billed_cost": "100.00", "contract_signed_on": "2025-01-01", "paid_on": "2025-12-01"}
    paid |= {"period_from": "2026-01-01", "period_until": "2026-01-31"}
    assert refusal_on(office, applied_on, "22.3", **paid) == code
