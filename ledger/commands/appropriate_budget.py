"""年度预算: the sum that all awards of one policy and year may reach together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

from ledger.commands.command import Command, Decision, Facts, amount_errors
from ledger.errors import FieldError, Text
from ledger.events import BudgetAppropriated
from ledger.roles import Role
from ledger.scopes import budget_of_year

YEARS: Final = range(2000, 2101)
"""Outside it a year is a slip of the keyboard."""


class AppropriateBudget(Command, frozen=True, kw_only=True):
    """States the year's whole budget; a later statement replaces it, and may not fall below what is approved.

    ``reference`` is the budget document.
    """

    name: ClassVar[str] = "appropriate-budget"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE})

    policy: str
    year: int
    amount_fen: int

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from amount_errors(self.amount_fen)
        if self.year not in YEARS:
            yield FieldError(
                "year",
                "out-of-range",
                Text(f"年度须在{YEARS[0]}至{YEARS[-1]}之间", f"the year must be from {YEARS[0]} to {YEARS[-1]}"),
            )

    def decide(self, facts: Facts) -> Decision:
        policy = facts.policy(self.policy)
        appropriated = BudgetAppropriated(
            scope=budget_of_year(policy.id, self.year).key,
            policy_id=policy.id,
            year=self.year,
            amount_fen=self.amount_fen,
        )
        return Decision(appropriated, policy.pin)
