"""The budget of a policy's year: what is appropriated, and the guard that keeps approvals within it.

Where no budget has been stated for a year, none binds; the first statement must cover what is approved already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.errors import Headroom, Outdated, Refusal, Text
from ledger.events import AwardApproved, AwardReleased, BudgetAppropriated, Event, RecoveryReceived, scope_tag
from ledger.guards import Look
from ledger.mapper import Envelope, Recorded
from ledger.money import format_yuan
from ledger.scopes import BUDGET

CLAUSE = "预算"
"""What a refusal cites: the budget is set by the office, not by an article of the policy."""


@dataclass(slots=True)
class BudgetUse:
    """``appropriated_fen`` is None until a budget is stated."""

    scope: str
    appropriated_fen: int | None = None
    approved_fen: int = 0

    def headroom(self) -> Headroom | None:
        if self.appropriated_fen is None:
            return None
        return Headroom(BUDGET, CLAUSE, self.scope, self.appropriated_fen, self.approved_fen)


class BudgetGuard:
    """Refuses an award above what the year's budget has left, and a budget below what is approved."""

    name = "budget"
    kept = True

    def start(self, tag: str) -> BudgetUse:
        return BudgetUse(scope=tag.removeprefix(scope_tag("")))

    def apply(self, use: BudgetUse, recorded: Recorded) -> BudgetUse:
        match recorded.event:
            case BudgetAppropriated(amount_fen=amount_fen):
                use.appropriated_fen = amount_fen
            case AwardApproved(amount_fen=amount_fen):
                use.approved_fen += amount_fen
            case AwardReleased(amount_fen=amount_fen):
                # Whatever the cause: what will never be paid is the office's to grant again (reading B5 is about the
                # enterprise's room, not the office's money).
                use.approved_fen -= amount_fen
            case RecoveryReceived(drawn_fen=drawn_fen):
                use.approved_fen -= drawn_fen
        return use

    def concerns(self, event: Event) -> Iterator[str]:
        if isinstance(event, AwardApproved):
            yield scope_tag(event.budget_scope)
        elif isinstance(event, BudgetAppropriated):
            yield scope_tag(event.scope)

    def permits(self, event: Event, envelope: Envelope, look: Look[BudgetUse]) -> None:
        for tag in self.concerns(event):
            use = look(tag)
            if isinstance(event, BudgetAppropriated):
                _check_covers(use, event)
            elif isinstance(event, AwardApproved):
                _check_room(use.headroom(), event)


def _check_covers(use: BudgetUse, event: BudgetAppropriated) -> None:
    if event.amount_fen < use.approved_fen:
        approved = format_yuan(use.approved_fen)
        raise Refusal(
            "budget-below-approved",
            Text(
                f"{event.year}年度已审批{approved}元，预算不能低于此数",
                f"{approved} yuan are approved for {event.year}; the budget cannot be less",
            ),
            clause=CLAUSE,
        )


def _check_room(headroom: Headroom | None, event: AwardApproved) -> None:
    if headroom is not None and event.amount_fen > headroom.left_fen:
        asked, left = format_yuan(event.amount_fen), format_yuan(headroom.left_fen)
        raise Outdated(
            "budget-exceeded",
            Text(
                f"{event.cap_year}年度预算只剩{left}元，不足{asked}元",
                f"the budget of {event.cap_year} has {left} yuan left, not {asked}",
            ),
            clause=CLAUSE,
            limit=headroom,
        )
