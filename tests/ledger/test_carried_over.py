"""What a yearly limit cut off an item's award may be claimed later, where the office reads it so (B30); and the award of a
purchase year is known by the year that its claim stated (B2).
"""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.commands.release_award import ReleaseAward
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import Refusal
from ledger.events import AwardApproved
from projections.limits import LimitsGuard
from tests.office import ENTERPRISE, POLICY, Office

WAN = 1_000_000
ITEM = "粤械注准20262010003"
INVOICE = ({"kind": "invoice", "key": "深税2025000300"},)
COST = {"rd_cost": "7500000.00", "special_approval": False}
"""40 % are 300万元, the item's ceiling."""


@pytest.fixture
def cut(office: Office) -> Office:
    """Carried over; in 2026 the enterprise has 120万元 of the 300万元 for the item, cut by the yearly limit."""
    switch = RecordInterpretation(
        policy=POLICY,
        reading="B30",
        value="carried-over",
        decided_by="市发展和改革委员会",
        effective_from=date(2026, 3, 2),
        reference="会议纪要〔2026〕7号",
        reason="统一口径",
    )
    office.give(switch, "approver")
    use_up(office, 880)
    assert claimed(office) == 120
    return office


def use_up(office: Office, wan: int) -> None:
    """Awards of 5.2 that come to so much this year."""
    while wan:
        part = min(wan, 500)
        office.approve(office.determined(f"国械注准{office.head()}"), part * WAN, reason="评审核减")
        wan -= part


def submitted(office: Office) -> str:
    command = SubmitApplication(
        policy=POLICY,
        rule="5.1",
        enterprise=ENTERPRISE,
        enterprise_name="示例医疗科技有限公司",
        item=ITEM,
        particulars=COST,
        evidence=INVOICE,
    )
    return str(office.give(command, "intake").case)


def claimed(office: Office, plan_year: int | None = None) -> int:
    """What the item is awarded on the same invoice, in 万元."""
    case = submitted(office)
    office.accept(case)
    office.give(DetermineAmount(case=case, cap_year=plan_year), "reviewer")
    office.approve(case, cap_year=plan_year, reason="列入下一年度资助计划")
    approval = office.reader.case(case).approval
    assert approval is not None
    return approval.amount_fen // WAN


def refused(office: Office, plan_year: int | None = None) -> str:
    with pytest.raises(Refusal) as refusal:
        office.ledger.quote(POLICY, "5.1", ENTERPRISE, ITEM, COST, plan_year)
    return refusal.value.code


def release(office: Office, wan: int, cause: str = "withdrawal") -> None:
    """Of the award for the item that was approved last."""
    approvals = [its.event for its in office.reader.events(0, 1000) if isinstance(its.event, AwardApproved)]
    case = [approval.case for approval in approvals if approval.item == ITEM][-1]
    office.give(ReleaseAward(case=case, amount_fen=wan * WAN, cause=cause), "approver")


def test_what_a_second_year_cuts_off_is_carried_on_and_then_nothing_is_left(cut: Office) -> None:
    cut.clock.set(date(2027, 1, 4))
    use_up(cut, 950)
    assert claimed(cut) == 50
    assert refused(cut) == "limit-exhausted"
    assert claimed(cut, 2028) == 130
    assert refused(cut) == "item-already-awarded"


def test_a_part_that_is_given_back_is_not_claimed_again(cut: Office) -> None:
    release(cut, 20)
    assert claimed(cut, 2027) == 180


def test_a_remainder_that_is_given_back_whole_may_be_claimed_once_more(cut: Office) -> None:
    assert claimed(cut, 2027) == 180
    release(cut, 180)
    assert claimed(cut, 2027) == 180


def test_an_item_that_gave_all_back_is_claimed_as_for_the_first_time(cut: Office) -> None:
    release(cut, 120)
    assert claimed(cut, 2027) == 300
    assert refused(cut, 2027) == "item-already-awarded"


def test_the_evidence_stands_for_one_claim_to_the_remainder(cut: Office) -> None:
    submitted(cut)
    with pytest.raises(Refusal) as refusal:
        submitted(cut)
    assert refusal.value.code == "evidence-used"


def test_an_award_that_does_not_tell_its_year_has_that_of_its_yearly_limit(office: Office) -> None:
    """As awards were recorded before they told it."""
    case = office.approved("支架", rule="15.1", purchase_total="100.00", purchase_year=2025)
    approval = office.reader.case(case).approval
    assert approval is not None
    assert approval.item_year == 2025
    recorded = next(its for its in office.reader.history(case) if its.event == approval)
    item_scope = next(draw.scope for draw in approval.draws if draw.limit == "item")
    guard = LimitsGuard()
    for event in (approval, msgspec.structs.replace(approval, item_year=msgspec.UNSET)):
        usage = guard.apply(guard.start(f"limit={item_scope}"), msgspec.structs.replace(recorded, event=event))
        assert [award.year for award in usage.awards.values()] == [2025]
