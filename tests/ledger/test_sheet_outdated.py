"""A reading that is switched after the sheet was made may ask for what the sheet does not state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger.commands.confirm_stage import ConfirmStage
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.errors import Malformed, Outdated
from ledger.events import CommandRefused
from ledger.policy import BUILT_IN, PolicyRegistry
from projections.reader import Reader
from tests.office import POLICY, Office

SWITCHED = date(2026, 6, 1)
WAN = 1_000_000


def count_by_event(office: Office) -> None:
    """Reading B1: from now on the yearly limits count by the year of an event, whose day must be stated."""
    office.clock.set(SWITCHED)
    switch = RecordInterpretation(
        policy=POLICY,
        reading="B1",
        value="event-year",
        decided_by="市发展和改革委员会",
        effective_from=SWITCHED,
        reference="会议纪要〔2026〕7号",
        reason="统一口径",
    )
    office.give(switch, "approver")


def test_an_approval_asks_for_a_new_sheet_and_names_what_it_lacks(office: Office) -> None:
    case = office.determined("甲")
    count_by_event(office)
    with pytest.raises(Outdated) as outdated:
        office.approve(case)
    assert (outdated.value.code, outdated.value.clause) == ("sheet-outdated", "五")
    assert "重新核定" in outdated.value.text.zh
    assert "certified_on" in outdated.value.text.en
    recorded = office.reader.events(office.head() - 1, 1)[0].event
    assert isinstance(recorded, CommandRefused)
    assert (recorded.kind, recorded.code) == ("outdated", "sheet-outdated")

    with pytest.raises(Malformed) as malformed:
        office.give(DetermineAmount(case=case), "reviewer")
    assert [(its.field, its.code) for its in malformed.value.errors] == [("particulars.certified_on", "missing")]
    stated = {"rd_cost": "16000000.00", "special_approval": True, "certified_on": "2026-01-15"}
    office.give(DetermineAmount(case=case, particulars=stated, reason="按新口径补正"), "reviewer")
    office.approve(case)


def test_an_approval_dated_before_the_switch_rests_on_its_sheet(office: Office) -> None:
    case = office.determined("甲")
    count_by_event(office)
    office.approve(case, effective_on=date(2026, 5, 31))


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[Office]:
    """An office whose policy pays in stages what a yearly limit counts."""
    text = (BUILT_IN / POLICY / "1.toml").read_text(encoding="utf-8")
    stages = text[text.index('[rules."3.2".stages]') : text.index('[rules."5.1"]')].replace('"3.2"', '"5.2"')
    text = text.replace('[rules."5.2".particulars]', f'{stages.replace("三", "五")}[rules."5.2".particulars]', 1)
    folder = tmp_path / "policies" / POLICY
    folder.mkdir(parents=True)
    (folder / "1.toml").write_text(text, encoding="utf-8")
    office = Office(tmp_path)
    office.policies = PolicyRegistry.load([tmp_path / "policies"])
    office.ledger = office.reopen()
    office.reader = Reader(office.store, office.policies, office.clock)
    yield office
    office.close()


def test_a_settlement_asks_for_nothing_that_was_not_asked_for_when_it_was_approved(staged: Office) -> None:
    case = staged.approved("甲")
    staged.give(ConfirmStage(case=case, stage=2, reference="进度报告1号"), "reviewer")
    count_by_event(staged)
    staged.give(ConfirmStage(case=case, stage=3, reference="验收报告1号", audited_fen=1_600 * WAN), "reviewer")
