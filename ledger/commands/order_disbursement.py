"""支付令: a second person orders what the first requested."""

from __future__ import annotations

from typing import ClassVar

from ledger.casefile import CaseFile, Disbursement, DisbursementState
from ledger.commands.command import Command, Decision, Facts
from ledger.commands.request_disbursement import require_payable
from ledger.errors import NotFound, OutOfOrder, Text
from ledger.events import DisbursementOrdered
from ledger.roles import Role


class OrderDisbursement(Command, frozen=True, kw_only=True):
    """``disbursement`` is its number within the award; ``reference`` the voucher."""

    name: ClassVar[str] = "order-disbursement"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE})
    asks_for_money: ClassVar[bool] = True

    case: str
    disbursement: int

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_payable(case, Text("下达支付令", "order a disbursement"))
        disbursement = disbursement_in(
            case, self.disbursement, [DisbursementState.REQUESTED], Text("下达支付令", "order it")
        )
        ordered = DisbursementOrdered(
            case=case.number,
            enterprise=case.enterprise,
            disbursement=disbursement.number,
            amount_fen=disbursement.amount_fen,
        )
        return Decision(ordered, case.policy)


_STATE_NAMES = {
    DisbursementState.REQUESTED: Text("已申请", "requested"),
    DisbursementState.ORDERED: Text("已下达支付令", "ordered"),
    DisbursementState.SETTLED: Text("已到账", "settled"),
    DisbursementState.CANCELLED: Text("已取消", "cancelled"),
    DisbursementState.RETURNED: Text("已被银行退回", "returned by the bank"),
}


def disbursement_in(case: CaseFile, number: int, allowed: list[DisbursementState], step: Text) -> Disbursement:
    """The disbursement with that number, if ``step`` may follow from where it stands."""
    disbursement = case.disbursements.get(number)
    if disbursement is None:
        raise NotFound(
            Text(f"案卷{case.number}没有第{number}笔拨付", f"case {case.number} has no disbursement {number}")
        )
    if disbursement.state not in allowed:
        here = _STATE_NAMES[disbursement.state]
        raise OutOfOrder(
            "step-out-of-order",
            Text(
                f"第{number}笔拨付{here.zh}，不能{step.zh}",
                f"disbursement {number} is {here.en}, so one cannot {step.en}",
            ),
        )
    return disbursement
