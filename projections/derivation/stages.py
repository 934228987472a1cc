"""What the stages that were reached make due of an award: the second time, from the shares that its approval states."""

from __future__ import annotations

from typing import Final

from projections.derivation.fields import PaymentPlan

_MILLION: Final = 1_000_000


def is_sound(plan: PaymentPlan) -> bool:
    """Whether its shares are the whole, and its unit a yuan or a fen."""
    return sum(stage.share_ppm for stage in plan.stages) == _MILLION and plan.unit_fen in (1, 100)


def due_fen(plan: PaymentPlan | None, reached: int, award_fen: int) -> int:
    """All of the award where it is not paid in stages, or all were reached: the last takes what the others leave."""
    if plan is None or reached >= len(plan.stages):
        return award_fen
    # A unit of a sound plan is never zero; one of an unsound plan was complained of.
    unit = max(1, plan.unit_fen)
    return sum(award_fen * stage.share_ppm // (_MILLION * unit) * unit for stage in plan.stages[:reached])
