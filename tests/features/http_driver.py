"""The driver that asks over HTTP: every step through its route, with a token and an idempotency key of its own.

Nothing is read from the store; what only auditors see is asked for as an auditor. People and their first roles come from
outside, as the installation gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from flask import Flask
from werkzeug.test import TestResponse

from api.app import create_app
from api.credentials import Credentials
from api.database import CREDENTIALS
from api.service import Service, open_service
from ledger.calendar import SHANGHAI
from ledger.casefile import CaseState
from ledger.commands.grant_role import GrantRole
from ledger.errors import Headroom
from ledger.identity import application_id, award_id, case_number
from ledger.money import FEN_PER_YUAN, format_yuan, parse_yuan
from ledger.policy.registry import PolicyRegistry
from ledger.roles import SYSTEM, Role
from tests.api.http_office import FAST, V1
from tests.features.driver import TICK, Act, Answer, Denial, Grant, first_morning, granted, limits_named, morning

AUDITOR: Final = "钱审计"
PASSWORD: Final = "demo"
FEED_MOST: Final = 1000

ADDRESSES: Final[Mapping[Act, str]] = {
    Act.SUBMIT: "/applications",
    Act.ACCEPT: "/applications/{application}/acceptance",
    Act.WITHDRAW: "/applications/{application}/withdrawal",
    Act.DECIDE_OTHER_FUNDING: "/applications/{application}/other-funding-decision",
    Act.DETERMINE: "/applications/{application}/determination",
    Act.APPROVE: "/applications/{application}/approval",
    Act.CONFIRM_STAGE: "/awards/{award}/stages/{stage}/confirmation",
    Act.RELEASE: "/awards/{award}/releases",
    Act.REQUEST: "/awards/{award}/disbursements",
    Act.ORDER: "/awards/{award}/disbursements/{disbursement}/order",
    Act.SETTLE: "/awards/{award}/disbursements/{disbursement}/settlement",
    Act.FIND_VIOLATION: "/awards/{award}/violations",
    Act.ORDER_RECOVERY: "/awards/{award}/recoveries",
    Act.RECEIVE_RECOVERY: "/awards/{award}/recoveries/{recovery}/receipts",
    Act.APPROPRIATE: "/budgets",
    Act.INTERPRET: "/policies/{policy}/{version}/interpretations",
}

REFUSED: Final = (409, 422)

_app: Flask | None = None


def app_over(service: Service) -> Flask:
    """One application for a whole process: to build it costs more than a scenario. Its service is the newest given."""
    global _app
    if _app is None:
        _app = create_app(service)
    _app.extensions["funding-ledger"] = service
    return _app


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    expires_at: datetime


class HttpDriver:
    """Over a whole service in a folder; time stands still unless a feature moves it."""

    def __init__(self, folder: Path, policies: PolicyRegistry, policy_id: str) -> None:
        self.policy = policies.get(policy_id)
        self._now = first_morning(self.policy)
        opened = open_service(folder, clock=lambda: self._now, policies=policies)
        opened.credentials.close()
        # Passwords that are cheap to check; what passwords cost a thief is another test's subject.
        self._service = replace(opened, credentials=Credentials(folder / CREDENTIALS, opened.clock, FAST))
        self._client = app_over(self._service).test_client()
        self._tokens: dict[str, _Token] = {}
        self._keys = count(1)
        self._facts = 0
        self.give_role(AUDITOR, Role.AUDITOR)

    def close(self) -> None:
        self._service.credentials.close()
        self._service.close()

    def now(self) -> datetime:
        return self._now

    def set_today(self, day: date) -> None:
        assert day >= self._now.astimezone(SHANGHAI).date(), "a feature's days do not run backwards"
        self._now = morning(day)

    def give_role(self, person: str, role: Role) -> None:
        self._now += TICK
        grant = GrantRole(person=person, role=role)
        self._service.ledger.execute(grant, actor=SYSTEM, key=f"step-{next(self._keys)}")

    def act(self, act: Act, person: str, **says: Any) -> Answer:
        self._now += TICK
        case: str | None = says.get("case")
        answer = self._post(person, _address(act, says), _body(act, says))
        if answer.status_code in REFUSED:
            return Answer(case=case, denial=_denial(_shown(answer)))
        assert answer.status_code in (200, 201), answer.text
        shown = _shown(answer)
        if act is Act.SUBMIT:
            case = case_number(shown["id"])
        return Answer(case, _number(act, answer), self._grant(act, person, shown))

    def quote(
        self, rule: str, enterprise: str, item: str, particulars: Mapping[str, Any], cap_year: int | None
    ) -> Answer:
        asked: dict[str, Any] = {"policy": self.policy.id, "rule": rule, "enterprise": enterprise, "item": item}
        if cap_year is not None:
            asked["cap_year"] = cap_year
        answer = self._post(AUDITOR, "/quotes", {**asked, "particulars": particulars})
        if answer.status_code in REFUSED:
            return Answer(denial=_denial(_shown(answer)))
        assert answer.status_code == 200, answer.text
        shown = _shown(answer)
        return Answer(grant=_grant(shown["amount"], shown["bound_by"], shown["steps"]))

    def headroom(self, enterprise: str, name: str, start: date) -> Headroom:
        named = limits_named(self.policy, name)
        (found,) = (
            limit
            for limit in self._limits(enterprise, start.year)
            if limit["name"] in named and limit["period_from"] == start.isoformat()
        )
        return _headroom(found, found["clause"])

    def usage(self, enterprise: str, as_of: datetime) -> Mapping[str, int]:
        validity = self.policy.validity
        years = range(validity.start.year, validity.end.year + 1)
        uses = (limit for year in years for limit in self._limits(enterprise, year, as_of))
        return {use["scope"]: parse_yuan(use["used"]) for use in uses if parse_yuan(use["used"])}

    def state(self, case: str) -> CaseState:
        return CaseState(self._get(AUDITOR, f"/applications/{application_id(case)}")["state"])

    def awarded_fen(self, case: str) -> int:
        return parse_yuan(self._get(AUDITOR, f"/awards/{award_id(case)}")["awarded"])

    def fact_count(self) -> int:
        """The position of the newest fact, read from the feed after what was read before."""
        while read := self._get(AUDITOR, f"/events?after={self._facts}&limit={FEED_MOST}")["events"]:
            self._facts = read[-1]["position"]
        return self._facts

    def last_denial_kept(self) -> tuple[Denial, str | None, str | None]:
        newest = self.fact_count()
        found = self._get(AUDITOR, f"/refusals?after={newest - 1}")["refusals"]
        assert found, "the newest fact is no refusal"
        (kept,) = found
        case = kept["application_id"]
        return _denial(kept), case and case_number(case), kept["enterprise"]

    def _limits(self, enterprise: str, year: int, as_of: datetime | None = None) -> list[dict[str, Any]]:
        then = "" if as_of is None else f"&as_of={quote(as_of.isoformat())}"
        shown = self._get(AUDITOR, f"/enterprises/{enterprise}/limits?year={year}{then}")
        return list(shown["limits"])

    def _grant(self, act: Act, person: str, shown: dict[str, Any]) -> Grant | None:
        if act is Act.DETERMINE:
            determined = shown["determination"]
            return _grant(determined["amount"], determined["bound_by"], determined["steps"])
        if act is Act.APPROVE:
            application = self._get(person, f"/applications/{shown['application_id']}")
            return _grant(shown["amount"], shown["bound_by"], application["determination"]["steps"])
        return None

    def _get(self, person: str, address: str) -> dict[str, Any]:
        answer = self._client.get(V1 + address, headers=self._headers(person))
        assert answer.status_code == 200, answer.text
        return _shown(answer)

    def _post(self, person: str, address: str, body: Mapping[str, Any]) -> TestResponse:
        headers = {**self._headers(person), "Idempotency-Key": f"step-{next(self._keys)}"}
        return self._client.post(V1 + address, json=body, headers=headers)

    def _headers(self, person: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token(person)}", "Accept-Language": "zh-CN"}

    def _token(self, person: str) -> str:
        """Signs in where nobody has, or where the token has run out."""
        token = self._tokens.get(person)
        if token is None or token.expires_at <= self._now:
            if token is None:
                self._service.credentials.add_user(person, PASSWORD)
            answer = self._client.post(f"{V1}/tokens", json={"username": person, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            shown = _shown(answer)
            token = _Token(shown["token"], datetime.fromisoformat(shown["expires_at"]))
            self._tokens[person] = token
        return token.text


def _shown(answer: TestResponse) -> dict[str, Any]:
    assert isinstance(answer.json, dict), answer.text
    return answer.json


def _address(act: Act, says: Mapping[str, Any]) -> str:
    case = says.get("case")
    cases = {} if case is None else {"application": application_id(case), "award": award_id(case)}
    return ADDRESSES[act].format(**cases, **says)


def _body(act: Act, says: Mapping[str, Any]) -> dict[str, Any]:
    """What the address does not tell already."""
    said = {name: value for name, value in says.items() if value is not None and name != "case"}
    return {_name(name): _json(name, value) for name, value in said.items() if f"{{{name}}}" not in ADDRESSES[act]}


def _name(field: str) -> str:
    """``amount_fen`` of a command is ``amount`` of a request, which tells it in yuan."""
    return field.removesuffix("_fen")


def _json(name: str, value: Any) -> Any:
    if name.endswith("_fen"):
        return format_yuan(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_name(key): _json(key, each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(name, each) for each in value]
    return value


def _number(act: Act, answer: TestResponse) -> int | None:
    """Of the disbursement or recovery that was made, from its address."""
    if act not in (Act.REQUEST, Act.ORDER_RECOVERY):
        return None
    return int(answer.headers["Location"].rpartition("/")[2])


def _grant(amount: str, bound_by: Mapping[str, str] | None, steps: list[dict[str, str]]) -> Grant:
    cut = None if bound_by is None else (bound_by["clause"], bound_by["limit"])
    lines = ((step["clause"], step["step"], parse_yuan(step["amount"])) for step in steps)
    return granted(parse_yuan(amount), cut, lines)


def _denial(told: Mapping[str, Any]) -> Denial:
    """A problem, or a refusal as auditors are shown it. What cannot be read is no refusal but a fault of the feature."""
    assert "errors" not in told, told
    clause, limit, earlier = told.get("clause"), told.get("limit"), told.get("earlier_application")
    missing = None if limit is None else _headroom(limit, clause)
    return Denial(told["code"], clause, missing, earlier and case_number(earlier))


def _headroom(limit: Mapping[str, str], clause: str | None) -> Headroom:
    """The limit that a refusal rests on is one of the clause that it names."""
    assert clause is not None, limit
    head = Headroom(limit["name"], clause, limit["scope"], parse_yuan(limit["ceiling"]), parse_yuan(limit["used"]))
    # A limit that is overdrawn has less than nothing left, which no sum of money says.
    assert head.left_fen == Decimal(limit["left"]) * FEN_PER_YUAN, limit
    return head
