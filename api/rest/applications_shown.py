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
from ledger.other_funding import DOCUMENT_LENGTH_MAX, Level
from ledger.policy.model import EvidenceKind, EvidenceUse, Pin
from ledger.rules import WayOut


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


class EvidenceSchema(Schema):
    """``key`` as it is compared; ``use`` and ``again`` as the policy was read when it was given."""

    kind = fields.Choice(EvidenceKind, required=True)
    key = fields.Words(required=True)
    stage = fields.Words(required=True)
    use = fields.Choice(EvidenceUse, required=True)
    again = fields.Flag(
        required=True, metadata={"description": "may be given again for the same item, for another period"}
    )


class OtherFundingSchema(Schema):
    """Public money for the same matter, as the enterprise declares it. An award of this ledger must be the enterprise's own,
    and counts with what the ledger shows of it, net of what was given back, whatever amount is declared.
    """

    level = fields.Choice(Level, required=True)
    amount = fields.Money(required=True, attribute="amount_fen")
    document = fields.Words(
        required=True,
        length_max=DOCUMENT_LENGTH_MAX,
        metadata={"description": "文号，或本账本中的资助编号 / its document, or the id of an award in this ledger"},
    )


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
    evidence = fields.Many(fields.Nested(EvidenceSchema), required=True)
    other_funding = fields.Many(fields.Nested(OtherFundingSchema), required=True)
    way_out = fields.Choice(
        WayOut,
        required=True,
        allow_none=True,
        metadata={"description": "what the office decided about the other funding; null until it has"},
    )
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
        "evidence": (*case.evidence, *case.review_evidence),
        "other_funding": case.declared_funding,
        "way_out": case.way_out,
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
