"""The roles a person holds, folded from the grants."""

from __future__ import annotations

from ledger.events import RoleGranted, RoleRevoked
from ledger.mapper import Recorded
from ledger.roles import Role


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
