"""A recovery order that proved wrong is taken back for what has not been received."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.commands.command import Command, Decision, Facts
from ledger.commands.receive_recovery import recovery_in
from ledger.errors import FieldError, OutOfOrder, Text
from ledger.events import RecoveryCancelled
from ledger.roles import Role


class CancelRecovery(Command, frozen=True, kw_only=True):
    """Needs a ``reason``."""

    name: ClassVar[str] = "cancel-recovery"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.SUPERVISOR, Role.LEGAL})

    case: str
    recovery: int

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from self.reason_errors(Text("请写明撤销追缴的理由", "say why the recovery is cancelled"))

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        recovery = recovery_in(case, self.recovery)
        if recovery.outstanding_fen == 0:
            raise OutOfOrder(
                "step-out-of-order",
                Text("该项追缴已无未收金额", "nothing of this recovery is outstanding"),
            )
        cancelled = RecoveryCancelled(
            case=case.number,
            enterprise=case.enterprise,
            recovery=recovery.number,
            amount_fen=recovery.outstanding_fen,
        )
        return Decision(cancelled, case.policy)
