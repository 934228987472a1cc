"""The calculation sheet: what it shows is what was decided, and whose awards stood in the way then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.release_award import ReleaseAward
from ledger.errors import NotFound
from ledger.events import AmountDetermined
from projections.reader import Moment
from projections.sheet import capitals
from tests.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def cut_to_1_200_000(office: Office) -> tuple[list[str], str]:
    """E2: three items under one yearly limit, the last one cut."""
    first = office.approved("甲", rule="5.2", rd_cost="16000000.00", special_approval=True)
    second = office.approved("乙", rule="5.1", rd_cost="7000000.00", special_approval=False)
    third = office.determined("丙", rule="5.1", rd_cost="8000000.00", special_approval=False)
    return [first, second], third


def test_a_sheet_names_the_awards_that_used_the_limit_up(office: Office) -> None:
    earlier, case = cut_to_1_200_000(office)
    sheet = office.reader.sheet(case)
    yearly, item = sheet.limits
    assert (yearly.headroom.limit, yearly.headroom.used_fen, yearly.headroom.left_fen) == (
        "C5",
        880_000_000,
        120_000_000,
    )
    assert [award.award_id for award in yearly.counted] == [f"awd-{number}" for number in earlier]
    assert [award.amount_fen for award in yearly.counted] == [600_000_000, 280_000_000]
    assert (yearly.cut_fen, item.cut_fen) == (180_000_000, 20_000_000)
    assert item.counted == ()
    assert (sheet.amount_fen, sheet.capitals) == (120_000_000, "壹佰贰拾万元整")
    assert sheet.basis is not None
    assert (sheet.basis.label.zh, sheet.basis.text.zh, sheet.rate) == ("实际投入研发费用", "800万元", "40%")
    assert [step.step for step in sheet.steps] == ["rate", "item-cap", "annual-cap"]
    assert (sheet.award_id, sheet.approval) == (None, None)
    assert {"B1", "B7", "B27"} <= {reading.id for reading in sheet.readings}


def test_a_sheet_tells_every_reading_that_the_rule_its_numbers_and_its_limit_go_by(office: Office) -> None:
    plant = office.determined("甲", rule="7.1", build_cost="20000000.00", area_m2="1000.00")
    assert {"B15", "B16", "B17"} <= {reading.id for reading in office.reader.sheet(plant).readings}
    lease = office.determined(
        "乙",
        rule="22.2",
        benchmark_rent="45.00",
        area_m2="100.00",
        tenancy_from="2025-07-01",
        claim_from="2025-07-01",
        claim_until="2025-12-31",
    )
    readings = [reading.id for reading in office.reader.sheet(lease).readings]
    assert {"B3", "B11.1", "B12", "B12.1", "B13", "B33", "B27"} <= set(readings)
    assert len(readings) == len(set(readings))


def test_what_happened_after_the_determination_does_not_change_its_sheet(office: Office) -> None:
    earlier, case = cut_to_1_200_000(office)
    office.approve(case)
    before = office.reader.sheet(case)
    office.give(ReleaseAward(case=earlier[1], amount_fen=280_000_000, cause="withdrawal"), "approver")
    assert office.reader.sheet(case) == before
    assert before.approval is not None
    assert (before.approval.amount_fen, before.approval.by, before.award_id) == (120_000_000, "approver", f"awd-{case}")
    office.approved("丁", rule="5.1", rd_cost="100.00", special_approval=False)
    assert office.reader.sheet(case) == before


def test_an_award_that_gave_everything_back_is_not_counted(office: Office) -> None:
    first = office.approved("甲")
    office.give(ReleaseAward(case=first, amount_fen=600_000_000, cause="withdrawal"), "approver")
    case = office.determined("乙")
    assert office.reader.sheet(case).limits[0].counted == ()


def test_the_last_determination_is_shown(office: Office) -> None:
    case = office.determined("甲", rule="5.1", rd_cost="100.00", special_approval=False)
    command = DetermineAmount(
        case=case, particulars={"rd_cost": "50.00", "special_approval": False}, reason="审计核减", reference="审字1号"
    )
    office.give(command, "reviewer")
    sheet = office.reader.sheet(case)
    assert (sheet.amount_fen, sheet.reason, sheet.reference) == (2000, "审计核减", "审字1号")


def test_every_determination_keeps_its_sheet_and_only_the_last_is_approved(office: Office) -> None:
    case = office.determined("甲", rule="5.1", rd_cost="100.00", special_approval=False)
    first = office.reader.sheet(case)
    stated = {"rd_cost": "50.00", "special_approval": False}
    office.give(DetermineAmount(case=case, particulars=stated, reason="审计核减"), "reviewer")
    office.approve(case)
    again, last = office.reader.sheet(case, determination=1), office.reader.sheet(case, determination=2)
    assert (again.amount_fen, again.number, again.superseded, again.approval) == (4000, 1, True, None)
    assert (first.superseded, first.steps) == (False, again.steps)
    assert (last.amount_fen, last.number, last.superseded) == (2000, 2, False)
    assert last == office.reader.sheet(case)
    assert last.approval is not None
    for number in (0, 3):
        with pytest.raises(NotFound):
            office.reader.sheet(case, determination=number)


def test_every_cut_is_told_with_the_scope_that_made_it(office: Office) -> None:
    _, case = cut_to_1_200_000(office)
    sheet = office.reader.sheet(case)
    yearly, item = sheet.limits
    assert [(step.step, step.cut_fen, step.scope) for step in sheet.steps] == [
        ("rate", None, None),
        ("item-cap", 20_000_000, item.headroom.scope),
        ("annual-cap", 180_000_000, yearly.headroom.scope),
    ]
    assert (yearly.label.zh, yearly.period, item.period) == ("首次注册资助，单个企业每年（C5）", "2026", None)


def test_there_is_no_sheet_before_an_amount_was_determined(office: Office) -> None:
    case = office.accepted("甲")
    with pytest.raises(NotFound):
        office.reader.sheet(case)


def test_a_determination_recorded_before_limits_were_kept_is_still_read(office: Office) -> None:
    case = office.approved("甲")
    recorded = next(r for r in office.reader.history(case) if isinstance(r.event, AmountDetermined))
    old = msgspec.to_builtins(recorded.event)
    del old["headroom"]
    assert msgspec.convert(old, AmountDetermined).headroom == ()


@pytest.mark.parametrize(
    ("amount_fen", "told"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角"),
        (1_000_05, "壹仟元零伍分"),
        (600_000_000, "陆佰万元整"),
        (108_000_050, "壹佰零捌万元伍角"),
        (30_000_000_000, "叁亿元整"),
        (10_001_000_101, "壹亿零壹万零壹元零壹分"),
        (10_000_200_000, "壹亿零贰仟元整"),
        (10_000_234_567, "壹亿零贰仟叁佰肆拾伍元陆角柒分"),
        (12_000_000_000, "壹亿贰仟万元整"),
        (12_000_200_000, "壹亿贰仟万贰仟元整"),
        (10_000_020_000, "壹亿零贰佰元整"),
    ],
)
def test_amounts_in_capitals_are_exact_to_the_fen(amount_fen: int, told: str) -> None:
    assert capitals(amount_fen) == told


WINDOWED = {
    "benchmark_rent": "1000.00", "area_m2": "2000.00", "tenancy_from": "2023-07-01", "claim_from": "2024-01-01",
    "claim_until": "2024-12-31",
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "stated", "cuts"),
    [
        ("22.2", WINDOWED, [100_000_000, 100_000_000]),
        ("7.1", {"build_cost": "30000000.00", "area_m2": "5000.00"}, [200_000_000]),
        ("2.1", {"proposed": "100.00"}, [0]),
        ("19.1", {"project_count": 10, "proposed": "100.00", "service_year": 2025}, [0]),
    ],
)
def test_every_shape_has_a_sheet_of_its_own_steps(
    office: Office, rule: str, stated: dict[str, Any], cuts: list[int]
) -> None:
    case = office.accepted("甲", rule=rule, **stated)
    office.give(DetermineAmount(case=case, reason="评审意见"), "reviewer")
    sheet = office.reader.sheet(case)
    assert [limit.cut_fen for limit in sheet.limits] == cuts
    assert [step.detail for step in sheet.steps] == [step.detail for step in determination_of(office, case).steps]
    assert office.reader.sheet(case, Moment(up_to=sheet_position(office))) == sheet


def determination_of(office: Office, case: str) -> AmountDetermined:
    determination = office.reader.case(case).determination
    assert determination is not None
    return determination


def sheet_position(office: Office) -> int:
    return office.head()
