"""An application as the API shows it."""

from __future__ import annotations

from typing import Any

from api.rest import fields
from api.rest.calculations import BindingSchema, StepSchema, binding_body, steps_body
from api.rest.language import said
from api.rest.schema import Schema
from ledger.casefile import STATE_NAMES, CaseFile, CaseState
from ledger.events import AmountDetermined
from ledger.identity import application_id, award_id
from ledger.policy.model import Pin


class PinSchema(Schema):
    """The policy text a case is decided under."""

    id = fields.Words(required=True)
    version = fields.Whole(required=True)
    sha256 = fields.Words(required=True)


class DeterminationSchema(Schema):
    amount = fields.Money(required=True)
    cap_year = fields.Year(required=True)
    bound_by = fields.Nested(BindingSchema, required=True, allow_none=True)
    steps = fields.Many(fields.Nested(StepSchema), required=True)
    particulars = fields.Particulars(required=True)


class ApplicationSchema(Schema):
    id = fields.Words(required=True)
    award_id = fields.Words(required=True, allow_none=True, metadata={"description": "once approved"})
    position = fields.Whole(required=True, metadata={"description": "of the case's last step"})
    state = fields.Choice(CaseState, required=True)
    state_name = fields.Words(required=True)
    policy = fields.Nested(PinSchema, required=True)
    rule = fields.Words(required=True)
    enterprise = fields.Words(required=True)
    enterprise_name = fields.Words(required=True)
    item = fields.Words(required=True)
    particulars = fields.Particulars(required=True)
    submitted_on = fields.Day(required=True)
    accepted_on = fields.Day(required=True, allow_none=True)
    acceptance_number = fields.Words(required=True, allow_none=True)
    determination = fields.Nested(DeterminationSchema, required=True, allow_none=True)


def application_body(case: CaseFile) -> dict[str, Any]:
    return {
        **heading_body(case),
        "id": application_id(case.number),
        "award_id": None if case.approval is None else award_id(case.number),
        "particulars": case.particulars,
        "submitted_on": case.submitted_on,
        "accepted_on": case.accepted_on,
        "acceptance_number": case.acceptance_number,
        "determination": _determination_body(case.determination),
    }


def heading_body(case: CaseFile) -> dict[str, Any]:
    """What an application and its award show alike."""
    return {
        "position": case.position,
        "state": case.state,
        "state_name": said(STATE_NAMES[case.state]),
        "policy": _pin_body(case.policy),
        "rule": case.rule,
        "enterprise": case.enterprise,
        "enterprise_name": case.enterprise_name,
        "item": case.item,
    }


def _pin_body(pin: Pin | None) -> dict[str, Any]:
    assert pin is not None, "every case is made under a policy"
    return {"id": pin.policy_id, "version": pin.version, "sha256": pin.sha256}


def _determination_body(determined: AmountDetermined | None) -> dict[str, Any] | None:
    if determined is None:
        return None
    return {
        "amount": determined.amount_fen,
        "cap_year": determined.cap_year,
        "bound_by": binding_body(determined.bound_by),
        "steps": steps_body(determined.steps),
        "particulars": determined.particulars,
    }
