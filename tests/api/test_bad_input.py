"""What cannot be read is refused by field and records nothing; what the law refuses is refused with its clause."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.http_office import CLAIM, V1, HttpOffice

SUBMISSION = {**CLAIM, "enterprise_name": "深圳示例医疗有限公司"}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The submission with one member, or one particular, changed."""
    body: dict[str, Any] = json.loads(json.dumps(SUBMISSION))
    holder, _, name = path.rpartition(".")
    (body[holder] if holder else body)[name] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("enterprise", "91440300MA5FX3K72X", "invalid-uscc"),
        ("enterprise", 91440300, "invalid-uscc"),
        ("enterprise_name", "", "missing"),
        ("enterprise_name", None, "missing"),
        ("enterprise_name", "名" * 121, "too-long"),
        ("policy", "no-such-policy", "unknown-policy"),
        ("rule", "99.9", "unknown-rule"),
        ("rule", 5.2, "invalid-text"),
        ("item", " ", "invalid-item"),
        ("colour", "red", "unknown"),
        ("effective_on", "2026-02-30", "invalid-date"),
        ("effective_on", "2026-06-02", "in-the-future"),
        ("effective_on", "20260101", "invalid-date"),
        ("reason", "\u0007", "control-character"),
        ("particulars", [], "not-an-object"),
        ("particulars.rd_cost", "-1.00", "invalid-money"),
        ("particulars.rd_cost", "1.005", "invalid-money"),
        ("particulars.rd_cost", "16000000", "invalid-money"),
        ("particulars.rd_cost", 16000000.0, "invalid-money"),
        ("particulars.rd_cost", 16000000, "invalid-money"),
        ("particulars.rd_cost", "１６０００.００", "invalid-money"),
        ("particulars.rd_cost", "+1.00", "invalid-money"),
        ("particulars.rd_cost", {"yuan": 1}, "invalid"),
        ("particulars.rd_cost", 10**30, "invalid"),
        ("particulars.special_approval", "yes", "invalid-flag"),
        ("particulars.sales", "1.00", "unknown"),
    ],
)
def test_a_malformed_submission_names_the_field_and_records_nothing(
    office: HttpOffice, path: str, value: Any, code: str
) -> None:
    before = office.head
    answer = office.post("intake", f"{V1}/applications", changed(path, value))

    assert answer.status_code == 422, answer.text
    assert answer.content_type == "application/problem+json"
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [(path, code)]
    assert office.head == before


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("particulars.rd_cost", 2**53, "9007199254740991"),
        ("effective_on", "1000-01-01", "2000-01-01"),
        ("effective_on", "9999-12-31", "2100-12-31"),
    ],
)
def test_what_is_written_right_and_too_large_is_told_the_range(
    office: HttpOffice, path: str, value: Any, said: str
) -> None:
    (error,) = office.post("intake", f"{V1}/applications", changed(path, value)).json["errors"]
    assert said in error["message"]
    assert "存在" not in error["message"]


def test_a_name_given_twice_is_named(office: HttpOffice) -> None:
    answer = office.app.test_client().post(
        f"{V1}/awards/awd-0000000000/disbursements",
        data=b'{"reason": "x", "amount": "1.00", "amount": "2.00"}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {office.tokens['finance']}", "Idempotency-Key": "k"},
    )
    assert answer.status_code == 400
    assert "“amount”" in answer.json["detail"]
    assert [error["field"] for error in answer.json["errors"]] == ["amount"]


def test_every_missing_field_is_named_at_once(office: HttpOffice) -> None:
    answer = office.post("intake", f"{V1}/applications", {})
    assert {error["field"] for error in answer.json["errors"]} == {
        "policy", "rule", "enterprise", "enterprise_name", "item", "particulars",
    }  # fmt: skip


@pytest.mark.parametrize(
    "amount",
    ["-1.00", "1", "1.0", "1.000", "1,000.00", "１.００", " 1.00", "01.00", 1, 1.0, None, "", "NaN", "9" * 30 + ".00"],
)
def test_an_amount_is_a_string_of_yuan_with_two_decimals(office: HttpOffice, amount: Any) -> None:
    award = office.approved()
    before = office.head
    answer = office.post("finance", f"{award}/disbursements", {"amount": amount})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["amount"]
    assert office.head == before


def test_an_amount_of_nothing_is_refused_by_field(office: HttpOffice) -> None:
    award = office.approved()
    before = office.head
    answer = office.post("finance", f"{award}/disbursements", {"amount": "0.00"})
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [("amount", "not-positive")]
    assert office.head == before


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "bad-request"),
        (b'{"amount": 1e', "application/json", 400, "bad-request"),
        (b"\xff\xfe", "application/json", 400, "bad-request"),
        (b'{"amount": "1.00", "amount": "2.00"}', "application/json", 400, "bad-request"),
        (b'{"reason": "\\ud800"}', "application/json", 400, "bad-request"),
        (b"[" * 100_000, "application/json", 400, "bad-request"),
        (b'{"amount": ' + b"9" * 10_000 + b"}", "application/json", 400, "bad-request"),
        (b"null", "application/json", 422, "invalid-request"),
        (b"[]", "application/json", 422, "invalid-request"),
        (b'"text"', "application/json", 422, "invalid-request"),
        (b"", "application/json", 422, "invalid-request"),
        (b"amount=1.00", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b'{"reason": "' + b"x" * 300_000 + b'"}', "application/json", 413, "too-large"),
    ],
    ids=[
        "half",
        "half-a-number",
        "not-utf8",
        "name-twice",
        "half-a-surrogate",
        "nested-deeply",
        "digits-without-end",
        "null",
        "list",
        "text",
        "empty",
        "form",
        "too-large",
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem_and_never_a_crash(
    office: HttpOffice, body: bytes, kind: str, status: int, code: str
) -> None:
    before = office.head
    answer = office.app.test_client().post(
        f"{V1}/awards/awd-0000000000/disbursements",
        data=body,
        content_type=kind,
        headers={"Authorization": f"Bearer {office.tokens['finance']}", "Idempotency-Key": "k"},
    )
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.content_type == "application/problem+json"
    assert office.head == before


def refused(office: HttpOffice, user: str, path: str, body: Any, status: int, code: str) -> dict[str, Any]:
    """The refusal must be recorded as a fact, at the position that the answer names, and must change nothing."""
    case = office.get("auditor", path.split("/disbursements")[0].split("/recoveries")[0].split("/approval")[0])
    before = office.head
    answer = office.post(user, path, body)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.headers["Ledger-Position"] == str(before + 1) == str(office.head)
    (fact,) = office.get("auditor", f"{V1}/refusals?after={before}").json["refusals"]
    assert (fact["position"], fact["code"], fact["actor"]) == (before + 1, code, user)
    assert office.get("auditor", case.request.path).json == case.json
    said: dict[str, Any] = answer.json
    return said


def test_more_than_was_determined_is_refused_with_its_clause_and_recorded(office: HttpOffice) -> None:
    application = office.determined()
    said = refused(
        office, "approver", f"{application}/approval", {"amount": "6000000.01"}, 422, "above-determined-amount"
    )
    assert said["clause"] == "五"


def test_more_than_the_limit_has_left_is_refused_with_the_limit_and_recorded(office: HttpOffice) -> None:
    waiting = office.determined(item="乙")
    office.approved(item="甲")
    said = refused(office, "approver", f"{waiting}/approval", {"amount": "6000000.00"}, 409, "headroom-moved")
    assert (said["clause"], said["limit"]["name"], said["limit"]["left"]) == ("五", "C5", "4000000.00")


def test_a_payment_above_the_award_is_refused_and_recorded(office: HttpOffice) -> None:
    award = office.approved()
    refused(office, "finance", f"{award}/disbursements", {"amount": "6000000.01"}, 422, "above-award")


def test_one_bank_serial_number_is_not_used_twice(office: HttpOffice) -> None:
    award = office.approved()
    for amount in ("1.00", "2.00"):
        office.ordered(award, amount)
    office.does("cashier", f"{award}/disbursements/1/settlement", {"amount": "1.00", "bank_serial": "B-1"})
    body = {"amount": "2.00", "bank_serial": "B-1"}
    refused(office, "cashier", f"{award}/disbursements/2/settlement", body, 422, "bank-serial-used")


def test_a_recovery_above_what_was_paid_is_refused_and_recorded(office: HttpOffice) -> None:
    award = office.approved()
    office.paid(award, "100.00")
    body = {"amount": "100.01", "cause": "duplicate"}
    refused(office, "legal", f"{award}/recoveries", body, 422, "above-paid-amount")


def test_a_step_out_of_order_is_409_and_recorded_where_money_was_asked_for(office: HttpOffice) -> None:
    application = office.submitted()
    refused(office, "approver", f"{application}/approval", {"amount": "1.00"}, 409, "step-out-of-order")
    before = office.head
    office.does("intake", f"{application}/acceptance", {"acceptance_number": "SL-1"})
    again = office.post("intake", f"{application}/acceptance", {"acceptance_number": "SL-2"})
    assert (again.status_code, again.json["code"], office.head) == (409, "step-out-of-order", before + 1)
    assert "Ledger-Position" not in again.headers


def test_nobody_orders_what_they_requested(office: HttpOffice) -> None:
    award = office.approved()
    office.does("finance", f"{award}/disbursements", {"amount": "1.00"})
    said = refused(office, "finance", f"{award}/disbursements/1/order", {}, 422, "same-person")
    assert said["clause"]


@pytest.mark.parametrize("number", ["0", "2", "-1", "99999", "1" * 5000, "x"], ids=lambda number: number[:5])
def test_a_disbursement_that_is_not_there_is_404(office: HttpOffice, number: str) -> None:
    award = office.approved()
    assert office.post("finance2", f"{award}/disbursements/{number}/order").status_code == 404
    assert office.get("finance2", f"{award}/disbursements/{number}").status_code == 404


def test_an_id_is_found_however_it_is_written_and_else_404(office: HttpOffice) -> None:
    application = office.submitted()
    number = application.rpartition("-")[2]
    for written in (f"app-{number}", f"APP-{number.lower()}", f"awd-{number}", number.lower()):
        assert office.get("intake", f"{V1}/applications/{written}").json["id"] == f"app-{number}"
    # Not an award yet.
    assert office.get("intake", f"{V1}/awards/awd-{number}").status_code == 404
    assert office.get("intake", f"{V1}/awards/awd-{number}/history").status_code == 404
    for wrong in ("app-0000000000", "app-1", "x" * 200, "app-app-" + number, "％"):
        assert office.get("intake", f"{V1}/applications/{wrong}").status_code == 404
        assert office.post("intake", f"{V1}/applications/{wrong}/withdrawal").status_code == 404


def test_an_enterprise_s_code_must_be_one(office: HttpOffice) -> None:
    wrong = office.get("auditor", f"{V1}/enterprises/91440300MA5FX3K72X")
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "uscc")
    assert office.get("auditor", f"{V1}/enterprises/91440300MA5FX3K72N").status_code == 404
