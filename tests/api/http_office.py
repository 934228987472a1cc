"""An office that works over HTTP: its people, a clock it sets, and the steps that most tests begin with."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from werkzeug.test import TestResponse

from api.app import create_app
from api.credentials import Credentials
from api.database import CREDENTIALS
from api.demo.staff import STAFF
from api.service import Service, open_service
from ledger.commands.grant_role import GrantRole
from ledger.roles import SYSTEM

V1 = "/api/v1"
POLICY = "shenzhen-meddev-2022"
ENTERPRISE = "91440300MA5FX3K72N"
CLAIM: dict[str, Any] = {
    "policy": POLICY,
    "rule": "5.2",
    "enterprise": ENTERPRISE,
    "item": "国械注准20263010001",
    "particulars": {"rd_cost": "16000000.00", "special_approval": True},
}
MORNING = datetime.fromisoformat("2026-06-01T09:00:00+08:00")
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class SetClock:
    """Stands still until it is moved."""

    now: datetime = MORNING

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@contextmanager
def opened(data: Path, clock: SetClock) -> Iterator[Service]:
    """A service whose passwords are cheap to check, and whose views follow."""
    with open_service(data, clock=clock) as service:
        service.credentials.close()
        cheap = replace(service, credentials=Credentials(data / CREDENTIALS, clock, FAST))
        cheap.views.start()
        yield cheap
        cheap.credentials.close()


@dataclass
class HttpOffice:
    service: Service
    clock: SetClock
    app: Flask
    tokens: dict[str, str] = field(default_factory=dict)
    _keys: Iterator[int] = field(default_factory=itertools.count)
    _serials: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def over(cls, service: Service, clock: SetClock, *, demo: bool = False) -> HttpOffice:
        office = cls(service, clock, create_app(service, demo=demo))
        for user, role in STAFF.items():
            if not service.credentials.has_user(user):
                service.credentials.add_user(user, "demo")
                service.ledger.execute(GrantRole(person=user, role=role), actor=SYSTEM, key=f"first role of {user}")
            office.sign_in(user)
        return office

    def sign_in(self, user: str) -> None:
        self.tokens[user] = self.service.credentials.issue_token(user).token

    def sign_in_all(self) -> None:
        """After a clock was moved by more than a token lives."""
        for user in self.tokens:
            self.sign_in(user)

    @property
    def head(self) -> int:
        events = self.service.reader.events(0, 1_000_000)
        return events[-1].position if events else 0

    def get(self, user: str | None, path: str, **headers: str) -> TestResponse:
        return self.app.test_client().get(path, headers=self._headers(user, headers))

    def post(
        self, user: str | None, path: str, body: Any = None, *, key: str | None = "", **headers: str
    ) -> TestResponse:
        """``key`` is made up where none is given, and left out where it is None. ``Some_Header`` is ``Some-Header``."""
        if key is not None:
            with self._lock:
                headers["Idempotency_Key"] = key or f"key-{next(self._keys)}"
        return self.app.test_client().post(
            path, json={} if body is None else body, headers=self._headers(user, headers)
        )

    def serial(self) -> str:
        return f"BANK-{next(self._serials):06}"

    def submitted(self, **claim: Any) -> str:
        """The address of a new application."""
        body = {"enterprise_name": "深圳示例医疗有限公司", **CLAIM, **claim}
        answer = self.post("intake", f"{V1}/applications", body)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def determined(self, **claim: Any) -> str:
        application = self.submitted(**claim)
        self.does("intake", f"{application}/acceptance", {"acceptance_number": f"受理{next(self._serials):06}"})
        self.does("reviewer", f"{application}/determination")
        return application

    def approved(self, **claim: Any) -> str:
        """The address of a new award, approved as determined."""
        application = self.determined(**claim)
        amount = self.get("approver", application).json["determination"]["amount"]
        answer = self.post("approver", f"{application}/approval", {"amount": amount})
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def ordered(self, award: str, amount: str) -> str:
        """The address of a disbursement that the bank may settle."""
        disbursement = self.post("finance", f"{award}/disbursements", {"amount": amount}).headers["Location"]
        self.does("finance2", f"{disbursement}/order")
        return disbursement

    def paid(self, award: str, amount: str) -> str:
        disbursement = self.ordered(award, amount)
        self.does("cashier", f"{disbursement}/settlement", {"amount": amount, "bank_serial": self.serial()})
        return disbursement

    def does(self, user: str, path: str, body: Any = None) -> Any:
        """A step that must succeed; its answer's body."""
        answer = self.post(user, path, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json

    def _headers(self, user: str | None, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return named if user is None else {"Authorization": f"Bearer {self.tokens[user]}", **named}
