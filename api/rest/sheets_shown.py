"""The calculation sheet as data: every step, what it cut, and the awards that had used each limit before."""

from __future__ import annotations

from typing import Any

from api.rest import fields
from api.rest.applications_shown import PinSchema
from api.rest.calculations import BindingSchema, LimitSchema, StepSchema, binding_body, room_body
from api.rest.language import said
from api.rest.readings import ReadingSchema, reading_body
from api.rest.schema import Schema
from projections.sheet import Approval, Sheet, SheetLimit, SheetStep, Stated


class StatedSchema(Schema):
    name = fields.Words(required=True)
    label = fields.Words(required=True)
    value = fields.Payload(
        required=True, metadata={"description": "as it is submitted", "type": ["string", "integer", "boolean"]}
    )
    text = fields.Words(required=True, metadata={"description": "in words"})


class SheetStepSchema(StepSchema):
    cut = fields.Money(
        required=True,
        allow_none=True,
        metadata={"description": "what it took off the step before; null where the calculation begins"},
    )
    scope = fields.Words(
        required=True, allow_none=True, metadata={"description": "of the limit that cut; null for what no limit did"}
    )


class CountedAwardSchema(Schema):
    award_id = fields.Words(required=True)
    amount = fields.Money(required=True)


class SheetLimitSchema(LimitSchema):
    """A limit as it was before this claim."""

    label = fields.Words(required=True)
    clause = fields.Words(required=True)
    cut = fields.Money(required=True, metadata={"description": "what it cut off this claim"})
    counted = fields.Many(
        fields.Nested(CountedAwardSchema),
        required=True,
        metadata={"description": "the awards that `used` is made up of"},
    )


class ApprovalOnSheetSchema(Schema):
    amount = fields.Money(required=True)
    capitals = fields.Words(required=True)
    cap_year = fields.Year(required=True)
    approved_on = fields.Day(required=True)
    approved_by = fields.Words(required=True)
    reference = fields.Words(required=True, allow_none=True)


class SheetSchema(Schema):
    application_id = fields.Words(required=True)
    award_id = fields.Words(required=True, allow_none=True)
    determination = fields.Whole(required=True, least=1, metadata={"description": "counted from 1"})
    superseded = fields.Flag(required=True, metadata={"description": "whether a later determination took its place"})
    policy = fields.Nested(PinSchema, required=True)
    policy_number = fields.Words(required=True, metadata={"description": "文号"})
    policy_title = fields.Words(required=True)
    rule = fields.Words(required=True)
    rule_name = fields.Words(required=True)
    article = fields.Words(required=True)
    enterprise = fields.Code(required=True)
    enterprise_name = fields.Words(required=True)
    item = fields.Words(required=True)
    particulars = fields.Many(fields.Nested(StatedSchema), required=True)
    basis = fields.Nested(
        StatedSchema,
        required=True,
        allow_none=True,
        metadata={"description": "what the rate is taken of; null where the office proposes the amount"},
    )
    rate = fields.Words(required=True, allow_none=True, metadata={"examples": ["40%"]})
    steps = fields.Many(fields.Nested(SheetStepSchema), required=True)
    limits = fields.Many(fields.Nested(SheetLimitSchema), required=True)
    bound_by = fields.Nested(BindingSchema, required=True, allow_none=True)
    amount = fields.Money(required=True)
    capitals = fields.Words(required=True, metadata={"description": "大写", "examples": ["陆佰万元整"]})
    cap_year = fields.Year(required=True)
    determined_on = fields.Day(required=True)
    determined_by = fields.Words(required=True)
    reference = fields.Words(required=True, allow_none=True)
    reason = fields.Words(required=True, allow_none=True)
    approval = fields.Nested(ApprovalOnSheetSchema, required=True, allow_none=True)
    readings = fields.Many(
        fields.Nested(ReadingSchema),
        required=True,
        metadata={"description": "how the rule's open questions were read on the day"},
    )


def sheet_body(sheet: Sheet) -> dict[str, Any]:
    pin = sheet.policy
    return {
        "application_id": sheet.application_id,
        "award_id": sheet.award_id,
        "determination": sheet.number,
        "superseded": sheet.superseded,
        "policy": {"id": pin.policy_id, "version": pin.version, "sha256": pin.sha256},
        "policy_number": sheet.policy_number,
        "policy_title": sheet.policy_title,
        "rule": sheet.rule.id,
        "rule_name": sheet.rule.name,
        "article": sheet.rule.article,
        "enterprise": sheet.enterprise,
        "enterprise_name": sheet.enterprise_name,
        "item": sheet.item,
        "particulars": [_stated_body(stated) for stated in sheet.particulars],
        "basis": None if sheet.basis is None else _stated_body(sheet.basis),
        "rate": sheet.rate,
        "steps": [_step_body(step) for step in sheet.steps],
        "limits": [_limit_body(limit) for limit in sheet.limits],
        "bound_by": binding_body(sheet.bound_by),
        "amount": sheet.amount_fen,
        "capitals": sheet.capitals,
        "cap_year": sheet.cap_year,
        "determined_on": sheet.determined_on,
        "determined_by": sheet.determined_by,
        "reference": sheet.reference,
        "reason": sheet.reason,
        "approval": _approval_body(sheet.approval),
        "readings": [reading_body(reading) for reading in sheet.readings],
    }


def _stated_body(stated: Stated) -> dict[str, Any]:
    return {"name": stated.name, "label": said(stated.label), "value": stated.value, "text": said(stated.text)}


def _step_body(step: SheetStep) -> dict[str, Any]:
    return {
        "clause": step.clause,
        "step": step.step,
        "detail": said(step.detail),
        "amount": step.amount_fen,
        "cut": step.cut_fen,
        "scope": step.scope,
    }


def _limit_body(limit: SheetLimit) -> dict[str, Any]:
    return {
        "name": limit.headroom.limit,
        "label": said(limit.label),
        "clause": limit.headroom.clause,
        **room_body(limit.headroom),
        "cut": limit.cut_fen,
        "counted": [{"award_id": award.award_id, "amount": award.amount_fen} for award in limit.counted],
    }


def _approval_body(approval: Approval | None) -> dict[str, Any] | None:
    if approval is None:
        return None
    return {
        "amount": approval.amount_fen,
        "capitals": approval.capitals,
        "cap_year": approval.cap_year,
        "approved_on": approval.on,
        "approved_by": approval.by,
        "reference": approval.reference,
    }
