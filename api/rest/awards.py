"""Awards: what was approved, its history, and the release of what will not be paid."""

from __future__ import annotations

from typing import Any

from api.auth import STAFF, service
from api.rest import fields
from api.rest.addresses import case_at
from api.rest.awards_shown import AwardSchema, award_body
from api.rest.blueprint import Blueprint, reads, records
from api.rest.bodies import AmountSchema
from api.rest.case_lists import AwardQuerySchema, AwardsSchema, awards_body
from api.rest.etags import case_etag
from api.rest.histories import HistoryQuerySchema, HistorySchema, history_body
from api.rest.moments import MomentSchema, moment_of
from api.rest.recording import Headers, record_on_case
from ledger.causes import Cause
from ledger.commands.release_award import ReleaseAward

blueprint = Blueprint("awards", __name__, description="资助项目 / Awards")

Body = dict[str, Any]


class ReleaseSchema(AmountSchema):
    cause = fields.Choice(Cause, required=True)


@blueprint.route("/awards")
@reads(STAFF, views=True)
@blueprint.arguments(AwardQuerySchema, location="query")
@blueprint.response(200, AwardsSchema)
def list_awards(query: Body) -> Body:
    """资助项目列表，最近变动的在前 / Awards, the one that changed last first"""
    return awards_body(query)


@blueprint.route("/awards/<string:award_id>")
@reads(STAFF)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, AwardSchema)
def award(query: Body, award_id: str) -> tuple[Body, Headers]:
    """一个资助项目 / One award"""
    case = service().reader.case(case_at(award_id), moment_of(query))
    return award_body(case), {"ETag": case_etag(case)}


@blueprint.route("/awards/<string:award_id>/history")
@reads(STAFF, errors=(409,))
@blueprint.arguments(HistoryQuerySchema, location="query")
@blueprint.response(200, HistorySchema)
def award_history(query: Body, award_id: str) -> Body:
    """资助项目及其申报的全部事件 / Every event of an award and of the application behind it

    With `proof=true` each event comes with the very bytes that were sealed and its inclusion proof, and the history with the
    signed checkpoint that the proofs lead to: check them against the ledger's public key, and with the checkpoint you keep.
    """
    number, moment = case_at(award_id), moment_of(query)
    # 404 where there was no award yet at that moment, as for the award itself.
    award_body(service().reader.case(number, moment))
    return history_body(number, query)


@blueprint.route("/awards/<string:award_id>/releases", methods=["POST"])
@records(ReleaseAward)
@blueprint.arguments(ReleaseSchema)
@blueprint.response(201, AwardSchema)
def release_award(body: Body, award_id: str) -> tuple[Body, Headers]:
    """释放未拨付的资助 / Release what will not be paid"""
    case, headers = record_on_case(ReleaseAward(case=case_at(award_id), **body))
    return award_body(case), headers
