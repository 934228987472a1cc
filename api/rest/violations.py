"""Violations found in an award; each stops further payment until it is withdrawn."""

from __future__ import annotations

from typing import Any

from api.auth import STAFF, service
from api.rest import fields
from api.rest.addresses import award_address, case_at
from api.rest.awards_shown import AwardSchema, ViolationSchema, award_body, violation_body
from api.rest.blueprint import Blueprint, reads, records
from api.rest.bodies import CommandSchema
from api.rest.etags import case_etag
from api.rest.moments import MomentSchema, moment_of
from api.rest.recording import Headers, record_on_case
from ledger.commands.find_violation import FindViolation, Party
from ledger.commands.withdraw_violation import WithdrawViolation
from ledger.errors import NotFound, Text

blueprint = Blueprint("violations", __name__, description="违规认定 / Violations")

Body = dict[str, Any]


class FindingSchema(CommandSchema):
    party = fields.Choice(
        Party, load_default=Party.APPLICANT.value, metadata={"description": "责任主体 / whose breach it is"}
    )


@blueprint.route("/awards/<string:award_id>/violations", methods=["POST"])
@records(FindViolation)
@blueprint.arguments(FindingSchema)
@blueprint.response(201, AwardSchema)
def find_violation(body: Body, award_id: str) -> tuple[Body, Headers]:
    """违规认定，停止拨付 / Find a violation; `reason` states the facts"""
    case, headers = record_on_case(FindViolation(case=case_at(award_id), **body))
    location = f"{award_address(case.number)}/violations/{max(case.violations)}"
    return award_body(case), {**headers, "Location": location}


@blueprint.route("/awards/<string:award_id>/violations/<number:number>")
@reads(STAFF)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, ViolationSchema)
def violation(query: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """一项违规认定 / One violation"""
    case = service().reader.case(case_at(award_id), moment_of(query))
    if (found := case.violations.get(number)) is None:
        raise NotFound(Text(f"没有第{number}项违规认定", f"there is no violation {number}"))
    return violation_body(found), {"ETag": case_etag(case)}


@blueprint.route("/awards/<string:award_id>/violations/<number:number>/withdrawal", methods=["POST"])
@records(WithdrawViolation)
@blueprint.arguments(CommandSchema)
@blueprint.response(200, AwardSchema)
def withdraw_violation(body: Body, award_id: str, number: int) -> tuple[Body, Headers]:
    """撤销违规认定 / Withdraw a finding that proved wrong"""
    case, headers = record_on_case(WithdrawViolation(case=case_at(award_id), violation=number, **body))
    return award_body(case), headers
