"""支付退回: the bank did not carry out an order; the amount may be requested again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import DisbursementState
from ledger.commands.command import REFERENCE_LENGTH_MAX, Command, Decision, Facts, text_errors
from ledger.commands.order_disbursement import disbursement_in
from ledger.errors import FieldError, Text
from ledger.events import DisbursementReturned
from ledger.roles import Role


class ReturnDisbursement(Command, frozen=True, kw_only=True):
    """``reference`` is the bank's return notice, ``reason`` what it says. Limits and award are unchanged (reading B37)."""

    name: ClassVar[str] = "return-disbursement"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.CASHIER})

    case: str
    disbursement: int

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from text_errors("reference", self.reference or "", REFERENCE_LENGTH_MAX, required=True)
        yield from self.reason_errors(Text("请写明退回原因", "say why the bank returned it"))

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        disbursement = disbursement_in(
            case, self.disbursement, [DisbursementState.ORDERED], Text("登记退回", "return it")
        )
        returned = DisbursementReturned(
            case=case.number,
            enterprise=case.enterprise,
            disbursement=disbursement.number,
            amount_fen=disbursement.amount_fen,
        )
        return Decision(returned, case.policy)
