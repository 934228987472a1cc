"""Same matter, once: evidence under two live applications is refused, and freed when an application ends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.commands.decide_other_funding import DecideOtherFunding
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.commands.refuse_application import RefuseApplication
from ledger.commands.release_award import ReleaseAward
from ledger.commands.submit_application import SubmitApplication
from ledger.commands.withdraw_application import WithdrawApplication
from ledger.errors import Malformed, OutOfOrder, Refusal
from ledger.events import ApplicationSubmitted, CommandRefused
from tests.office import ENTERPRISE, POLICY, Office

OTHER = "91440300MA5EYR2P9G"
STATED: dict[str, dict[str, Any]] = {
    "5.1": {"rd_cost": "10000000.00", "special_approval": True},
    "5.2": {"rd_cost": "10000000.00", "special_approval": True},
    "7.1": {"build_cost": "10000000.00", "area_m2": "5000.00"},
    "8.1": {"actual_cost": "30000000.00"},
    "14.1": {"audited_cost": "3000000.00"},
    "22.2": {
        "benchmark_rent": "50.00", "area_m2": "100.00", "tenancy_from": "2025-01-01", "claim_from": "2025-01-01",
        "claim_until": "2025-12-31",
    },
}  # fmt: skip


def application(
    rule: str, *evidence: tuple[str, str], item: str = "国械注准20263010001", **more: Any
) -> SubmitApplication:
    stated: dict[str, Any] = {
        "policy": POLICY,
        "rule": rule,
        "enterprise": ENTERPRISE,
        "enterprise_name": "示例医疗科技有限公司",
        "item": item,
        "particulars": STATED[rule],
        "evidence": [{"kind": kind, "key": key} for kind, key in evidence],
    }
    return SubmitApplication(**(stated | more))


def submit(office: Office, rule: str, *evidence: tuple[str, str], **more: Any) -> str:
    case = office.give(application(rule, *evidence, **more), "intake").case
    assert case is not None
    return case


def refused(office: Office, rule: str, *evidence: tuple[str, str], **more: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        office.give(application(rule, *evidence, **more), "intake")
    assert (refusal.value.code, refusal.value.clause) == ("evidence-used", "附则")
    return refusal.value


@pytest.fixture
def office(tmp_path: Any) -> Any:
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.mark.parametrize("kind", ["invoice", "contract", "certificate", "cost-line"])
def test_one_piece_of_evidence_stands_once_across_enterprises_and_names_the_earlier_application(
    office: Office, kind: str
) -> None:
    first = submit(office, "5.2", (kind, "No 1"))
    refusal = refused(office, "5.1", (kind, "no１"), item="另一张证", enterprise=OTHER)
    assert f"app-{first}" in refusal.text.zh
    assert f"app-{first}" in refusal.text.en
    recorded = office.reader.events(office.head() - 1, 1)[0].event
    assert isinstance(recorded, CommandRefused)
    assert recorded.code == "evidence-used"


def test_one_product_stands_under_three_articles_with_one_certificate_and_other_costs(office: Office) -> None:
    certificate = ("certificate", "国械注准20263010001")
    for rule in ("5.1", "8.1", "14.1", "7.1"):
        submit(office, rule, certificate, ("invoice", f"发票-{rule}"), ("contract", f"合同-{rule}"))


@pytest.mark.parametrize("kind", ["invoice", "contract", "cost-line"])
def test_an_invoice_of_one_stage_does_not_serve_another(office: Office, kind: str) -> None:
    submit(office, "5.1", (kind, "1"))
    refused(office, "8.1", (kind, "1"))


@pytest.mark.parametrize("stage", ["registration", "training", "dawn"])
def test_a_certificate_stands_for_the_rule_s_stage_and_nobody_chooses_another(office: Office, stage: str) -> None:
    submit(office, "5.1", ("certificate", "1"))
    before = office.head()
    with pytest.raises(Malformed) as malformed:
        office.give(application("5.2", evidence=[{"kind": "certificate", "key": "1", "stage": stage}]), "intake")
    assert [(its.field, its.code) for its in malformed.value.errors] == [("evidence[0].stage", "unknown")]
    assert office.head() == before
    refused(office, "5.2", ("certificate", "1"), item="乙")
    submit(office, "8.1", ("certificate", "1"))


def test_a_lease_is_claimed_year_by_year_on_one_contract_but_not_for_another_lease(office: Office) -> None:
    submit(office, "22.2", ("contract", "租约-1"), item="租约-1")
    submit(office, "22.2", ("contract", "租约-1"), item="租约-1")
    refused(office, "22.2", ("contract", "租约-1"), item="租约-2")
    submit(office, "22.2", ("invoice", "1"), item="租约-1")
    refused(office, "22.2", ("invoice", "1"), item="租约-1")


def switch_certificates(office: Office, to: str, on: date) -> None:
    office.clock.set(on)
    switch = RecordInterpretation(
        policy=POLICY,
        reading="B9",
        value=to,
        effective_from=on,
        decided_by="市发展和改革委员会",
        reference="会议纪要〔2026〕9号",
        reason="统一口径",
    )
    office.give(switch, "approver")


def test_a_certificate_given_while_it_stood_once_is_bound_by_that_after_the_office_reads_otherwise(
    office: Office,
) -> None:
    certificate = ("certificate", "国械注准20263010001")
    switch_certificates(office, "once", date(2026, 3, 3))
    submit(office, "5.2", certificate)
    refused(office, "8.1", certificate)
    switch_certificates(office, "once-per-stage", date(2026, 3, 4))
    submit(office, "8.1", certificate)
    refused(office, "5.1", certificate, item="国械注准20263010002")
    switch_certificates(office, "once", date(2026, 3, 5))
    refused(office, "14.1", certificate)


def test_evidence_of_an_application_that_ended_is_free_again(office: Office) -> None:
    case = submit(office, "5.1", ("invoice", "1"))
    office.give(WithdrawApplication(case=case), "intake")
    case = submit(office, "5.1", ("invoice", "1"))
    office.give(RefuseApplication(case=case, ground="incomplete", reason="材料不全"), "intake")
    submit(office, "5.1", ("invoice", "1"))
    refused(office, "5.1", ("invoice", "1"))


def awarded(office: Office, *evidence: tuple[str, str]) -> str:
    case = submit(office, "5.2", *evidence)
    office.accept(case)
    office.give(DetermineAmount(case=case), "reviewer")
    office.approve(case)
    return case


@pytest.mark.parametrize(("cause", "is_free"), [("withdrawal", True), ("violation", False)])
def test_evidence_of_an_award_is_free_only_when_all_of_it_was_given_back(
    office: Office, cause: str, is_free: bool
) -> None:
    case = awarded(office, ("invoice", "1"))
    if cause == "violation":
        office.give(FindViolation(case=case, reason="虚报"), "supervisor")
    office.give(ReleaseAward(case=case, amount_fen=1_000_000, cause=cause), "approver")
    refused(office, "8.1", ("invoice", "1"))
    office.give(ReleaseAward(case=case, amount_fen=399_000_000, cause=cause), "approver")
    if is_free:
        submit(office, "8.1", ("invoice", "1"))
    else:
        refused(office, "8.1", ("invoice", "1"))


def test_evidence_is_looked_for_in_what_another_process_recorded(office: Office) -> None:
    submit(office, "5.1", ("invoice", "1"))
    with pytest.raises(Refusal):
        office.reopen().execute(application("8.1", ("invoice", "1")), actor="intake", key="other")


@pytest.mark.parametrize(
    ("evidence", "field", "code"),
    [
        ([{"kind": "letter", "key": "1"}], "evidence[0].kind", "unknown"),
        ([{"key": "1"}], "evidence[0].kind", "unknown"),
        ([{"kind": "invoice", "key": " "}], "evidence[0].key", "invalid"),
        ([{"kind": "invoice", "key": "x" * 101}], "evidence[0].key", "invalid"),
        ([{"kind": "invoice", "key": 1}], "evidence[0].key", "invalid"),
        ([{"kind": "invoice"}], "evidence[0].key", "invalid"),
        ([{"kind": "invoice", "key": "1", "amount": "1.00"}], "evidence[0].amount", "unknown"),
        ([{"kind": "invoice", "key": "a1"}, {"kind": "invoice", "key": "Ａ 1"}], "evidence[1].key", "duplicate"),
        ([{"kind": "invoice", "key": str(n)} for n in range(501)], "evidence", "too-many"),
    ],
)
def test_malformed_evidence_is_named_and_nothing_is_recorded(
    office: Office, evidence: list[dict[str, Any]], field: str, code: str
) -> None:
    before = office.head()
    with pytest.raises(Malformed) as malformed:
        office.give(application("5.1", evidence=evidence), "intake")
    assert [(error.field, error.code) for error in malformed.value.errors] == [(field, code)]
    assert office.head() == before


def test_an_application_without_evidence_is_as_it_was(office: Office) -> None:
    submit(office, "5.1")
    event = office.reader.events(office.head() - 1, 1)[0].event
    assert isinstance(event, ApplicationSubmitted)
    assert (event.evidence, event.other_funding) == ((), ())


# Other public money for the same matter

DISTRICT = {"level": "district", "amount_fen": 100_000_000, "document": "深光工信〔2026〕1号"}


def decide(case: str, way_out: str, **more: Any) -> DecideOtherFunding:
    stated = {"reference": "局务会纪要〔2026〕3号", "reason": "就高不就低"} | more
    return DecideOtherFunding(case=case, way_out=way_out, **stated)


@pytest.mark.parametrize(
    ("way_out", "granted_fen"), [("return-then-claim", 400_000_000), ("top-up-difference", 300_000_000)]
)
def test_money_of_the_district_blocks_until_the_office_decides(office: Office, way_out: str, granted_fen: int) -> None:
    case = submit(office, "5.2", other_funding=[DISTRICT])
    office.accept(case)
    with pytest.raises(Refusal) as refusal:
        office.give(DetermineAmount(case=case), "reviewer")
    assert (refusal.value.code, refusal.value.clause) == ("other-funding", "附则")
    office.give(decide(case, way_out), "approver")
    office.give(DetermineAmount(case=case), "reviewer")
    determined = office.reader.case(case).determination
    assert determined is not None
    assert determined.amount_fen == granted_fen
    assert determined.steps[-1].step == "other-funding"
    office.approve(case)
    assert office.reader.case(case).awarded_fen == granted_fen


def test_a_way_out_needs_its_document_its_reason_and_something_to_leave(office: Office) -> None:
    case = submit(office, "5.2", other_funding=[DISTRICT])
    for missing in ("reference", "reason"):
        with pytest.raises(Malformed, match=missing):
            office.give(decide(case, "return-then-claim", **{missing: None}), "approver")
    with pytest.raises(Malformed, match="way_out"):
        office.give(decide(case, "keep-both"), "approver")
    plain = submit(office, "5.2", item="乙")
    with pytest.raises(OutOfOrder):
        office.give(decide(plain, "return-then-claim"), "approver")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"level": "moon"}, "level"),
        ({"amount_fen": 0}, "amount"),
        ({"amount_fen": 1.5}, "amount"),
        ({"document": " "}, "document"),
        ({"x": 1}, "x"),
    ],
)
def test_a_malformed_declaration_is_named(office: Office, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as malformed:
        office.give(application("5.2", other_funding=[DISTRICT | changes]), "intake")
    assert [error.field for error in malformed.value.errors] == [f"other_funding[0].{field}"]
