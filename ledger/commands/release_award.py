"""释放: approved money that will not be paid is set free; for some causes its limits get it back (reading B5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import AWARD_STATES, CaseFile
from ledger.causes import Cause, cause_errors, require_cause
from ledger.commands.command import Command, Decision, Facts, amount_errors, require_state
from ledger.draws import part_of
from ledger.errors import FieldError, Refusal, Text
from ledger.events import AwardReleased
from ledger.money import format_yuan
from ledger.principles import PAID_WITHIN_AWARD
from ledger.roles import Role


class ReleaseAward(Command, frozen=True, kw_only=True):
    """Releases ``amount_fen`` of what is neither requested nor paid. ``cause`` is a :class:`~ledger.causes.Cause`."""

    name: ClassVar[str] = "release-award"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    asks_for_money: ClassVar[bool] = True

    case: str
    amount_fen: int
    cause: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from amount_errors(self.amount_fen)
        yield from cause_errors(self.cause)

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(
            case,
            AWARD_STATES,
            Text("释放资助", "release any of it"),
        )
        require_cause(self.cause, violation_found=case.applicant_in_violation)
        if self.amount_fen > case.uncommitted_fen:
            free = format_yuan(case.uncommitted_fen)
            raise Refusal(
                "above-unpaid-amount",
                Text(
                    f"尚未申请拨付的金额只有{free}元，不能释放{format_yuan(self.amount_fen)}元",
                    f"only {free} yuan is not requested or paid yet; {format_yuan(self.amount_fen)} cannot be released",
                ),
                clause=PAID_WITHIN_AWARD,
            )
        restores = Cause(self.cause) in facts.pinned_policy(case.policy).restoring_causes.value
        return Decision(self._released(case, self.amount_fen if restores else 0), case.policy)

    def _released(self, case: CaseFile, returned_fen: int) -> AwardReleased:
        drawn_fen = drawn_under_each_limit(case)
        return AwardReleased(
            case=case.number,
            enterprise=case.enterprise,
            amount_fen=self.amount_fen,
            cause=self.cause,
            draws=part_of(case.drawn, returned_fen, drawn_fen),
            budget_scope=case.budget_scope,
            window_scope=freed_window(case, returned_fen),
        )


def drawn_under_each_limit(case: CaseFile) -> int:
    """What the award still draws; the same under every limit it draws on."""
    totals: dict[str, int] = {}
    for draw in case.drawn:
        totals[draw.limit] = totals.get(draw.limit, 0) + draw.amount_fen
    sums = set(totals.values())
    assert len(sums) == 1, totals
    return sums.pop()


def freed_window(case: CaseFile, returned_fen: int) -> str | None:
    """The window whose months become free again: only where the award gives back all that it drew."""
    if case.window is None or returned_fen < drawn_under_each_limit(case):
        return None
    return case.window.scope
