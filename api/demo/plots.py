"""The cases in which something happens: limits that cut, steps that are refused, money that comes back."""

from __future__ import annotations

from random import Random
from typing import Final

from api.demo.desks import POLICY, Claim, Desks
from api.demo.stories import Stories
from api.demo.timeline import Story
from ledger.causes import Cause
from ledger.commands.approve_award import ApproveAward
from ledger.commands.confirm_stage import ConfirmStage
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.release_award import ReleaseAward
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.return_disbursement import ReturnDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.commands.submit_application import SubmitApplication
from ledger.commands.withdraw_violation import WithdrawViolation
from ledger.money import FEN_PER_YUAN

CUT_BY_LIMIT: Final = "cut-by-limit"
REFUSED_STEPS: Final = "refused-steps"
FULL_CLAWBACK: Final = "full-clawback"
NO_FAULT: Final = "no-fault-recovery"
STAGED: Final = "staged-payment"

_MONTH: Final = 21
"""Working days."""
_MISUSE: Final = "审计抽查：部分研发发票与其他项目重复列支，资助条件不成立"


class Plots(Stories):
    """Every public method is one story. ``shown`` collects case numbers worth a look, by what they show."""

    def __init__(self, desks: Desks, random: Random) -> None:
        super().__init__(desks, random)
        self.shown: dict[str, str] = {}

    # Limits

    def cut_to_what_is_left(self, claim: Claim) -> Story:
        """The yearly limit cuts the award: shown with its steps."""
        case, amount_fen = yield from self.award(claim)
        self.shown[CUT_BY_LIMIT] = case
        yield self.days(3, 8)
        yield from self.pay(case, amount_fen)

    def nothing_left(self, claim: Claim) -> Story:
        """Over the yearly limit: the determination is refused, and then the application."""
        case = yield from self.accepted(claim)
        yield 10
        self.desks.give_in_vain(DetermineAmount(case=case), "reviewer", "limit-exhausted")
        yield 2
        self.refuse(case, "limit-exhausted", "本年度限额已用完，依第五条不予资助")

    def overtaken(self, first: Claim, second: Claim) -> Story:
        """Two sheets on one day, and room for both only apart: the second is refused, and approved for less."""
        first_case, first_fen = yield from self.determined(first)
        second_case, second_fen = yield from self.determined(second)
        yield 10
        self.desks.approve(first_case, first_fen)
        approval = ApproveAward(case=second_case, amount_fen=second_fen)
        self.desks.give_in_vain(approval, "approver", "headroom-moved")
        yield 1
        less_fen = self.desks.determine(second_case)
        yield 2
        self.desks.approve(second_case, less_fen)
        yield from self.pay(first_case, first_fen)

    def too_late(self, claim: Claim) -> Story:
        """A claim for months after the window of 36."""
        case = yield from self.accepted(claim)
        yield 7
        self.desks.give_in_vain(DetermineAmount(case=case), "reviewer", "window-ended")
        yield 1
        self.refuse(case, "window-ended", "三十六个月资助期已满，依第二十二条不予资助")

    def funded_before(self, claim: Claim) -> Story:
        """One certificate, a second application."""
        case = yield from self.accepted(claim)
        yield 9
        self.desks.give_in_vain(DetermineAmount(case=case), "reviewer", "item-already-awarded")
        yield 1
        self.refuse(case, "item-already-awarded", "该注册证已获资助，同一注册证只资助一次")

    def article_without_money(self, claim: Claim) -> Story:
        """An application under article 六: refused at the counter, no case is made."""
        command = SubmitApplication(
            policy=POLICY,
            rule="六",
            enterprise=claim.enterprise.uscc,
            enterprise_name=claim.enterprise.name,
            item=claim.item,
            particulars={},
        )
        self.desks.give_in_vain(command, "intake", "no-money-rule")
        yield 0

    # Steps refused

    def above_the_sheet(self, claim: Claim) -> Story:
        """The approver asks for more than was determined, then approves less, with a reason."""
        case, amount_fen = yield from self.determined(claim)
        yield 11
        more = ApproveAward(case=case, amount_fen=amount_fen + 100_000 * FEN_PER_YUAN)
        self.desks.give_in_vain(more, "approver", "above-determined-amount")
        yield 3
        self.desks.approve(case, amount_fen - 50_000 * FEN_PER_YUAN, "审批会议：核减与产品无直接关系的差旅费用")
        yield 6
        yield from self.pay(case, amount_fen - 50_000 * FEN_PER_YUAN)

    def same_hand(self, claim: Claim) -> Story:
        """Who requested the payment tries to order it too."""
        case, amount_fen = yield from self.award(claim)
        self.shown[REFUSED_STEPS] = case
        yield 4
        too_much = RequestDisbursement(case=case, amount_fen=amount_fen + FEN_PER_YUAN)
        self.desks.give_in_vain(too_much, "finance", "above-award")
        disbursement = self.desks.request(case, amount_fen)
        yield 0
        order = OrderDisbursement(case=case, disbursement=disbursement)
        self.desks.give_in_vain(order, "finance", "same-person")
        yield 1
        self.desks.order(case, disbursement)
        yield 2
        self.desks.settle(case, disbursement, amount_fen)

    def same_serial(self, claim: Claim) -> Story:
        """Two instalments, and the cashier enters the first one's bank serial number for the second."""
        case, amount_fen = yield from self.award(claim)
        first_fen = amount_fen // 2
        yield 4
        first = self.desks.request(case, first_fen)
        self.desks.order(case, first)
        yield 2
        serial = self.desks.settle(case, first, first_fen)
        yield _MONTH
        rest_fen = amount_fen - first_fen
        second = self.desks.request(case, rest_fen)
        self.desks.order(case, second)
        yield 1
        again = SettleDisbursement(case=case, disbursement=second, amount_fen=rest_fen, bank_serial=serial)
        self.desks.give_in_vain(again, "cashier", "bank-serial-used")
        yield 0
        self.desks.settle(case, second, rest_fen)

    def returned_by_the_bank(self, claim: Claim) -> Story:
        """The bank cannot pay: the order is cancelled, and requested anew."""
        case, amount_fen = yield from self.award(claim)
        yield 5
        disbursement = self.desks.request(case, amount_fen)
        self.desks.order(case, disbursement)
        yield 3
        notice = self.desks.numbered("银行退汇")
        returned = ReturnDisbursement(case=case, disbursement=disbursement, reference=notice, reason="收款账号户名不符")
        self.desks.give(returned, "cashier")
        yield 6
        yield from self.pay(case, amount_fen)

    # Payment in stages, and audited costs

    def in_stages(self, claim: Claim, audited_fen: int) -> Story:
        """Paid in three parts; at acceptance the audit finds less, and the difference is released first."""
        case, amount_fen = yield from self.award(claim)
        self.shown[STAGED] = case
        yield 6
        whole = RequestDisbursement(case=case, amount_fen=amount_fen)
        self.desks.give_in_vain(whole, "finance", "stage-not-reached")
        yield from self.pay(case, amount_fen * 2 // 5)
        yield 6 * _MONTH
        self.desks.confirm_stage(case, 2)
        yield 4
        yield from self.pay(case, amount_fen * 3 // 10)
        yield 8 * _MONTH
        accepted = ConfirmStage(case=case, stage=3, audited_fen=audited_fen, reference="演示验收报告")
        self.desks.give_in_vain(accepted, "reviewer", "above-settlement")
        yield 2
        less_fen = amount_fen - audited_fen * 2 // 5
        reason = "验收审计核减总投资"
        release = ReleaseAward(case=case, amount_fen=less_fen, cause=Cause.AUDIT_REDUCTION, reason=reason)
        self.desks.give(release, "approver")
        self.desks.confirm_stage(case, 3, audited_fen)
        yield 5
        yield from self.pay(case, amount_fen - amount_fen * 2 // 5 - amount_fen * 3 // 10 - less_fen)

    def audited(self, claim: Claim) -> Story:
        """Only audited costs are funded: the determination waits for the report."""
        case = yield from self.accepted(claim)
        yield 9
        self.desks.give_in_vain(DetermineAmount(case=case), "reviewer", "audit-report-missing")
        yield 4
        amount_fen = self.desks.determine(case, audit_report=self.desks.numbered("演审"))
        yield 12
        self.desks.approve(case, amount_fen)
        yield 6
        yield from self.pay(case, amount_fen)

    # Money that comes back

    def full_clawback(self, claim: Claim) -> Story:
        """A violation, all of the award ordered back, received in three parts. The limit gets nothing back."""
        case, amount_fen = yield from self.award(claim)
        self.shown[FULL_CLAWBACK] = case
        yield 6
        yield from self.pay(case, amount_fen)
        yield 5 * _MONTH
        self.find_violation(case)
        yield 4
        own = OrderRecovery(case=case, amount_fen=amount_fen, cause=Cause.VIOLATION)
        self.desks.give_in_vain(own, "supervisor", "same-person")
        yield 1
        recovery = self.desks.order_recovery(case, amount_fen, Cause.VIOLATION)
        more = OrderRecovery(case=case, amount_fen=FEN_PER_YUAN, cause=Cause.VIOLATION)
        self.desks.give_in_vain(more, "supervisor2", "above-paid-amount")
        part_fen = amount_fen * 2 // 5
        for received_fen in (part_fen, part_fen, amount_fen - 2 * part_fen):
            yield _MONTH
            self.desks.receive(case, recovery, received_fen)

    def audited_down(self, claim: Claim, reduction_fen: int) -> Story:
        """An audit reduces the award, nobody being at fault: what comes back is room again under the limits."""
        case, amount_fen = yield from self.award(claim)
        self.shown[NO_FAULT] = case
        yield 5
        yield from self.pay(case, amount_fen)
        yield 2 * _MONTH
        recovery = self.desks.order_recovery(case, reduction_fen, Cause.AUDIT_REDUCTION, "legal")
        yield 8
        self.desks.receive(case, recovery, reduction_fen)

    def paid_twice(self, claim: Claim) -> Story:
        """Funded elsewhere already: all of it comes back, and with it the room."""
        case, amount_fen = yield from self.award(claim)
        yield 5
        yield from self.pay(case, amount_fen)
        yield _MONTH
        recovery = self.desks.order_recovery(case, amount_fen, Cause.DUPLICATE)
        yield 10
        self.desks.receive(case, recovery, amount_fen)

    def overdue(self, claim: Claim) -> Story:
        """A violation; a first part comes back, the rest is awaited beyond its day."""
        case, amount_fen = yield from self.award(claim)
        yield 6
        yield from self.pay(case, amount_fen)
        yield 3 * _MONTH
        self.find_violation(case)
        yield 5
        recovery = self.desks.order_recovery(case, amount_fen, Cause.VIOLATION)
        yield 12
        self.desks.receive(case, recovery, amount_fen // 3)

    def stopped(self, claim: Claim) -> Story:
        """A violation is found between two instalments: the second is refused."""
        case, amount_fen = yield from self.award(claim)
        yield 6
        yield from self.pay(case, amount_fen // 2)
        yield _MONTH
        self.find_violation(case)
        yield 1
        second = RequestDisbursement(case=case, amount_fen=amount_fen - amount_fen // 2)
        self.desks.give_in_vain(second, "finance", "step-out-of-order")

    def cleared(self, claim: Claim) -> Story:
        """A finding that proves wrong is withdrawn, and the award is paid."""
        case, amount_fen = yield from self.award(claim)
        yield 6
        self.find_violation(case)
        yield _MONTH
        reason = "企业补充原始凭证，经复核发票未重复列支"
        self.desks.give(WithdrawViolation(case=case, violation=1, reason=reason), "supervisor2")
        yield 4
        yield from self.pay(case, amount_fen)

    def find_violation(self, case: str) -> None:
        document = self.desks.numbered("监检")
        self.desks.give(FindViolation(case=case, reason=_MISUSE, reference=document), "supervisor")
