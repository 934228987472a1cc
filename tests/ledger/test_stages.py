"""Staged payment: what may be requested follows from the stages that were reached, and acceptance settles on the audit."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.commands.approve_award import ApproveAward
from ledger.commands.cancel_disbursement import CancelDisbursement
from ledger.commands.confirm_stage import ConfirmStage
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.grant_role import GrantRole
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.commands.release_award import ReleaseAward
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.return_disbursement import ReturnDisbursement
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import LedgerError, Malformed, Refusal
from ledger.events import CommandRefused, PaymentPlan, PlannedStage, StageConfirmed
from ledger.policy import BUILT_IN, PolicyRegistry
from ledger.roles import SYSTEM
from ledger.stages import parts_fen, stages_of
from tests.office import ENTERPRISE, POLICY, Office

WAN = 1_000_000
AWARD = 1_000 * WAN
"""40 % of 2500万元: stages of 400, 300 and 300万元."""


def staged(office: Office, total_investment: str = "25000000.00", item: str = "国产大型影像装备量产") -> str:
    return office.approved(item, rule="3.2", total_investment=total_investment)


def confirm(office: Office, case: str, stage: int, **more: Any) -> None:
    stated = {"reference": f"验收报告〔2026〕{stage}号"} | more
    office.give(ConfirmStage(case=case, stage=stage, **stated), "reviewer")


def request(office: Office, case: str, amount_fen: int) -> None:
    office.give(RequestDisbursement(case=case, amount_fen=amount_fen), "finance")


def refusal_of(office: Office, case: str, amount_fen: int) -> Refusal:
    with pytest.raises(Refusal) as raised:
        request(office, case, amount_fen)
    return raised.value


def code_of(confirming: Any) -> str:
    with pytest.raises(LedgerError) as raised:
        confirming()
    return raised.value.code


# What may be requested


def test_an_award_whose_stages_are_not_required_is_paid_at_once(tmp_path: Path) -> None:
    text = (BUILT_IN / POLICY / "1.toml").read_text(encoding="utf-8")
    (tmp_path / POLICY).mkdir()
    (tmp_path / POLICY / "1.toml").write_text(text.replace("required = true", "required = false"), encoding="utf-8")
    office = Office(tmp_path)
    office.policies = PolicyRegistry.load([tmp_path])
    office.ledger = office.reopen()
    case = staged(office)
    request(office, case, AWARD)
    assert office.reader.case(case).payment_plan is None
    office.close()


def test_the_whole_award_is_paid_at_the_first_stage(office: Office) -> None:
    case = staged(office)
    refusal = refusal_of(office, case, 400 * WAN + 1)
    assert (refusal.code, refusal.clause) == ("stage-not-reached", "三")
    assert "第2阶段“完成项目总投资的40%”" in refusal.text.zh
    assert "4000000.00元" in refusal.text.zh
    assert "4000000.00 yuan" in refusal.text.en
    recorded = office.reader.events(office.head() - 1, 1)[0].event
    assert isinstance(recorded, CommandRefused)
    assert (recorded.code, recorded.asked_fen) == ("stage-not-reached", 400 * WAN + 1)
    request(office, case, 400 * WAN)


def test_a_stage_that_was_confirmed_opens_no_more_than_its_part(office: Office) -> None:
    case = staged(office)
    office.pay(case, 400 * WAN, "银行-1")
    confirm(office, case, 2)
    assert "至多可申请3000000.00元" in refusal_of(office, case, 300 * WAN + 1).text.zh
    office.pay(case, 300 * WAN, "银行-2")
    assert refusal_of(office, case, 1).code == "stage-not-reached"
    confirm(office, case, 3, audited_fen=2_500 * WAN)
    assert refusal_of(office, case, 300 * WAN + 1).code == "above-award"
    office.pay(case, 300 * WAN, "银行-3")
    assert office.reader.case(case).state == "paid"


def test_what_was_cancelled_or_returned_may_be_requested_again(office: Office) -> None:
    case = staged(office)
    request(office, case, 400 * WAN)
    office.give(CancelDisbursement(case=case, disbursement=1, reason="账户有误"), "finance2")
    request(office, case, 400 * WAN)
    office.give(OrderDisbursement(case=case, disbursement=2), "finance2")
    office.give(ReturnDisbursement(case=case, disbursement=2, reference="退汇1", reason="户名不符"), "cashier")
    assert refusal_of(office, case, 400 * WAN + 1).code == "stage-not-reached"
    request(office, case, 400 * WAN)


def test_an_odd_award_loses_or_makes_up_a_fen_over_its_stages(office: Office) -> None:
    """1,000,001.00 yuan: 400,000 (down from .40), 300,000 (down from .30), and the rest."""
    case = staged(office, "2500002.50")
    shown = office.reader.case(case).stages
    assert [stage.amount_fen for stage in shown] == [40_000_000, 30_000_000, 30_000_100]
    assert [stage.share_ppm for stage in shown] == [400_000, 300_000, 300_000]


def test_a_released_part_does_not_lower_the_stages_or_stays_with_the_last(office: Office) -> None:
    case = staged(office)
    office.pay(case, 300 * WAN, "银行-1")
    office.give(ReleaseAward(case=case, amount_fen=200 * WAN, cause="withdrawal"), "approver")
    file = office.reader.case(case)
    assert [stage.amount_fen for stage in file.stages] == [320 * WAN, 240 * WAN, 240 * WAN]
    assert file.requestable_fen == 20 * WAN
    office.give(ReleaseAward(case=case, amount_fen=200 * WAN, cause="withdrawal"), "approver")
    file = office.reader.case(case)
    assert (file.stages[0].amount_fen, file.requestable_fen) == (240 * WAN, 0)
    assert "至多可申请0.00元" in refusal_of(office, case, 1).text.zh
    confirm(office, case, 2)
    assert office.reader.case(case).requestable_fen == 120 * WAN


def test_what_was_paid_is_shown_at_the_wrong_stage(office: Office) -> None:
    case = staged(office)
    office.pay(case, 400 * WAN, "银行-1")
    confirm(office, case, 2)
    office.pay(case, 100 * WAN, "银行-2")
    shown = office.reader.case(case).stages
    assert [(stage.number, stage.paid_fen, stage.reached_on is not None) for stage in shown] == [
        (1, 400 * WAN, True), (2, 100 * WAN, True), (3, 0, False),
    ]  # fmt: skip


def test_an_award_without_stages_is_held_up(office: Office) -> None:
    case = office.approved("甲")
    assert office.reader.case(case).stages == ()
    request(office, case, 600_000_000)


# Confirming a stage


@pytest.mark.parametrize(
    ("stage", "code"), [(1, "stage-already-reached"), (3, "stage-out-of-order"), (4, "not-found"), (0, "not-found")]
)
def test_a_stage_is_confirmed_out_of_order(office: Office, stage: int, code: str) -> None:
    case = staged(office)
    assert code_of(lambda: confirm(office, case, stage, audited_fen=2_500 * WAN if stage == 3 else None)) == code
    assert len([s for s in office.reader.case(case).stages if s.reached_on]) == 1


def test_a_stage_is_confirmed_twice(office: Office) -> None:
    case = staged(office)
    confirm(office, case, 2)
    assert code_of(lambda: confirm(office, case, 2)) == "stage-already-reached"


def test_a_stage_is_confirmed_of_an_award_that_has_none_or_of_none_at_all(office: Office) -> None:
    case = office.approved("甲")
    assert code_of(lambda: confirm(office, case, 2)) == "no-stages"
    waiting = office.determined("装备", rule="3.2", total_investment="25000000.00")
    assert code_of(lambda: confirm(office, waiting, 2)) == "step-out-of-order"


def test_a_stage_is_confirmed_while_payment_is_stopped(office: Office) -> None:
    case = staged(office)
    office.pay(case, 400 * WAN, "银行-1")
    office.give(FindViolation(case=case, reason="挪用"), "supervisor")
    assert code_of(lambda: confirm(office, case, 2)) == "step-out-of-order"
    office.claw_back(case, 400 * WAN)
    assert code_of(lambda: confirm(office, case, 2)) == "step-out-of-order"


def test_a_stage_is_confirmed_without_a_document_or_by_anybody(office: Office) -> None:
    case = staged(office)
    with pytest.raises(Malformed, match="reference"):
        confirm(office, case, 2, reference=None)
    assert code_of(lambda: office.give(ConfirmStage(case=case, stage=2, reference="1号"), "finance")) == "role-required"


def test_who_confirmed_a_stage_also_requests_orders_or_approves(office: Office) -> None:
    for role in ("reviewer", "finance", "approver"):
        office.give(GrantRole(person="all", role=role), SYSTEM)
    case = staged(office)
    office.give(ConfirmStage(case=case, stage=2, reference="1号"), "all")
    assert code_of(lambda: office.give(RequestDisbursement(case=case, amount_fen=1), "all")) == "same-person"
    request(office, case, 1)
    assert code_of(lambda: office.give(OrderDisbursement(case=case, disbursement=1), "all")) == "same-person"
    other = office.determined("另一装备", rule="3.2", total_investment="25000000.00")
    amount_fen = 1_000 * WAN
    office.give(ApproveAward(case=other, amount_fen=amount_fen), "all")
    confirming = ConfirmStage(case=other, stage=2, reference="1号")
    assert code_of(lambda: office.give(confirming, "all")) == "same-person"


# Settlement at acceptance (reading B29)


def at_acceptance(office: Office, paid_wan: int = 700) -> str:
    case = staged(office)
    confirm(office, case, 2)
    if paid_wan:
        office.pay(case, paid_wan * WAN, "银行-1")
    return case


def test_acceptance_goes_without_the_audited_investment(office: Office) -> None:
    case = at_acceptance(office)
    with pytest.raises(Malformed) as raised:
        confirm(office, case, 3)
    assert [(error.field, error.code) for error in raised.value.errors] == [("audited", "missing")]
    for wrong in (0, -1, 10**15):
        with pytest.raises(Malformed):
            confirm(office, case, 3, audited_fen=wrong)


def test_an_earlier_stage_takes_an_audited_investment(office: Office) -> None:
    case = staged(office)
    with pytest.raises(Malformed, match="audited"):
        confirm(office, case, 2, audited_fen=2_500 * WAN)


@pytest.mark.parametrize(
    ("audited_fen", "final_fen"), [(2_500 * WAN, AWARD), (2_500 * WAN + 1, AWARD), (9_999 * WAN, AWARD)]
)
def test_an_audit_that_confirms_the_investment_lowers_or_raises_the_award(
    office: Office, audited_fen: int, final_fen: int
) -> None:
    case = at_acceptance(office)
    confirm(office, case, 3, audited_fen=audited_fen)
    settled = office.reader.events(office.head() - 1, 1)[0].event
    assert isinstance(settled, StageConfirmed)
    assert (settled.audited_fen, settled.final_fen) == (audited_fen, final_fen)
    assert settled.steps[0].step == "rate"
    assert office.reader.case(case).requestable_fen == 300 * WAN


def test_a_lower_audit_is_accepted_before_the_difference_is_released(office: Office) -> None:
    """One fen less of investment: 40 % is 9,999,999.996, down to 9,999,999 yuan; one yuan is to be released."""
    case = at_acceptance(office)
    audited_fen = 2_500 * WAN - 1
    with pytest.raises(Refusal) as raised:
        confirm(office, case, 3, audited_fen=audited_fen)
    refusal = raised.value
    assert (refusal.code, refusal.clause) == ("above-settlement", "三")
    assert "释放1.00元" in refusal.text.zh
    assert "追缴" not in refusal.text.zh
    office.give(ReleaseAward(case=case, amount_fen=99, cause="audit-reduction"), "approver")
    assert code_of(lambda: confirm(office, case, 3, audited_fen=audited_fen)) == "above-settlement"
    office.give(ReleaseAward(case=case, amount_fen=1, cause="audit-reduction"), "approver")
    confirm(office, case, 3, audited_fen=audited_fen)
    file = office.reader.case(case)
    assert (file.awarded_fen, file.requestable_fen) == (AWARD - 100, 300 * WAN - 100)


def test_what_was_paid_above_the_settlement_is_not_recovered_first(office: Office) -> None:
    """Audited 1500万元: due 600万元, 700万元 paid. 300 are released, 100 come back without fault, and free their room."""
    case = at_acceptance(office)
    with pytest.raises(Refusal) as raised:
        confirm(office, case, 3, audited_fen=1_500 * WAN)
    assert "释放3000000.00元" in raised.value.text.zh
    assert "追缴1000000.00元" in raised.value.text.zh
    office.give(ReleaseAward(case=case, amount_fen=300 * WAN, cause="audit-reduction"), "approver")
    office.claw_back(case, 100 * WAN, "audit-reduction")
    assert code_of(lambda: confirm(office, case, 3, audited_fen=1_500 * WAN)) == "step-out-of-order"
    office.receive(case, 100 * WAN, "银行-2")
    confirm(office, case, 3, audited_fen=1_500 * WAN)
    file = office.reader.case(case)
    assert file.settled_fen - file.recovered_fen == 600 * WAN
    assert sum(draw.amount_fen for draw in file.drawn if draw.limit == "item") == 600 * WAN


def test_an_award_at_its_item_s_ceiling_stands_in_its_own_way(office: Office) -> None:
    case = staged(office, "750000000.00")
    confirm(office, case, 2)
    confirm(office, case, 3, audited_fen=75_000 * WAN)
    assert office.reader.case(case).requestable_fen == 30_000 * WAN


def test_an_audit_that_leaves_nothing_is_not_told_as_nothing(office: Office) -> None:
    case = at_acceptance(office, paid_wan=0)
    with pytest.raises(Refusal) as raised:
        confirm(office, case, 3, audited_fen=249)
    assert (raised.value.code, "结算为0.00元" in raised.value.text.zh) == ("above-settlement", True)


def test_a_request_in_hand_is_passed_over_at_settlement(office: Office) -> None:
    case = at_acceptance(office, paid_wan=400)
    request(office, case, 300 * WAN)
    with pytest.raises(Refusal) as raised:
        confirm(office, case, 3, audited_fen=1_500 * WAN)
    assert "尚未到账的拨付" in raised.value.text.zh
    assert "追缴" not in raised.value.text.zh


def test_a_switched_reading_does_not_spare_the_settlement(office: Office) -> None:
    case = at_acceptance(office)
    switch = RecordInterpretation(
        policy=POLICY,
        reading="B29",
        value="approved-only",
        decided_by="市发展和改革委员会",
        effective_from=office.clock().date(),
        reference="会议纪要1号",
        reason="项目投资已经评审核定",
    )
    office.give(switch, "approver")
    confirm(office, case, 3)
    assert office.reader.case(case).requestable_fen == 300 * WAN


def read_from_today(office: Office, reading: str, value: str) -> None:
    switch = RecordInterpretation(
        policy=POLICY,
        reading=reading,
        value=value,
        decided_by="市发展和改革委员会",
        effective_from=office.clock().date(),
        reference="会议纪要1号",
        reason="统一口径",
    )
    office.give(switch, "approver")


@pytest.mark.parametrize("days", [0, 1])
def test_a_switch_after_the_approval_takes_a_fen_at_the_settlement(office: Office, days: int) -> None:
    """Also one of the same day: what was recorded before the approval is how it was read."""
    read_from_today(office, "B27", "fen")
    case = staged(office, "9999999.99")
    confirm(office, case, 2)
    if days:
        office.clock.set(date(2026, 3, 2 + days))
    read_from_today(office, "B27", "yuan")
    confirm(office, case, 3, audited_fen=999_999_999)
    assert office.reader.case(case).awarded_fen == 399_999_999


def test_other_money_that_could_be_stacked_then_stands_in_the_way_of_the_settlement(office: Office) -> None:
    read_from_today(office, "B10", "stackable")
    beside = [{"level": "district", "amount_fen": WAN, "document": "区〔2026〕1号"}]
    submitted = SubmitApplication(
        policy=POLICY,
        rule="3.2",
        enterprise=ENTERPRISE,
        enterprise_name="示例医疗科技有限公司",
        item="国产大型影像装备量产",
        particulars={"total_investment": "25000000.00"},
        other_funding=beside,
    )
    case = str(office.give(submitted, "intake").case)
    office.accept(case)
    office.give(DetermineAmount(case=case), "reviewer")
    office.approve(case)
    confirm(office, case, 2)
    read_from_today(office, "B10", "choose-one")
    confirm(office, case, 3, audited_fen=2_500 * WAN)
    assert office.reader.case(case).requestable_fen == AWARD


# Parts


shares = st.lists(st.integers(0, 1_000_000), min_size=0, max_size=5).map(
    lambda cuts: [b - a for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 1_000_000], strict=True)]
)


@given(shares=shares, award_fen=st.integers(0, 30_000_000_000), unit_fen=st.sampled_from([1, 100]))
def test_the_parts_do_not_add_up_to_the_award(shares: list[int], award_fen: int, unit_fen: int) -> None:
    plan = PaymentPlan(clause="三", unit_fen=unit_fen, stages=tuple(PlannedStage(share, "…") for share in shares))
    parts = parts_fen(plan, award_fen)
    assert sum(parts) == award_fen
    for share, part in list(zip(shares, parts, strict=True))[:-1]:
        assert part % unit_fen == 0
        assert part * 1_000_000 <= award_fen * share < (part + unit_fen) * 1_000_000
    assert all(part >= 0 for part in parts)


def test_what_was_paid_before_a_reduction_stands_with_the_stages_that_were_reached() -> None:
    plan = PaymentPlan(clause="三", unit_fen=100, stages=(PlannedStage(400_000, "下达"), PlannedStage(600_000, "验收")))
    first_only = stages_of(plan, awarded_fen=1_000_000, reached_on=[date(2026, 3, 2)], paid_fen=700_000)
    assert [(stage.amount_fen, stage.paid_fen) for stage in first_only] == [(400_000, 700_000), (600_000, 0)]
    none_yet = stages_of(plan, awarded_fen=1_000_000, reached_on=[], paid_fen=0)
    assert [stage.paid_fen for stage in none_yet] == [0, 0]


def test_nothing_may_be_requested_of_an_award_that_is_stopped(office: Office) -> None:
    case = office.approved("甲")
    assert office.reader.case(case).requestable_fen == office.reader.case(case).awarded_fen > 0
    office.give(FindViolation(case=case, reason="挪用"), "supervisor")
    assert office.reader.case(case).requestable_fen == 0
