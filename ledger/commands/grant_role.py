"""授予角色: that somebody may act in a role, and who said so, is a fact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from ledger.commands.command import Command, Decision, Facts
from ledger.errors import FieldError, Refusal, Text
from ledger.events import RoleGranted
from ledger.people import PERSON_LENGTH_MAX, person_name
from ledger.principles import SEPARATED_DUTIES
from ledger.roles import SYSTEM, Role


class GrantRole(Command, frozen=True, kw_only=True):
    """``person`` is a user name, however it is typed; ``role`` a :class:`~ledger.roles.Role`."""

    name: ClassVar[str] = "grant-role"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.ADMIN})

    person: str
    role: str

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from role_errors(self.person, self.role)

    def decide(self, facts: Facts) -> Decision:
        person = person_name(self.person)
        held = facts.roles_of(person)
        if _administers_business({*held, Role(self.role)}):
            raise Refusal(
                "administrator-in-business",
                Text(
                    "系统管理员不得兼任业务岗位；请先撤销其另一角色",
                    "an administrator holds no business role; revoke the other role first",
                ),
                clause=SEPARATED_DUTIES,
            )
        return Decision(RoleGranted(person=person, role=self.role))


def _administers_business(roles: set[Role]) -> bool:
    return Role.ADMIN in roles and bool(roles - {Role.ADMIN, Role.AUDITOR})


def role_errors(person: str, role: str) -> Iterator[FieldError]:
    try:
        person_name(person)
    except ValueError as error:
        yield FieldError(
            "person",
            "invalid-name",
            Text(f"用户名须为1至{PERSON_LENGTH_MAX}个英文字母、数字、汉字或 . _ -，且不能是 {SYSTEM}", str(error)),
        )
    if role not in set(Role):
        known = ", ".join(Role)
        yield FieldError("role", "unknown", Text(f"角色须为：{known}", f"the role must be one of: {known}"))
