"""Staged payment and audited costs over HTTP: what is shown of the stages, and what a caller is told."""

from __future__ import annotations

from typing import Any

from tests.api.http_office import V1, HttpOffice

STAGED: dict[str, Any] = {"rule": "3.2", "item": "装备", "particulars": {"total_investment": "25000000.00"}}
FAIR: dict[str, Any] = {"rule": "10.2", "item": "2026年峰会", "particulars": {"audited_cost": "3000000.00"}}


def confirm(office: HttpOffice, award: str, number: int, **body: Any) -> Any:
    return office.post("reviewer", f"{award}/stages/{number}/confirmation", {"reference": "验收1号", **body})


def test_an_award_in_stages_does_not_show_them(office: HttpOffice) -> None:
    award = office.approved(**STAGED)
    office.paid(award, "3000000.00")
    shown = office.get("auditor", award).json
    assert shown["requestable"] == "1000000.00"
    assert shown["stages"] == [
        {"number": 1, "when": "下达资助计划", "share": "40%", "amount": "4000000.00", "reached_on": "2026-06-01",
         "paid": "3000000.00"},
        {"number": 2, "when": "完成项目总投资的40%", "share": "30%", "amount": "3000000.00", "reached_on": None,
         "paid": "0.00"},
        {"number": 3, "when": "通过验收（含余数）", "share": "30%", "amount": "3000000.00", "reached_on": None,
         "paid": "0.00"},
    ]  # fmt: skip
    assert office.get("auditor", office.approved()).json["stages"] == []


def test_a_caller_is_not_told_which_stage_is_missing(office: HttpOffice) -> None:
    award = office.approved(**STAGED)
    answer = office.post("finance", f"{award}/disbursements", {"amount": "4000000.01"})
    assert (answer.status_code, answer.json["code"], answer.json["clause"]) == (422, "stage-not-reached", "三")
    assert "第2阶段" in answer.json["detail"]


def test_a_stage_is_confirmed_over_http(office: HttpOffice) -> None:
    award = office.approved(**STAGED)
    answer = confirm(office, award, 2)
    assert (answer.status_code, answer.json["requestable"]) == (200, "7000000.00")
    assert "ETag" in answer.headers
    assert confirm(office, award, 2).status_code == 409
    assert confirm(office, award, 4).status_code == 404
    missing = confirm(office, award, 3)
    assert (missing.status_code, missing.json["errors"][0]["field"]) == (422, "audited")
    nameless = office.post("reviewer", f"{award}/stages/3/confirmation", {"audited": "25000000.00"})
    assert (nameless.status_code, nameless.json["errors"][0]["field"]) == (422, "reference")
    too_much = confirm(office, award, 3, audited="20000000.00")
    assert (too_much.status_code, too_much.json["code"], too_much.json["clause"]) == (422, "above-settlement", "三")
    assert "2000000.00" in too_much.json["detail"]
    office.does("approver", f"{award}/releases", {"amount": "2000000.00", "cause": "audit-reduction"})
    accepted = confirm(office, award, 3, audited="20000000.00")
    assert (accepted.status_code, accepted.json["awarded"], accepted.json["requestable"]) == (
        200, "8000000.00", "8000000.00",
    )  # fmt: skip
    types = [event["type"] for event in office.get("auditor", f"{award}/history").json["events"]]
    assert types.count("stage-confirmed") == 2


def test_an_audited_cost_is_determined_without_its_report(office: HttpOffice) -> None:
    application = office.submitted(**FAIR)
    office.does("intake", f"{application}/acceptance", {"acceptance_number": office.serial()})
    refused = office.post("reviewer", f"{application}/determination", {})
    assert (refused.status_code, refused.json["code"], refused.json["clause"]) == (422, "audit-report-missing", "十")
    determined = office.does("reviewer", f"{application}/determination", {"audit_report": "深审字〔2026〕1号"})
    assert determined["determination"]["amount"] == "3000000.00"
    assert [(piece["kind"], piece["key"]) for piece in determined["evidence"]] == [
        ("audit-report", "深审字〔2026〕1号")
    ]  # fmt: skip
    other = office.submitted(**{**FAIR, "item": "另一峰会"})
    office.does("intake", f"{other}/acceptance", {"acceptance_number": office.serial()})
    again = office.post("reviewer", f"{other}/determination", {"audit_report": "深审字〔2026〕1号"})
    assert (again.status_code, again.json["code"]) == (422, "evidence-used")


def test_a_quote_of_an_audited_cost_asks_for_a_report(office: HttpOffice) -> None:
    body = {
        "policy": "shenzhen-meddev-2022", "rule": "14.1", "enterprise": "91440300MA5FX3K72N", "item": "监护仪",
        "particulars": {"audited_cost": "3000000.00"},
    }  # fmt: skip
    assert office.post("auditor", f"{V1}/quotes", body).json["amount"] == "3000000.00"
