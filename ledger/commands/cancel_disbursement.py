"""A payment that was requested by mistake is taken back before it is ordered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import DisbursementState
from ledger.commands.command import Command, Decision, Facts
from ledger.commands.order_disbursement import disbursement_in
from ledger.errors import FieldError, Text
from ledger.events import DisbursementCancelled
from ledger.roles import Role


class CancelDisbursement(Command, frozen=True, kw_only=True):
    """Needs a ``reason``. The amount may be requested again. What was ordered only the bank can return."""

    name: ClassVar[str] = "cancel-disbursement"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE})

    case: str
    disbursement: int

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from self.reason_errors(Text("请写明取消的理由", "say why the disbursement is cancelled"))

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        disbursement = disbursement_in(
            case,
            self.disbursement,
            [DisbursementState.REQUESTED],
            Text("取消", "cancel it"),
        )
        cancelled = DisbursementCancelled(
            case=case.number,
            enterprise=case.enterprise,
            disbursement=disbursement.number,
            amount_fen=disbursement.amount_fen,
        )
        return Decision(cancelled, case.policy)
