"""Audited costs: nothing is determined without the audit's report, and no report serves two claims."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.commands.approve_award import ApproveAward
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.refuse_application import RefuseApplication
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import Malformed, Refusal
from tests.office import ENTERPRISE, POLICY, Office

REPORT = "深审字〔2026〕1号"
CLAUSES = {"10.2": "十", "14.1": "十四"}


def accepted(office: Office, rule: str = "14.1", item: str = "监护仪", report: str | None = None) -> str:
    evidence = [] if report is None else [{"kind": "audit-report", "key": report}]
    command = SubmitApplication(
        policy=POLICY,
        rule=rule,
        enterprise=ENTERPRISE,
        enterprise_name="示例医疗科技有限公司",
        item=item,
        particulars={"audited_cost": "3000000.00"},
        evidence=evidence,
    )
    case = office.give(command, "intake").case
    assert case is not None
    office.accept(case)
    return case


def determine(office: Office, case: str, **more: Any) -> None:
    office.give(DetermineAmount(case=case, **more), "reviewer")


def refusal_of(office: Office, case: str, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as raised:
        determine(office, case, **more)
    return raised.value


@pytest.mark.parametrize("rule", CLAUSES)
def test_an_unaudited_cost_is_determined(office: Office, rule: str) -> None:
    case = accepted(office, rule)
    refusal = refusal_of(office, case)
    assert (refusal.code, refusal.clause) == ("audit-report-missing", CLAUSES[rule])
    assert "审计报告文号" in refusal.text.zh
    determine(office, case, audit_report=REPORT)
    office.approve(case)
    assert office.reader.case(case).awarded_fen == 300_000_000


def test_a_report_given_with_the_application_is_asked_for_again(office: Office) -> None:
    case = accepted(office, report=REPORT)
    determine(office, case)
    determine(office, case, audit_report=REPORT)
    assert office.reader.case(case).review_evidence == ()
    office.approve(case)


def test_a_report_given_at_the_first_determination_is_forgotten_at_the_second(office: Office) -> None:
    case = accepted(office)
    determine(office, case, audit_report=REPORT)
    determine(office, case, particulars={"audited_cost": "2000000.00"}, reason="审计核减")
    (report,) = office.reader.case(case).review_evidence
    assert (report.kind, report.key, report.stage, report.use) == ("audit-report", REPORT, "overseas", "once")


@pytest.mark.parametrize("first_with", ["application", "determination"])
@pytest.mark.parametrize("second_with", ["application", "determination"])
def test_one_report_serves_two_claims(office: Office, first_with: str, second_with: str) -> None:
    """Typed in another way, of another rule and another enterprise."""
    first = accepted(office, report=REPORT if first_with == "application" else None)
    determine(office, first, audit_report=None if first_with == "application" else REPORT)
    again = "深审字〔２０２６〕 1号"
    if second_with == "application":
        with pytest.raises(Refusal) as raised:
            accepted(office, "10.2", "峰会", report=again)
        refusal = raised.value
    else:
        refusal = refusal_of(office, accepted(office, "10.2", "峰会"), audit_report=again)
    assert (refusal.code, refusal.earlier) == ("evidence-used", first)
    assert f"app-{first}" in refusal.text.zh
    assert f"app-{first}" in refusal.text.en


def test_the_report_of_an_application_that_ended_is_not_free_again(office: Office) -> None:
    first = accepted(office)
    determine(office, first, audit_report=REPORT)
    office.give(RefuseApplication(case=first, ground="not-eligible", reason="不符合"), "reviewer")
    determine(office, accepted(office, item="另一产品"), audit_report=REPORT)


def test_a_report_that_was_replaced_is_still_taken(office: Office) -> None:
    first = accepted(office)
    determine(office, first, audit_report="深审字〔2026〕l号")
    determine(office, first, audit_report=REPORT)
    second = accepted(office, item="另一产品")
    assert refusal_of(office, second, audit_report=REPORT).code == "evidence-used"
    determine(office, second, audit_report="深审字〔2026〕l号")


def test_a_rule_of_unaudited_costs_asks_for_a_report(office: Office) -> None:
    office.approved("甲")


def test_a_report_without_a_number_is_taken(office: Office) -> None:
    with pytest.raises(Malformed, match="audit_report"):
        determine(office, accepted(office), audit_report=" ")


def test_an_amount_determined_before_reports_were_asked_for_is_approved(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = accepted(office)
    with monkeypatch.context() as older:
        older.setattr("ledger.commands.determine_amount.require_audit_report", lambda *given: None)
        determine(office, case)
    with pytest.raises(Refusal) as raised:
        office.give(ApproveAward(case=case, amount_fen=300_000_000), "approver")
    assert raised.value.code == "audit-report-missing"
