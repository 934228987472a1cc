"""到账: the bank has paid; its serial number closes the disbursement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import DisbursementState
from ledger.commands.command import Command, Decision, Facts, amount_errors, register_errors
from ledger.commands.order_disbursement import disbursement_in
from ledger.errors import FieldError, Refusal, Text
from ledger.events import DisbursementSettled
from ledger.money import format_yuan
from ledger.principles import BANK_MATCHES_ORDER
from ledger.roles import Role
from ledger.scopes import register_key


class SettleDisbursement(Command, frozen=True, kw_only=True):
    """``amount_fen`` as the bank states it, which must be the amount ordered; ``bank_serial`` never seen before.

    What the bank has done is recorded even where the award was stopped after the order: the money has left.
    """

    name: ClassVar[str] = "settle-disbursement"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.CASHIER})
    asks_for_money: ClassVar[bool] = True

    case: str
    disbursement: int
    amount_fen: int
    bank_serial: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from amount_errors(self.amount_fen)
        yield from register_errors("bank_serial", self.bank_serial)

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        disbursement = disbursement_in(
            case, self.disbursement, [DisbursementState.ORDERED], Text("登记到账", "settle it")
        )
        if self.amount_fen != disbursement.amount_fen:
            paid, ordered = format_yuan(self.amount_fen), format_yuan(disbursement.amount_fen)
            raise Refusal(
                "amount-differs-from-order",
                Text(
                    f"银行到账{paid}元与支付令{ordered}元不一致，请与银行核对",
                    f"the bank's {paid} yuan is not the {ordered} yuan ordered; check with the bank",
                ),
                clause=BANK_MATCHES_ORDER,
            )
        settled = DisbursementSettled(
            case=case.number,
            enterprise=case.enterprise,
            disbursement=disbursement.number,
            amount_fen=self.amount_fen,
            bank_serial=register_key(self.bank_serial),
        )
        return Decision(settled, case.policy)
