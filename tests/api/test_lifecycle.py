"""One case over HTTP, from its application to its last recovered fen."""

from __future__ import annotations

from urllib.parse import quote

from tests.api.http_office import CLAIM, ENTERPRISE, POLICY, V1, HttpOffice, SetClock


def test_a_case_goes_from_application_to_recovered(office: HttpOffice) -> None:
    application = office.submitted()
    assert application.startswith(f"{V1}/applications/app-")
    accepted = office.does("intake", f"{application}/acceptance", {"acceptance_number": "SL-2026-0001"})
    assert accepted["state"] == "accepted"
    determined = office.does("reviewer", f"{application}/determination")
    assert determined["determination"]["amount"] == "6000000.00"

    approval = office.post("approver", f"{application}/approval", {"amount": "6000000.00"})
    assert (approval.status_code, approval.json["state"]) == (201, "approved")
    award = approval.headers["Location"]
    assert award == f"{V1}/awards/{approval.json['id']}"
    assert office.get("intake", application).json["award_id"] == approval.json["id"]

    first = office.paid(award, "4000000.00")
    assert office.get("finance", first).json["state"] == "settled"
    assert office.get("finance", award).json["state"] == "part-paid"
    second = office.post("finance", f"{award}/disbursements", {"amount": "2000000.00"}).headers["Location"]
    office.does("finance", f"{second}/cancellation", {"reason": "账号有误"})
    office.paid(award, "2000000.00")
    assert office.get("finance", award).json["state"] == "paid"

    found = office.post("supervisor", f"{award}/violations", {"reason": "研发费用不实"})
    assert (found.status_code, found.json["state"]) == (201, "violation-found")
    ordered = office.post(
        "supervisor2",
        f"{award}/recoveries",
        {"amount": "5000000.00", "cause": "violation", "reference": "深科〔2026〕1号"},
    )
    assert (ordered.status_code, ordered.json["state"]) == (201, "recovering")
    recovery = ordered.headers["Location"]
    office.does("cashier", f"{recovery}/receipts", {"amount": "1500000.50", "bank_serial": office.serial()})
    assert office.get("legal", recovery).json["outstanding"] == "3499999.50"
    office.does("cashier", f"{recovery}/receipts", {"amount": "3499999.50", "bank_serial": office.serial()})
    rest = office.does("legal", f"{award}/recoveries", {"amount": "1000000.00", "cause": "violation"})
    assert rest["recoverable"] == "0.00"
    last = office.does(
        "cashier", f"{award}/recoveries/2/receipts", {"amount": "1000000.00", "bank_serial": office.serial()}
    )
    assert (last["state"], last["recovered"]) == ("recovered", "6000000.00")

    history = office.get("auditor", f"{award}/history").json["events"]
    assert [event["type"] for event in history][:4] == [
        "application-submitted", "application-accepted", "amount-determined", "award-approved",
    ]  # fmt: skip
    assert set(history[0]) >= {
        "position", "event_id", "type", "effective_on", "recorded_at", "actor", "role", "reference", "reason", "payload",
    }  # fmt: skip
    assert [event["position"] for event in history] == sorted(event["position"] for event in history)


def test_an_application_may_be_refused_or_withdrawn(office: HttpOffice) -> None:
    refused, withdrawn = office.submitted(item="甲"), office.submitted(item="乙")
    said = office.does("reviewer", f"{refused}/refusal", {"ground": "not-eligible", "reason": "注册地不在本市"})
    assert said["state"] == "refused"
    assert office.does("intake", f"{withdrawn}/withdrawal")["state"] == "withdrawn"


def test_a_release_gives_the_limit_its_room_back(office: HttpOffice) -> None:
    award = office.approved()
    office.does("approver", f"{award}/releases", {"amount": "1000000.00", "cause": "withdrawal"})

    limits = office.get("finance", f"{V1}/enterprises/{ENTERPRISE}/limits?year=2026").json["limits"]
    (c5,) = [limit for limit in limits if limit["name"] == "C5"]
    assert (c5["ceiling"], c5["used"], c5["left"]) == ("10000000.00", "5000000.00", "5000000.00")
    assert len(c5["events"]) == 2
    assert c5["clause"] == "五"


def test_a_finding_that_proved_wrong_lets_payment_go_on(office: HttpOffice) -> None:
    award = office.approved()
    violation = office.post("supervisor", f"{award}/violations", {"reason": "举报"}).headers["Location"]
    assert office.post("finance", f"{award}/disbursements", {"amount": "1.00"}).status_code == 409
    office.does("supervisor2", f"{violation}/withdrawal", {"reason": "查无实据"})
    office.does("finance", f"{award}/disbursements", {"amount": "1.00"})
    assert office.get("supervisor", violation).json["withdrawn"] is True


def test_a_recovery_may_be_cancelled_for_what_has_not_come(office: HttpOffice) -> None:
    award = office.approved()
    office.paid(award, "6000000.00")
    order = {"amount": "600.00", "cause": "arithmetic-error"}
    recovery = office.post("legal", f"{award}/recoveries", order).headers["Location"]
    assert office.does("supervisor", f"{recovery}/cancellation", {"reason": "复核无误"})["state"] == "paid"


def test_a_budget_beyond_the_policy_s_validity_is_found_where_it_was_said_to_be(
    office: HttpOffice, clock: SetClock
) -> None:
    before = quote(clock.now.isoformat())
    clock.advance(minutes=1)
    body = {"policy": POLICY, "year": 2035, "amount": "1000000.00"}
    stated = office.post("finance", f"{V1}/budgets", body)
    assert stated.status_code == 201, stated.text
    shown = office.get("auditor", stated.headers["Location"])
    assert (shown.status_code, shown.json) == (200, stated.json)
    assert shown.json in office.get("auditor", f"{V1}/budgets").json["budgets"]
    assert office.get("auditor", f"{stated.headers['Location']}?as_of={before}").status_code == 404
    assert office.get("auditor", f"{V1}/budgets/{POLICY}/2036").status_code == 404


def test_budgets_are_stated_shown_and_kept(office: HttpOffice) -> None:
    body = {"policy": CLAIM["policy"], "year": 2026, "amount": "5000000.00", "reference": "深财〔2026〕3号"}
    stated = office.post("finance", f"{V1}/budgets", body)
    assert (stated.status_code, stated.json["left"]) == (201, "5000000.00")
    assert office.get("auditor", stated.headers["Location"]).json == stated.json
    listed = office.get("auditor", f"{V1}/budgets?year=2026").json["budgets"]
    assert listed == [stated.json]

    application = office.determined()
    refused = office.post("approver", f"{application}/approval", {"amount": "6000000.00"})
    assert (refused.status_code, refused.json["code"], refused.json["limit"]["name"]) == (
        409, "budget-exceeded", "budget",
    )  # fmt: skip
