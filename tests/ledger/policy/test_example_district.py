"""The invented district policy that docs/policy-authoring.md explains: read, claimed under, and held beside the city's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api.cli.serve import command
from api.cli.speech import Language, Speech
from api.policies import load_policies
from ledger.commands.decide_other_funding import DecideOtherFunding
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import Refusal
from ledger.identity import award_id
from ledger.policy import BUILT_IN, PolicyRegistry
from ledger.policy.schema import CostSchema, RentSchema, RuleSchema, WindowedRateSchema, WindowSchema
from ledger.policy.terms import Bills, Claimable, PeriodSplit, RentBasis
from projections.reader import Reader
from tests.office import ENTERPRISE, POLICY, Office

DISTRICT = "qinghe-meddev-2025"
EXAMPLE = Path(__file__).parent / "example_district.toml"
GUIDE = Path(__file__).parents[3] / "docs" / "policy-authoring.md"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with the city's policies and the district's beside them."""
    (tmp_path / "policies" / DISTRICT).mkdir(parents=True)
    shutil.copy(EXAMPLE, tmp_path / "policies" / DISTRICT / "1.toml")
    office = Office(tmp_path)
    office.policies = PolicyRegistry.load([BUILT_IN, tmp_path / "policies"])
    office.ledger = office.reopen()
    office.reader = Reader(office.store, office.policies, office.clock)
    yield office
    office.close()


def quote(office: Office, rule: str, **stated: Any) -> int:
    return office.ledger.quote(DISTRICT, rule, ENTERPRISE, "甲", stated).amount_fen


@pytest.mark.parametrize(
    ("cost", "granted_fen"), [("6400000.00", 80_000_000), ("6399999.99", 79_999_900), ("6400000.01", 80_000_000)]
)
def test_a_district_grants_its_own_rate_up_to_its_own_ceiling(office: Office, cost: str, granted_fen: int) -> None:
    assert quote(office, "1.1", equipment_cost=cost, second_hand=False) == granted_fen


@pytest.mark.parametrize(
    ("rule", "stated", "code", "clause"),
    [
        ("1.1", {"equipment_cost": "1.00", "second_hand": True}, "second-hand", "一"),
        ("2", {}, "no-money-rule", "二"),
        ("3.1", {"fairs": 0, "proposed": "1.00", "fair_year": 2025}, "below-lowest-tier", "三"),
        ("3.1", {"fairs": 2, "proposed": "50000.01", "fair_year": 2025}, "above-ceiling", "三"),
    ],
)
def test_a_district_refuses_by_its_own_articles(
    office: Office, rule: str, stated: dict[str, Any], code: str, clause: str
) -> None:
    with pytest.raises(Refusal) as refused:
        quote(office, rule, **stated)
    assert (refused.value.code, refused.value.clause) == (code, clause)


TENANCY = {"tenancy_from": "2025-09-01"}
FIRST_YEAR = {**TENANCY, "period_from": "2025-09-01", "period_until": "2026-08-31"}
BOTH_YEARS = {**TENANCY, "period_from": "2026-03-01", "period_until": "2027-02-28"}


@pytest.mark.parametrize(
    ("rent", "period", "granted_fen"),
    [
        ("1000000.00", FIRST_YEAR, 30_000_000),
        ("999999.99", FIRST_YEAR, 29_999_900),
        ("1000000.01", FIRST_YEAR, 30_000_000),
        ("2000000.00", BOTH_YEARS, 59_753_400),
    ],
)
def test_rent_is_funded_inside_its_window_up_to_each_year_s_ceiling(
    office: Office, rent: str, period: dict[str, str], granted_fen: int
) -> None:
    office.clock.set(date(2027, 3, 1))
    assert quote(office, "4.1", rent_paid=rent, **period) == granted_fen


@pytest.mark.parametrize(
    ("day", "answer"),
    [
        (date(2026, 8, 30), ("period-not-over", "四")),
        (date(2026, 8, 31), 30_000_000),
        (date(2026, 9, 1), 30_000_000),
    ],
)
def test_rent_is_claimed_when_its_period_is_over(office: Office, day: date, answer: int | tuple[str, str]) -> None:
    office.clock.set(day)
    if isinstance(answer, int):
        assert quote(office, "4.1", rent_paid="1000000.00", **FIRST_YEAR) == answer
        return
    with pytest.raises(Refusal) as refused:
        quote(office, "4.1", rent_paid="1000000.00", **FIRST_YEAR)
    assert (refused.value.code, refused.value.clause) == answer


def test_rent_and_years_from_before_the_district_s_policy_are_refused(office: Office) -> None:
    """It began on 2025-07-01."""
    tenancy = {"tenancy_from": "2025-06-01", "period_until": "2026-05-31"}
    office.clock.set(date(2026, 6, 1))
    assert quote(office, "4.1", rent_paid="100.00", period_from="2025-07-01", **tenancy) == 3_000
    for rule, stated in (
        ("4.1", {**tenancy, "rent_paid": "100.00", "period_from": "2025-06-30"}),
        ("3.1", {"fairs": 2, "proposed": "1.00", "fair_year": 2024}),
    ):
        with pytest.raises(Refusal) as refused:
            quote(office, rule, **stated)
        assert (refused.value.code, refused.value.clause) == ("before-policy-start", "附则")


def test_rent_past_the_end_of_the_window_is_refused(office: Office) -> None:
    period = {**TENANCY, "period_from": "2027-08-01", "period_until": "2027-09-01"}
    with pytest.raises(Refusal) as refused:
        quote(office, "4.1", rent_paid="1.00", **period)
    assert (refused.value.code, refused.value.clause) == ("window-ended", "四")


def submit(office: Office, policy: str, rule: str, particulars: dict[str, Any], **more: Any) -> str:
    command = SubmitApplication(
        policy=policy,
        rule=rule,
        enterprise=ENTERPRISE,
        enterprise_name="示例医疗科技有限公司",
        item="甲",
        particulars=particulars,
        evidence=[{"kind": "invoice", "key": "发票-1"}],
        **more,
    )
    case = office.give(command, "intake").case
    assert case is not None
    office.accept(case)
    return case


def test_one_invoice_serves_the_city_or_the_district_unless_the_difference_is_topped_up(office: Office) -> None:
    district = submit(office, DISTRICT, "1.1", {"equipment_cost": "4000000.00", "second_hand": False})
    office.give(DetermineAmount(case=district), "reviewer")
    office.approve(district)
    city = {"rd_cost": "4000000.00", "special_approval": False}
    with pytest.raises(Refusal) as refused:
        submit(office, POLICY, "5.1", city)
    assert refused.value.code == "evidence-used"
    declared = [{"level": "district", "amount_fen": 50_000_000, "document": award_id(district)}]
    case = submit(office, POLICY, "5.1", city, other_funding=declared)
    office.give(
        DecideOtherFunding(case=case, way_out="top-up-difference", reference="纪要1号", reason="就高"), "approver"
    )
    office.give(DetermineAmount(case=case), "reviewer")
    office.approve(case)
    assert office.reader.case(case).awarded_fen == 160_000_000 - 50_000_000


def test_the_guide_s_option_loads_the_district_s_policies(tmp_path: Path) -> None:
    """As the guide says it: a folder of one's own, ``<id>/<version>.toml``, named with ``--policies``."""
    (tmp_path / "own" / DISTRICT).mkdir(parents=True)
    shutil.copy(EXAMPLE, tmp_path / "own" / DISTRICT / "1.toml")
    guide = GUIDE.read_text(encoding="utf-8")
    options = {
        name for parameter in command(Speech(Language.ZH)).params for name in (*parameter.opts, parameter.envvar)
    }
    assert {name for name in ("--policies", "LEDGER_POLICIES") if name in guide} == {"--policies", "LEDGER_POLICIES"}
    assert {"--policies", "LEDGER_POLICIES"} <= options
    assert DISTRICT in load_policies([tmp_path / "own"]).ids


def test_the_guide_explains_every_key_of_a_windowed_rule() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    section = guide.split("## 按资助期的规则", 1)[1].split("\n## ", 1)[0]
    explained = set(re.findall(r"`([a-z_]+)`", "\n".join(line for line in section.splitlines() if line[:1] == "|")))
    own = WindowedRateSchema().fields.keys() - RuleSchema().fields.keys()
    keys = own.union(WindowSchema().fields, RentSchema().fields, CostSchema().fields)
    assert keys - explained == set()
    words = {*RentBasis, *PeriodSplit, *Bills, *Claimable}
    assert [word for word in words if f"`{word}`" not in section] == []


def test_the_guide_quotes_the_example_as_it_is() -> None:
    guide, example = GUIDE.read_text(encoding="utf-8"), EXAMPLE.read_text(encoding="utf-8")
    quoted = [block.split("\n", 1)[1].strip() for block in guide.split("```")[1::2] if block.startswith("toml")]
    assert quoted
    assert [block for block in quoted if block not in example] == []
