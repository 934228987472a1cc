"""Staged payment (分阶段拨付): the parts of an award that fall due one after the other (reading B28). Amounts are fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.events import PaymentPlan, PlannedStage
from ledger.money import round_down
from ledger.policy.model import Policy, Rule

WHOLE_PPM: Final = 1_000_000
"""Shares are counted in millionths: a policy writes at most four decimals of a percent."""


@dataclass(frozen=True, slots=True)
class StageOfAward:
    """One stage as it stands. ``reached_on`` is None until then; ``paid_fen`` what of its part has reached the enterprise,
    payments being counted toward the stages in order, and nothing toward one not reached: what was paid before the award
    was reduced stands above the part of the last stage reached.
    """

    number: int
    when: str
    share_ppm: int
    amount_fen: int
    reached_on: date | None
    paid_fen: int

    @property
    def share(self) -> str:
        """As a policy writes it: ``40%``, ``33.3333%``."""
        percent, rest = divmod(self.share_ppm, WHOLE_PPM // 100)
        return f"{percent}.{rest:04d}".rstrip("0").rstrip(".") + "%"


def plan_under(policy: Policy, rule: Rule) -> PaymentPlan | None:
    """How an award under a rule is paid in stages, as the policy is read today; None where it may be paid at once."""
    if rule.stages is None or not rule.stages.required:
        return None
    shares_ppm = [stage.share * WHOLE_PPM for stage in rule.stages.stages]
    assert all(share.denominator == 1 for share in shares_ppm), rule.stages
    return PaymentPlan(
        clause=rule.stages.cite or rule.article,
        unit_fen=policy.rounding_fen.value,
        stages=tuple(
            PlannedStage(int(share), stage.when) for share, stage in zip(shares_ppm, rule.stages.stages, strict=True)
        ),
    )


def parts_fen(plan: PaymentPlan, awarded_fen: int) -> list[int]:
    """Each stage's part of what is awarded now: its share rounded down to the unit, and the last takes what is left."""
    earlier = [round_down(awarded_fen * stage.share_ppm // WHOLE_PPM, plan.unit_fen) for stage in plan.stages[:-1]]
    return [*earlier, awarded_fen - sum(earlier)]


def due_fen(plan: PaymentPlan, awarded_fen: int, reached: int) -> int:
    """What of an award has fallen due with its first ``reached`` stages."""
    return sum(parts_fen(plan, awarded_fen)[:reached])


def stages_of(
    plan: PaymentPlan, awarded_fen: int, reached_on: Sequence[date], paid_fen: int
) -> tuple[StageOfAward, ...]:
    """Every stage of an award of which ``paid_fen`` was paid, and whose first stages were reached on these days."""
    parts = parts_fen(plan, awarded_fen)
    paid = _paid_by_stage(parts[: len(reached_on)], paid_fen)
    return tuple(
        StageOfAward(
            number=at + 1,
            when=stage.when,
            share_ppm=stage.share_ppm,
            amount_fen=parts[at],
            reached_on=reached_on[at] if at < len(reached_on) else None,
            paid_fen=paid[at] if at < len(paid) else 0,
        )
        for at, stage in enumerate(plan.stages)
    )


def _paid_by_stage(parts: Sequence[int], paid_fen: int) -> list[int]:
    paid = []
    for part_fen in parts[:-1]:
        paid.append(min(part_fen, paid_fen))
        paid_fen -= paid[-1]
    return [*paid, paid_fen]
