"""How the open questions of a policy are read, who decided so, and the interpretations that switch a reading."""

from __future__ import annotations

from typing import Any

from api.auth import SIGNED_IN, service
from api.rest import fields
from api.rest.addresses import reading_address
from api.rest.blueprint import Blueprint, reads, records
from api.rest.bodies import CommandSchema
from api.rest.moments import MomentSchema, moment_of
from api.rest.recording import Headers, headers_of, record
from api.rest.schema import Schema
from ledger.commands.record_interpretation import (
    DECIDED_BY_LENGTH_MAX,
    VALUE_LENGTH_MAX,
    RecordInterpretation,
)
from ledger.errors import NotFound, Text
from ledger.events import InterpretationRecorded
from ledger.policy.model import FollowedBy, Reading
from projections.readings import Decided, ReadingHistory, decided

blueprint = Blueprint("readings", __name__, description="口径 / Readings of a policy's open questions")

Body = dict[str, Any]


class InterpretationRequestSchema(CommandSchema):
    """``reference`` (the document) and ``reason`` are needed."""

    reading = fields.Words(required=True, metadata={"description": "口径编号", "examples": ["B13"]})
    value = fields.Words(
        required=True,
        length_max=VALUE_LENGTH_MAX,
        metadata={"description": "取值 / one of the reading's options, where it has any", "examples": ["benchmark"]},
    )
    decided_by = fields.Words(
        required=True,
        length_max=DECIDED_BY_LENGTH_MAX,
        metadata={"description": "作出决定的部门 / the deciding office"},
    )
    effective_from = fields.Day(
        required=True, metadata={"description": "适用于自此日起的决定，不早于今天 / for decisions from this day on"}
    )


class DecidedSchema(Schema):
    """One decision to read a question so. ``position`` and who recorded it are null where the policy's text says it."""

    value = fields.Words(required=True)
    answer = fields.Words(required=True, metadata={"description": "what the value means, in words"})
    effective_from = fields.Day(required=True)
    decided_by = fields.Words(required=True)
    reference = fields.Words(required=True, allow_none=True)
    reason = fields.Words(required=True)
    position = fields.Whole(required=True, allow_none=True)
    recorded_at = fields.Instant(required=True, allow_none=True)
    recorded_by = fields.Words(required=True, allow_none=True)


class InterpretationSchema(DecidedSchema):
    policy = fields.Words(required=True)
    version = fields.Whole(required=True, least=1)
    reading = fields.Words(required=True)


class DecidedThenSchema(DecidedSchema):
    in_force = fields.Flag(required=True, metadata={"description": "on the day that is asked about"})


class OptionSchema(Schema):
    value = fields.Words(required=True)
    meaning = fields.Words(required=True)


class ReadingSchema(Schema):
    """An open question, as read on the day that is asked about."""

    id = fields.Words(required=True)
    article = fields.Words(required=True)
    question = fields.Words(required=True)
    value = fields.Words(required=True)
    answer = fields.Words(required=True)
    switchable = fields.Flag(required=True)
    options = fields.Many(
        fields.Nested(OptionSchema),
        required=True,
        metadata={"description": "empty for a switchable reading: any value that fits"},
    )
    alternatives = fields.Many(
        fields.Words(), required=True, metadata={"description": "how else the text could be read, in words"}
    )
    followed_by = fields.Words(
        required=True,
        allow_none=True,
        metadata={
            "description": "who goes by it where no number takes its value: the reviewer, or whoever takes a step (process)",
            "enum": [*FollowedBy, None],
        },
    )
    fixed = fields.Words(
        required=True,
        allow_none=True,
        metadata={"description": "why this version cannot be switched to an alternative"},
    )
    decided_by = fields.Words(required=True)
    effective_from = fields.Day(required=True)
    reference = fields.Words(required=True, allow_none=True)
    reason = fields.Words(required=True)


class ReadingHistorySchema(ReadingSchema):
    history = fields.Many(fields.Nested(DecidedThenSchema), required=True)


class ReadingsSchema(Schema):
    policy = fields.Words(required=True)
    version = fields.Whole(required=True, least=1)
    readings = fields.Many(fields.Nested(ReadingHistorySchema), required=True)


@blueprint.route("/policies/<string:policy_id>/<number:version>/interpretations", methods=["POST"])
@records(RecordInterpretation)
@blueprint.arguments(InterpretationRequestSchema)
@blueprint.response(201, InterpretationSchema)
def record_interpretation(body: Body, policy_id: str, version: int) -> tuple[Body, Headers]:
    """口径解释：自某日起怎样理解一个问题 / Decide how an open question is read, for decisions from a day on

    What was decided before stays as it was read then, and the policy's text is not touched.
    """
    file = service().policies.file(policy_id, version)
    outcome = record(RecordInterpretation(policy=policy_id, version=version, **body))
    event = outcome.recorded.event
    assert isinstance(event, InterpretationRecorded)
    shown = {
        "policy": policy_id,
        "version": version,
        "reading": event.reading,
        **_decided_body(decided(file, outcome.recorded)),
    }
    return shown, {**headers_of(outcome), "Location": reading_address(policy_id, version, event.reading)}


@blueprint.route("/policies/<string:policy_id>/<number:version>/readings")
@reads(SIGNED_IN)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, ReadingsSchema)
def readings(query: Body, policy_id: str, version: int) -> Body:
    """全部口径及其沿革 / Every open question, how it is read, and all that was decided about it

    Interpretations for a day to come are listed, and not in force. Ask with `effective` how things are read on that day.
    """
    found = service().reader.readings(policy_id, version, moment_of(query))
    return {"policy": policy_id, "version": version, "readings": [_history_body(each) for each in found]}


@blueprint.route("/policies/<string:policy_id>/<number:version>/readings/<string:reading_id>")
@reads(SIGNED_IN)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, ReadingHistorySchema)
def reading(query: Body, policy_id: str, version: int, reading_id: str) -> Body:
    """一个口径及其沿革 / One open question, how it is read, and all that was decided about it"""
    found = service().reader.readings(policy_id, version, moment_of(query))
    for each in found:
        if each.reading.id == reading_id:
            return _history_body(each)
    known = [each.reading.id for each in found]
    raise NotFound(
        Text(
            f"没有编号为{reading_id[:32]}的口径；现有：{'、'.join(known)}",
            f"there is no reading {reading_id[:32]!r}; there are: {', '.join(known)}",
        )
    )


def reading_body(found: Reading) -> Body:
    return {
        "id": found.id,
        "article": found.article,
        "question": found.question,
        "value": found.value,
        "answer": found.answer,
        "switchable": found.switchable,
        "options": [{"value": value, "meaning": meaning} for value, meaning in found.options.items()],
        "alternatives": found.alternatives,
        "followed_by": found.followed_by,
        "fixed": found.fixed,
        "decided_by": found.decided_by,
        "effective_from": found.since,
        "reference": found.document,
        "reason": found.why,
    }


def _history_body(found: ReadingHistory) -> Body:
    history = [{**_decided_body(each), "in_force": each.in_force} for each in found.decided]
    return {**reading_body(found.reading), "history": history}


def _decided_body(one: Decided) -> Body:
    recorded = one.recorded
    return {
        "value": one.value,
        "answer": one.answer,
        "effective_from": one.since,
        "decided_by": one.decided_by,
        "reference": one.document,
        "reason": one.why,
        "position": None if recorded is None else recorded.position,
        "recorded_at": None if recorded is None else recorded.envelope.recorded_at,
        "recorded_by": None if recorded is None else recorded.envelope.actor,
    }
