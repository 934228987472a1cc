"""A finding that proved wrong is withdrawn; the award may be paid again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.causes import Cause
from ledger.commands.command import Command, Decision, Facts
from ledger.errors import FieldError, NotFound, OutOfOrder, Text
from ledger.events import ViolationWithdrawn
from ledger.roles import Role


class WithdrawViolation(Command, frozen=True, kw_only=True):
    """Needs a ``reason``. Not while a recovery for a violation stands: cancel that first."""

    name: ClassVar[str] = "withdraw-violation"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.SUPERVISOR})

    case: str
    violation: int

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from self.reason_errors(Text("请写明撤销认定的理由", "say why the finding is withdrawn"))

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        violation = case.violations.get(self.violation)
        if violation is None:
            raise NotFound(
                Text(
                    f"案卷{case.number}没有第{self.violation}项违规认定",
                    f"case {case.number} has no violation {self.violation}",
                )
            )
        if violation.withdrawn:
            raise OutOfOrder("step-out-of-order", Text("该违规认定已撤销", "this finding is withdrawn already"))
        if any(r.cause == Cause.VIOLATION and r.amount_fen for r in case.recoveries.values()):
            raise OutOfOrder(
                "recovery-stands",
                Text(
                    "因违规作出的追缴决定仍然有效，请先撤销追缴决定",
                    "a recovery for a violation stands; cancel it first",
                ),
            )
        withdrawn = ViolationWithdrawn(case=case.number, enterprise=case.enterprise, violation=violation.number)
        return Decision(withdrawn, case.policy)
