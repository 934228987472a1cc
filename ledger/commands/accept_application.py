"""受理: the application is complete and takes its place in the order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import CaseState
from ledger.commands.command import Command, Decision, Facts, require_state, text_errors
from ledger.errors import FieldError, Refusal, Text
from ledger.events import ApplicationAccepted
from ledger.roles import Role

ACCEPTANCE_NUMBER_LENGTH_MAX = 60


class AcceptApplication(Command, frozen=True, kw_only=True):
    """``acceptance_number`` is the office's 受理号, given out once."""

    name: ClassVar[str] = "accept-application"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.INTAKE})

    case: str
    acceptance_number: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from text_errors("acceptance_number", self.acceptance_number, ACCEPTANCE_NUMBER_LENGTH_MAX, required=True)

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(case, [CaseState.SUBMITTED], Text("受理", "accept it"))
        policy = facts.pinned_policy(case.policy)
        if facts.effective_on not in policy.validity:
            raise Refusal(
                "policy-not-in-force",
                Text(
                    f"受理日期{facts.effective_on}不在政策有效期"
                    f"（{policy.validity.start}起至{policy.validity.end}前）内",
                    f"{facts.effective_on} is outside the policy's validity "
                    f"(from {policy.validity.start}, before {policy.validity.end})",
                ),
                clause="附则",
            )
        accepted = ApplicationAccepted(
            case=case.number, enterprise=case.enterprise, acceptance_number=self.acceptance_number.strip()
        )
        return Decision(accepted, case.policy)
