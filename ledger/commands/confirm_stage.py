"""阶段确认: what makes a stage of an award's payment plan due has come, and acceptance settles the award on the audit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from ledger.casefile import CaseFile
from ledger.commands.command import REFERENCE_LENGTH_MAX, Command, Decision, Facts, amount_errors, text_errors
from ledger.commands.determine_amount import claim_of
from ledger.commands.request_disbursement import require_payable
from ledger.counted import counted
from ledger.errors import FieldError, Malformed, NotFound, OutOfOrder, Refusal, Text
from ledger.events import PaymentPlan, StageConfirmed
from ledger.money import format_yuan
from ledger.policy.terms import Rate, RateArea
from ledger.roles import Role
from ledger.rules import ItemAward, RecognisedWindow, Standing, Step, determine
from ledger.rules.particulars import MONEY_FEN_MOST
from ledger.scopes import Scope

_NOTHING_DUE: Final = {"nothing-to-grant", "other-funding-not-less"}
"""Refusals of a claim that say: on these figures nothing is due."""


class ConfirmStage(Command, frozen=True, kw_only=True):
    """``stage`` is the next one that was not reached yet, counted from 1; the first is reached with the approval.
    ``reference`` is the document that shows it: a progress audit, the acceptance report.

    Where the last stage settles the award on the audit (reading B29) it takes ``audited_fen``, the audited cost. What the
    award then exceeds is released, or recovered without fault, before the stage is confirmed: an approver's and a
    supervisor's step, not the reviewer's.
    """

    name: ClassVar[str] = "confirm-stage"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER})
    asks_for_money: ClassVar[bool] = True

    case: str
    stage: int
    audited_fen: int | None = None

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        if self.reference is None:
            yield from text_errors("reference", self.reference, REFERENCE_LENGTH_MAX, required=True)
        if self.audited_fen is not None:
            yield from amount_errors(self.audited_fen, "audited")
            if self.audited_fen > MONEY_FEN_MOST:
                most = format_yuan(MONEY_FEN_MOST)
                yield FieldError("audited", "too-large", Text(f"不超过{most}元", f"at most {most} yuan"))

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_payable(case, Text("确认阶段", "confirm a stage"))
        plan = _plan_of(case)
        self._require_next(case, plan)
        settlement = self._settlement(case, plan, facts)
        if settlement is not None:
            _require_settled(case, plan, settlement)
        confirmed = StageConfirmed(
            case=case.number,
            enterprise=case.enterprise,
            stage=self.stage,
            audited_fen=self.audited_fen,
            final_fen=settlement.final_fen if settlement else None,
            steps=settlement.steps if settlement else (),
        )
        return Decision(confirmed, case.policy)

    def _require_next(self, case: CaseFile, plan: PaymentPlan) -> None:
        reached = len(case.stages_reached)
        if not 1 <= self.stage <= len(plan.stages):
            raise NotFound(
                Text(
                    f"案卷{case.number}分{len(plan.stages)}个阶段拨付，没有第{self.stage}阶段",
                    f"case {case.number} is paid in {counted(len(plan.stages), 'stage')}; there is no stage {self.stage}",
                )
            )
        if self.stage <= reached:
            on = case.stages_reached[self.stage - 1]
            raise OutOfOrder(
                "stage-already-reached",
                Text(f"第{self.stage}阶段已于{on}达到，无须再确认", f"stage {self.stage} was reached on {on} already"),
                clause=plan.clause,
            )
        if self.stage > reached + 1:
            missing = plan.stages[reached].when
            raise OutOfOrder(
                "stage-out-of-order",
                Text(
                    f"须先确认第{reached + 1}阶段“{missing}”，再确认第{self.stage}阶段",
                    f"stage {reached + 1} (“{missing}”) is to be confirmed before stage {self.stage}",
                ),
                clause=plan.clause,
            )

    def _settlement(self, case: CaseFile, plan: PaymentPlan, facts: Facts) -> _Settlement | None:
        """What the award comes to on the audit; None where this stage does not settle it."""
        stages = facts.pinned_policy(case.policy).rule(case.rule).stages
        settles = stages is not None and stages.settled.value and self.stage == len(plan.stages)
        if settles and self.audited_fen is None:
            raise _audited(
                "missing",
                "最后阶段按审计数结算，请填写审计确认的费用",
                "the last stage settles the award: give the audited cost",
            )
        if not settles and self.audited_fen is not None:
            raise _audited("unexpected", "本阶段不结算，不填审计数", "this stage settles nothing: leave it out")
        return _settled_on(case, self.audited_fen, facts) if self.audited_fen is not None else None


@dataclass(frozen=True, slots=True)
class _Settlement:
    """What is due at most on the audited cost, and how it was computed."""

    audited_fen: int
    final_fen: int
    steps: tuple[Step, ...]


class _WithoutOwn:
    """What was granted before, this award left out: it is computed again, and must not stand in its own way."""

    def __init__(self, standing: Standing, case: CaseFile) -> None:
        self._standing, self._case = standing, case.number
        self._own_fen = {draw.scope: draw.amount_fen for draw in case.drawn}

    def used_fen(self, scope: Scope) -> int:
        return self._standing.used_fen(scope) - self._own_fen.get(scope.key, 0)

    def item_awards(self, scope: Scope) -> Sequence[ItemAward]:
        return [award for award in self._standing.item_awards(scope) if award.case != self._case]

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return self._standing.window(scope)


def _settled_on(case: CaseFile, audited_fen: int, facts: Facts) -> _Settlement:
    """The same law as at the approval, on the audited cost; never above what is awarded.

    A reading that was switched since counts for decisions to come, and not for what was granted before.
    """
    policy = facts.policy_as_approved(case)
    terms = policy.rule(case.rule).terms
    assert isinstance(terms, Rate | RateArea), "the loader gives every rule that settles a basis"
    assert case.determination is not None and case.approval is not None
    stated = {**case.determination.particulars, terms.basis: format_yuan(audited_fen)}
    claim = claim_of(case, policy, stated, case.approval.cap_year, facts)
    try:
        due = determine(claim, _WithoutOwn(facts.standing(), case))
    except Refusal as refusal:
        if refusal.code not in _NOTHING_DUE:
            raise
        return _Settlement(audited_fen, 0, ())
    return _Settlement(audited_fen, min(due.amount_fen, case.awarded_fen), due.steps)


def _require_settled(case: CaseFile, plan: PaymentPlan, settlement: _Settlement) -> None:
    """Raise while more is awarded, net of what came back, than is due on the audit; tell what to release and recover."""
    excess_fen = case.kept_fen - settlement.final_fen
    if excess_fen <= 0:
        return
    release_fen = min(excess_fen, case.uncommitted_fen)
    recover_fen = excess_fen - release_fen
    audited, final, excess, release, recover = (
        format_yuan(fen) for fen in (settlement.audited_fen, settlement.final_fen, excess_fen, release_fen, recover_fen)
    )
    todo = []
    if release_fen:
        todo.append(Text(f"释放{release}元", f"release {release} yuan"))
    if recover_fen and case.committed_fen > case.settled_fen:
        # What is not paid yet need not be recovered: it may still be cancelled, and then released.
        todo.append(Text("取消或办结尚未到账的拨付", "cancel or settle the disbursements in hand"))
    elif recover_fen:
        todo.append(Text(f"追缴{recover}元", f"recover {recover} yuan"))
    raise Refusal(
        "above-settlement",
        Text(
            f"按审计确认的{audited}元，依第{plan.clause}条结算为{final}元，资助额尚多出{excess}元；"
            f"请以“审计核减”为由{'、'.join(its.zh for its in todo)}，再确认本阶段",
            f"on the audited {audited} yuan article {plan.clause} gives {final}; {excess} yuan too much are awarded: "
            f"{', '.join(its.en for its in todo)}, for the cause audit-reduction, and then confirm the stage",
        ),
        clause=plan.clause,
    )


def _plan_of(case: CaseFile) -> PaymentPlan:
    if (plan := case.payment_plan) is None:
        raise OutOfOrder(
            "no-stages",
            Text(
                f"案卷{case.number}的资助不分阶段拨付，无须确认阶段",
                f"the award of case {case.number} is not paid in stages; there is none to confirm",
            ),
        )
    return plan


def _audited(code: str, zh: str, en: str) -> Malformed:
    return Malformed([FieldError("audited", code, Text(zh, en))])
