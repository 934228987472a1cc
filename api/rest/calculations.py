"""How a calculation is shown: its steps, what bound it, and the room that was left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.rest import fields
from api.rest.language import said
from api.rest.schema import Schema
from ledger.errors import Headroom
from ledger.rules import Binding, Step


class BindingSchema(Schema):
    clause = fields.Words(required=True)
    limit = fields.Words(required=True)


class StepSchema(Schema):
    clause = fields.Words(required=True)
    step = fields.Words(required=True)
    detail = fields.Words(required=True)
    amount = fields.Money(required=True)


class RoomSchema(Schema):
    scope = fields.Words(required=True)
    ceiling = fields.Money(required=True)
    used = fields.Money(required=True)
    left = fields.Money(required=True, signed=True)


class HeadroomSchema(RoomSchema):
    limit = fields.Words(required=True)


class LimitSchema(RoomSchema):
    """The limit that stands in the way."""

    name = fields.Words(required=True)


def binding_body(bound_by: Binding | None) -> dict[str, Any] | None:
    return None if bound_by is None else {"clause": bound_by.clause, "limit": bound_by.limit}


def steps_body(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [
        {"clause": step.clause, "step": step.step, "detail": said(step.detail), "amount": step.amount_fen}
        for step in steps
    ]


def room_body(head: Headroom) -> dict[str, Any]:
    """What a limit holds, in fen, for the schemas that show it under its name: in quotes, in refusals, of an enterprise."""
    return {
        "scope": head.scope,
        "ceiling": head.ceiling_fen,
        "used": head.used_fen,
        "left": head.left_fen,
    }
