"""授予角色: that somebody may act in a role, and who said so, is a fact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.commands.command import Command, Decision, Facts, text_errors
from ledger.errors import FieldError, Text
from ledger.events import RoleGranted
from ledger.roles import Role

PERSON_LENGTH_MAX = 60


class GrantRole(Command, frozen=True, kw_only=True):
    """``person`` is a user name, ``role`` a :class:`~ledger.roles.Role`."""

    name: ClassVar[str] = "grant-role"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.ADMIN})

    person: str
    role: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from role_errors(self.person, self.role)

    def decide(self, facts: Facts) -> Decision:
        return Decision(RoleGranted(person=self.person, role=self.role))


def role_errors(person: str, role: str) -> Iterator[FieldError]:
    yield from text_errors("person", person, PERSON_LENGTH_MAX, required=True)
    if role not in set(Role):
        known = ", ".join(Role)
        yield FieldError("role", "unknown", Text(f"角色须为：{known}", f"the role must be one of: {known}"))
