"""People: by which name one is known, and the roles one holds, folded from the grants."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ledger.events import RoleGranted, RoleRevoked
from ledger.mapper import Recorded
from ledger.roles import SYSTEM, Role

PERSON_LENGTH_MAX: Final = 60

# Letters of other alphabets look like these and are others. Han: the unified ideographs, and no compatibility forms.
# No slash: the door joins a user name and an idempotency key with one, and two pairs must not become one.
_NAME: Final = re.compile(r"[0-9a-z._\-\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002f7ff\U00030000-\U000323af]+")


def person_name(text: str) -> str:
    """The one name of a person, however it was typed: half-width, lower case.

    One person under two names would be two to every separation of duties. Raises ``ValueError`` for what can be no
    name, and for :data:`~ledger.roles.SYSTEM`, which is no person's.
    """
    name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if len(name) > PERSON_LENGTH_MAX or _NAME.fullmatch(name) is None:
        raise ValueError(
            f"a user name is 1 to {PERSON_LENGTH_MAX} letters a-z, digits, Han characters or . _ -: {text!r}"
        )
    if name == SYSTEM:
        raise ValueError(f"{SYSTEM!r} is no person's name")
    return name


class RolesFold:
    """Folds the events tagged with one person into the roles held."""

    name = "roles"
    kept = True

    def start(self, tag: str) -> frozenset[Role]:
        return frozenset()

    def apply(self, state: frozenset[Role], recorded: Recorded) -> frozenset[Role]:
        match recorded.event:
            case RoleGranted(role=role):
                return state | {Role(role)}
            case RoleRevoked(role=role):
                return state - {Role(role)}
        return state
