"""Events as they stand in the log. Payloads are shown as recorded, amounts in fen: an auditor compares them bit by bit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from api.rest import fields
from api.rest.schema import Schema
from ledger.mapper import Recorded


class EventSchema(Schema):
    position = fields.Whole(required=True, least=1)
    event_id = fields.Words(required=True, metadata={"format": "uuid"})
    type = fields.Words(required=True)
    schema_version = fields.Whole(required=True, least=1)
    effective_on = fields.Day(required=True)
    recorded_at = fields.Instant(required=True)
    actor = fields.Words(required=True)
    role = fields.Words(required=True)
    reference = fields.Words(required=True, allow_none=True)
    reason = fields.Words(required=True, allow_none=True)
    correlation_id = fields.Words(required=True, metadata={"format": "uuid"})
    causation_id = fields.Words(required=True, allow_none=True, metadata={"format": "uuid"})
    payload = fields.Payload(required=True)


class HistorySchema(Schema):
    events = fields.Many(fields.Nested(EventSchema), required=True)


def history_body(history: Iterable[Recorded]) -> dict[str, Any]:
    return {"events": [event_body(recorded) for recorded in history]}


def event_body(recorded: Recorded) -> dict[str, Any]:
    envelope = recorded.envelope
    return {
        "position": recorded.position,
        "event_id": envelope.event_id,
        "type": recorded.type_name,
        "schema_version": envelope.schema_version,
        "effective_on": envelope.effective_on,
        "recorded_at": envelope.recorded_at,
        "actor": envelope.actor,
        "role": envelope.role,
        "reference": envelope.reference,
        "reason": envelope.reason,
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
        "payload": msgspec.to_builtins(recorded.event),
    }
