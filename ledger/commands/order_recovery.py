"""追缴决定: money that was paid must come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

from ledger.calendar import add_days
from ledger.casefile import CaseFile
from ledger.causes import Cause, cause_errors, require_cause
from ledger.commands.command import Command, Decision, Facts, amount_errors
from ledger.errors import FieldError, OutOfOrder, Refusal, Text
from ledger.events import RecoveryOrdered
from ledger.money import format_yuan
from ledger.principles import RECOVERED_WITHIN_PAID
from ledger.roles import Role

DUE_DAYS_DEFAULT: Final = 15
"""Days to pay the money back, where the order names none (practice of Shenzhen's return notices)."""


class OrderRecovery(Command, frozen=True, kw_only=True):
    """``amount_fen`` is principal, at most what was paid and no other order covers; ``reference`` the order's 文号.

    ``cause`` is a :class:`~ledger.causes.Cause`; one for a violation needs a violation that was found.
    """

    name: ClassVar[str] = "order-recovery"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.SUPERVISOR, Role.LEGAL})
    asks_for_money: ClassVar[bool] = True

    case: str
    amount_fen: int
    cause: str
    due_on: date | None = None

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from amount_errors(self.amount_fen)
        yield from cause_errors(self.cause)
        if self.due_on is not None and self.due_on < (self.effective_on or today):
            yield FieldError(
                "due_on",
                "before-order",
                Text("缴款期限不能早于决定日期", "the due date must not precede the order"),
            )

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        if case.settled_fen == 0:
            raise OutOfOrder(
                "nothing-paid",
                Text(
                    f"案卷{case.number}没有已到账的资金可追缴；未拨付的资助请办理释放",
                    f"nothing of case {case.number} was paid; release what is not paid instead",
                ),
            )
        require_cause(self.cause, violation_found=case.applicant_in_violation)
        if self.amount_fen > case.recoverable_fen:
            raise _above_paid(case, self.amount_fen)
        return Decision(self._ordered(case, facts), case.policy)

    def _ordered(self, case: CaseFile, facts: Facts) -> RecoveryOrdered:
        return RecoveryOrdered(
            case=case.number,
            enterprise=case.enterprise,
            recovery=len(case.recoveries) + 1,
            amount_fen=self.amount_fen,
            cause=self.cause,
            restores_headroom=Cause(self.cause) in facts.pinned_policy(case.policy).restoring_causes.value,
            due_on=self.due_on or add_days(facts.effective_on, DUE_DAYS_DEFAULT),
        )


def _above_paid(case: CaseFile, asked_fen: int) -> Refusal:
    asked, left, paid = (format_yuan(fen) for fen in (asked_fen, case.recoverable_fen, case.settled_fen))
    return Refusal(
        "above-paid-amount",
        Text(
            f"追缴{asked}元，超过可追缴的{left}元（已到账{paid}元，其余已在其他追缴决定内）",
            f"{asked} yuan is above the {left} yuan that may still be recovered of the {paid} paid",
        ),
        clause=RECOVERED_WITHIN_PAID,
    )
