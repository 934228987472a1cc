"""The steps of a calculation, as quotes and traces show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from api.cli.screen import Screen, yuan
from api.cli.speech import Speech
from ledger.errors import Text
from ledger.money import format_yuan
from ledger.rules import Step
from projections.sheet import SheetStep

_STEP_NAMES: Final = {
    "rent-basis": Text("租金基数", "rent basis"),
    "rate": Text("按比例", "rate"),
    "area-cap": Text("面积上限", "area cap"),
    "window": Text("资助期", "window"),
    "actual-rent": Text("实际租金", "actual rent"),
    "tier": Text("档次", "tier"),
    "ceiling": Text("上限", "ceiling"),
    "item-cap": Text("单项上限", "item cap"),
    "annual-cap": Text("年度限额", "annual cap"),
    "other-funding": Text("其他财政资助", "other funding"),
    "rounding": Text("取整", "rounding"),
}


def show_steps(screen: Screen, steps: Sequence[Step | SheetStep]) -> None:
    say = screen.speech
    screen.table(
        say("核算", "calculation"),
        [say("条款", "clause"), say("步骤", "step"), say("说明", "detail"), say("金额（元）", "amount (yuan)")],
        ([step.clause, _name(step, say), say.said(step.detail), yuan(step.amount_fen)] for step in steps),
        right=(3,),
    )


def step_body(step: Step | SheetStep, speech: Speech) -> dict[str, str]:
    return {
        "clause": step.clause,
        "step": step.step,
        "detail": speech.said(step.detail),
        "amount": format_yuan(step.amount_fen),
    }


def _name(step: Step | SheetStep, say: Speech) -> str:
    name = _STEP_NAMES.get(step.step)
    return step.step if name is None else say.said(name)
