"""违规认定: a supervisor establishes a breach; every further payment of the award stops."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import ClassVar

from ledger.casefile import AWARD_STATES
from ledger.commands.command import Command, Decision, Facts, require_state
from ledger.errors import FieldError, Text
from ledger.events import ViolationFound
from ledger.roles import Role


class Party(StrEnum):
    """Whose breach it is: 申报单位, 第三方机构 or 工作人员 (the procedure's chapter on supervision)."""

    APPLICANT = "applicant"
    THIRD_PARTY = "third-party"
    OFFICIAL = "official"


class FindViolation(Command, frozen=True, kw_only=True):
    """``reason`` states the facts found, ``reference`` the document."""

    name: ClassVar[str] = "find-violation"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.SUPERVISOR})

    case: str
    party: str = Party.APPLICANT

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        if self.party not in set(Party):
            known = ", ".join(Party)
            yield FieldError("party", "unknown", Text(f"责任主体须为：{known}", f"the party must be one of: {known}"))
        yield from self.reason_errors(Text("请写明认定的违规事实", "state the facts that were found"))

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(
            case,
            AWARD_STATES,
            Text("认定违规", "find a violation"),
        )
        found = ViolationFound(
            case=case.number,
            enterprise=case.enterprise,
            violation=len(case.violations) + 1,
            party=self.party,
        )
        return Decision(found, case.policy)
