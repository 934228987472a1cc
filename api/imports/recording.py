"""Rows of a file given to the door, or to a rehearsal of it; and those that were refused before, asked about anew.

A refusal stands under its row's key for good. Who imports the row again expects the answer of today, and no second record of
the same refusal: so it is rehearsed first, and given to the door only where its answer is another by now.
"""

from __future__ import annotations

import secrets
from itertools import count

from api.imports.keys import key_of_attempt
from api.service import Service
from ledger.application import FundingLedger, Outcome
from ledger.commands.command import Command
from ledger.commands.grant_role import GrantRole
from ledger.errors import NotPermitted, Refusal, Text
from ledger.people import person_name
from ledger.roles import ROLE_NAMES, SYSTEM, Role


def record(ledger: FundingLedger, user: str, command: Command, key: str) -> Outcome:
    """Give the command of a row. Raises the ``LedgerError`` that keeps it out."""
    try:
        return ledger.execute(command, actor=user, key=key_of_attempt(key, 1))
    except Refusal as refusal:
        if not refusal.replayed:
            raise
        return record_anew(ledger, ledger.rehearsal(), user, command, key)


def record_anew(ledger: FundingLedger, rehearsal: FundingLedger, user: str, command: Command, key: str) -> Outcome:
    """Give the command of a row that was refused before. Raises the ``LedgerError`` that keeps it out.

    ``rehearsal`` is one of ``ledger``; what is recorded here is rehearsed there as well. A refusal for the same reason as
    the last is ``replayed``: told in the words of today, and recorded where it was.
    """
    last: Refusal | None = None
    for attempt in count(1):
        its_key = key_of_attempt(key, attempt)
        try:
            outcome = rehearsal.execute(command, actor=user, key=its_key)
            return outcome if outcome.replayed else ledger.execute(command, actor=user, key=its_key)
        except Refusal as refusal:
            if refusal.replayed:
                last = refusal
                continue
            if last is not None and _reason(refusal) == _reason(last):
                refusal.recorded_at, refusal.replayed = last.recorded_at, True
                raise
        return ledger.execute(command, actor=user, key=its_key)
    raise AssertionError("a count has no end")


def _reason(refusal: Refusal) -> tuple[object, ...]:
    """Why, without the figures of the day."""
    limit = refusal.limit and (refusal.limit.limit, refusal.limit.scope)
    return type(refusal), refusal.code, refusal.clause, limit, refusal.earlier


def rehearse(service: Service, user: str | None, role: Role) -> tuple[FundingLedger, str]:
    """A rehearsal of the door, and in whose name to ask it: the user's, or that of a new holder of the role.

    Raises ``NotPermitted`` where the user does not hold the role.
    """
    rehearsal = service.ledger.rehearsal()
    if user is not None:
        return rehearsal, holder_of(role, user, rehearsal)
    stand_in = f"dry-run-{secrets.token_hex(8)}"
    rehearsal.execute(GrantRole(person=stand_in, role=role.value), actor=SYSTEM, key=stand_in)
    return rehearsal, stand_in


def holder_of(role: Role, user: str, ledger: FundingLedger) -> str:
    """The person's name. Raises ``NotPermitted`` where they do not hold the role."""
    user = person_name(user)
    if role not in ledger.roles_of(user):
        name = ROLE_NAMES[role]
        raise NotPermitted(
            Text(f"{user}不是{name.zh}，不能导入此文件", f"{user} is no {name.en} and cannot import this file")
        )
    return user
