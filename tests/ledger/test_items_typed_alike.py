"""An item is one however it is typed: it is not funded again under another spelling."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.errors import Refusal
from tests.office import Office

LEASE: Final[dict[str, Any]] = {
    "benchmark_rent": "100.00", "area_m2": "1000.00", "tenancy_from": "2025-01-01", "claim_from": "2025-01-01",
    "claim_until": "2025-12-31",
}  # fmt: skip
INVESTED: Final = {"total_investment": "100000000.00"}
RESEARCH: Final = {"rd_cost": "10000000.00", "special_approval": False}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path, today=date(2026, 3, 2))
    yield office
    office.close()


@pytest.mark.parametrize(
    ("rule", "stated", "first", "again", "code"),
    [
        ("22.2", LEASE, "租〔2025〕1号", "租[2025]1号", "months-already-funded"),
        ("22.2", LEASE, "租〔2025〕1号", "租(2025)第1号", "months-already-funded"),
        ("22.1", INVESTED, "园区“甲”", '园区"甲"', "item-already-awarded"),
        ("22.1", INVESTED, "园区“甲”", "园区「甲」", "item-already-awarded"),
        ("3.2", INVESTED, "深发改〔2026〕3号项目", "深发改【2026】3号项目", "item-already-awarded"),
        ("5.2", RESEARCH, "国械注准20263010001", "国械注准20263010001号", "item-already-awarded"),
        ("5.1", RESEARCH, "国械注准20263010001号", "“国械注准20263010001”", "item-already-awarded"),
    ],
)
def test_an_item_is_funded_again_when_it_is_typed_in_another_way(
    office: Office, rule: str, stated: dict[str, Any], first: str, again: str, code: str
) -> None:
    case = office.approved(first, rule=rule, **stated)
    assert office.reader.case(case).awarded_fen > 0
    with pytest.raises(Refusal) as refusal:
        office.approved(again, rule=rule, **stated)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("rule", "stated", "first", "other"),
    [
        ("22.2", LEASE | {"area_m2": "100.00"}, "租〔2025〕1号", "租〔2025〕2号"),
        ("3.2", INVESTED, "深发改〔2026〕3号项目", "深发改〔2025〕3号项目"),
        ("5.2", RESEARCH, "国械注准20263010001号", "国械注准20263010002号"),
    ],
)
def test_two_items_are_taken_for_one(office: Office, rule: str, stated: dict[str, Any], first: str, other: str) -> None:
    for item in (first, other):
        assert office.reader.case(office.approved(item, rule=rule, **stated)).awarded_fen > 0
