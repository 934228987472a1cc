"""Stages of an award that is paid in parts: each is confirmed by a document before its part may be requested."""

from __future__ import annotations

from typing import Any

from api.rest import fields
from api.rest.addresses import case_at
from api.rest.awards_shown import AwardSchema, award_body
from api.rest.blueprint import Blueprint, records
from api.rest.bodies import CommandSchema
from api.rest.recording import Headers, record_on_case
from ledger.commands.confirm_stage import ConfirmStage

blueprint = Blueprint("stages", __name__, description="拨付阶段 / Stages of payment")

Body = dict[str, Any]


class ConfirmationSchema(CommandSchema):
    """``reference``, the document that shows the stage was reached, is needed."""

    audited = fields.Money(
        allow_none=True,
        attribute="audited_fen",
        metadata={
            "description": "审计确认的总投资，只在最后阶段填写 / the audited cost, in yuan; with the last stage, where that "
            "settles the award, and only then"
        },
    )


@blueprint.route("/awards/<string:award_id>/stages/<number:number>/confirmation", methods=["POST"])
@records(ConfirmStage)
@blueprint.arguments(ConfirmationSchema)
@blueprint.response(200, AwardSchema)
def confirm_stage(body: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """确认已达到一个拨付阶段 / Confirm that the next stage was reached, so that its part may be requested

    Stages are reached in order; the first with the approval. Where the last one settles the award on the audit, what the
    award exceeds is released, or recovered, for the cause `audit-reduction` first: 422 `above-settlement` says how much.
    """
    case, headers = record_on_case(ConfirmStage(case=case_at(award_id), stage=number, **body))
    return award_body(case), headers
