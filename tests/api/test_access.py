"""Who may call which route: every route of the application, in one table. A new route without a row fails here."""

from __future__ import annotations

import pytest
from flask import Flask

from ledger.roles import Role
from tests.api.http_office import V1, HttpOffice

ANYONE, SIGNED_IN, STAFF = "anyone", "signed in", " ".join(sorted(Role))

TABLE = {
    "GET /": ANYONE,
    "GET /docs": ANYONE,
    "GET /assets/<name>": ANYONE,
    "GET /healthz": ANYONE,
    "GET /readyz": ANYONE,
    "GET /metrics": ANYONE,
    "GET /api/v1/openapi.json": ANYONE,
    "POST /api/v1/tokens": ANYONE,
    "GET /api/v1/me": SIGNED_IN,
    "GET /api/v1/policies": SIGNED_IN,
    "GET /api/v1/policies/<policy_id>": SIGNED_IN,
    "GET /api/v1/policies/<policy_id>/<number>": SIGNED_IN,
    "GET /api/v1/policies/<policy_id>/<number>/readings": SIGNED_IN,
    "GET /api/v1/policies/<policy_id>/<number>/readings/<reading_id>": SIGNED_IN,
    "POST /api/v1/policies/<policy_id>/<number>/interpretations": "approver",
    "POST /api/v1/quotes": STAFF,
    "GET /api/v1/applications": STAFF,
    "GET /api/v1/applications/<application_id>": STAFF,
    "GET /api/v1/applications/<application_id>/history": STAFF,
    "POST /api/v1/applications": "intake",
    "POST /api/v1/applications/<application_id>/acceptance": "intake",
    "POST /api/v1/applications/<application_id>/refusal": "approver intake reviewer",
    "POST /api/v1/applications/<application_id>/withdrawal": "intake",
    "POST /api/v1/applications/<application_id>/other-funding-decision": "approver",
    "POST /api/v1/applications/<application_id>/determination": "reviewer",
    "POST /api/v1/applications/<application_id>/approval": "approver",
    "GET /api/v1/applications/<application_id>/sheet": STAFF,
    "GET /api/v1/applications/<application_id>/determinations/<number>/sheet": STAFF,
    "GET /api/v1/awards": STAFF,
    "GET /api/v1/awards/<award_id>": STAFF,
    "GET /api/v1/awards/<award_id>/history": STAFF,
    "GET /api/v1/awards/<award_id>/sheet": STAFF,
    "POST /api/v1/awards/<award_id>/releases": "approver",
    "POST /api/v1/awards/<award_id>/stages/<number>/confirmation": "reviewer",
    "POST /api/v1/awards/<award_id>/disbursements": "finance",
    "GET /api/v1/awards/<award_id>/disbursements/<number>": STAFF,
    "POST /api/v1/awards/<award_id>/disbursements/<number>/order": "finance",
    "POST /api/v1/awards/<award_id>/disbursements/<number>/settlement": "cashier",
    "POST /api/v1/awards/<award_id>/disbursements/<number>/return": "cashier",
    "POST /api/v1/awards/<award_id>/disbursements/<number>/cancellation": "finance",
    "POST /api/v1/awards/<award_id>/violations": "supervisor",
    "GET /api/v1/awards/<award_id>/violations/<number>": STAFF,
    "POST /api/v1/awards/<award_id>/violations/<number>/withdrawal": "supervisor",
    "POST /api/v1/awards/<award_id>/recoveries": "legal supervisor",
    "GET /api/v1/awards/<award_id>/recoveries/<number>": STAFF,
    "POST /api/v1/awards/<award_id>/recoveries/<number>/receipts": "cashier",
    "POST /api/v1/awards/<award_id>/recoveries/<number>/cancellation": "legal supervisor",
    "GET /api/v1/enterprises": STAFF,
    "GET /api/v1/enterprises/<uscc>": STAFF,
    "GET /api/v1/enterprises/<uscc>/limits": STAFF,
    "GET /api/v1/budgets": STAFF,
    "GET /api/v1/budgets/<policy_id>/<number>": STAFF,
    "POST /api/v1/budgets": "finance",
    "GET /api/v1/events": "admin auditor",
    "GET /api/v1/refusals": "admin auditor supervisor",
}

STAND_INS = {
    "<application_id>": "app-0000000000",
    "<award_id>": "awd-0000000000",
    "<policy_id>": "shenzhen-meddev-2022",
    "<uscc>": "91440300MA5FX3K72N",
    "<number>": "1",
    "<name>": "docs.js",
    "<reading_id>": "B13",
}


def routes(app: Flask) -> set[str]:
    return {
        f"{method} {as_in_table(rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def as_in_table(rule: str) -> str:
    for converter in ("string:", "number:"):
        rule = rule.replace(f"<{converter}", "<")
    return rule.replace("<year>", "<number>").replace("<version>", "<number>")


def may(allowed: str, user: str | None, role: str | None) -> bool:
    if user is None:
        return allowed == ANYONE
    return allowed in (ANYONE, SIGNED_IN) or role in allowed.split()


def test_the_table_names_every_route_and_no_other(office: HttpOffice) -> None:
    assert routes(office.app) == set(TABLE)


def test_every_route_is_open_to_exactly_those_in_the_table(office: HttpOffice) -> None:
    office.service.credentials.add_user("nobody", "demo")
    office.sign_in("nobody")
    callers: list[tuple[str | None, str | None]] = [(None, None), ("nobody", None)]
    callers += [(role.value, role.value) for role in Role]
    wrong = []
    for route, allowed in TABLE.items():
        method, path = route.split()
        for name, value in STAND_INS.items():
            path = path.replace(name, value)
        for user, role in callers:
            answer = office.get(user, path) if method == "GET" else office.post(user, path, {})
            closed = 401 if user is None else 403
            if (answer.status_code != closed) != may(allowed, user, role):
                wrong.append((route, user, answer.status_code))
            assert answer.status_code < 500, (route, user)
    assert wrong == []


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "bearer \u00ff", "Bearer a b", "Token x"]
)
def test_what_is_no_token_of_ours_is_401_with_a_challenge(office: HttpOffice, header: str) -> None:
    answer = office.get(None, f"{V1}/me", Authorization=header)
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_machine_s_own_name_opens_nothing(office: HttpOffice) -> None:
    with pytest.raises(ValueError, match="no person"):
        office.service.credentials.add_user("system", "demo")
