"""An award of this ledger declared as other public money: the ledger says what it comes to, not who declares it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.commands.confirm_stage import ConfirmStage
from ledger.commands.decide_other_funding import DecideOtherFunding
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.release_award import ReleaseAward
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import Malformed, Refusal
from ledger.events import CommandRefused
from ledger.identity import award_id
from ledger.policy import BUILT_IN, PolicyRegistry
from projections.reader import Reader
from tests.office import ENTERPRISE, POLICY, Office

OTHER = "91440300MA5EYR2P9G"
DISTRICT = "qinghe-meddev-2025"
EXAMPLE = Path(__file__).parent / "policy" / "example_district.toml"
WAN = 1_000_000
DISTRICT_GRANT = 50 * WAN
"""12.5 % of the 400万元 that everything here costs."""
INVOICE = [{"kind": "invoice", "key": "发票-1"}]
EQUIPMENT = {"equipment_cost": "4000000.00", "second_hand": False}
RESEARCH = {"project_cost": "4000000.00"}
"""Article 三, 3.1: all of it."""


def with_policies(office: Office, folder: Path) -> Office:
    office.policies = PolicyRegistry.load([BUILT_IN, folder])
    office.ledger = office.reopen()
    office.reader = Reader(office.store, office.policies, office.clock)
    return office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """The city's policies and a district's beside them."""
    (tmp_path / "policies" / DISTRICT).mkdir(parents=True)
    shutil.copy(EXAMPLE, tmp_path / "policies" / DISTRICT / "1.toml")
    office = with_policies(Office(tmp_path), tmp_path / "policies")
    yield office
    office.close()


def submit(office: Office, policy: str, rule: str, stated: dict[str, Any], **more: Any) -> str:
    command = {
        "policy": policy,
        "rule": rule,
        "enterprise": ENTERPRISE,
        "enterprise_name": "示例医疗科技有限公司",
        "item": "甲",
        "particulars": stated,
        "evidence": INVOICE,
    }
    case = office.give(SubmitApplication(**(command | more)), "intake").case
    assert case is not None
    office.accept(case)
    return case


def district_award(office: Office, **more: Any) -> str:
    case = submit(office, DISTRICT, "1.1", EQUIPMENT, **more)
    office.give(DetermineAmount(case=case), "reviewer")
    office.approve(case)
    assert office.reader.case(case).awarded_fen == DISTRICT_GRANT
    return case


def declaring(*cases: str, amount_fen: int = 1) -> list[dict[str, Any]]:
    return [{"level": "district", "amount_fen": amount_fen, "document": award_id(case)} for case in cases]


def city_claim(office: Office, *awards: str, rule: str = "3.1", stated: dict[str, Any] | None = None) -> str:
    return submit(office, POLICY, rule, stated or RESEARCH, other_funding=declaring(*awards))


def decide(office: Office, case: str, way_out: str) -> None:
    stated = {"reference": "局务会纪要〔2026〕3号", "reason": "就高不就低"}
    office.give(DecideOtherFunding(case=case, way_out=way_out, **stated), "approver")


def determine(office: Office, case: str) -> int:
    office.give(DetermineAmount(case=case), "reviewer")
    determined = office.reader.case(case).determination
    assert determined is not None
    return determined.amount_fen


def give_back(office: Office, case: str, amount_fen: int) -> None:
    office.give(ReleaseAward(case=case, amount_fen=amount_fen, cause="withdrawal"), "approver")


def code_of(office: Office, step: Any) -> str:
    with pytest.raises(Refusal) as refused:
        step()
    return refused.value.code


# What it comes to


def test_the_difference_is_to_what_the_ledger_knows_not_to_what_was_declared(office: Office) -> None:
    district = district_award(office)
    office.pay(district, DISTRICT_GRANT, "银行-1")
    case = city_claim(office, district)
    decide(office, case, "top-up-difference")
    assert determine(office, case) == 400 * WAN - DISTRICT_GRANT
    office.approve(case)
    assert office.reader.case(case).awarded_fen + DISTRICT_GRANT == 400 * WAN


def test_what_was_released_or_recovered_since_counts_no_more(office: Office) -> None:
    district = district_award(office)
    office.pay(district, 20 * WAN, "银行-1")
    case = city_claim(office, district)
    decide(office, case, "top-up-difference")
    assert determine(office, case) == 350 * WAN
    give_back(office, district, 30 * WAN)
    assert determine(office, case) == 380 * WAN
    office.claw_back(district, 5 * WAN, cause="arithmetic-error")
    assert determine(office, case) == 380 * WAN
    office.receive(district, 5 * WAN, "银行-2")
    assert determine(office, case) == 385 * WAN
    office.approve(case)


def test_money_from_elsewhere_is_added_as_declared(office: Office) -> None:
    elsewhere = {"level": "province", "amount_fen": 10 * WAN, "document": "粤财〔2026〕1号"}
    declared = [*declaring(district_award(office)), elsewhere]
    case = submit(office, POLICY, "3.1", RESEARCH, other_funding=declared)
    decide(office, case, "top-up-difference")
    assert determine(office, case) == 340 * WAN


def test_acceptance_settles_beside_what_the_ledger_knows(office: Office) -> None:
    case = city_claim(office, district_award(office), rule="3.2", stated={"total_investment": "25000000.00"})
    decide(office, case, "top-up-difference")
    assert determine(office, case) == 950 * WAN
    office.approve(case)
    office.give(ConfirmStage(case=case, stage=2, reference="进度报告1号"), "reviewer")
    accepted = ConfirmStage(case=case, stage=3, reference="验收报告1号", audited_fen=2_000 * WAN)
    with pytest.raises(Refusal) as refused:
        office.give(accepted, "reviewer")
    assert refused.value.code == "above-settlement"
    assert "结算为7500000.00元" in refused.value.text.zh


# Returned, and then claimed


@pytest.mark.parametrize("kept_fen", [DISTRICT_GRANT, 1])
def test_an_award_that_was_not_given_back_is_not_returned(office: Office, kept_fen: int) -> None:
    district = district_award(office)
    case = city_claim(office, district)
    if kept_fen < DISTRICT_GRANT:
        give_back(office, district, DISTRICT_GRANT - kept_fen)
    with pytest.raises(Refusal) as refused:
        decide(office, case, "return-then-claim")
    assert (refused.value.code, refused.value.clause) == ("other-funding-not-returned", "附则")
    assert award_id(district) in refused.value.text.zh
    assert award_id(district) in refused.value.text.en


def test_an_award_given_back_lets_the_whole_be_claimed(office: Office) -> None:
    district = district_award(office)
    case = city_claim(office, district)
    office.pay(district, 20 * WAN, "银行-1")
    give_back(office, district, 30 * WAN)
    office.claw_back(district, 20 * WAN, cause="duplicate")
    assert code_of(office, lambda: decide(office, case, "return-then-claim")) == "other-funding-not-returned"
    office.receive(district, 20 * WAN, "银行-2")
    decide(office, case, "return-then-claim")
    assert determine(office, case) == 400 * WAN
    office.approve(case)


def test_an_amount_determined_before_it_was_decided_otherwise_is_not_approved(office: Office) -> None:
    elsewhere = [{"level": "province", "amount_fen": 10 * WAN, "document": "粤财〔2026〕1号"}]
    case = submit(office, POLICY, "3.1", RESEARCH, other_funding=elsewhere)
    decide(office, case, "return-then-claim")
    assert determine(office, case) == 400 * WAN
    decide(office, case, "top-up-difference")
    assert code_of(office, lambda: office.approve(case)) == "determination-outdated"
    assert determine(office, case) == 390 * WAN
    office.approve(case)


# Who may declare what


def test_an_award_of_another_enterprise_is_refused(office: Office) -> None:
    district = district_award(office, enterprise=OTHER)
    assert code_of(office, lambda: city_claim(office, district)) == "award-of-another-enterprise"
    recorded = office.reader.events(office.head() - 1, 1)[0].event
    assert isinstance(recorded, CommandRefused)
    assert recorded.code == "award-of-another-enterprise"


@pytest.mark.parametrize("document", ["awd-0000000000", "AWD-x", "awd-"])
def test_an_award_that_is_not_in_the_ledger_is_told(office: Office, document: str) -> None:
    declared = [{"level": "district", "amount_fen": 1, "document": document}]
    with pytest.raises(Malformed) as malformed:
        submit(office, POLICY, "3.1", RESEARCH, other_funding=declared)
    assert [(its.field, its.code) for its in malformed.value.errors] == [("other_funding[0].document", "unknown-award")]


def test_what_may_still_be_granted_is_no_award_and_lifts_nothing(office: Office) -> None:
    undecided = submit(office, DISTRICT, "1.1", EQUIPMENT)
    with pytest.raises(Malformed) as malformed:
        city_claim(office, undecided)
    assert malformed.value.errors[0].code == "unknown-award"


def test_one_award_is_declared_once(office: Office) -> None:
    district = district_award(office)
    declared = declaring(district)
    twice = [*declared, {**declared[0], "document": f" {award_id(district).upper()}"}]
    with pytest.raises(Malformed) as malformed:
        submit(office, POLICY, "3.1", RESEARCH, other_funding=twice)
    assert [(its.field, its.code) for its in malformed.value.errors] == [("other_funding[1].document", "duplicate")]


def test_an_award_s_id_is_one_however_it_is_typed(office: Office) -> None:
    district = district_award(office)
    declared = [{**declaring(district)[0], "document": f" {award_id(district).upper()} "}]
    case = submit(office, POLICY, "3.1", RESEARCH, other_funding=declared)
    decide(office, case, "top-up-difference")
    assert determine(office, case) == 350 * WAN
    assert office.reader.case(case).declared_funding[0].document == award_id(district)


# One policy


def test_another_version_of_a_policy_is_the_same_policy(office: Office, tmp_path: Path) -> None:
    first = submit(office, POLICY, "3.1", RESEARCH)
    determine(office, first)
    office.approve(first)
    later = tmp_path / "policies" / POLICY
    later.mkdir()
    text = (BUILT_IN / POLICY / "1.toml").read_text(encoding="utf-8")
    for before, after in (("version = 1\n", "version = 2\n"), ('value = "2022-08-01"', 'value = "2026-01-01"')):
        assert before in text
        text = text.replace(before, after, 1)
    (later / "2.toml").write_text(text, encoding="utf-8")
    with_policies(office, tmp_path / "policies")
    assert office.policies.get(POLICY, 2).version == 2
    stated = {"item": "乙", "other_funding": declaring(first)}
    assert code_of(office, lambda: submit(office, POLICY, "3.1", RESEARCH, **stated)) == "evidence-used"


# Evidence of the declared award

REPORT = "深审字〔2026〕12号"
AUDITED = {"audited_cost": "4000000.00"}


@pytest.mark.parametrize("typed", [REPORT, "深审字[2026]12号"])
@pytest.mark.parametrize("given", ["application", "determination"])
@pytest.mark.parametrize("is_declared", [True, False])
def test_the_report_of_a_declared_award_is_refused_or_that_of_another_is_taken(
    office: Office, is_declared: bool, given: str, typed: str
) -> None:
    """The same answer whether the report comes with the application or is added in review."""
    district = district_award(office, evidence=[{"kind": "audit-report", "key": REPORT}])
    more: dict[str, Any] = {"other_funding": declaring(district) if is_declared else []}
    more["evidence"] = [{"kind": "audit-report", "key": typed}] if given == "application" else []

    def claimed() -> int:
        case = submit(office, POLICY, "14.1", AUDITED, **more)
        if is_declared:
            decide(office, case, "top-up-difference")
        report = typed if given == "determination" else None
        office.give(DetermineAmount(case=case, audit_report=report), "reviewer")
        determined = office.reader.case(case).determination
        assert determined is not None
        return determined.amount_fen

    if is_declared:
        assert claimed() == 400 * WAN - DISTRICT_GRANT
    else:
        assert code_of(office, claimed) == "evidence-used"


def test_a_report_added_beside_a_declared_award_of_the_same_policy_is_taken(office: Office) -> None:
    report = [{"kind": "audit-report", "key": REPORT}]
    first = submit(office, POLICY, "14.1", AUDITED, evidence=report)
    determine(office, first)
    office.approve(first)
    more = {"audited_cost": "6000000.00"}
    second = submit(office, POLICY, "14.1", more, evidence=[], other_funding=declaring(first))
    decide(office, second, "top-up-difference")
    adding = DetermineAmount(case=second, audit_report=REPORT)
    assert code_of(office, lambda: office.give(adding, "reviewer")) == "evidence-used"


def test_a_certificate_that_another_policy_lets_stand_once_stands_for_another_stage(
    office: Office, tmp_path: Path
) -> None:
    """Only that policy's own office can read it otherwise."""
    policy = tmp_path / "policies" / DISTRICT / "1.toml"
    text = policy.read_text(encoding="utf-8")
    strict = text.replace(
        'certificate = { used = { value = "once-per-stage"', 'certificate = { used = { value = "once"'
    )
    assert strict != text
    policy.write_text(strict, encoding="utf-8")
    with_policies(office, tmp_path / "policies")
    certificate = [{"kind": "certificate", "key": "国械注准20263010001"}]
    submit(office, DISTRICT, "1.1", EQUIPMENT, evidence=certificate)
    assert code_of(office, lambda: submit(office, POLICY, "3.1", RESEARCH, evidence=certificate)) == "evidence-used"


# However it is named


def forms(number: str) -> dict[str, str]:
    full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in f"AWD-{number}")
    return {
        "award": f"awd-{number}",
        "application": f"app-{number}",
        "capitals": f"APP-{number}",
        "lower": f"awd-{number.lower()}",
        "bare": number,
        "bare-lower": f" {number.lower()} ",
        "full-width": full_width,
        "dash": f"awd—{number}",
        "blank": f"awd - {number}",
        "no-hyphen": f"awd{number}",
        "unseen": f"awd-\u200b{number}",
        "in-a-text": f"青禾区资助 awd-{number}（2026年）",
        "in-a-text-without-blanks": f"青禾区资助app-{number}号",
        "in-brackets": f"资助〔{number}〕",
        "with-a-year-close-to-it": f"资助awd-{number}2026年",
        "with-a-word-close-to-it": f"IDawd-{number}",
        "in-a-sentence": f"see {number.lower()}, of March",
    }


@pytest.mark.parametrize("form", forms("0000000000"))
def test_an_award_is_looked_up_by_whatever_form_it_is_named(office: Office, form: str) -> None:
    district = district_award(office)
    declared = [{"level": "district", "amount_fen": 1, "document": forms(district)[form]}]
    case = submit(office, POLICY, "3.1", RESEARCH, other_funding=declared)
    assert office.reader.case(case).declared_funding[0].document == award_id(district)
    decide(office, case, "top-up-difference")
    assert determine(office, case) == 400 * WAN - DISTRICT_GRANT


@pytest.mark.parametrize("form", ["application", "bare", "full-width", "in-a-text"])
def test_one_award_in_two_forms_is_declared_twice(office: Office, form: str) -> None:
    district = district_award(office)
    again = {"level": "city", "amount_fen": 2, "document": forms(district)[form]}
    with pytest.raises(Malformed) as malformed:
        submit(office, POLICY, "3.1", RESEARCH, other_funding=[*declaring(district), again])
    assert [(its.field, its.code) for its in malformed.value.errors] == [("other_funding[1].document", "duplicate")]


@pytest.mark.parametrize("form", ["application", "bare", "in-a-text"])
def test_what_may_still_be_granted_is_no_award_by_any_form(office: Office, form: str) -> None:
    undecided = submit(office, DISTRICT, "1.1", EQUIPMENT)
    declared = [{"level": "district", "amount_fen": 1, "document": forms(undecided)[form]}]
    with pytest.raises(Malformed) as malformed:
        submit(office, POLICY, "3.1", RESEARCH, other_funding=declared)
    assert [(its.field, its.code) for its in malformed.value.errors] == [("other_funding[0].document", "unknown-award")]


def test_two_awards_are_not_one_entry(office: Office) -> None:
    first = district_award(office)
    second = district_award(office, item="乙", evidence=[])
    declared = [{"level": "district", "amount_fen": 1, "document": f"awd-{first}、awd-{second}"}]
    with pytest.raises(Malformed) as malformed:
        submit(office, POLICY, "3.1", RESEARCH, other_funding=declared)
    assert [(its.field, its.code) for its in malformed.value.errors] == [
        ("other_funding[0].document", "several-awards")
    ]


@pytest.mark.parametrize(
    "document",
    ["0123456789", "粤财〔2026〕1234567890号", "APPROVAL-2026-00001", "awdah2026", "ABCDEFGHJKM", "局2026纪要3"],
)
def test_a_document_of_elsewhere_stays_as_it_was_written(office: Office, document: str) -> None:
    elsewhere = [{"level": "province", "amount_fen": 10 * WAN, "document": document}]
    case = submit(office, POLICY, "3.1", RESEARCH, other_funding=elsewhere)
    assert office.reader.case(case).declared_funding[0].document == document
    decide(office, case, "top-up-difference")
    assert determine(office, case) == 390 * WAN


@pytest.mark.parametrize("document", ["app-0000000000", "资助awd-0000000000", "ＡＷＤ－x", "awd - x", "资助 awd-7OJ"])
def test_an_id_of_no_case_is_told_in_any_form(office: Office, document: str) -> None:
    declared = [{"level": "district", "amount_fen": 1, "document": document}]
    with pytest.raises(Malformed) as malformed:
        submit(office, POLICY, "3.1", RESEARCH, other_funding=declared)
    assert [(its.field, its.code) for its in malformed.value.errors] == [("other_funding[0].document", "unknown-award")]


@pytest.mark.parametrize("typed", ["粤财〔2026〕1号", "粤财[2026]1号", " 粤财（２０２６）1 "])
def test_one_document_of_elsewhere_is_declared_once(office: Office, typed: str) -> None:
    elsewhere = {"level": "province", "amount_fen": 10 * WAN, "document": "粤财〔2026〕1号"}
    declared = [
        elsewhere,
        {**elsewhere, "document": "粤财〔2026〕2号"},
        {**elsewhere, "level": "city", "document": typed},
    ]
    with pytest.raises(Malformed) as malformed:
        submit(office, POLICY, "3.1", RESEARCH, other_funding=declared)
    assert [(its.field, its.code) for its in malformed.value.errors] == [("other_funding[2].document", "duplicate")]
