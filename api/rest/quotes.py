"""What a claim would be granted now, recording nothing."""

from __future__ import annotations

from typing import Any

from api.auth import STAFF, service
from api.rest import fields
from api.rest.blueprint import Blueprint, asks
from api.rest.calculations import (
    BindingSchema,
    HeadroomSchema,
    StepSchema,
    binding_body,
    room_body,
    steps_body,
)
from api.rest.schema import Schema
from ledger.scopes import ITEM, ITEM_LENGTH_MAX

blueprint = Blueprint("quotes", __name__, description="试算 / What a claim would be granted")


class QuoteRequestSchema(Schema):
    policy = fields.Words(required=True, metadata={"examples": ["shenzhen-meddev-2022"]})
    rule = fields.Words(required=True, metadata={"examples": ["5.2"]})
    enterprise = fields.Code(required=True)
    item = fields.Words(required=True, length_max=ITEM_LENGTH_MAX, metadata={"examples": ["国械注准20263010001"]})
    cap_year = fields.Year(allow_none=True)
    particulars = fields.Particulars(required=True)


class QuoteSchema(Schema):
    """``headroom`` shows the yearly limits as they are before the claim; the item's own limit is told by its step."""

    amount = fields.Money(required=True)
    bound_by = fields.Nested(BindingSchema, required=True, allow_none=True)
    steps = fields.Many(fields.Nested(StepSchema), required=True)
    headroom = fields.Many(fields.Nested(HeadroomSchema), required=True)


@blueprint.route("/quotes", methods=["POST"])
@asks(STAFF)
@blueprint.arguments(QuoteRequestSchema)
@blueprint.response(200, QuoteSchema)
def quote(body: dict[str, Any]) -> dict[str, Any]:
    """试算：现在能资助多少，不作任何记录 / What a claim would be granted now, recording nothing

    By the same code as the real decision. 422 with `code` and `clause` where the policy says no.
    """
    result = service().ledger.quote(
        body["policy"],
        body["rule"],
        body["enterprise"],
        body["item"],
        body["particulars"],
        body.get("cap_year"),
    )
    return {
        "amount": result.amount_fen,
        "bound_by": binding_body(result.bound_by),
        "steps": steps_body(result.steps),
        "headroom": [{"limit": head.limit, **room_body(head)} for head in result.headroom if head.limit != ITEM],
    }
