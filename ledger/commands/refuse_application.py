"""不予受理 and 不予资助: the application ends without an award, on a named ground."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.casefile import CaseState
from ledger.commands.command import Command, Decision, Facts, require_state, text_errors
from ledger.errors import FieldError, Text
from ledger.events import ApplicationRefused
from ledger.roles import Role

GROUND_LENGTH_MAX = 60


class RefuseApplication(Command, frozen=True, kw_only=True):
    """``ground`` is a short stable word for the reason (``incomplete``, ``not-eligible``); ``reason`` says it in full."""

    name: ClassVar[str] = "refuse-application"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.INTAKE, Role.REVIEWER, Role.APPROVER})

    case: str
    ground: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from text_errors("ground", self.ground, GROUND_LENGTH_MAX, required=True)
        yield from self.reason_errors(Text("请写明不予资助的理由", "say why the application is refused"))

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(
            case,
            [CaseState.SUBMITTED, CaseState.ACCEPTED, CaseState.DETERMINED],
            Text("作出不予资助决定", "refuse it"),
        )
        refused = ApplicationRefused(case=case.number, enterprise=case.enterprise, ground=self.ground.strip())
        return Decision(refused, case.policy)
