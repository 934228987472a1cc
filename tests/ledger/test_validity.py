"""Five years, several versions side by side, and windows that run on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.commands.approve_award import ApproveAward
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.errors import LedgerError, Refusal
from ledger.policy import BUILT_IN, PolicyRegistry
from projections.reader import NOW, Moment, Reader
from tests.office import ENTERPRISE, POLICY, Office

LEASE = {"benchmark_rent": "100.00", "area_m2": "100.00", "tenancy_from": "2026-01-01"}
OTHER_LEASE = {**LEASE, "tenancy_from": "2027-01-01"}
LAST_DAY = date(2027, 7, 31)
EXPIRED = date(2027, 8, 1)


def months(first: str, last: str) -> dict[str, str]:
    return {"claim_from": first, "claim_until": last}


@pytest.fixture
def renting(office: Office) -> Office:
    """An office that recognised one window, from 2026-01-01 to the end of 2028."""
    office.clock.set(date(2026, 12, 1))
    office.approved("租约", rule="22.2", **LEASE, **months("2026-01-01", "2026-06-30"))
    return office


def code_of(step: Any) -> str:
    with pytest.raises(Refusal) as refused:
        step()
    assert refused.value.clause == "附则"
    return refused.value.code


def test_an_application_is_accepted_on_the_last_day_and_not_after(office: Office) -> None:
    office.clock.set(LAST_DAY)
    in_time, late = office.submit("甲", rule="5.1", rd_cost="100.00", special_approval=False), office.submit("乙")
    office.accept(in_time)
    office.clock.set(EXPIRED)
    assert code_of(lambda: office.accept(late)) == "policy-not-in-force"
    office.give(DetermineAmount(case=in_time, cap_year=2027), "reviewer")
    assert code_of(lambda: office.submit("丙")) == "policy-not-in-force"
    stated = {"rd_cost": "100.00", "special_approval": False}
    assert code_of(lambda: office.ledger.quote(POLICY, "5.1", ENTERPRISE, "丙", stated)) == "policy-not-in-force"


def test_a_recognised_window_runs_on_after_the_policy_has_expired(renting: Office) -> None:
    renting.clock.set(date(2029, 1, 10))
    case = renting.approved("租约", rule="22.2", **LEASE, **months("2028-01-01", "2028-12-31"))
    assert renting.reader.case(case).awarded_fen == 12 * 500_000
    stated = {**LEASE, **months("2027-01-01", "2027-12-31")}
    assert renting.ledger.quote(POLICY, "22.2", ENTERPRISE, "租约", stated).amount_fen == 12 * 500_000


def test_no_new_window_begins_after_the_policy_has_expired(office: Office) -> None:
    office.clock.set(EXPIRED)
    step = lambda: office.submit("租约", rule="22.2", **OTHER_LEASE, **months("2027-01-01", "2027-06-30"))  # noqa: E731
    assert code_of(step) == "policy-not-in-force"


def test_a_window_that_runs_on_is_planned_for_until_the_year_after_its_end(renting: Office) -> None:
    renting.clock.set(date(2029, 1, 10))
    stated = {**LEASE, **months("2028-01-01", "2028-12-31")}

    def quote(year: int) -> int:
        return renting.ledger.quote(POLICY, "22.2", ENTERPRISE, "租约", stated, year).amount_fen

    assert quote(2029)
    assert code_of(lambda: quote(2030)) == "cap-year-outside-validity"


def test_a_decision_goes_into_no_later_plan_for_a_window_than_a_quote(renting: Office) -> None:
    """The last plan is that of 2029: what was accepted by then is decided later too, and nothing more is accepted."""
    renting.clock.set(date(2029, 12, 31))
    case = renting.accepted("租约", rule="22.2", **LEASE, **months("2028-01-01", "2028-12-31"))
    late = renting.submit("租约", rule="22.2", **LEASE, **months("2027-01-01", "2027-12-31"))

    def determine(year: int) -> None:
        renting.give(DetermineAmount(case=case, cap_year=year), "reviewer")

    assert code_of(lambda: determine(2030)) == "cap-year-outside-validity"
    determine(2029)
    approve = ApproveAward(case=case, amount_fen=6_000_000, cap_year=2030, reason="列入次年计划")
    assert code_of(lambda: renting.give(approve, "approver")) == "cap-year-outside-validity"
    renting.clock.set(date(2030, 1, 1))
    stated = {**LEASE, **months("2027-01-01", "2027-12-31")}
    with pytest.raises(Refusal, match="the window ended on 2028-12-31, and could be claimed for until the end of 2029"):
        renting.accept(late)
    assert code_of(lambda: renting.submit("租约", rule="22.2", **stated)) == "policy-not-in-force"
    assert code_of(lambda: renting.ledger.quote(POLICY, "22.2", ENTERPRISE, "租约", stated)) == "policy-not-in-force"
    renting.approve(case, cap_year=2030, reason="次年审批")
    assert renting.reader.case(case).awarded_fen == 12 * 500_000


def test_windows_end_with_the_policy_where_the_office_says_so(renting: Office) -> None:
    command = RecordInterpretation(
        policy=POLICY, reading="B33", value="end", decided_by="市发展和改革委员会", effective_from=date(2027, 1, 1),
        reference="会议纪要〔2026〕9号", reason="不再延续",
    )  # fmt: skip
    renting.give(command, "approver")
    renting.clock.set(LAST_DAY)
    stated = {**LEASE, **months("2027-01-01", "2027-12-31")}
    granted = renting.ledger.quote(POLICY, "22.2", ENTERPRISE, "租约", stated)
    assert granted.amount_fen == 7 * 500_000
    assert granted.window is not None
    assert granted.window.window.end == EXPIRED
    renting.clock.set(EXPIRED)
    assert code_of(lambda: renting.submit("租约", rule="22.2", **stated)) == "policy-not-in-force"


@pytest.mark.parametrize("year", [2022, 2025, 2028])
def test_no_award_is_decided_into_a_plan_that_is_not_open(office: Office, year: int) -> None:
    case = office.accepted("甲")
    assert code_of(lambda: office.give(DetermineAmount(case=case, cap_year=year), "reviewer")) == "plan-year-not-open"
    office.give(DetermineAmount(case=case), "reviewer")
    approve = ApproveAward(case=case, amount_fen=600_000_000, cap_year=year, reason="列入该年度计划")
    assert code_of(lambda: office.give(approve, "approver")) == "plan-year-not-open"


def test_the_plans_of_this_year_and_of_the_next_are_open_and_no_limit_is_had_more_than_twice(office: Office) -> None:
    """All the years of the validity, in one sitting: what two plans hold, and not 6000万元."""
    approved_fen = 0
    for number, year in enumerate(year for year in range(2022, 2029) for _ in range(2)):
        case = office.accepted(f"证{number}")
        determine = DetermineAmount(case=case, cap_year=year)
        if year not in (2026, 2027):
            with pytest.raises(Refusal, match=f"2026 to 2027, not of {year}"):
                office.give(determine, "reviewer")
            continue
        office.give(determine, "reviewer")
        office.approve(case, cap_year=year, reason="列入该年度计划")
        approved_fen += office.reader.case(case).awarded_fen
    assert approved_fen == 2 * 10**9


def test_what_was_accepted_within_the_validity_is_decided_after_it(office: Office) -> None:
    office.clock.set(date(2027, 7, 30))
    case = office.accepted("甲")
    office.clock.set(date(2028, 1, 5))
    office.give(DetermineAmount(case=case), "reviewer")
    office.approve(case)
    award = office.reader.case(case)
    assert award.approval is not None
    assert (award.approval.cap_year, award.awarded_fen) == (2028, 600_000_000)


def test_a_quote_asks_about_any_year_of_the_validity(office: Office) -> None:
    stated = {"rd_cost": "100.00", "special_approval": False}
    for year in (2022, 2027):
        assert office.ledger.quote(POLICY, "5.1", ENTERPRISE, "甲", stated, year).amount_fen == 4_000
    for year in (2021, 2028):
        code = code_of(lambda year=year: office.ledger.quote(POLICY, "5.1", ENTERPRISE, "甲", stated, year))
        assert code == "cap-year-outside-validity"


@pytest.fixture
def two_versions(tmp_path: Path) -> Iterator[Office]:
    """A second version in force from 2026-06-01, which grants 50 % where the first grants 40 %, and twice as much a year."""
    text = (BUILT_IN / POLICY / "1.toml").read_text(encoding="utf-8")
    (tmp_path / POLICY).mkdir()
    (tmp_path / POLICY / "1.toml").write_text(text, encoding="utf-8")
    second = text.replace("version = 1", "version = 2").replace('value = "2022-08-01"', 'value = "2026-06-01"')
    second = second.replace('rate = { value = "40%", cite = "五" }', 'rate = { value = "50%", cite = "五" }')
    second = second.replace(
        'ceiling = { value = "1000万元", cite = "五" }', 'ceiling = { value = "2000万元", cite = "五" }'
    )
    (tmp_path / POLICY / "2.toml").write_text(second, encoding="utf-8")
    office = Office(tmp_path)
    office.policies = PolicyRegistry.load([tmp_path])
    office.ledger = office.reopen()
    office.reader = Reader(office.store, office.policies, office.clock)
    yield office
    office.close()


def test_an_application_stays_with_the_version_it_was_made_under(two_versions: Office) -> None:
    office, stated = two_versions, {"rule": "5.1", "rd_cost": "100.00", "special_approval": False}
    old = office.accepted("甲", **stated)
    office.clock.set(date(2026, 6, 1))
    new = office.accepted("乙", **stated)
    amounts = []
    for case in (old, new):
        office.give(DetermineAmount(case=case), "reviewer")
        determination, pin = office.reader.case(case).determination, office.reader.case(case).policy
        assert determination is not None
        assert pin is not None
        amounts.append((pin.version, determination.amount_fen))
    assert amounts == [(1, 4000), (2, 5000)]


def test_a_reading_is_switched_in_one_version_and_not_in_the_other(two_versions: Office) -> None:
    office = two_versions
    office.clock.set(date(2026, 6, 1))
    switch = {
        "policy": POLICY, "reading": "B27", "value": "fen", "decided_by": "市发展和改革委员会",
        "effective_from": date(2026, 6, 1), "reference": "会议纪要〔2026〕9号", "reason": "统一口径",
    }  # fmt: skip
    office.give(RecordInterpretation(**switch, version=1), "approver")
    assert [office.reader.policy(POLICY, version).readings["B27"].value for version in (1, 2)] == ["fen", "yuan"]
    office.give(RecordInterpretation(**switch), "approver")
    assert office.reader.policy(POLICY, 2).readings["B27"].value == "fen"
    with pytest.raises(LedgerError, match="version 3"):
        office.give(RecordInterpretation(**switch, version=3), "approver")


def test_ceilings_are_shown_of_the_version_that_has_begun(two_versions: Office) -> None:
    """The second version doubles the yearly ceiling of article 五."""
    office = two_versions
    office.approved("甲")

    def ceiling_fen(moment: Moment) -> int:
        (use,) = [use for use in office.reader.limits(ENTERPRISE, 2026, moment) if use.headroom.limit == "C5"]
        return use.headroom.ceiling_fen

    assert ceiling_fen(NOW) == 10**9
    assert ceiling_fen(Moment(effective=date(2026, 5, 31))) == 10**9
    assert ceiling_fen(Moment(effective=date(2026, 6, 1))) == 2 * 10**9
    office.clock.set(date(2026, 6, 1))
    assert ceiling_fen(NOW) == 2 * 10**9


def test_no_ceilings_are_shown_before_any_version_has_begun(office: Office) -> None:
    assert office.reader.limits(ENTERPRISE, 2022, Moment(effective=date(2022, 7, 31))) == []
