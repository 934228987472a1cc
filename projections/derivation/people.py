"""Who did what: every actor held the role, the role may take the step, and no hand met itself."""

from __future__ import annotations

from typing import Final

from ledger.roles import SYSTEM
from projections.derivation.allowed_roles import OF_SYSTEM, allowed
from projections.derivation.fields import Complaints, Envelope, Payload
from projections.duties import APART

_APART: Final = {later.type_name: tuple(step.type_name for step in earlier) for later, earlier in APART.items()}
_EARLIER: Final = frozenset(step for earlier in _APART.values() for step in earlier)
_NUMBERED: Final = {
    step.type_name: name
    for step in {*APART, *(one for earlier in APART.values() for one in earlier)}
    for name in ("disbursement", "recovery")
    if name in step.__struct_fields__
}
"""Steps about one disbursement or recovery, by the field that holds its number."""


class People:
    """Folds grants of roles, and the hands that each case went through."""

    def __init__(self, complaints: Complaints) -> None:
        self._say = complaints.say
        self._held: dict[str, set[str]] = {}
        self._hands: dict[tuple[str | None, str, int], set[str]] = {}
        self._anyone: dict[tuple[str | None, str], set[str]] = {}

    def apply(self, type_name: str, envelope: Envelope, payload: Payload) -> None:
        actor = envelope.actor
        self._check_role(type_name, envelope, payload)
        if type_name in _APART:
            self._check_apart(type_name, actor, payload)
        if type_name in _EARLIER:
            number = _number(type_name, payload)
            self._hands.setdefault((payload.case, type_name, number), set()).add(actor)
            self._anyone.setdefault((payload.case, type_name), set()).add(actor)
        elif type_name == "role-granted":
            if payload.person == actor:
                self._say("own-role", "给自己授予角色", "a role was granted to oneself")
            self._held.setdefault(payload.person, set()).add(payload.role)
        elif type_name == "role-revoked":
            self._held.get(payload.person, set()).discard(payload.role)

    def _check_role(self, type_name: str, envelope: Envelope, payload: Payload) -> None:
        actor, role = envelope.actor, envelope.role
        # The operator holds no role, whatever was granted under that name.
        held = type_name in OF_SYSTEM if actor == SYSTEM else role in self._held.get(actor, ())
        if not held:
            self._say("role-not-held", f"{actor}当时没有角色{role}", f"{actor} did not hold the role {role}")
        if role not in allowed(type_name, payload.command):
            self._say("step-not-of-role", f"角色{role}不得办理此步骤", f"the role {role} may not take this step")

    def _check_apart(self, type_name: str, actor: str, payload: Payload) -> None:
        for earlier in _APART[type_name]:
            if _NUMBERED.get(earlier) and _NUMBERED.get(earlier) == _NUMBERED.get(type_name):
                took = self._hands.get((payload.case, earlier, _number(type_name, payload)))
            else:
                took = self._anyone.get((payload.case, earlier))
            if took and actor in took:
                self._say(
                    "same-person", f"{actor}已办理{earlier}，不得再办此步骤", f"{actor} also took the step {earlier}"
                )


def _number(type_name: str, payload: Payload) -> int:
    match _NUMBERED.get(type_name):
        case "disbursement":
            return payload.disbursement
        case "recovery":
            return payload.recovery
    return 0
