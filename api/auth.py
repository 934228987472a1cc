"""Who calls, and whether they may: every route declares it, and what declares nothing is closed.

Who somebody is comes from a token; what they may do from the ledger, read anew for every request. The door asks again
before it records anything: what is declared here spares a stranger the details, and documents the routes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from flask import Flask, current_app, g, request

from api.rest.problems import Problem
from api.service import Service
from ledger.errors import NotPermitted, Text
from ledger.roles import ROLE_NAMES, Role

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a route. ``roles``: any of them is enough; None where none is needed."""

    signed_in: bool
    roles: frozenset[Role] | None = None


PUBLIC: Final = Access(signed_in=False)
"""Anybody, without a token."""
SIGNED_IN: Final = Access(signed_in=True)
"""Whoever has a token, even one who holds no role."""
STAFF: Final = Access(signed_in=True, roles=frozenset(Role))
"""Whoever holds any role."""


def held_by(*roles: Role) -> Access:
    return Access(signed_in=True, roles=frozenset(roles))


def access(rule: Access) -> Callable[[F], F]:
    """Declare who may call a view. Goes below ``@blueprint.route``."""

    def declare(view: F) -> F:
        view.__dict__["access"] = rule
        return view

    return declare


def declared_access(app: Flask, endpoint: str) -> Access | None:
    return getattr(app.view_functions[endpoint], "access", None)


def guard_routes(app: Flask) -> None:
    """Ask for a token and a role before anything else of a request is looked at. Call when all routes are registered."""
    undeclared = [endpoint for endpoint in app.view_functions if declared_access(app, endpoint) is None]
    assert not undeclared, f"these routes do not say who may call them: {undeclared}"
    app.before_request(_check_caller)


def service() -> Service:
    """The service behind the running application."""
    found: Service = current_app.extensions["funding-ledger"]
    return found


def caller() -> str:
    """The user name of the person who calls."""
    person: str = g.person
    return person


def roles_of_caller() -> frozenset[Role]:
    if "roles" not in g:
        g.roles = service().ledger.roles_of(caller())
    roles: frozenset[Role] = g.roles
    return roles


def _check_caller() -> None:
    if request.endpoint is None:
        return
    rule = declared_access(current_app, request.endpoint)
    assert rule is not None, request.endpoint
    if not rule.signed_in:
        return
    g.person = _person_of_token()
    if rule.roles is not None and not rule.roles & roles_of_caller():
        raise _not_permitted(rule.roles)


def _person_of_token() -> str:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise _unauthenticated(
            "not-authenticated",
            Text("请先登录，并以Authorization: Bearer附上令牌", "sign in, and send the token as Authorization: Bearer"),
            "Bearer",
        )
    person = service().credentials.person_of(given.token)
    if person is None:
        raise _unauthenticated(
            "invalid-token",
            Text("令牌无效或已过期，请重新登录", "the token is unknown or has expired; sign in again"),
            'Bearer error="invalid_token"',
        )
    return person


def _unauthenticated(code: str, detail: Text, challenge: str) -> Problem:
    return Problem(401, code, Text("需要登录", "Sign in first"), detail, headers={"WWW-Authenticate": challenge})


def _not_permitted(roles: frozenset[Role]) -> NotPermitted:
    if roles == STAFF.roles:
        return NotPermitted(Text("您还没有任何角色，请联系系统管理员", "you hold no role yet; ask the administrator"))
    names = [ROLE_NAMES[role] for role in sorted(roles)]
    return NotPermitted(
        Text(
            f"此操作须由{'或'.join(name.zh for name in names)}办理",
            f"this takes the role of {' or '.join(name.en for name in names)}",
        )
    )
