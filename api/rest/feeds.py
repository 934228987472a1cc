"""What auditors follow: every event in order, and every command that was refused. Resumable by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from api.auth import held_by, service
from api.rest import fields
from api.rest.blueprint import Blueprint, reads
from api.rest.calculations import LimitSchema, room_body
from api.rest.histories import EventsSchema, event_body
from api.rest.language import said
from api.rest.schema import Schema
from ledger.events import CommandRefused
from ledger.identity import application_id
from ledger.mapper import Recorded
from ledger.roles import Role

blueprint = Blueprint("feeds", __name__, description="审计 / What auditors follow")

LIMIT_MOST: Final = 1000
LIMIT_DEFAULT: Final = 100


class FeedQuerySchema(Schema):
    after = fields.Whole(text=True, load_default=0, metadata={"description": "the last position that was read"})
    limit = fields.Whole(least=1, most=LIMIT_MOST, text=True, load_default=LIMIT_DEFAULT)


class FeedSchema(EventsSchema):
    next = fields.Whole(required=True, metadata={"description": "send this as `after` to go on"})


class RefusedSchema(Schema):
    position = fields.Whole(required=True, least=1)
    recorded_at = fields.Instant(required=True)
    effective_on = fields.Day(required=True)
    actor = fields.Words(required=True)
    role = fields.Words(required=True)
    command = fields.Words(required=True)
    kind = fields.Words(required=True)
    code = fields.Words(required=True)
    detail = fields.Words(required=True)
    clause = fields.Words(required=True, allow_none=True)
    limit = fields.Nested(LimitSchema, required=True, allow_none=True)
    asked = fields.Money(required=True, allow_none=True)
    application_id = fields.Words(required=True, allow_none=True)
    earlier_application = fields.Words(
        required=True, allow_none=True, metadata={"description": "the one that was there first"}
    )
    enterprise = fields.Words(required=True, allow_none=True)


class RefusalsSchema(Schema):
    refusals = fields.Many(fields.Nested(RefusedSchema), required=True)
    next = fields.Whole(required=True, metadata={"description": "send this as `after` to go on"})


@blueprint.route("/events")
@reads(held_by(Role.AUDITOR, Role.ADMIN))
@blueprint.arguments(FeedQuerySchema, location="query")
@blueprint.response(200, FeedSchema)
def events(query: dict[str, Any]) -> dict[str, Any]:
    """全部事件，按记录顺序 / All events, in the order of recording"""
    found = service().reader.events(query["after"], query["limit"])
    return {"events": [event_body(recorded) for recorded in found], "next": _next(found, query)}


@blueprint.route("/refusals")
@reads(held_by(Role.AUDITOR, Role.SUPERVISOR, Role.ADMIN))
@blueprint.arguments(FeedQuerySchema, location="query")
@blueprint.response(200, RefusalsSchema)
def refusals(query: dict[str, Any]) -> dict[str, Any]:
    """被拒绝的用款请求 / Commands that asked for money and were refused"""
    found = service().reader.refusals(query["after"], query["limit"])
    return {"refusals": [_refused_body(recorded) for recorded in found], "next": _next(found, query)}


def _next(found: Sequence[Recorded], query: dict[str, Any]) -> int:
    return found[-1].position if found else int(query["after"])


def _refused_body(recorded: Recorded) -> dict[str, Any]:
    envelope, event = recorded.envelope, recorded.event
    assert isinstance(event, CommandRefused), recorded.type_name
    return {
        "position": recorded.position,
        "recorded_at": envelope.recorded_at,
        "effective_on": envelope.effective_on,
        "actor": envelope.actor,
        "role": envelope.role,
        "command": event.command,
        "kind": event.kind,
        "code": event.code,
        "detail": said(event.text),
        "clause": event.clause,
        "limit": None if event.limit is None else {"name": event.limit.limit, **room_body(event.limit)},
        "asked": event.asked_fen,
        "application_id": None if event.case is None else application_id(event.case),
        "earlier_application": application_id(event.earlier) if event.earlier else None,
        "enterprise": event.enterprise,
    }
