"""撤回: the enterprise takes its application back before an award was approved."""

from __future__ import annotations

from typing import ClassVar

from ledger.casefile import CaseState
from ledger.commands.command import Command, Decision, Facts, require_state
from ledger.errors import Text
from ledger.events import ApplicationWithdrawn
from ledger.roles import Role


class WithdrawApplication(Command, frozen=True, kw_only=True):
    """``reference`` names the enterprise's letter."""

    name: ClassVar[str] = "withdraw-application"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.INTAKE})

    case: str

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(
            case,
            [CaseState.SUBMITTED, CaseState.ACCEPTED, CaseState.DETERMINED],
            Text("撤回", "withdraw it"),
        )
        return Decision(ApplicationWithdrawn(case=case.number, enterprise=case.enterprise), case.policy)
