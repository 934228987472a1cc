"""拨付申请: the first of the three hands through which every payment goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import PAYABLE, CaseFile
from ledger.commands.command import Command, Decision, Facts, amount_errors, require_state
from ledger.errors import FieldError, Refusal, Text
from ledger.events import DisbursementRequested
from ledger.money import format_yuan
from ledger.principles import PAID_WITHIN_AWARD
from ledger.roles import Role


class RequestDisbursement(Command, frozen=True, kw_only=True):
    """``amount_fen`` at most what of the award is not requested or paid yet, and of its stages that were reached."""

    name: ClassVar[str] = "request-disbursement"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE})
    asks_for_money: ClassVar[bool] = True

    case: str
    amount_fen: int

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from amount_errors(self.amount_fen)

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_payable(case, Text("申请拨付", "request a disbursement"))
        if self.amount_fen > case.uncommitted_fen:
            raise _above_award(case, self.amount_fen)
        if self.amount_fen > case.requestable_fen:
            raise _stage_not_reached(case, self.amount_fen)
        requested = DisbursementRequested(
            case=case.number,
            enterprise=case.enterprise,
            disbursement=len(case.disbursements) + 1,
            amount_fen=self.amount_fen,
        )
        return Decision(requested, case.policy)


def require_payable(case: CaseFile, step: Text) -> None:
    """Raise unless money of this award may move toward the enterprise: no open violation or recovery."""
    require_state(case, PAYABLE, step)


def _above_award(case: CaseFile, asked_fen: int) -> Refusal:
    asked, left, award = (format_yuan(fen) for fen in (asked_fen, case.uncommitted_fen, case.awarded_fen))
    return Refusal(
        "above-award",
        Text(
            f"申请拨付{asked}元，超过可申请的{left}元（资助额{award}元，其余已申请或已拨付）",
            f"{asked} yuan is above the {left} yuan that may still be requested of the award of {award}",
        ),
        clause=PAID_WITHIN_AWARD,
    )


def _stage_not_reached(case: CaseFile, asked_fen: int) -> Refusal:
    plan = case.payment_plan
    assert plan is not None and len(case.stages_reached) < len(plan.stages), "only a stage holds an award back"
    missing = case.stages[len(case.stages_reached)]
    asked, now = format_yuan(asked_fen), format_yuan(case.requestable_fen)
    return Refusal(
        "stage-not-reached",
        Text(
            f"依第{plan.clause}条分阶段拨付：第{missing.number}阶段“{missing.when}”尚未确认，"
            f"现在至多可申请{now}元，不能申请{asked}元；该阶段达到后请先确认",
            f"article {plan.clause} pays in stages: stage {missing.number} (“{missing.when}”) is not confirmed yet, so "
            f"{now} yuan may be requested now, not {asked}; confirm the stage first",
        ),
        clause=plan.clause,
    )
