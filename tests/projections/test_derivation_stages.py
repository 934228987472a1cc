"""Staged payment read a second time: what was requested beyond the stages reached shows, whatever guard let it pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.commands.confirm_stage import ConfirmStage
from ledger.seal.sealed_log import Row
from ledger.store.sqlite_log import SQLiteLog
from tests.office import Office
from tests.projections.test_derivation import Content, changed, said_of

WAN = 1_000_000


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """1000万元 in stages of 400, 300 and 300, settled on the audit and paid in full."""
    folder = tmp_path_factory.mktemp("staged")
    office = Office(folder)
    case = office.approved("装备", rule="3.2", total_investment="25000000.00")
    office.pay(case, 400 * WAN, "流水1")
    office.give(ConfirmStage(case=case, stage=2, reference="进度审计1号"), "reviewer")
    office.pay(case, 300 * WAN, "流水2")
    office.give(ConfirmStage(case=case, stage=3, reference="验收1号", audited_fen=2_500 * WAN), "reviewer")
    office.pay(case, 300 * WAN, "流水3")
    office.close()
    log = SQLiteLog(folder / "facts.sqlite")
    rows = log.rows(1, log.size)
    log.close()
    return rows


def test_what_the_door_recorded_of_stages_is_not_called_wrong(history: list[Row]) -> None:
    assert said_of(history) == []


WRONG: dict[str, tuple[str, Callable[[Content, Content], object], str]] = {
    "more requested than the first stage": (
        "disbursement-requested", lambda e, p: p.update(amount_fen=400 * WAN + 1), "sum-exceeded",
    ),
    "a first stage that was smaller": (
        "award-approved",
        lambda e, p: (p["payment_plan"]["stages"][0].update(share_ppm=399_999),
                      p["payment_plan"]["stages"][2].update(share_ppm=300_001)),
        "sum-exceeded",
    ),
    "shares that are not the whole": (
        "award-approved", lambda e, p: p["payment_plan"]["stages"][2].update(share_ppm=300_001), "plan-unsound",
    ),
    "a unit that is none": ("award-approved", lambda e, p: p["payment_plan"].update(unit_fen=0), "plan-unsound"),
    "a stage passed over": ("stage-confirmed", lambda e, p: p.update(stage=3), "out-of-order"),
    "a stage reached twice": ("stage-confirmed", lambda e, p: p.update(stage=1), "out-of-order"),
    "a stage of no plan": ("award-approved", lambda e, p: p.pop("payment_plan"), "out-of-order"),
    "more awarded than was due on the audit": (
        "stage-confirmed", lambda e, p: p.update(final_fen=1_000 * WAN - 1), "sum-exceeded",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_about_stages_goes_unseen(history: list[Row], name: str) -> None:
    type_name, change, code = WRONG[name]
    assert code in {said for _, said in said_of(changed(history, type_name, change))}


def test_a_stage_that_was_never_confirmed_is_paid(history: list[Row]) -> None:
    without = [row for row in history if row.type_name != "stage-confirmed"]
    codes = [code for _, code in said_of(without)]
    assert codes.count("sum-exceeded") == 2, codes
