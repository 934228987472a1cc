"""What the steps and refusals say, so that a person can check on paper: bases, shares of years, dates at fault."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.calendar import Window
from ledger.errors import Malformed, Refusal, Text
from ledger.rules.claim import FundedSpan, RecognisedWindow
from ledger.scopes import enterprise_window
from tests.ledger.rules.conftest import ENTERPRISE

RENT = {
    "benchmark_rent": "50.00", "area_m2": "10000.00", "tenancy_from": "2024-07-01", "claim_from": "2025-01-01",
    "claim_until": "2025-12-31",
}  # fmt: skip
PARK = {
    "operating_cost": "15500000.00", "production_from": "2024-07-01", "period_from": "2025-06-15",
    "period_until": "2025-07-15",
}  # fmt: skip
RD = {"rd_cost": "100.00", "special_approval": False}


def told(office: Any, step: str, rule: str, **stated: Any) -> list[Text]:
    return [its.detail for its in office.quote(rule, **stated).steps if its.step == step]


def refused(office: Any, rule: str, **stated: Any) -> Text:
    with pytest.raises(Refusal) as refusal:
        office.quote(rule, **stated)
    return refusal.value.text


def test_a_rent_without_an_actual_rent_says_that_the_benchmark_is_taken(office: Any) -> None:
    (basis,) = told(office, "rent-basis", "22.2", **RENT)
    assert basis.zh == "未填实际租金，按租金基准价每平方米每月50元 × 10000.00平方米 × 12个月 = 600万元"
    assert basis.en.startswith("no actual rent is stated, so the benchmark rent: 50.00 yuan per m² and month")
    (basis,) = told(office, "rent-basis", "22.2", **RENT, actual_rent="60.00")
    assert basis.zh.startswith("基准价与实际租金较低者每平方米每月50元")


def test_a_claim_over_two_years_tells_the_share_of_each_and_its_months_or_days(office: Any) -> None:
    first, second = told(office, "annual-cap", "22.2", **RENT)
    assert "尚余500万元；本项12个月中的6个月属该年度，计150万元；未超出，不核减" in first.zh
    assert "12个月中的6个月属该年度" in second.zh
    assert "its share of this claim is 6 of 12 months, 1500000.00 yuan" in second.en
    first, second = told(office, "annual-cap", "22.4", **PARK)
    assert "本项31天中的16天属该年度，计160万元" in first.zh
    assert "its share of this claim is 15 of 31 days, 1500000.00 yuan" in second.en


def test_a_claim_in_one_year_has_no_share_to_tell(office: Any) -> None:
    (only,) = told(office, "annual-cap", "22.2", **{**RENT, "claim_until": "2025-06-30"})
    assert "属该年度" not in only.zh
    assert "share" not in only.en


def test_a_fraction_of_a_fen_without_end_is_rounded_down_and_said_so(office: Any) -> None:
    cost = {**PARK, "operating_cost": "100.00"}
    first, second = told(office, "annual-cap", "22.4", **cost)
    assert "计约10.32元" in first.zh
    assert "about 9.67 yuan" in second.en
    first, _ = told(office, "annual-cap", "22.4", **{**PARK, "operating_cost": "5.00", "period_from": "2025-06-30",
                                                    "period_until": "2025-12-31"})  # fmt: skip
    assert "计不足0.01元" in first.zh


def test_the_months_before_the_policy_are_told(office: Any) -> None:
    early = {**RENT, "tenancy_from": "2022-03-01", "claim_from": "2022-03-01", "claim_until": "2022-12-31"}
    (window,) = told(office, "window", "22.2", **early)
    assert "2022-08-01至2022-12-31（申报10个月中的5个月，其中政策施行日2022-08-01以前的5个月不计）" in window.zh
    assert "5 of 10 months claimed; 5 of them before 2022-08-01, when the policy began, do not count" in window.en
    (window,) = told(office, "window", "22.2", **{**early, "claim_from": "2022-08-01"})
    assert "施行日" not in window.zh


def test_what_lies_before_the_policy_is_refused_with_its_first_day(office: Any) -> None:
    early = {**PARK, "production_from": "2010-01-01", "period_from": "2010-01-01", "period_until": "2010-12-31"}
    assert "申报期间2010-01-01至2010-12-31早于政策施行日2022-08-01" in refused(office, "22.4", **early).zh
    text = refused(office, "15.1", purchase_total="100.00", purchase_year=2021)
    assert text.zh.startswith("“采购年度”为2021年，早于政策施行日2022-08-01所在的年度")
    assert "Claim 2022 or a later year" in text.en


@pytest.mark.parametrize(
    ("stated", "zh", "en"),
    [
        ({"certified_on": "2024-05-31"}, "申报已经过期，剔除费用也不能再申报", "too long ago"),
        ({"certified_on": "2026-06-02"}, "请核对该日期，或在该日以后再申报", "claim on that day or later"),
        ({"cost_from": "2023-05-31"}, "请剔除期外费用后再申报", "Leave out what lies outside"),
        ({"cost_until": "2026-06-02"}, "请剔除期外费用后再申报", "Leave out what lies outside"),
    ],
)
def test_only_costs_can_be_left_out(office: Any, stated: dict[str, str], zh: str, en: str) -> None:
    text = refused(office, "5.1", **RD, **stated)
    assert zh in text.zh
    assert en in text.en


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tenancy_from", "9999-12-31"),
        ("tenancy_from", "0001-01-01"),
        ("claim_from", "0001-01-01"),
        ("claim_until", "9999-12-31"),
        ("rent_free_months", 99999),
        ("rent_free_months", -1),
        ("rent_free_months", 10**30),
    ],
)
def test_days_and_months_beyond_any_calendar_are_fields_at_fault(office: Any, name: str, value: Any) -> None:
    with pytest.raises(Malformed) as malformed:
        office.quote("22.2", **{**RENT, name: value})
    assert [error.field for error in malformed.value.errors] == [f"particulars.{name}"]


def test_the_ends_of_the_calendar_that_a_claim_may_state_are_decided(office: Any) -> None:
    """2000 to 2100, a century of months, and ten years of extension."""
    wide = {**RENT, "claim_from": "2000-01-01", "claim_until": "2100-12-31", "rent_free_months": 120}
    for anchor in ("2000-01-01", "2000-01-31", "2100-12-31"):
        with pytest.raises(Refusal):
            office.quote("22.2", **{**wide, "tenancy_from": anchor, "claim_from": "2000-01-01"})
    scope = enterprise_window(office.policy.id, "C22R", ENTERPRISE)
    since = date(2000, 1, 1)
    funded = FundedSpan("x", Window(since, date(2000, 2, 1)), "a", since, 120, since)
    office.windows[scope.key] = RecognisedWindow((funded,))
    assert "2000-01-01" in refused(office, "22.2", **{**wide, "tenancy_from": "2000-01-01"}).zh
