"""A case from approval to the last recovered fen: sums, states, and what the limits get back."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.casefile import CaseState
from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.commands.approve_award import ApproveAward
from ledger.commands.cancel_disbursement import CancelDisbursement
from ledger.commands.cancel_recovery import CancelRecovery
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.release_award import ReleaseAward
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.return_disbursement import ReturnDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.commands.withdraw_violation import WithdrawViolation
from ledger.errors import Malformed, Outdated, OutOfOrder, Refusal
from tests.office import ENTERPRISE, POLICY, Office

SIX_MILLION = 600_000_000


def used_fen(office: Office, limit: str = "C5") -> int:
    (use,) = [use for use in office.reader.limits(ENTERPRISE, 2026) if use.headroom.limit == limit]
    return use.headroom.used_fen


def test_paid_in_two_parts(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, 200_000_000, "银行-1")
    assert office.reader.case(case).state is CaseState.PART_PAID
    office.pay(case, 400_000_000, "银行-2")
    file = office.reader.case(case)
    assert (file.state, file.settled_fen, file.uncommitted_fen) == (CaseState.PAID, SIX_MILLION, 0)


def test_what_is_requested_cannot_be_requested_twice(office: Office) -> None:
    case = office.approved("甲")
    office.give(RequestDisbursement(case=case, amount_fen=SIX_MILLION), "finance")
    with pytest.raises(Refusal) as raised:
        office.give(RequestDisbursement(case=case, amount_fen=1), "finance")
    assert raised.value.code == "above-award"


def test_a_cancelled_disbursement_may_be_requested_again(office: Office) -> None:
    case = office.approved("甲")
    office.give(RequestDisbursement(case=case, amount_fen=SIX_MILLION), "finance")
    office.give(CancelDisbursement(case=case, disbursement=1, reason="收款账户有误"), "finance2")
    office.give(RequestDisbursement(case=case, amount_fen=SIX_MILLION), "finance")
    assert office.reader.case(case).committed_fen == SIX_MILLION


def test_the_bank_must_have_paid_what_was_ordered(office: Office) -> None:
    case = office.approved("甲")
    office.give(RequestDisbursement(case=case, amount_fen=100), "finance")
    office.give(OrderDisbursement(case=case, disbursement=1), "finance2")
    with pytest.raises(Refusal) as raised:
        office.give(SettleDisbursement(case=case, disbursement=1, amount_fen=101, bank_serial="1"), "cashier")
    assert raised.value.code == "amount-differs-from-order"


def test_one_bank_serial_number_settles_one_payment(office: Office) -> None:
    office.pay(office.approved("甲"), 100, "银行-1")
    with pytest.raises(Refusal) as raised:
        office.pay(office.approved("乙"), 100, "银行-1")
    assert raised.value.code == "bank-serial-used"


@pytest.mark.parametrize(
    ("first", "second"), [("finance", "finance"), ("finance2", "finance2")], ids=["requester", "other"]
)
def test_who_requests_does_not_order(office: Office, first: str, second: str) -> None:
    case = office.approved("甲")
    office.give(RequestDisbursement(case=case, amount_fen=100), first)
    with pytest.raises(Refusal) as raised:
        office.give(OrderDisbursement(case=case, disbursement=1), second)
    assert raised.value.code == "same-person"


def test_who_requested_one_disbursement_may_order_another(office: Office) -> None:
    case = office.approved("甲")
    office.give(RequestDisbursement(case=case, amount_fen=100), "finance")
    office.give(RequestDisbursement(case=case, amount_fen=200), "finance2")
    office.give(OrderDisbursement(case=case, disbursement=2), "finance")
    office.give(OrderDisbursement(case=case, disbursement=1), "finance2")


def test_an_amount_above_the_determined_one_is_refused_with_its_clause(office: Office) -> None:
    case = office.determined("甲")
    with pytest.raises(Refusal) as raised:
        office.approve(case, SIX_MILLION + 1)
    assert (raised.value.code, raised.value.clause) == ("above-determined-amount", "五")


def test_less_than_determined_is_approved_only_with_a_reason(office: Office) -> None:
    case = office.determined("甲")
    with pytest.raises(Malformed):
        office.approve(case, 100)
    office.approve(case, 100, reason="按集体审议意见核减")
    assert (office.reader.case(case).awarded_fen, used_fen(office)) == (100, 100)


def test_headroom_taken_by_another_since_determination_is_told_with_the_limit(office: Office) -> None:
    first, second = office.determined("甲"), office.determined("乙")
    office.approve(first)
    with pytest.raises(Outdated) as raised:
        office.approve(second)
    limit = raised.value.limit
    assert limit is not None
    assert (raised.value.code, limit.limit, limit.left_fen) == ("headroom-moved", "C5", 400_000_000)


def test_a_release_gives_the_limits_back_what_a_violation_does_not(office: Office) -> None:
    case = office.approved("甲")
    office.give(ReleaseAward(case=case, amount_fen=100_000_000, cause="withdrawal"), "approver")
    assert used_fen(office) == 500_000_000
    office.give(FindViolation(case=case, reason="挪用"), "supervisor")
    office.give(ReleaseAward(case=case, amount_fen=500_000_000, cause="violation"), "approver")
    assert used_fen(office) == 500_000_000
    assert office.reader.case(case).awarded_fen == 0


def test_more_than_is_unpaid_cannot_be_released(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, 500_000_000, "银行-1")
    with pytest.raises(Refusal) as raised:
        office.give(ReleaseAward(case=case, amount_fen=100_000_001, cause="withdrawal"), "approver")
    assert raised.value.code == "above-unpaid-amount"


def test_a_violation_stops_payment_until_it_is_withdrawn(office: Office) -> None:
    case = office.approved("甲")
    office.give(FindViolation(case=case, reason="挪用"), "supervisor")
    with pytest.raises(OutOfOrder):
        office.give(RequestDisbursement(case=case, amount_fen=100), "finance")
    office.give(WithdrawViolation(case=case, violation=1, reason="查无实据"), "supervisor2")
    office.give(RequestDisbursement(case=case, amount_fen=100), "finance")


def test_money_clawed_back_for_a_violation_frees_no_headroom(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, SIX_MILLION, "银行-1")
    office.claw_back(case, SIX_MILLION)
    office.receive(case, 1, "银行-2")
    assert office.reader.case(case).state is CaseState.RECOVERING
    office.receive(case, SIX_MILLION - 1, "银行-3")
    assert office.reader.case(case).state is CaseState.RECOVERED
    assert used_fen(office) == SIX_MILLION


def test_money_paid_by_error_frees_headroom_as_it_comes_back(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, SIX_MILLION, "银行-1")
    office.claw_back(case, 200_000_000, cause="arithmetic-error")
    office.receive(case, 50_000_000, "银行-2")
    assert used_fen(office) == 550_000_000
    office.receive(case, 150_000_000, "银行-3")
    assert used_fen(office) == 400_000_000
    assert used_fen(office, "item") == 400_000_000


def test_no_more_is_recovered_than_was_paid(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, 100_000_000, "银行-1")
    office.claw_back(case, 60_000_000)
    with pytest.raises(Refusal) as raised:
        office.give(OrderRecovery(case=case, amount_fen=40_000_001, cause="violation"), "supervisor2")
    assert raised.value.code == "above-paid-amount"
    with pytest.raises(Refusal) as raised:
        office.receive(case, 60_000_001, "银行-2")
    assert raised.value.code == "above-outstanding-amount"


def test_a_cancelled_recovery_may_be_ordered_again(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, 100, "银行-1")
    office.claw_back(case, 100)
    with pytest.raises(Refusal, match="another person"):
        office.give(CancelRecovery(case=case, recovery=1, reason="文号有误"), "supervisor2")
    office.give(CancelRecovery(case=case, recovery=1, reason="文号有误"), "legal")
    office.give(OrderRecovery(case=case, amount_fen=100, cause="violation"), "supervisor2")
    assert office.reader.case(case).recoverable_fen == 0


def test_recovery_before_any_payment_is_out_of_order(office: Office) -> None:
    case = office.approved("甲")
    with pytest.raises(OutOfOrder) as raised:
        office.claw_back(case, 100)
    assert raised.value.code == "nothing-paid"


def test_who_found_the_violation_does_not_order_the_recovery(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, 100, "银行-1")
    office.give(FindViolation(case=case, reason="挪用"), "supervisor")
    with pytest.raises(Refusal) as raised:
        office.give(OrderRecovery(case=case, amount_fen=100, cause="violation"), "supervisor")
    assert raised.value.code == "same-person"


def test_the_cap_year_is_chosen_at_approval(office: Office) -> None:
    case = office.determined("甲")
    with pytest.raises(Malformed, match="reason"):
        office.give(ApproveAward(case=case, amount_fen=SIX_MILLION, cap_year=2027), "approver")
    office.give(ApproveAward(case=case, amount_fen=SIX_MILLION, cap_year=2027, reason="列入次年计划"), "approver")
    assert used_fen(office) == 0
    (use,) = [use for use in office.reader.limits(ENTERPRISE, 2027) if use.headroom.limit == "C5"]
    assert use.headroom.used_fen == SIX_MILLION


def test_a_sheet_for_the_next_year_is_approved_for_that_year(office: Office) -> None:
    case = office.accepted("甲")
    office.give(DetermineAmount(case=case, cap_year=2027), "reviewer")
    with pytest.raises(Malformed) as unexplained:
        office.give(ApproveAward(case=case, amount_fen=SIX_MILLION), "approver")
    assert "2027" in str(unexplained.value)
    office.give(ApproveAward(case=case, amount_fen=SIX_MILLION, reason="列入次年计划"), "approver")
    assert (office.reader.case(case).approval.cap_year, used_fen(office)) == (2027, 0)  # type: ignore[union-attr]


def test_a_sheet_of_the_year_before_is_approved_for_this_year(office: Office) -> None:
    case = office.determined("甲")
    office.clock.set(date(2027, 1, 4))
    office.approve(case)
    assert office.reader.case(case).approval.cap_year == 2027  # type: ignore[union-attr]


def test_a_sheet_of_one_year_is_not_approved_into_another_that_reads_differently(office: Office) -> None:
    office.approved("甲")
    cut = office.determined("乙")
    with pytest.raises(Outdated) as raised:
        office.approve(cut, cap_year=2027, reason="列入次年计划")
    assert raised.value.code == "sheet-of-another-year"


def test_what_is_not_paid_of_a_recovered_award_can_be_released(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, 100, "银行-1")
    office.claw_back(case, 100, cause="withdrawal")
    office.receive(case, 100, "银行-2")
    office.give(ReleaseAward(case=case, amount_fen=SIX_MILLION - 100, cause="withdrawal"), "approver")
    assert used_fen(office) == 0
    assert office.reader.case(case).state is CaseState.RECOVERED


@pytest.mark.parametrize("cause", ["withdrawal", "arithmetic-error", "duplicate", "audit-reduction"])
def test_a_violation_that_stands_is_not_turned_into_another_cause(office: Office, cause: str) -> None:
    case = office.approved("甲")
    office.pay(case, 100, "银行-1")
    office.give(FindViolation(case=case, reason="挪用"), "supervisor")
    for command in (
        OrderRecovery(case=case, amount_fen=100, cause=cause),
        ReleaseAward(case=case, amount_fen=100, cause=cause),
    ):
        with pytest.raises(OutOfOrder) as raised:
            office.give(command, "supervisor2" if isinstance(command, OrderRecovery) else "approver")
        assert raised.value.code == "violation-stands"


@pytest.mark.parametrize("party", [None, "official", "third-party"])
def test_without_a_violation_of_the_applicant_none_is_the_cause(office: Office, party: str | None) -> None:
    case = office.approved("甲")
    if party is not None:
        office.give(FindViolation(case=case, party=party, reason="索贿"), "supervisor")
    with pytest.raises(OutOfOrder) as raised:
        office.give(ReleaseAward(case=case, amount_fen=100, cause="violation"), "approver")
    assert raised.value.code == "no-violation-found"


def test_money_never_paid_is_the_offices_to_grant_again_whatever_the_cause(office: Office) -> None:
    office.give(AppropriateBudget(policy=POLICY, year=2026, amount_fen=SIX_MILLION), "finance")
    case = office.approved("甲")
    office.give(FindViolation(case=case, reason="挪用"), "supervisor")
    office.give(ReleaseAward(case=case, amount_fen=SIX_MILLION, cause="violation"), "approver")
    assert used_fen(office) == SIX_MILLION
    assert office.reader.budget(POLICY, 2026).approved_fen == 0


def test_an_ordered_payment_is_the_banks_to_return(office: Office) -> None:
    case = office.approved("甲")
    office.give(RequestDisbursement(case=case, amount_fen=100), "finance")
    office.give(OrderDisbursement(case=case, disbursement=1), "finance2")
    with pytest.raises(OutOfOrder):
        office.give(CancelDisbursement(case=case, disbursement=1, reason="填错"), "finance2")
    with pytest.raises(Malformed, match="reference"):
        office.give(ReturnDisbursement(case=case, disbursement=1, reason="账号不符"), "cashier")
    office.give(ReturnDisbursement(case=case, disbursement=1, reference="退汇-1", reason="账号不符"), "cashier")
    assert office.reader.case(case).uncommitted_fen == SIX_MILLION


@pytest.mark.parametrize("typed", ["银行-1", "银行－1", " 银行 - 1 ", "银行–1"])
def test_one_number_is_one_number_however_it_is_typed(office: Office, typed: str) -> None:
    office.pay(office.approved("甲"), 100, "银行-1")
    with pytest.raises(Refusal) as raised:
        office.pay(office.approved("乙"), 100, typed)
    assert raised.value.code == "bank-serial-used"


def rent(office: Office, item: str, since: str, until: str) -> str:
    return office.determined(
        item,
        rule="22.2",
        benchmark_rent="60.00",
        area_m2="20000",
        tenancy_from="2024-01-01",
        claim_from=since,
        claim_until=until,
    )


def test_a_part_of_a_claim_over_two_benefit_years_fills_the_first_one_first(office: Office) -> None:
    case = rent(office, "租约甲", "2024-01-01", "2025-12-31")
    office.approve(case, 500_000_000, reason="集体审议核减")
    drawn = {draw.scope[-10:]: draw.amount_fen for draw in office.reader.case(case).drawn if draw.limit == "C22R"}
    assert drawn == {"2024-01-01": 500_000_000, "2025-01-01": 0}


def test_a_window_whose_only_award_was_given_back_can_be_claimed_anew(office: Office) -> None:
    case = rent(office, "租约甲", "2024-01-01", "2024-12-31")
    office.approve(case)
    office.give(ReleaseAward(case=case, amount_fen=500_000_000, cause="arithmetic-error"), "approver")
    again = office.determined(
        "租约甲",
        rule="22.2",
        benchmark_rent="60.00",
        area_m2="20000",
        tenancy_from="2023-07-01",
        claim_from="2023-07-01",
        claim_until="2023-12-31",
    )
    office.approve(again)
    window = office.reader.case(again).window
    assert window is not None
    assert window.anchor == date(2023, 7, 1)


def test_a_certificate_is_of_one_class_and_is_funded_once(office: Office) -> None:
    office.approved("国械注准20263010001a")
    second = office.accepted("国械注准20263010001A", rule="5.1")
    with pytest.raises(Refusal) as raised:
        office.give(DetermineAmount(case=second), "reviewer")
    assert raised.value.code == "item-already-awarded"
