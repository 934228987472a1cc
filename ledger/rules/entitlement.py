"""What a claim is worth while it is being computed: exact portions, and the steps that led to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from ledger.errors import Headroom, Refusal, Text
from ledger.money import FEN_LARGEST
from ledger.policy.model import Rule
from ledger.rules import wording
from ledger.rules.claim import Binding, Claim, Standing, Step, WindowUse
from ledger.scopes import Scope


@dataclass(frozen=True, slots=True)
class Portion:
    """The exact part of a claim that counts in one year: ``period`` is ``2026``, or a benefit year's first day; ``of_it``
    says how many of the claim's months or days that part is.
    """

    period: str
    exact_fen: Fraction
    of_it: Text | None = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A claim half computed. Every step returns a new one; ``bound_by`` is the last step that cut.

    ``cost_fen`` is the cost that is funded; None where the rule goes by none.
    """

    portions: tuple[Portion, ...]
    cost_fen: Fraction | None = None
    steps: tuple[Step, ...] = ()
    bound_by: Binding | None = None
    window: WindowUse | None = None

    @property
    def exact_fen(self) -> Fraction:
        return sum((p.exact_fen for p in self.portions), Fraction(0))

    def stepped(self, clause: str, step: str, detail: Text, shown_fen: int | None = None) -> Entitlement:
        """The same amount, with one more line that explains it; it shows the whole fen, or ``shown_fen``."""
        amount_fen = int(self.exact_fen) if shown_fen is None else shown_fen
        assert 0 <= amount_fen <= self.exact_fen, (step, amount_fen)
        return replace(self, steps=(*self.steps, Step(clause, step, detail, amount_fen)))

    def cut(self, portions: tuple[Portion, ...], by: Binding) -> Entitlement:
        """With these smaller (or equal) portions; bound by ``by`` where they are smaller."""
        after = replace(self, portions=portions)
        assert after.exact_fen <= self.exact_fen, "a limit never raises an amount"
        return replace(after, bound_by=by) if after.exact_fen < self.exact_fen else after


_NOBODY: Final = Text("", "")


@dataclass(frozen=True, slots=True)
class Room:
    """One limit as it stood before the claim. ``carried_fen``: of an item that had its one award, what a yearly limit cut
    off that, which is all that may still be claimed (reading B30). ``others`` tells the awards that count under it and are
    not the claiming enterprise's.
    """

    scope: Scope
    head: Headroom
    carried_fen: int | None = None
    others: Text = _NOBODY

    @property
    def left_fen(self) -> int:
        """What may still be taken; 0 where the limit is overdrawn."""
        return max(self.head.left_fen, 0)


def room_under(standing: Standing, scope: Scope, limit: str, clause: str, ceiling_fen: int, moved_fen: int = 0) -> Room:
    """Look up what is left under a limit. ``moved_fen`` counts under it too, though it was drawn on another scope."""
    used_fen = standing.used_fen(scope) + moved_fen
    assert 0 <= ceiling_fen <= FEN_LARGEST, ceiling_fen
    return Room(scope, Headroom(limit, clause, scope.key, ceiling_fen, used_fen))


def exhausted(claim: Claim, room: Room) -> Refusal:
    """The refusal of a claim that finds nothing left under a limit."""
    told, limit, others = wording.room(room.head), wording.limit(room.head), room.others
    rest = _rest_told(claim.rule, room)
    return Refusal(
        "limit-exhausted",
        Text(
            zh=f"{limit.zh}已用完：{told.zh}{others.zh}。本次申请不能再获资助{rest.zh}。",
            en=f"The {limit.en} is used up: {told.en}{others.en}. Nothing can be granted{rest.en}.",
        ),
        clause=room.head.clause,
        limit=room.head,
    )


def _rest_told(rule: Rule, room: Room) -> Text:
    """That what a yearly limit cuts off is lost, where the office reads it so (B30); of other limits nobody asks that."""
    is_yearly = rule.limit is not None and room.head.limit == rule.limit.name
    if is_yearly and rule.remainder_carried is not None and not rule.remainder_carried.value:
        return Text("，超出部分不结转", "; what exceeds the limit is not carried over")
    return Text("", "")
