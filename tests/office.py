"""An office in miniature: a ledger on a store of its own, staff with roles, and the steps of a case through the one door."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from ledger.application import FundingLedger, Outcome
from ledger.calendar import SHANGHAI
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.approve_award import ApproveAward
from ledger.commands.command import Command
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.grant_role import GrantRole
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.receive_recovery import ReceiveRecovery
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.commands.submit_application import SubmitApplication
from ledger.policy.registry import PolicyRegistry
from ledger.roles import SYSTEM, Role
from ledger.store.contract import LedgerStore
from ledger.store.sqlite import SQLiteDCBRecorder
from projections.compose import compose
from projections.reader import Reader

POLICY = "shenzhen-meddev-2022"
ENTERPRISE = "91440300MA5FX3K72N"
STAFF = {
    "intake": Role.INTAKE,
    "reviewer": Role.REVIEWER,
    "approver": Role.APPROVER,
    "finance": Role.FINANCE,
    "finance2": Role.FINANCE,
    "cashier": Role.CASHIER,
    "supervisor": Role.SUPERVISOR,
    "supervisor2": Role.SUPERVISOR,
    "legal": Role.LEGAL,
    "auditor": Role.AUDITOR,
    "admin": Role.ADMIN,
}


class SteppingClock:
    """A clock that moves one second with every look, and jumps where a test says so."""

    def __init__(self, today: date) -> None:
        self.set(today)

    def set(self, today: date) -> None:
        self.now = datetime.combine(today, time(9, 0), SHANGHAI).astimezone(UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Office:
    """``store`` is opened on ``folder`` where none is given. Every helper takes one step and returns what came of it."""

    def __init__(self, folder: Path, *, store: LedgerStore | None = None, today: date = date(2026, 3, 2)) -> None:
        self.clock = SteppingClock(today)
        self.store = store if store is not None else SQLiteDCBRecorder(folder / "facts.sqlite")
        self.policies = PolicyRegistry.load()
        self.ledger = self.reopen()
        self.reader = Reader(self.store, self.policies, self.clock)
        self._numbers = itertools.count(1)
        self.run_id = random.Random(str(folder)).getrandbits(32)
        for person, role in STAFF.items():
            self.give(GrantRole(person=person, role=role), SYSTEM, key=f"grant-{person}")

    def reopen(self) -> FundingLedger:
        """Another ledger on the same store, as another process would open it."""
        chance = random.Random(20260302)
        return FundingLedger(self.store, self.policies, compose(), self.clock, lambda n: chance.randbytes(n))

    def close(self) -> None:
        self.store.close()

    def head(self) -> int:
        return self.store.read().head or 0

    def give(self, command: Command, actor: str, *, key: str | None = None, **more: Any) -> Outcome:
        return self.ledger.execute(command, actor=actor, key=key or f"key-{self.run_id}-{next(self._numbers)}", **more)

    def submit(self, item: str, rule: str = "5.2", enterprise: str = ENTERPRISE, **particulars: Any) -> str:
        stated: Mapping[str, Any] = particulars or {"rd_cost": "16000000.00", "special_approval": True}
        command = SubmitApplication(
            policy=POLICY,
            rule=rule,
            enterprise=enterprise,
            enterprise_name="示例医疗科技有限公司",
            item=item,
            particulars=stated,
        )
        case = self.give(command, "intake").case
        assert case is not None
        return case

    def accept(self, case: str) -> None:
        self.give(AcceptApplication(case=case, acceptance_number=f"受理{next(self._numbers)}"), "intake")

    def accepted(self, item: str, **stated: Any) -> str:
        case = self.submit(item, **stated)
        self.accept(case)
        return case

    def determined(self, item: str, **stated: Any) -> str:
        case = self.accepted(item, **stated)
        self.give(DetermineAmount(case=case), "reviewer")
        return case

    def approve(self, case: str, amount_fen: int | None = None, **more: Any) -> Outcome:
        determination = self.reader.case(case).determination
        assert determination is not None
        due_fen = determination.amount_fen if amount_fen is None else amount_fen
        return self.give(ApproveAward(case=case, amount_fen=due_fen, **more), "approver")

    def approved(self, item: str, **stated: Any) -> str:
        case = self.determined(item, **stated)
        self.approve(case)
        return case

    def pay(self, case: str, amount_fen: int, bank_serial: str) -> None:
        self.give(RequestDisbursement(case=case, amount_fen=amount_fen), "finance")
        number = len(self.reader.case(case).disbursements)
        self.give(OrderDisbursement(case=case, disbursement=number), "finance2")
        self.give(
            SettleDisbursement(case=case, disbursement=number, amount_fen=amount_fen, bank_serial=bank_serial),
            "cashier",
        )

    def claw_back(self, case: str, amount_fen: int, cause: str = "violation") -> None:
        if cause == "violation":
            self.give(FindViolation(case=case, reason="虚报研发费用"), "supervisor")
        self.give(OrderRecovery(case=case, amount_fen=amount_fen, cause=cause), "supervisor2")

    def receive(self, case: str, amount_fen: int, bank_serial: str, recovery: int = 1) -> Outcome:
        command = ReceiveRecovery(case=case, recovery=recovery, amount_fen=amount_fen, bank_serial=bank_serial)
        return self.give(command, "cashier")
