"""Signing in, and who one then is."""

from __future__ import annotations

from typing import Any

from flask import request

from api.auth import PUBLIC, SIGNED_IN, caller, roles_of_caller, service
from api.credentials import PASSWORD_LENGTH_MAX, Token
from api.rest import fields
from api.rest.blueprint import SIGN_IN_ERRORS, Blueprint, asks, reads
from api.rest.language import said
from api.rest.problems import Problem
from api.rest.schema import Schema
from ledger.errors import Text
from ledger.people import PERSON_LENGTH_MAX
from ledger.roles import ROLE_NAMES, Role

blueprint = Blueprint("identity", __name__, description="登录 / Who calls")


class SignInSchema(Schema):
    username = fields.Words(required=True, length_max=PERSON_LENGTH_MAX)
    password = fields.Words(required=True, length_max=PASSWORD_LENGTH_MAX, metadata={"format": "password"})


class TokenSchema(Schema):
    token = fields.Words(required=True)
    expires_at = fields.Instant(required=True)


class RoleSchema(Schema):
    role = fields.Choice(Role, required=True)
    name = fields.Words(required=True)


class MeSchema(Schema):
    username = fields.Words(required=True)
    roles = fields.Many(fields.Nested(RoleSchema), required=True)


@blueprint.route("/tokens", methods=["POST"])
@asks(PUBLIC, errors=SIGN_IN_ERRORS)
@blueprint.arguments(SignInSchema)
@blueprint.response(201, TokenSchema)
def sign_in(body: dict[str, Any]) -> Token:
    """登录，取得八小时有效的令牌 / Sign in for a token that is good for eight hours

    Five failures of one user name from one address within fifteen minutes close it to that address for the rest of them,
    and a hundred of any names close the address (429 with Retry-After).
    """
    credentials = service().credentials
    address = request.remote_addr or "unknown"
    if not credentials.verify(body["username"], body["password"], address=address):
        raise Problem(
            401,
            "invalid-credentials",
            Text("登录失败", "Sign-in failed"),
            Text("用户名或密码不正确", "the user name or the password is wrong"),
            headers={"WWW-Authenticate": "Bearer"},
        )
    return credentials.issue_token(body["username"])


@blueprint.route("/me")
@reads(SIGNED_IN)
@blueprint.response(200, MeSchema)
def me() -> dict[str, Any]:
    """我是谁，有哪些角色 / Who I am, and which roles I hold"""
    roles = [{"role": role, "name": said(ROLE_NAMES[role])} for role in sorted(roles_of_caller())]
    return {"username": caller(), "roles": roles}
