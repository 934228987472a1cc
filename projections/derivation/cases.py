"""Each case by itself: one step after another, each naming the one before, and sums that never pass each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from ledger.causes import Cause
from ledger.money import format_yuan
from ledger.policy.model import Pin
from projections.derivation.fields import Complaints, Envelope, Payload, PaymentPlan
from projections.derivation.stages import due_fen, is_sound


class Phase(IntEnum):
    SUBMITTED = 0
    ACCEPTED = 1
    DETERMINED = 2
    APPROVED = 3
    CLOSED = 4


REQUESTED, ORDERED, SETTLED, CANCELLED = "requested", "ordered", "settled", "cancelled"


@dataclass(slots=True)
class Recovery:
    amount_fen: int
    restores: bool
    received_fen: int = 0


@dataclass(slots=True)
class Case:
    """What one case came to. ``drawn`` is what its award draws, by limit and scope; ``bound_fen`` is requested, ordered or
    settled. ``limits`` are those that its amount was determined under."""

    enterprise: str | None
    policy: Pin | None
    rule: str
    item: str
    first_id: str
    last_id: str = ""
    effective_on: str = ""
    phase: Phase = Phase.SUBMITTED
    determined_fen: int = 0
    limits: frozenset[str] = frozenset()
    approved_fen: int = 0
    released_fen: int = 0
    bound_fen: int = 0
    paid_fen: int = 0
    claimed_fen: int = 0
    recovered_fen: int = 0
    drawn: dict[tuple[str, str], int] = field(default_factory=dict)
    budget_scope: str = ""
    window_scope: str | None = None
    plan: PaymentPlan | None = None
    stages_reached: int = 0
    payments: list[tuple[str, int]] = field(default_factory=list)
    violations: list[bool] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)

    @property
    def award_fen(self) -> int:
        return self.approved_fen - self.released_fen

    @property
    def stopped(self) -> bool:
        """Whether no money may move toward the enterprise."""
        return any(self.violations) or any(one.amount_fen > one.received_fen for one in self.recoveries)


class Cases:
    """Folds every step of every case. :meth:`apply` gives the case an event belongs to, as it is after the event."""

    def __init__(self, complaints: Complaints) -> None:
        self.of: dict[str, Case] = {}
        self._say = complaints.say
        self._steps: Final[dict[str, Callable[[Case, Payload], None]]] = {
            "application-accepted": self._accepted,
            "application-refused": self._closed,
            "application-withdrawn": self._closed,
            "amount-determined": self._determined,
            "award-approved": self._approved,
            "award-released": self._released,
            "stage-confirmed": self._stage_confirmed,
            "disbursement-requested": self._requested,
            "disbursement-ordered": self._ordered,
            "disbursement-settled": self._settled,
            "disbursement-cancelled": self._cancelled,
            "disbursement-returned": self._sent_back,
            "violation-found": self._violation_found,
            "violation-withdrawn": self._violation_withdrawn,
            "recovery-ordered": self._recovery_ordered,
            "recovery-received": self._recovery_received,
            "recovery-cancelled": self._recovery_cancelled,
        }

    def apply(self, type_name: str, envelope: Envelope, payload: Payload) -> Case | None:
        number = payload.case
        if type_name == "command-refused":
            self._hangs_on(self.of.get(number or ""), envelope)
            return None
        if type_name == "application-submitted":
            return self._submitted(number or "", envelope, payload)
        step = self._steps.get(type_name)
        if number is None:
            if envelope.causation_id is not None or envelope.correlation_id != envelope.event_id:
                self._say(
                    "chain-broken", "不属于任何案卷，却引用了前一事件", "it is of no case, and names an event before it"
                )
            return None
        case = self.of.get(number)
        if case is None:
            self._say("no-such-case", f"案卷{number}没有申报记录", f"case {number} has no application")
            return None
        self._follows(case, envelope, payload)
        if step is not None:
            step(case, payload)
        case.last_id, case.effective_on = envelope.event_id, envelope.effective_on
        return case

    # The chain

    def _submitted(self, number: str, envelope: Envelope, payload: Payload) -> Case:
        if number in self.of:
            self._say("case-twice", f"案卷{number}已存在", f"case {number} exists already")
        if envelope.causation_id is not None or envelope.correlation_id != envelope.event_id:
            self._say("chain-broken", "首个事件不应引用前一事件", "the first event of a case names no event before it")
        case = Case(payload.enterprise, envelope.policy, payload.rule, payload.item, envelope.event_id)
        case.last_id, case.effective_on = envelope.event_id, envelope.effective_on
        self.of[number] = case
        return case

    def _follows(self, case: Case, envelope: Envelope, payload: Payload) -> None:
        if envelope.causation_id != case.last_id or envelope.correlation_id != case.first_id:
            self._say(
                "chain-broken",
                f"所引用的前一事件为{envelope.causation_id}，案卷中的前一事件为{case.last_id}",
                f"it names {envelope.causation_id} as the event before it; the case's last is {case.last_id}",
            )
        if envelope.effective_on < case.effective_on:
            self._say(
                "effective-backwards",
                f"业务日期{envelope.effective_on}早于上一步的{case.effective_on}",
                f"its date, {envelope.effective_on}, is before that of the case's last step, {case.effective_on}",
            )
        if payload.enterprise != case.enterprise or envelope.policy != case.policy:
            self._say(
                "another-matter", "企业或政策版本与申报不符", "its enterprise or policy is not that of the application"
            )

    def _hangs_on(self, case: Case | None, envelope: Envelope) -> None:
        expected = (None, envelope.event_id) if case is None else (case.last_id, case.first_id)
        if (envelope.causation_id, envelope.correlation_id) != expected:
            self._say("chain-broken", "所引用的前一事件不符", "the event it names as the one before it is another")

    def _in_phase(self, case: Case, *phases: Phase) -> None:
        if case.phase not in phases:
            self._say(
                "out-of-order", "此步骤与案卷当时的状态不符", "this step does not follow from where the case stood"
            )

    def _above_zero(self, amount_fen: int) -> None:
        if amount_fen <= 0:
            self._say("not-positive", "金额不大于零", "its amount is not above zero")

    def _within(self, amount_fen: int, most_fen: int, zh: str, en: str) -> None:
        """``zh`` and ``en`` tell what the amount is measured against."""
        self._above_zero(amount_fen)
        if amount_fen > most_fen:
            amount, most = format_yuan(amount_fen), format_yuan(most_fen)
            self._say("sum-exceeded", f"{amount}元超过{zh}{most}元", f"{amount} yuan is above {en}, {most}")

    # The steps

    def _accepted(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.SUBMITTED)
        case.phase = Phase.ACCEPTED

    def _closed(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.SUBMITTED, Phase.ACCEPTED, Phase.DETERMINED)
        case.phase = Phase.CLOSED

    def _determined(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.ACCEPTED, Phase.DETERMINED)
        self._above_zero(payload.amount_fen)
        case.phase, case.determined_fen = Phase.DETERMINED, payload.amount_fen
        case.limits = frozenset(room.limit for room in payload.headroom)

    def _approved(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.DETERMINED)
        self._within(payload.amount_fen, case.determined_fen, "核定金额", "what was determined")
        if payload.determined_fen != case.determined_fen:
            self._say("not-determined", "所写核定金额与核定记录不符", "the amount it calls determined was not")
        if (payload.rule, payload.item) != (case.rule, case.item):
            self._say("another-matter", "规则或对象与申报不符", "its rule or item is not that of the application")
        case.phase, case.approved_fen, case.budget_scope = Phase.APPROVED, payload.amount_fen, payload.budget_scope
        case.window_scope = payload.window_scope
        for draw in payload.draws:
            case.drawn[draw.limit, draw.scope] = case.drawn.get((draw.limit, draw.scope), 0) + draw.amount_fen

        if (plan := payload.payment_plan) is not None:
            case.plan, case.stages_reached = plan, 1
            if not is_sound(plan):
                self._say("plan-unsound", "拨付阶段的比例之和不是100%", "the shares of its stages are not the whole")

    def _stage_confirmed(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.APPROVED)
        self._may_be_paid(case)
        stages = len(case.plan.stages) if case.plan is not None else 0
        if payload.stage != case.stages_reached + 1 or payload.stage > stages:
            self._say("out-of-order", "不是下一个拨付阶段", "it is not the next stage of the payment plan")
        case.stages_reached += 1
        if payload.final_fen is not None and case.award_fen - case.recovered_fen > payload.final_fen:
            self._say("sum-exceeded", "资助额高于按审计数结算的金额", "more is awarded than was due on the audit")

    def _released(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.APPROVED)
        self._within(payload.amount_fen, case.award_fen - case.bound_fen, "可释放的", "what may still be released")
        case.released_fen += payload.amount_fen
        self._gives_back(case, payload, restores=bool(payload.draws))

    def _gives_back(self, case: Case, payload: Payload, *, restores: bool) -> None:
        """Under every limit the same sum goes back: all of the amount, or nothing."""
        expected_fen = payload.amount_fen if restores else 0
        returned: dict[str, int] = {limit: 0 for limit, _ in case.drawn}
        for draw in payload.draws:
            place = (draw.limit, draw.scope)
            returned[draw.limit] = returned.get(draw.limit, 0) + draw.amount_fen
            case.drawn[place] = case.drawn.get(place, 0) - draw.amount_fen
            if case.drawn[place] < 0 or draw.amount_fen <= 0:
                self._say(
                    "gives-back-more",
                    f"归还{draw.scope}的额度多于占用",
                    f"gives back more to {draw.scope} than it drew",
                )
        if any(fen != expected_fen for fen in returned.values()):
            self._say(
                "gives-back-wrong",
                "归还限额的金额与事由不符",
                "what the limits get back is not what its cause gives them",
            )
        if payload.budget_scope != case.budget_scope:
            self._say("another-matter", "预算年度与审批不符", "its budget is not that of the approval")
        drawn, returned_any = any(case.drawn.values()), expected_fen > 0
        if payload.window_scope != (None if drawn else case.window_scope) and (drawn or returned_any):
            self._say("gives-back-wrong", "资助期的归还有误", "the months of its window are given back wrongly")

    def _requested(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.APPROVED)
        self._may_be_paid(case)
        due = due_fen(case.plan, case.stages_reached, case.award_fen)
        self._within(payload.amount_fen, due - case.bound_fen, "可申请的", "what may be requested by then")
        if payload.disbursement != len(case.payments) + 1:
            self._say("out-of-order", "拨付的编号不连续", "disbursements are not numbered one after another")
        case.payments.append((REQUESTED, payload.amount_fen))
        case.bound_fen += payload.amount_fen

    def _may_be_paid(self, case: Case) -> None:
        if case.stopped:
            self._say(
                "paid-while-stopped", "存在违规认定或未收回的追缴，应停止拨付", "a violation or recovery stops payment"
            )

    def _moves(self, case: Case, payload: Payload, allowed: tuple[str, ...], state: str) -> None:
        at = payload.disbursement - 1
        here, amount_fen = case.payments[at] if 0 <= at < len(case.payments) else ("", 0)
        if here not in allowed:
            self._say(
                "out-of-order",
                "此步骤与该笔拨付当时的状态不符",
                "the step does not follow from where the disbursement stood",
            )
        elif amount_fen != payload.amount_fen:
            self._say("amount-differs", "金额与拨付申请不符", "its amount is not the one requested")
        if here:
            case.payments[at] = (state, amount_fen)

    def _ordered(self, case: Case, payload: Payload) -> None:
        self._may_be_paid(case)
        self._moves(case, payload, (REQUESTED,), ORDERED)

    def _settled(self, case: Case, payload: Payload) -> None:
        self._moves(case, payload, (ORDERED,), SETTLED)
        self._within(
            payload.amount_fen, case.award_fen - case.paid_fen, "尚未拨付的", "what was not paid yet of the award"
        )
        case.paid_fen += payload.amount_fen

    def _cancelled(self, case: Case, payload: Payload) -> None:
        self._moves(case, payload, (REQUESTED, ORDERED), CANCELLED)
        case.bound_fen -= payload.amount_fen

    def _sent_back(self, case: Case, payload: Payload) -> None:
        self._moves(case, payload, (ORDERED,), CANCELLED)
        case.bound_fen -= payload.amount_fen

    def _violation_found(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.APPROVED)
        if payload.violation != len(case.violations) + 1:
            self._say("out-of-order", "违规认定的编号不连续", "violations are not numbered one after another")
        case.violations.append(True)

    def _violation_withdrawn(self, case: Case, payload: Payload) -> None:
        at = payload.violation - 1
        if not (0 <= at < len(case.violations) and case.violations[at]):
            self._say("out-of-order", "没有可撤销的违规认定", "there is no such violation to withdraw")
        else:
            case.violations[at] = False

    def _recovery_ordered(self, case: Case, payload: Payload) -> None:
        self._in_phase(case, Phase.APPROVED)
        self._within(
            payload.amount_fen, case.paid_fen - case.claimed_fen, "可追缴的", "what was paid and may be recovered"
        )
        if payload.recovery != len(case.recoveries) + 1:
            self._say("out-of-order", "追缴的编号不连续", "recoveries are not numbered one after another")
        if payload.cause == Cause.VIOLATION and not any(case.violations):
            self._say("out-of-order", "以违规为由追缴，但无违规认定", "recovered for a violation that was not found")
        case.recoveries.append(Recovery(payload.amount_fen, payload.restores_headroom))
        case.claimed_fen += payload.amount_fen

    def _recovery(self, case: Case, payload: Payload) -> Recovery:
        at = payload.recovery - 1
        if 0 <= at < len(case.recoveries):
            return case.recoveries[at]
        self._say("out-of-order", "没有该项追缴", "there is no such recovery")
        return Recovery(0, False)

    def _recovery_received(self, case: Case, payload: Payload) -> None:
        recovery = self._recovery(case, payload)
        self._within(payload.amount_fen, recovery.amount_fen - recovery.received_fen, "尚欠的", "what is outstanding")
        recovery.received_fen += payload.amount_fen
        case.recovered_fen += payload.amount_fen
        if case.recovered_fen > case.paid_fen:
            self._say("sum-exceeded", "追回多于拨付", "more was recovered than was paid")
        self._gives_back(case, payload, restores=recovery.restores)

    def _recovery_cancelled(self, case: Case, payload: Payload) -> None:
        recovery = self._recovery(case, payload)
        if payload.amount_fen != recovery.amount_fen - recovery.received_fen or payload.amount_fen <= 0:
            self._say("amount-differs", "撤销金额不是尚欠的金额", "what it cancels is not what was outstanding")
        recovery.amount_fen -= payload.amount_fen
        case.claimed_fen -= payload.amount_fen
