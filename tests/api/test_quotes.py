"""A quote tells what would be granted, and leaves no trace."""

from __future__ import annotations

import pytest

from tests.api.http_office import CLAIM, ENTERPRISE, POLICY, V1, HttpOffice


def test_the_example_of_the_contract_comes_out(office: HttpOffice) -> None:
    answer = office.post("intake", f"{V1}/quotes", {**CLAIM, "cap_year": 2026}, key=None)

    assert answer.status_code == 200
    said = answer.json
    assert [step.pop("detail") != "" for step in said["steps"]] == [True, True, True]
    assert said == {
        "amount": "6000000.00",
        "bound_by": {"clause": "五", "limit": "item"},
        "steps": [
            {"clause": "五", "step": "rate", "amount": "6400000.00"},
            {"clause": "五", "step": "item-cap", "amount": "6000000.00"},
            {"clause": "五", "step": "annual-cap", "amount": "6000000.00"},
        ],
        "headroom": [
            {
                "limit": "C5",
                "scope": f"{POLICY}/C5/{ENTERPRISE}/2026",
                "ceiling": "10000000.00",
                "used": "0.00",
                "left": "10000000.00",
            }
        ],
    }


def test_a_quote_needs_no_cap_year_and_no_role_of_its_own(office: HttpOffice) -> None:
    assert office.post("auditor", f"{V1}/quotes", CLAIM, key=None).json["amount"] == "6000000.00"


def test_nothing_bound_is_said_as_null(office: HttpOffice) -> None:
    claim = {**CLAIM, "particulars": {"rd_cost": "10000.00", "special_approval": False}}
    assert office.post("intake", f"{V1}/quotes", claim, key=None).json["bound_by"] is None


@pytest.mark.parametrize(
    ("change", "code", "clause"),
    [
        ({"rule": "6"}, "no-money-rule", "六"),
        ({"rule": "99.9"}, "unknown-rule", None),
        ({"cap_year": 2035}, "cap-year-outside-validity", "附则"),
    ],
)
def test_what_the_policy_does_not_grant_is_422_with_its_clause(
    office: HttpOffice, change: dict[str, object], code: str, clause: str | None
) -> None:
    before = office.head
    answer = office.post("intake", f"{V1}/quotes", {**CLAIM, **change}, key=None)

    assert (answer.status_code, answer.json["code"], answer.json.get("clause")) == (422, code, clause)
    assert office.head == before


def test_an_exhausted_limit_is_named_with_its_figures(office: HttpOffice) -> None:
    for item in ("证甲", "证乙"):
        office.approved(item=item)
    answer = office.post("intake", f"{V1}/quotes", {**CLAIM, "item": "证丙"}, key=None)

    assert (answer.status_code, answer.json["code"]) == (422, "limit-exhausted")
    assert answer.json["limit"] == {
        "name": "C5",
        "scope": f"{POLICY}/C5/{ENTERPRISE}/2026",
        "ceiling": "10000000.00",
        "used": "10000000.00",
        "left": "0.00",
    }
