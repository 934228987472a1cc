"""追回到账: money comes back, in part or whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import CaseFile, Recovery
from ledger.commands.command import Command, Decision, Facts, amount_errors, register_errors
from ledger.commands.release_award import drawn_under_each_limit, freed_window
from ledger.draws import part_of
from ledger.errors import FieldError, NotFound, Refusal, Text
from ledger.events import RecoveryReceived
from ledger.money import format_yuan
from ledger.principles import RECEIVED_WITHIN_ORDER
from ledger.roles import Role
from ledger.scopes import register_key


class ReceiveRecovery(Command, frozen=True, kw_only=True):
    """``amount_fen`` at most what the order still awaits; ``bank_serial`` never seen before."""

    name: ClassVar[str] = "receive-recovery"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.CASHIER})
    asks_for_money: ClassVar[bool] = True

    case: str
    recovery: int
    amount_fen: int
    bank_serial: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from amount_errors(self.amount_fen)
        yield from register_errors("bank_serial", self.bank_serial)

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        recovery = recovery_in(case, self.recovery)
        if self.amount_fen > recovery.outstanding_fen:
            got, due = format_yuan(self.amount_fen), format_yuan(recovery.outstanding_fen)
            raise Refusal(
                "above-outstanding-amount",
                Text(
                    f"到账{got}元超过第{recovery.number}项追缴尚欠的{due}元，请核对后退回多缴部分",
                    f"{got} yuan is above the {due} yuan that recovery {recovery.number} still awaits",
                ),
                clause=RECEIVED_WITHIN_ORDER,
            )
        return Decision(self._received(case, recovery), case.policy)

    def _received(self, case: CaseFile, recovery: Recovery) -> RecoveryReceived:
        returned_fen = self.amount_fen if recovery.restores_headroom else 0
        return RecoveryReceived(
            case=case.number,
            enterprise=case.enterprise,
            recovery=recovery.number,
            amount_fen=self.amount_fen,
            bank_serial=register_key(self.bank_serial),
            draws=part_of(case.drawn, returned_fen, drawn_under_each_limit(case)),
            budget_scope=case.budget_scope,
            window_scope=freed_window(case, returned_fen),
        )


def recovery_in(case: CaseFile, number: int) -> Recovery:
    recovery = case.recoveries.get(number)
    if recovery is None:
        raise NotFound(Text(f"案卷{case.number}没有第{number}项追缴", f"case {case.number} has no recovery {number}"))
    return recovery
