"""受理: the application is complete and takes its place in the order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import CaseState
from ledger.commands.command import Command, Decision, Facts, register_errors, require_state
from ledger.errors import FieldError, Text
from ledger.events import ApplicationAccepted
from ledger.roles import Role
from ledger.rules import require_in_force
from ledger.scopes import register_key


class AcceptApplication(Command, frozen=True, kw_only=True):
    """``acceptance_number`` is the office's 受理号, given out once."""

    name: ClassVar[str] = "accept-application"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.INTAKE})

    case: str
    acceptance_number: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from register_errors("acceptance_number", self.acceptance_number)

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(case, [CaseState.SUBMITTED], Text("受理", "accept it"))
        policy = facts.pinned_policy(case.policy)
        require_in_force(policy, policy.rule(case.rule), case.enterprise, facts.effective_on, facts.standing())
        accepted = ApplicationAccepted(
            case=case.number, enterprise=case.enterprise, acceptance_number=register_key(self.acceptance_number)
        )
        return Decision(accepted, case.policy)
