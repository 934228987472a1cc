"""An item is funded once, where the rule says so; and whose item it is."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import Refusal

ANOTHER = "91440300000000001H"
PROJECTS: dict[str, dict[str, object]] = {
    "2.1": {"proposed": "1.00"},
    "2.2": {"proposed": "1.00"},
    "2.3": {"total_investment": "50000000.00"},
    "3.1": {"project_cost": "1000000.00"},
    "3.2": {"total_investment": "500000000.00"},
    "7.1": {"build_cost": "1000000.00", "area_m2": "2500.00"},
    "10.1": {"proposed": "1.00"},
    "10.2": {"audited_cost": "1000000.00"},
    "10.3": {"proposed": "1.00"},
    "22.1": {"total_investment": "100000000.00"},
    "23.1": {"training_cost": "2000000.00"},
}
PURCHASE: dict[str, object] = {"purchase_total": "10000000.00", "purchase_year": 2025}
CERTIFIED: dict[str, dict[str, object]] = {
    "5.1": {"rd_cost": "1000000.00", "special_approval": False},
    "5.2": {"rd_cost": "1000000.00", "special_approval": False},
    "8.1": {"actual_cost": "70000000.00"},
    "8.2": {"actual_cost": "70000000.00", "equity_relation": False},
}


def refusal(office: Any, rule: str, item: str = "item-1", **stated: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        office.quote(rule, item, **stated)
    return refused.value


@pytest.mark.parametrize("rule", PROJECTS)
def test_a_project_is_not_paid_twice_although_its_ceiling_has_room(office: Any, rule: str) -> None:
    first = office.award(rule, **PROJECTS[rule])
    again = refusal(office, rule, **PROJECTS[rule])
    assert (again.code, again.clause) == ("item-already-awarded", office.policy.rule(rule).article)
    assert again.limit is not None
    assert again.limit.used_fen == first.amount_fen
    assert office.quote(rule, "item-2", **PROJECTS[rule]).amount_fen == first.amount_fen


@pytest.mark.parametrize(
    ("rule", "stated"),
    [("8.1", CERTIFIED["8.1"]), ("14.1", {"audited_cost": "1000000.00"})],
)
def test_what_is_claimed_year_by_year_may_be_claimed_again(office: Any, rule: str, stated: dict[str, Any]) -> None:
    office.award(rule, **stated)
    assert office.quote(rule, **stated).amount_fen > 0


def test_a_purchased_product_is_funded_once_a_purchase_year(office: Any) -> None:
    office.award("15.1", **PURCHASE)
    again = refusal(office, "15.1", **PURCHASE)
    assert (again.code, again.clause) == ("item-already-awarded", "十五")
    assert "2025" in again.text.zh
    assert "2025" in again.text.en
    assert office.quote("15.1", **{**PURCHASE, "purchase_year": 2026}).amount_fen == 30_000_000


def test_the_ceiling_of_a_purchased_product_counts_over_all_years(office: Any) -> None:
    office.award("15.1", **{**PURCHASE, "purchase_total": "90000000.00"})
    second = office.quote("15.1", **{**PURCHASE, "purchase_year": 2026})
    assert second.amount_fen == 30_000_000
    third = office.quote("15.1", purchase_total="20000000.00", purchase_year=2026)
    assert (third.amount_fen, third.bound_by.limit) == (30_000_000, "item")


@pytest.mark.parametrize("rule", [*PROJECTS, "15.1"])
def test_a_name_that_one_enterprise_gave_is_no_other_s(office: Any, rule: str) -> None:
    stated = PROJECTS.get(rule, PURCHASE)
    first = office.award(rule, **stated)
    other = office.quote(rule, enterprise=ANOTHER, **stated)
    assert other.amount_fen == first.amount_fen
    (item,) = [head for head in other.headroom if head.limit == "item"]
    assert item.used_fen == 0
    assert ANOTHER in item.scope


@pytest.mark.parametrize("rule", CERTIFIED)
def test_a_certificate_is_one_item_whoever_claims_for_it(office: Any, rule: str) -> None:
    used = f"shenzhen-meddev-2022/item/item-1/C{rule[0]}"
    office.award(rule, **CERTIFIED[rule])
    assert used in office.used
    if rule in ("8.1", "8.2"):
        assert office.award(rule, enterprise=ANOTHER, **CERTIFIED[rule]).amount_fen == 100_000_000
    with pytest.raises(Refusal) as refused:
        office.award(rule, enterprise=ANOTHER, **CERTIFIED[rule])
    assert refused.value.code in ("item-already-awarded", "limit-exhausted")
    assert refused.value.limit is not None
    assert refused.value.limit.scope == used
