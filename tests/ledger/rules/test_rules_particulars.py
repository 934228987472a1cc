"""Reading particulars: every wrong one is named, nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import Malformed
from ledger.policy import Policy
from ledger.rules import read_particulars

RENT: dict[str, Any] = {
    "benchmark_rent": "45.00",
    "area_m2": "4000.5",
    "tenancy_from": "2023-07-01",
    "claim_from": "2024-01-01",
    "claim_until": "2024-12-31",
}


def errors(policy: Policy, rule: str, raw: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(Malformed) as malformed:
        read_particulars(policy.rule(rule), raw)
    return {(error.field, error.code) for error in malformed.value.errors}


@pytest.mark.parametrize(
    "bad",
    [1, 1.0, "1", "1.0", "1.000", "-1.00", "+1.00", "１.00", "1,000.00", " 1.00", "01.00", "1.00\n", "1e3", "",
     None, True, [], {}, "NaN", "1000000000000.01"],
)  # fmt: skip
def test_money_that_is_not_yuan_with_two_decimals(policy: Policy, bad: object) -> None:
    assert errors(policy, "8.1", {"actual_cost": bad}) == {("particulars.actual_cost", "invalid-money")}


@pytest.mark.parametrize("bad", [100, 100.0, "1.001", "-1", ".5", "1.", "１", "", None, "100000000.01", True])
def test_area_that_is_not_square_metres(policy: Policy, bad: object) -> None:
    raw = {"build_cost": "1.00", "area_m2": bad}
    assert errors(policy, "7.1", raw) == {("particulars.area_m2", "invalid-area-m2")}


@pytest.mark.parametrize("bad", [0, 1, "true", "false", None, ""])
def test_a_flag_that_is_not_true_or_false(policy: Policy, bad: object) -> None:
    raw = {"rd_cost": "1.00", "special_approval": bad}
    assert errors(policy, "5.1", raw) == {("particulars.special_approval", "invalid-flag")}


@pytest.mark.parametrize(
    "bad",
    ["2023-02-29", "2023-7-1", "20230701", "2023-W27-6", "1999-12-31", "2101-01-01", "２023-07-01", 20230701, None],
)
def test_a_date_that_does_not_exist_or_is_absurd(policy: Policy, bad: object) -> None:
    assert errors(policy, "22.2", {**RENT, "tenancy_from": bad}) == {("particulars.tenancy_from", "invalid-date")}


@pytest.mark.parametrize("bad", [-1, 121, 1.0, "1", True, None])
def test_months_that_are_no_count_of_months(policy: Policy, bad: object) -> None:
    raw = {**RENT, "rent_free_months": bad}
    assert errors(policy, "22.2", raw) == {("particulars.rent_free_months", "invalid-months")}


@pytest.mark.parametrize(("name", "bad", "code"), [
    ("project_count", -1, "invalid-count"),
    ("project_count", 10.0, "invalid-count"),
    ("project_count", "10", "invalid-count"),
    ("project_count", True, "invalid-count"),
    ("service_year", 1999, "invalid-year"),
    ("service_year", 2101, "invalid-year"),
    ("service_year", "2025", "invalid-year"),
])  # fmt: skip
def test_counts_and_years_are_whole_numbers(policy: Policy, name: str, bad: object, code: str) -> None:
    raw = {"project_count": 10, "proposed": "1.00", "service_year": 2025, name: bad}
    assert errors(policy, "19.1", raw) == {(f"particulars.{name}", code)}


def test_every_fault_is_named_at_once(policy: Policy) -> None:
    assert errors(policy, "5.2", {"rd_cost": 1.5, "colour": "red"}) == {
        ("particulars.rd_cost", "invalid-money"),
        ("particulars.special_approval", "missing"),
        ("particulars.colour", "unknown"),
    }


def test_a_rent_that_no_sum_can_hold_is_not_read(policy: Policy) -> None:
    raw = {**RENT, "benchmark_rent": "1000000.00", "area_m2": "100000000.00"}
    assert errors(policy, "22.2", raw) == {("particulars.benchmark_rent", "invalid-money")}


def test_what_was_read_is_written_back_canonically(policy: Policy) -> None:
    rule = policy.rule("22.2")
    read = read_particulars(rule, RENT)
    assert read.as_json() == {**RENT, "area_m2": "4000.50", "rent_free_months": 0}
    assert read_particulars(rule, read.as_json()) == read


def test_the_particulars_of_every_rule_are_those_the_interface_fixes_and_optional_dates(policy: Policy) -> None:
    fixed = {
        "2.1 2.2 10.1 10.3": "proposed",
        "2.3 3.2 22.1": "total_investment",
        "3.1": "project_cost",
        "5.1 5.2": "rd_cost special_approval",
        "7.1": "build_cost area_m2",
        "8.1": "actual_cost",
        "8.2": "actual_cost equity_relation",
        "10.2 14.1": "audited_cost",
        "15.1": "purchase_total purchase_year",
        "19.1 19.2": "project_count proposed service_year",
        "22.2": "benchmark_rent actual_rent area_m2 tenancy_from rent_free_months claim_from claim_until",
        "22.3": "billed_cost contract_signed_on period_from period_until paid_on",
        "22.4": "operating_cost production_from period_from period_until",
        "23.1": "training_cost",
    }
    expected = {rule: set(names.split()) for rules, names in fixed.items() for rule in rules.split()}
    dates = {"certified_on", "cost_from", "cost_until", "paid_until"}
    for rule in policy.rules.values():
        assert set(rule.particulars) - dates == expected[rule.id]
        assert not any(its.required for name, its in rule.particulars.items() if name in dates)
    assert set(policy.rules) == set(expected)
