"""撤销角色."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.commands.command import Command, Decision, Facts
from ledger.commands.grant_role import role_errors
from ledger.errors import FieldError
from ledger.events import RoleRevoked
from ledger.people import person_name
from ledger.roles import Role


class RevokeRole(Command, frozen=True, kw_only=True):
    """``person`` is a user name, however it is typed; ``role`` a :class:`~ledger.roles.Role`.

    Revoking what is not held changes nothing.
    """

    name: ClassVar[str] = "revoke-role"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.ADMIN})

    person: str
    role: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from role_errors(self.person, self.role)

    def decide(self, facts: Facts) -> Decision:
        return Decision(RoleRevoked(person=person_name(self.person), role=self.role))
