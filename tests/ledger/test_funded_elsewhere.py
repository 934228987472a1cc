"""City and district for one number of a public register: funded once, unless it is declared (附则, reading B10)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.commands.approve_award import ApproveAward
from ledger.commands.decide_other_funding import DecideOtherFunding
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.commands.release_award import ReleaseAward
from ledger.commands.submit_application import SubmitApplication
from ledger.commands.withdraw_application import WithdrawApplication
from ledger.errors import Refusal
from ledger.events import CommandRefused
from ledger.identity import award_id
from ledger.policy import BUILT_IN, PolicyRegistry
from ledger.session import Session
from projections.reader import Reader
from tests.office import ENTERPRISE, POLICY, Office

OTHER = "91440300MA5EYR2P9G"
DISTRICT = "qinghe-meddev-2025"
EXAMPLE = Path(__file__).parent / "policy" / "example_district.toml"
NUMBER = "国械注准20263010001"
WAN = 1_000_000
CITY_GRANT, DISTRICT_GRANT = 400 * WAN, 100 * WAN
"""40 % and 10 % of the 1000万元 that the product cost."""
STATED: dict[tuple[str, str], dict[str, Any]] = {
    (POLICY, "5.2"): {"rd_cost": "10000000.00", "special_approval": False},
    (POLICY, "8.1"): {"actual_cost": "10000000.00"},
    (DISTRICT, "5.1"): {"rd_cost": "10000000.00"},
}
CERTIFICATES = """
[rules."5.1"]
article = "五"
name = "首次获证"
beneficiary = "企业"
condition = "在本区生产的产品首次取得注册证"
item = "医疗器械注册证"
stage = "registration"
shape = "rate"
review = "entitled"
basis = "rd_cost"
rate = { value = "10%", cite = "五" }
item_cap = { value = "100万元", cite = "五" }
once_per_item = { value = true, cite = "五" }
item_shared = { value = true, cite = "五" }

[rules."5.1".particulars]
rd_cost = { kind = "money", label = "研发费用" }
"""
"""What the example's district adds to itself: certificates, in the city's stage or in one of its own."""


def district(stage: str = "registration", **changes: str) -> str:
    text = EXAMPLE.read_text(encoding="utf-8") + CERTIFICATES
    changed = {
        'tenancy = { label = "入驻园区", clause = "四" }\n': f'{stage} = {{ label = "首次获证", clause = "五" }}\n',
        '"四" = { name = "入驻园区租金", funding = "ruled" }\n': '"五" = { name = "首次获证", funding = "ruled" }\n',
        'stage = "registration"': f'stage = "{stage}"',
    }
    for before, added in changed.items():
        assert before in text
        text = text.replace(before, added if before.startswith("stage") else before + added)
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    return text


def load(office: Office, folder: Path, text: str) -> None:
    (folder / DISTRICT).mkdir(parents=True, exist_ok=True)
    (folder / DISTRICT / "1.toml").write_text(text, encoding="utf-8")
    office.policies = PolicyRegistry.load([BUILT_IN, folder])
    office.ledger = office.reopen()
    office.reader = Reader(office.store, office.policies, office.clock)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """The city's policy and beside it a district's, which funds certificates too."""
    office = Office(tmp_path)
    load(office, tmp_path / "policies", district())
    yield office
    office.close()


def accepted(office: Office, policy: str, rule: str, **more: Any) -> str:
    command: dict[str, Any] = {
        "policy": policy,
        "rule": rule,
        "enterprise": ENTERPRISE,
        "enterprise_name": "示例医疗科技有限公司",
        "item": NUMBER,
        "particulars": STATED[policy, rule],
    }
    case = office.give(SubmitApplication(**(command | more)), "intake").case
    assert case is not None
    office.accept(case)
    return case


def determine(office: Office, case: str) -> int:
    office.give(DetermineAmount(case=case), "reviewer")
    determined = office.reader.case(case).determination
    assert determined is not None
    return determined.amount_fen


def award(office: Office, policy: str, rule: str, **more: Any) -> str:
    case = accepted(office, policy, rule, **more)
    determine(office, case)
    office.approve(case)
    return case


def declaring(case: str) -> list[dict[str, Any]]:
    return [{"level": "city", "amount_fen": 1, "document": award_id(case)}]


def decide(office: Office, case: str, way_out: str) -> None:
    stated: dict[str, Any] = {"reference": "局务会纪要〔2026〕3号", "reason": "就高不就低"}
    office.give(DecideOtherFunding(case=case, way_out=way_out, **stated), "approver")


def refusal_of(step: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        step()
    return refused.value


BOTH = pytest.mark.parametrize(
    ("first", "second"),
    [((POLICY, "5.2"), (DISTRICT, "5.1")), ((DISTRICT, "5.1"), (POLICY, "5.2"))],
    ids=["city-first", "district-first"],
)


@BOTH
@pytest.mark.parametrize("typed", [NUMBER, f"{NUMBER}号", "国械注准２０２６３０１０００１"])
def test_the_same_number_is_not_funded_by_both(
    office: Office, first: tuple[str, str], second: tuple[str, str], typed: str
) -> None:
    earlier = award(office, *first)
    office.pay(earlier, WAN, "银行-1")
    case = accepted(office, *second, item=typed)
    refused = refusal_of(lambda: determine(office, case))
    assert (refused.code, refused.clause, refused.earlier) == ("funded-elsewhere", "附则", earlier)
    for told in (refused.text.zh, refused.text.en):
        assert award_id(earlier) in told
    assert "其他财政资助" in refused.text.zh
    assert "退回后申领" in refused.text.zh
    assert "补足差额" in refused.text.zh
    recorded = office.reader.events(office.head() - 1, 1)[0].event
    assert isinstance(recorded, CommandRefused)
    assert recorded.code == "funded-elsewhere"


@BOTH
def test_a_quote_tells_the_same(office: Office, first: tuple[str, str], second: tuple[str, str]) -> None:
    def quote() -> int:
        policy, rule = second
        return office.ledger.quote(policy, rule, ENTERPRISE, NUMBER, STATED[second]).amount_fen

    case = accepted(office, *first)
    determine(office, case)
    assert quote() > 0
    office.approve(case)
    assert refusal_of(quote).code == "funded-elsewhere"


def test_one_that_was_determined_before_the_other_s_approval_is_not_approved(office: Office) -> None:
    case = accepted(office, DISTRICT, "5.1")
    assert determine(office, case) == DISTRICT_GRANT
    earlier = award(office, POLICY, "5.2")
    assert refusal_of(lambda: office.approve(case)).earlier == earlier


@pytest.mark.parametrize("round_", range(3))
def test_of_two_approvals_at_once_one_is_refused(office: Office, round_: int) -> None:
    """Each through a door of its own, with a memory of its own, as two processes would."""
    cases = [accepted(office, POLICY, "5.2"), accepted(office, DISTRICT, "5.1")]
    amounts = [determine(office, case) for case in cases]
    doors = [office.ledger, office.reopen()]
    together, said = threading.Barrier(2), []

    def approve(which: int) -> None:
        command = ApproveAward(case=cases[which], amount_fen=amounts[which])
        together.wait()
        try:
            doors[which].execute(command, actor="approver", key=f"approval-{which}")
            said.append("approved")
        except Refusal as refusal:
            said.append(refusal.code)

    threads = [threading.Thread(target=approve, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["approved", "funded-elsewhere"]


@pytest.mark.parametrize(("way_out", "due_fen"), [("top-up-difference", CITY_GRANT - DISTRICT_GRANT), (None, 0)])
def test_declared_the_two_ways_out_decide(office: Office, way_out: str | None, due_fen: int) -> None:
    earlier = award(office, DISTRICT, "5.1")
    case = accepted(office, POLICY, "5.2", other_funding=declaring(earlier))
    if way_out is None:
        assert refusal_of(lambda: determine(office, case)).code == "other-funding"
        return
    decide(office, case, way_out)
    assert determine(office, case) == due_fen
    office.approve(case)


def test_an_award_given_back_counts_when_nothing_of_it_is_left(office: Office) -> None:
    earlier = award(office, DISTRICT, "5.1")
    case = accepted(office, POLICY, "5.2")
    give_back = ReleaseAward(case=earlier, amount_fen=DISTRICT_GRANT - 1, cause="withdrawal")
    office.give(give_back, "approver")
    assert refusal_of(lambda: determine(office, case)).code == "funded-elsewhere"
    office.give(ReleaseAward(case=earlier, amount_fen=1, cause="withdrawal"), "approver")
    assert determine(office, case) == CITY_GRANT
    office.approve(case)


def test_an_award_recovered_for_a_violation_counts_no_more(office: Office) -> None:
    """Its limits stay used (B5); but there is no money for the matter any more."""
    earlier = award(office, DISTRICT, "5.1")
    office.pay(earlier, DISTRICT_GRANT, "银行-1")
    office.claw_back(earlier, DISTRICT_GRANT)
    case = accepted(office, POLICY, "5.2")
    assert refusal_of(lambda: determine(office, case)).code == "funded-elsewhere"
    office.receive(earlier, DISTRICT_GRANT, "银行-2")
    assert determine(office, case) == CITY_GRANT


def test_what_is_another_enterprise_s_is_told_as_such(office: Office) -> None:
    earlier = award(office, DISTRICT, "5.1", enterprise=OTHER)
    case = accepted(office, POLICY, "5.2")
    refused = refusal_of(lambda: determine(office, case))
    assert (refused.code, refused.earlier) == ("funded-elsewhere", earlier)
    assert "另一单位" in refused.text.zh
    assert "补足差额" not in refused.text.zh, "it cannot be declared"


def test_another_number_another_stage_and_an_application_bar_nothing(office: Office) -> None:
    accepted(office, DISTRICT, "5.1")
    award(office, DISTRICT, "5.1", item="国械注准20263010002")
    assert determine(office, accepted(office, POLICY, "5.2")) == CITY_GRANT
    withdrawn = accepted(office, DISTRICT, "5.1", item="国械注准20263010003")
    office.give(WithdrawApplication(case=withdrawn), "intake")
    award(office, POLICY, "5.2", item="国械注准20263010003")
    award(office, DISTRICT, "5.1", item="国械注准20263010004")
    award(office, POLICY, "8.1", item="国械注准20263010004")
    award(office, POLICY, "8.1", item="国械注准20263010005")
    award(office, DISTRICT, "5.1", item="国械注准20263010005")


def test_a_stage_of_another_name_is_another_stage(tmp_path: Path) -> None:
    office = Office(tmp_path)
    load(office, tmp_path / "policies", district(stage="first-certificate"))
    award(office, DISTRICT, "5.1")
    assert determine(office, accepted(office, POLICY, "5.2")) == CITY_GRANT
    office.close()


def test_an_item_that_no_register_numbers_is_another_matter(tmp_path: Path) -> None:
    office = Office(tmp_path)
    shared = 'item_shared = { value = true, cite = "五" }\n'
    load(office, tmp_path / "policies", district(**{shared: ""}))
    award(office, DISTRICT, "5.1")
    assert determine(office, accepted(office, POLICY, "5.2")) == CITY_GRANT
    office.close()


def test_a_ceiling_for_each_year_hides_no_award(tmp_path: Path) -> None:
    office = Office(tmp_path)
    once = 'once_per_item = { value = true, cite = "五" }\n'
    load(office, tmp_path / "policies", district(**{once: 'item_cap_per = { value = "per-year", cite = "五" }\n'}))
    earlier = award(office, DISTRICT, "5.1")
    office.clock.set(date(2027, 1, 4))
    case = accepted(office, POLICY, "5.2")
    assert refusal_of(lambda: determine(office, case)).earlier == earlier
    office.close()


def test_where_the_office_lets_it_stack_it_is_not_refused(office: Office) -> None:
    award(office, DISTRICT, "5.1")
    case = accepted(office, POLICY, "5.2")
    switched = RecordInterpretation(
        policy=POLICY,
        reading="B10",
        value="stackable",
        decided_by="市发展和改革委员会",
        effective_from=date(2026, 3, 2),
        reference="深发改〔2026〕9号",
        reason="区级另有规定",
    )
    office.give(switched, "approver")
    assert determine(office, case) == CITY_GRANT


@pytest.mark.parametrize(("rule", "is_read"), [("5.2", True), ("8.1", False)])
def test_only_a_policy_that_funds_the_stage_is_read(
    office: Office, monkeypatch: pytest.MonkeyPatch, rule: str, is_read: bool
) -> None:
    """So where one policy is loaded, nothing more is read than before there could be another."""
    case, looked, look = accepted(office, POLICY, rule), list[str](), Session.look

    def watched(session: Session, fold: Any, tag: str) -> Any:
        looked.append(tag)
        return look(session, fold, tag)

    monkeypatch.setattr(Session, "look", watched)
    determine(office, case)
    assert any(DISTRICT in tag for tag in looked) is is_read
