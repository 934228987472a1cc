"""An award as the API shows it: its sums, and every disbursement, violation and recovery."""

from __future__ import annotations

from typing import Any

from api.rest import fields
from api.rest.applications_shown import PinSchema, heading_body
from api.rest.calculations import BindingSchema, binding_body
from api.rest.schema import Schema
from ledger.calendar import add_days
from ledger.casefile import CaseFile, CaseState, Disbursement, DisbursementState, Recovery, Violation
from ledger.causes import Cause
from ledger.commands.find_violation import Party
from ledger.errors import NotFound, Text
from ledger.identity import application_id, award_id
from ledger.rules import Draw, WindowUse
from ledger.stages import StageOfAward


class DrawSchema(Schema):
    """What the award takes from one limit, net of what it gave back."""

    limit = fields.Words(required=True)
    clause = fields.Words(required=True)
    scope = fields.Words(required=True)
    ceiling = fields.Money(required=True)
    amount = fields.Money(required=True)


class FundedPartSchema(Schema):
    since = fields.Day(required=True)
    until = fields.Day(required=True)


class WindowSchema(Schema):
    """The window of months that the award stands in; last days are included."""

    anchor = fields.Day(required=True)
    ends_on = fields.Day(required=True)
    funded_from = fields.Day(required=True)
    funded_until = fields.Day(required=True)
    funded_parts = fields.Many(
        fields.Nested(FundedPartSchema),
        required=True,
        metadata={"description": "empty where all is paid for from the first of these days to the last"},
    )


class StageSchema(Schema):
    """One part of an award that is paid in stages, of what is awarded now. ``share`` as a percentage."""

    number = fields.Whole(required=True, least=1)
    when = fields.Words(required=True, metadata={"description": "what makes it due"})
    share = fields.Words(required=True, metadata={"examples": ["40%"]})
    amount = fields.Money(required=True)
    reached_on = fields.Day(required=True, allow_none=True)
    paid = fields.Money(required=True)


class DisbursementSchema(Schema):
    number = fields.Whole(required=True, least=1)
    amount = fields.Money(required=True)
    state = fields.Choice(DisbursementState, required=True)
    bank_serial = fields.Words(required=True, allow_none=True)
    settled_on = fields.Day(required=True, allow_none=True)


class ViolationSchema(Schema):
    number = fields.Whole(required=True, least=1)
    party = fields.Choice(Party, required=True)
    found_on = fields.Day(required=True)
    withdrawn = fields.Flag(required=True)


class RecoverySchema(Schema):
    """``amount`` is the principal ordered, less what a cancellation took back."""

    number = fields.Whole(required=True, least=1)
    amount = fields.Money(required=True)
    received = fields.Money(required=True)
    outstanding = fields.Money(required=True)
    cause = fields.Choice(Cause, required=True)
    restores_headroom = fields.Flag(required=True)
    due_on = fields.Day(required=True)


class AwardSchema(Schema):
    id = fields.Words(required=True)
    application_id = fields.Words(required=True)
    position = fields.Whole(required=True, metadata={"description": "of the case's last step"})
    state = fields.Choice(CaseState, required=True)
    state_name = fields.Words(required=True)
    policy = fields.Nested(PinSchema, required=True)
    rule = fields.Words(required=True)
    enterprise = fields.Words(required=True)
    enterprise_name = fields.Words(required=True)
    item = fields.Words(required=True)
    cap_year = fields.Year(required=True)
    approved_on = fields.Day(required=True)
    amount = fields.Money(required=True, metadata={"description": "as approved"})
    determined = fields.Money(required=True)
    bound_by = fields.Nested(BindingSchema, required=True, allow_none=True)
    draws = fields.Many(fields.Nested(DrawSchema), required=True)
    window = fields.Nested(WindowSchema, required=True, allow_none=True)
    released = fields.Money(required=True)
    awarded = fields.Money(required=True, metadata={"description": "approved, less released"})
    committed = fields.Money(required=True, metadata={"description": "requested, ordered or settled"})
    settled = fields.Money(required=True)
    payable = fields.Money(required=True, metadata={"description": "awarded and not settled yet"})
    requestable = fields.Money(
        required=True,
        metadata={
            "description": "what the stages reached, where there are any, leave to request; stops stand beside it"
        },
    )
    recovered = fields.Money(required=True)
    recoverable = fields.Money(required=True, metadata={"description": "settled, and in no recovery order yet"})
    stages = fields.Many(
        fields.Nested(StageSchema), required=True, metadata={"description": "empty where it may be paid at once"}
    )
    disbursements = fields.Many(fields.Nested(DisbursementSchema), required=True)
    violations = fields.Many(fields.Nested(ViolationSchema), required=True)
    recoveries = fields.Many(fields.Nested(RecoverySchema), required=True)


def award_body(case: CaseFile) -> dict[str, Any]:
    """Raises :class:`~ledger.errors.NotFound` where no award came of the application."""
    approval = case.approval
    if approval is None:
        raise NotFound(
            Text(
                f"申报{application_id(case.number)}尚未审批为资助项目",
                f"no award was approved for application {application_id(case.number)}",
            )
        )
    return {
        **heading_body(case),
        "id": award_id(case.number),
        "application_id": application_id(case.number),
        "cap_year": approval.cap_year,
        "approved_on": case.approved_on,
        "amount": approval.amount_fen,
        "determined": approval.determined_fen,
        "bound_by": binding_body(approval.bound_by),
        "draws": [_draw_body(draw) for draw in case.drawn],
        "window": _window_body(case.window),
        "released": case.released_fen,
        "awarded": case.awarded_fen,
        "committed": case.committed_fen,
        "settled": case.settled_fen,
        "payable": case.payable_fen,
        "requestable": case.requestable_fen,
        "recovered": case.recovered_fen,
        "recoverable": case.recoverable_fen,
        "stages": [_stage_body(stage) for stage in case.stages],
        "disbursements": [disbursement_body(disbursement) for disbursement in case.disbursements.values()],
        "violations": [violation_body(violation) for violation in case.violations.values()],
        "recoveries": [recovery_body(recovery) for recovery in case.recoveries.values()],
    }


def _draw_body(draw: Draw) -> dict[str, Any]:
    return {
        "limit": draw.limit,
        "clause": draw.clause,
        "scope": draw.scope,
        "ceiling": draw.ceiling_fen,
        "amount": draw.amount_fen,
    }


def _window_body(use: WindowUse | None) -> dict[str, Any] | None:
    if use is None:
        return None
    return {
        "anchor": use.anchor,
        "ends_on": add_days(use.window.end, -1),
        "funded_from": use.funded.start,
        "funded_until": add_days(use.funded.end, -1),
        "funded_parts": [{"since": part.start, "until": add_days(part.end, -1)} for part in use.parts or ()],
    }


def _stage_body(stage: StageOfAward) -> dict[str, Any]:
    return {
        "number": stage.number,
        "when": stage.when,
        "share": stage.share,
        "amount": stage.amount_fen,
        "reached_on": stage.reached_on,
        "paid": stage.paid_fen,
    }


def disbursement_body(disbursement: Disbursement) -> dict[str, Any]:
    return {
        "number": disbursement.number,
        "amount": disbursement.amount_fen,
        "state": disbursement.state,
        "bank_serial": disbursement.bank_serial,
        "settled_on": disbursement.settled_on,
    }


def violation_body(violation: Violation) -> dict[str, Any]:
    return {
        "number": violation.number,
        "party": violation.party,
        "found_on": violation.found_on,
        "withdrawn": violation.withdrawn,
    }


def recovery_body(recovery: Recovery) -> dict[str, Any]:
    return {
        "number": recovery.number,
        "amount": recovery.amount_fen,
        "received": recovery.received_fen,
        "outstanding": recovery.outstanding_fen,
        "cause": recovery.cause,
        "restores_headroom": recovery.restores_headroom,
        "due_on": recovery.due_on,
    }
