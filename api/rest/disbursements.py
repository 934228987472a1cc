"""Disbursements of an award: requested by one person, ordered by another, settled with the bank's serial number."""

from __future__ import annotations

from typing import Any

from api.auth import STAFF, service
from api.rest import fields
from api.rest.addresses import award_address, case_at
from api.rest.awards_shown import AwardSchema, DisbursementSchema, award_body, disbursement_body
from api.rest.blueprint import Blueprint, reads, records
from api.rest.bodies import AmountSchema, CommandSchema
from api.rest.etags import case_etag
from api.rest.moments import MomentSchema, moment_of
from api.rest.recording import Headers, record_on_case
from ledger.commands.cancel_disbursement import CancelDisbursement
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.return_disbursement import ReturnDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.errors import NotFound, Text
from ledger.scopes import REGISTER_LENGTH_MAX

blueprint = Blueprint("disbursements", __name__, description="拨付 / Disbursements")

Body = dict[str, Any]


class BankedSchema(AmountSchema):
    """An amount as the bank states it."""

    bank_serial = fields.Words(required=True, length_max=REGISTER_LENGTH_MAX, metadata={"description": "银行流水号"})


@blueprint.route("/awards/<string:award_id>/disbursements", methods=["POST"])
@records(RequestDisbursement)
@blueprint.arguments(AmountSchema)
@blueprint.response(201, AwardSchema)
def request_disbursement(body: Body, award_id: str) -> tuple[Body, Headers]:
    """拨付申请 / Request a disbursement: the last of the award's `disbursements`, and `Location`"""
    case, headers = record_on_case(RequestDisbursement(case=case_at(award_id), **body))
    location = f"{award_address(case.number)}/disbursements/{max(case.disbursements)}"
    return award_body(case), {**headers, "Location": location}


@blueprint.route("/awards/<string:award_id>/disbursements/<number:number>")
@reads(STAFF)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, DisbursementSchema)
def disbursement(query: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """一笔拨付 / One disbursement"""
    case = service().reader.case(case_at(award_id), moment_of(query))
    if (found := case.disbursements.get(number)) is None:
        raise NotFound(Text(f"没有第{number}笔拨付", f"there is no disbursement {number}"))
    return disbursement_body(found), {"ETag": case_etag(case)}


@blueprint.route("/awards/<string:award_id>/disbursements/<number:number>/order", methods=["POST"])
@records(OrderDisbursement)
@blueprint.arguments(CommandSchema)
@blueprint.response(200, AwardSchema)
def order_disbursement(body: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """支付令，由另一人下达 / Order what another person requested"""
    case, headers = record_on_case(OrderDisbursement(case=case_at(award_id), disbursement=number, **body))
    return award_body(case), headers


@blueprint.route("/awards/<string:award_id>/disbursements/<number:number>/settlement", methods=["POST"])
@records(SettleDisbursement)
@blueprint.arguments(BankedSchema)
@blueprint.response(200, AwardSchema)
def settle_disbursement(body: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """登记到账 / The bank has paid"""
    case, headers = record_on_case(SettleDisbursement(case=case_at(award_id), disbursement=number, **body))
    return award_body(case), headers


@blueprint.route("/awards/<string:award_id>/disbursements/<number:number>/cancellation", methods=["POST"])
@records(CancelDisbursement)
@blueprint.arguments(CommandSchema)
@blueprint.response(200, AwardSchema)
def cancel_disbursement(body: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """取消尚未下达支付令的拨付 / Take back a request that is not ordered yet"""
    case, headers = record_on_case(CancelDisbursement(case=case_at(award_id), disbursement=number, **body))
    return award_body(case), headers


@blueprint.route("/awards/<string:award_id>/disbursements/<number:number>/return", methods=["POST"])
@records(ReturnDisbursement)
@blueprint.arguments(CommandSchema)
@blueprint.response(200, AwardSchema)
def return_disbursement(body: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """登记支付退回 / The bank did not carry out the order; the amount may be requested again"""
    case, headers = record_on_case(ReturnDisbursement(case=case_at(award_id), disbursement=number, **body))
    return award_body(case), headers
