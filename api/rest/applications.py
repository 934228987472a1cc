"""Applications: submitted, accepted, determined, approved, or ended without an award."""

from __future__ import annotations

from typing import Any

from api.auth import STAFF, service
from api.rest import fields
from api.rest.addresses import application_address, award_address, case_at
from api.rest.applications_shown import ApplicationSchema, OtherFundingSchema, application_body
from api.rest.awards_shown import AwardSchema, award_body
from api.rest.blueprint import Blueprint, reads, records
from api.rest.bodies import AmountSchema, CommandSchema
from api.rest.case_lists import ApplicationQuerySchema, ApplicationsSchema, applications_body
from api.rest.etags import case_etag
from api.rest.histories import HistoryQuerySchema, HistorySchema, history_body
from api.rest.moments import MomentSchema, moment_of
from api.rest.recording import Headers, record_on_case
from api.rest.schema import Schema
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.approve_award import ApproveAward
from ledger.commands.decide_other_funding import DecideOtherFunding
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.refuse_application import GROUND_LENGTH_MAX, RefuseApplication
from ledger.commands.submit_application import NAME_LENGTH_MAX, SubmitApplication
from ledger.commands.withdraw_application import WithdrawApplication
from ledger.evidence import EVIDENCE_MOST
from ledger.policy.model import EvidenceKind
from ledger.rules import WayOut
from ledger.scopes import ITEM_LENGTH_MAX, REGISTER_LENGTH_MAX

blueprint = Blueprint("applications", __name__, description="申报 / Applications")

Body = dict[str, Any]


class EvidenceGivenSchema(Schema):
    kind = fields.Choice(EvidenceKind, required=True)
    key = fields.Words(
        required=True,
        length_max=ITEM_LENGTH_MAX,
        metadata={"description": "号码 / its number", "examples": ["044031900111-12345678"]},
    )


class SubmissionSchema(CommandSchema):
    policy = fields.Words(required=True, metadata={"examples": ["shenzhen-meddev-2022"]})
    rule = fields.Words(required=True, metadata={"examples": ["5.2"]})
    enterprise = fields.Code(required=True)
    enterprise_name = fields.Words(required=True, length_max=NAME_LENGTH_MAX)
    item = fields.Words(required=True, length_max=ITEM_LENGTH_MAX)
    particulars = fields.Particulars(required=True)
    evidence = fields.Many(
        fields.Nested(EvidenceGivenSchema),
        metadata={
            "description": f"证据：每件只支持一项有效的申报 / what proves the claim, at most {EVIDENCE_MOST} pieces"
        },
    )
    other_funding = fields.Many(
        fields.Nested(OtherFundingSchema),
        metadata={"description": "同一事项已获的其他财政资助 / other public money for the same matter"},
    )


class OtherFundingDecisionSchema(CommandSchema):
    """``reference`` (the document; for a return, with the receipt) and ``reason`` are needed."""

    way_out = fields.Choice(
        WayOut,
        required=True,
        metadata={
            "description": "退回后申领，或补足差额；本账本的资助须已全部释放或追回，才算退回 / "
            "returned and then claimed, or the difference topped up; "
            "an award of this ledger is returned when all of it was released or recovered"
        },
    )


class AcceptanceSchema(CommandSchema):
    acceptance_number = fields.Words(required=True, length_max=REGISTER_LENGTH_MAX, metadata={"description": "受理号"})


class ApplicationRefusalSchema(CommandSchema):
    ground = fields.Words(
        required=True, length_max=GROUND_LENGTH_MAX, metadata={"examples": ["incomplete", "not-eligible"]}
    )


class DeterminationRequestSchema(CommandSchema):
    cap_year = fields.Year(allow_none=True)
    particulars = fields.Particulars(
        allow_none=True, metadata={"description": "核实后的申报要素 / as verified, where they differ"}
    )
    audit_report = fields.Words(
        allow_none=True,
        length_max=REGISTER_LENGTH_MAX,
        metadata={
            "description": "审计报告文号；只资助审计确认费用的规则须有 / the audit report, where the rule funds audited "
            "costs only and the application's evidence has none"
        },
    )


class ApprovalSchema(AmountSchema):
    cap_year = fields.Year(allow_none=True)


@blueprint.route("/applications", methods=["POST"])
@records(SubmitApplication)
@blueprint.arguments(SubmissionSchema)
@blueprint.response(201, ApplicationSchema)
def submit_application(body: Body) -> tuple[Body, Headers]:
    """提交申报 / Submit an application"""
    case, headers = record_on_case(SubmitApplication(**body))
    return application_body(case), {**headers, "Location": application_address(case.number)}


@blueprint.route("/applications")
@reads(STAFF, views=True)
@blueprint.arguments(ApplicationQuerySchema, location="query")
@blueprint.response(200, ApplicationsSchema)
def list_applications(query: Body) -> Body:
    """申报列表，最近变动的在前 / Applications, the one that changed last first"""
    return applications_body(query)


@blueprint.route("/applications/<string:application_id>")
@reads(STAFF)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, ApplicationSchema)
def application(query: Body, application_id: str) -> tuple[Body, Headers]:
    """一项申报 / One application"""
    case = service().reader.case(case_at(application_id), moment_of(query))
    return application_body(case), {"ETag": case_etag(case)}


@blueprint.route("/applications/<string:application_id>/history")
@reads(STAFF, errors=(409,))
@blueprint.arguments(HistoryQuerySchema, location="query")
@blueprint.response(200, HistorySchema)
def application_history(query: Body, application_id: str) -> Body:
    """申报的全部事件 / Every event of an application and of the award that came of it

    With `proof=true` with the proof of each event, as for an award.
    """
    return history_body(case_at(application_id), query)


@blueprint.route("/applications/<string:application_id>/acceptance", methods=["POST"])
@records(AcceptApplication)
@blueprint.arguments(AcceptanceSchema)
@blueprint.response(200, ApplicationSchema)
def accept_application(body: Body, application_id: str) -> tuple[Body, Headers]:
    """受理 / Accept an application"""
    case, headers = record_on_case(AcceptApplication(case=case_at(application_id), **body))
    return application_body(case), headers


@blueprint.route("/applications/<string:application_id>/refusal", methods=["POST"])
@records(RefuseApplication)
@blueprint.arguments(ApplicationRefusalSchema)
@blueprint.response(200, ApplicationSchema)
def refuse_application(body: Body, application_id: str) -> tuple[Body, Headers]:
    """不予受理、不予资助 / Refuse an application"""
    case, headers = record_on_case(RefuseApplication(case=case_at(application_id), **body))
    return application_body(case), headers


@blueprint.route("/applications/<string:application_id>/withdrawal", methods=["POST"])
@records(WithdrawApplication)
@blueprint.arguments(CommandSchema)
@blueprint.response(200, ApplicationSchema)
def withdraw_application(body: Body, application_id: str) -> tuple[Body, Headers]:
    """撤回申报 / Withdraw an application"""
    case, headers = record_on_case(WithdrawApplication(case=case_at(application_id), **body))
    return application_body(case), headers


@blueprint.route("/applications/<string:application_id>/other-funding-decision", methods=["POST"])
@records(DecideOtherFunding)
@blueprint.arguments(OtherFundingDecisionSchema)
@blueprint.response(200, ApplicationSchema)
def decide_other_funding(body: Body, application_id: str) -> tuple[Body, Headers]:
    """就高不就低：对其他财政资助的处理决定 / Decide what becomes of other public money, so that the claim may go on

    `return-then-claim`: it was paid back, and the claim stands by itself. `top-up-difference`: it stays, and only what is
    due beyond it is granted. May be decided anew until an amount is approved.
    """
    case, headers = record_on_case(DecideOtherFunding(case=case_at(application_id), **body))
    return application_body(case), headers


@blueprint.route("/applications/<string:application_id>/determination", methods=["POST"])
@records(DetermineAmount)
@blueprint.arguments(DeterminationRequestSchema)
@blueprint.response(200, ApplicationSchema)
def determine_amount(body: Body, application_id: str) -> tuple[Body, Headers]:
    """核定金额 / Let the law compute the amount; may be repeated until it is approved"""
    case, headers = record_on_case(DetermineAmount(case=case_at(application_id), **body))
    return application_body(case), headers


@blueprint.route("/applications/<string:application_id>/approval", methods=["POST"])
@records(ApproveAward)
@blueprint.arguments(ApprovalSchema)
@blueprint.response(201, AwardSchema)
def approve_award(body: Body, application_id: str) -> tuple[Body, Headers]:
    """审批，形成资助项目 / Approve: the application becomes an award"""
    number = case_at(application_id)
    case, headers = record_on_case(ApproveAward(case=number, **body), award_address(number))
    return award_body(case), headers
