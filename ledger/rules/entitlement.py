"""What a claim is worth while it is being computed: exact portions, and the steps that led to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ledger.errors import Headroom, Refusal, Text
from ledger.money import FEN_LARGEST
from ledger.rules import wording
from ledger.rules.claim import Binding, Claim, Standing, Step, WindowUse
from ledger.scopes import Scope


@dataclass(frozen=True, slots=True)
class Portion:
    """The exact part of a claim that counts in one year: ``period`` is ``2026``, or a benefit year's first day."""

    period: str
    exact_fen: Fraction


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


@dataclass(frozen=True, slots=True)
class Room:
    """One limit as it stood before the claim."""

    scope: Scope
    head: Headroom

    @property
    def left_fen(self) -> int:
        """What may still be taken; 0 where the limit is overdrawn."""
        return max(self.head.left_fen, 0)


def room_under(standing: Standing, scope: Scope, limit: str, clause: str, ceiling_fen: int) -> Room:
    """Look up what is left under a limit."""
    used_fen = standing.used_fen(scope)
    assert 0 <= ceiling_fen <= FEN_LARGEST, ceiling_fen
    return Room(scope, Headroom(limit, clause, scope.key, ceiling_fen, used_fen))


def exhausted(claim: Claim, room: Room) -> Refusal:
    """The refusal of a claim that finds nothing left under a limit."""
    told = wording.room(room.head)
    return Refusal(
        "limit-exhausted",
        Text(
            zh=f"第{room.head.clause}条的限额（{room.head.limit}）已用完：{told.zh}。本次申请不能再获资助，超出部分不结转。",
            en=f"The limit {room.head.limit} of article {room.head.clause} is used up: {told.en}. "
            "Nothing can be granted; what exceeds a limit is not carried over.",
        ),
        clause=room.head.clause,
        limit=room.head,
    )
