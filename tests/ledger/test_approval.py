"""What may be approved: no more than the amount as it comes out on that day; and why not is told truly."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.errors import Outdated
from tests.office import POLICY, Office

TODAY = date(2026, 3, 2)
LEASE = {
    "benchmark_rent": "100.00",
    "actual_rent": "50.00",
    "area_m2": "100.00",
    "tenancy_from": "2025-07-01",
    "claim_from": "2025-07-01",
    "claim_until": "2026-02-28",
}


def read_as(office: Office, reading: str, value: str) -> None:
    decided = RecordInterpretation(
        policy=POLICY,
        reading=reading,
        value=value,
        decided_by="市发展和改革委员会",
        effective_from=TODAY,
        reference="会议纪要〔2026〕7号",
        reason="统一口径",
    )
    office.give(decided, "approver")


def determined_fen(office: Office, case: str) -> int:
    determination = office.reader.case(case).determination
    assert determination is not None
    return determination.amount_fen


def test_after_a_switch_the_amount_is_said_to_come_out_differently_and_no_limit_to_be_used(office: Office) -> None:
    read_as(office, "B13", "benchmark")
    case = office.determined("租约", rule="22.2", **LEASE)
    read_as(office, "B13", "lower")
    with pytest.raises(Outdated) as outdated:
        office.approve(case)
    assert outdated.value.code == "determination-outdated"
    assert "占用" not in outdated.value.text.zh
    assert "重新核定" in outdated.value.text.zh
    office.give(DetermineAmount(case=case), "reviewer")
    office.approve(case)


def test_where_another_award_took_the_limit_that_is_said(office: Office) -> None:
    first, second = office.determined("甲"), office.determined("乙")
    office.approve(first)
    with pytest.raises(Outdated) as moved:
        office.approve(second)
    assert moved.value.code == "headroom-moved"
    assert moved.value.limit is not None
    assert moved.value.limit.used_fen == determined_fen(office, first)


def test_what_was_determined_in_fen_is_outdated_once_the_policy_counts_yuan(office: Office) -> None:
    read_as(office, "B27", "fen")
    case = office.determined("甲", rule="5.1", rd_cost="99.99", special_approval=False)
    assert determined_fen(office, case) == 3999
    read_as(office, "B27", "yuan")
    with pytest.raises(Outdated) as outdated:
        office.approve(case)
    assert outdated.value.code == "determination-outdated"


def test_a_limit_that_binds_by_another_reading_and_that_nobody_used_has_not_moved(office: Office) -> None:
    """By calendar years the claim has two yearly limits, by benefit years one: nobody else drew on it."""
    read_as(office, "B3", "calendar-year")
    case = office.determined("租约", rule="22.2", **(LEASE | {"area_m2": "100000.00"}))
    calendar_fen = determined_fen(office, case)
    read_as(office, "B3", "benefit-year")
    with pytest.raises(Outdated) as outdated:
        office.approve(case)
    assert outdated.value.code == "determination-outdated"
    office.give(DetermineAmount(case=case), "reviewer")
    assert determined_fen(office, case) < calendar_fen
