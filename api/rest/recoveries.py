"""Recoveries (追缴) of what was paid: ordered, received in parts, or cancelled for what has not come."""

from __future__ import annotations

from typing import Any

from api.auth import STAFF, service
from api.rest import fields
from api.rest.addresses import award_address, case_at
from api.rest.awards_shown import AwardSchema, RecoverySchema, award_body, recovery_body
from api.rest.blueprint import Blueprint, reads, records
from api.rest.bodies import AmountSchema, CommandSchema
from api.rest.disbursements import BankedSchema
from api.rest.etags import case_etag
from api.rest.moments import MomentSchema, moment_of
from api.rest.recording import Headers, record_on_case
from ledger.causes import Cause
from ledger.commands.cancel_recovery import CancelRecovery
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.receive_recovery import ReceiveRecovery
from ledger.errors import NotFound, Text

blueprint = Blueprint("recoveries", __name__, description="追缴 / Recoveries")

Body = dict[str, Any]


class RecoveryOrderSchema(AmountSchema):
    cause = fields.Choice(Cause, required=True)
    due_on = fields.Day(allow_none=True, metadata={"description": "缴款期限，缺省为15日后"})


@blueprint.route("/awards/<string:award_id>/recoveries", methods=["POST"])
@records(OrderRecovery)
@blueprint.arguments(RecoveryOrderSchema)
@blueprint.response(201, AwardSchema)
def order_recovery(body: Body, award_id: str) -> tuple[Body, Headers]:
    """追缴决定 / Order that paid money comes back"""
    case, headers = record_on_case(OrderRecovery(case=case_at(award_id), **body))
    location = f"{award_address(case.number)}/recoveries/{max(case.recoveries)}"
    return award_body(case), {**headers, "Location": location}


@blueprint.route("/awards/<string:award_id>/recoveries/<number:number>")
@reads(STAFF)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, RecoverySchema)
def recovery(query: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """一项追缴 / One recovery"""
    case = service().reader.case(case_at(award_id), moment_of(query))
    if (found := case.recoveries.get(number)) is None:
        raise NotFound(Text(f"没有第{number}项追缴", f"there is no recovery {number}"))
    return recovery_body(found), {"ETag": case_etag(case)}


@blueprint.route("/awards/<string:award_id>/recoveries/<number:number>/receipts", methods=["POST"])
@records(ReceiveRecovery)
@blueprint.arguments(BankedSchema)
@blueprint.response(201, AwardSchema)
def receive_recovery(body: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """追回到账，可分次 / Money came back, in part or whole"""
    case, headers = record_on_case(ReceiveRecovery(case=case_at(award_id), recovery=number, **body))
    return award_body(case), headers


@blueprint.route("/awards/<string:award_id>/recoveries/<number:number>/cancellation", methods=["POST"])
@records(CancelRecovery)
@blueprint.arguments(CommandSchema)
@blueprint.response(200, AwardSchema)
def cancel_recovery(body: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """撤销追缴中尚未收到的部分 / Cancel a recovery for what has not been received"""
    case, headers = record_on_case(CancelRecovery(case=case_at(award_id), recovery=number, **body))
    return award_body(case), headers
