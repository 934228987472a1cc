"""What a refusal says of a limit: its label, whose award used it up, and what becomes of the rest where that is true."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.errors import Refusal, Text
from ledger.policy import BUILT_IN, read_policy
from ledger.policy.model import Interpretation, Policy
from ledger.scopes import enterprise_year
from tests.ledger.rules.conftest import ENTERPRISE, Office

OTHER = "91440300MA5EYR2P9G"
NUMBER = "国械注准20263010001"
LAPSES = "超出部分不结转"
PURCHASE = {"purchase_total": "10000000.00", "purchase_year": 2025}
RENT = {
    "benchmark_rent": "50.00", "area_m2": "10000.00", "tenancy_from": "2025-01-01", "claim_from": "2025-01-01",
    "claim_until": "2025-06-30",
}  # fmt: skip
RD: dict[str, Any] = {"rd_cost": "10000000.00", "special_approval": False}


def refused(office: Office, rule: str, item: str = "甲", enterprise: str = ENTERPRISE, **stated: Any) -> Text:
    with pytest.raises(Refusal) as refusal:
        office.quote(rule, item, enterprise, **stated)
    return refusal.value.text


def read_otherwise(reading: str, value: str) -> Policy:
    file = read_policy(BUILT_IN / "shenzhen-meddev-2022" / "1.toml")
    return file.as_read_on(None, [Interpretation(1, reading, value, date(2026, 1, 1), "本局", "1号", "试读")])


def use_up(office: Office, limit: str, period: str) -> None:
    office.used[enterprise_year(office.policy.id, limit, ENTERPRISE, period).key] = 10**12


def test_a_used_up_yearly_limit_is_named_by_its_article_and_what_exceeds_it_lapses(office: Office) -> None:
    use_up(office, "C5", "2026")
    told = refused(office, "5.2", **RD)
    assert told.zh.startswith("第五条年度上限已用完：上限1000万元")
    assert LAPSES in told.zh
    assert "C5" not in told.zh
    assert "not carried over" in told.en


@pytest.mark.parametrize(
    ("limit", "period", "rule", "stated"),
    [("C15", "2025", "15.1", PURCHASE), ("C22R", "2025-01-01", "22.2", RENT)],
)
def test_where_carrying_over_is_no_question_nothing_is_said_of_it(
    office: Office, limit: str, period: str, rule: str, stated: dict[str, Any]
) -> None:
    use_up(office, limit, period)
    told = refused(office, rule, **stated)
    assert "年度上限已用完" in told.zh
    assert "结转" not in told.zh
    assert "carried" not in told.en
    assert limit not in told.zh


def test_what_is_carried_over_does_not_lapse() -> None:
    office = Office(read_otherwise("B30", "carried-over"))
    use_up(office, "C5", "2026")
    assert "结转" not in refused(office, "5.2", **RD).zh


@pytest.mark.parametrize(("reading", "begins"), [("included", "10以上"), ("excluded", "超过10")])
def test_a_tier_begins_where_the_office_reads_that_it_does(reading: str, begins: str) -> None:
    office = Office(read_otherwise("B18", reading))
    served: dict[str, Any] = {
        "project_count": 10 if reading == "excluded" else 9,
        "proposed": "100.00",
        "service_year": 2025,
    }
    assert f"最低一档（{begins}）" in refused(office, "19.1", **served).zh
    (tier,) = [step for step in office.quote("19.1", **{**served, "project_count": 11}).steps if step.step == "tier"]
    assert f"属{begins}一档" in tier.detail.zh


def test_a_proposed_amount_is_above_the_ceiling_or_above_what_is_left_of_it(office: Office) -> None:
    served: dict[str, Any] = {"project_count": 10, "service_year": 2025}
    told = refused(office, "19.1", **served, proposed="1000000.01")
    assert "高于第十九条本档上限100万元。请将金额降至上限以内" in told.zh
    assert "余额" not in told.zh
    office.award("19.1", **served, proposed="600000.00")
    told = refused(office, "19.1", **served, proposed="400000.01")
    assert "高于第十九条本档上限的余额：上限100万元，已用60万元，尚余40万元" in told.zh
    office.award("19.1", **served, proposed="400000.00")
    assert refused(office, "19.1", **served, proposed="1.00").zh.startswith("第十九条本档上限已用完")


def test_the_award_of_another_that_used_up_an_item_is_named(office: Office) -> None:
    office.award("8.1", NUMBER, OTHER, actual_cost="75000000.00")
    told = refused(office, "8.1", NUMBER, actual_cost="10000000.00")
    assert told.zh.startswith("第八条单项上限已用完")
    assert "其中资助awd-A1属另一单位" in told.zh
    assert "awd-A1 is another enterprise's" in told.en
    assert "另一单位" not in refused(office, "8.1", NUMBER, OTHER, actual_cost="10000000.00").zh


def test_the_award_of_another_for_an_item_that_is_funded_once_is_named(office: Office) -> None:
    office.award("5.2", NUMBER, OTHER, **RD)
    assert "其中资助awd-A1属另一单位" in refused(office, "5.2", NUMBER, **RD).zh
    assert "另一单位" not in refused(office, "5.2", NUMBER, OTHER, **RD).zh
