"""Enterprises: what was applied for, awarded, paid and recovered, and what is left under each of their limits."""

from __future__ import annotations

from typing import Any

from api.auth import STAFF, service
from api.rest import fields
from api.rest.addresses import enterprise_at
from api.rest.blueprint import Blueprint, reads
from api.rest.calculations import room_body
from api.rest.case_lists import AWARD_STATES
from api.rest.language import said
from api.rest.lists import PageQuerySchema, PageSchema, find_enterprises, page_body
from api.rest.moments import MomentSchema, moment_of
from api.rest.schema import Schema
from ledger.calendar import add_days, business_date
from ledger.casefile import STATE_NAMES, CaseFile, CaseState
from ledger.identity import application_id, award_id
from projections.reader import LimitUse

blueprint = Blueprint("enterprises", __name__, description="企业 / Enterprises and their limits")

Body = dict[str, Any]


class EnterpriseSumsSchema(Schema):
    enterprise = fields.Code(required=True)
    name = fields.Words(required=True)
    awarded = fields.Money(required=True)
    settled = fields.Money(required=True)
    recovered = fields.Money(required=True)


class EnterpriseRowSchema(EnterpriseSumsSchema):
    cases = fields.Whole(required=True)
    payable = fields.Money(required=True)
    outstanding = fields.Money(required=True)


class EnterprisesSchema(PageSchema):
    enterprises = fields.Many(fields.Nested(EnterpriseRowSchema), required=True)


class EnterpriseCaseSchema(Schema):
    application_id = fields.Words(required=True)
    award_id = fields.Words(required=True, allow_none=True)
    state = fields.Choice(CaseState, required=True)
    state_name = fields.Words(required=True)
    rule = fields.Words(required=True)
    item = fields.Words(required=True)
    awarded = fields.Money(required=True)
    settled = fields.Money(required=True)
    recovered = fields.Money(required=True)


class EnterpriseSchema(EnterpriseSumsSchema):
    cases = fields.Many(fields.Nested(EnterpriseCaseSchema), required=True)


class LimitsQuerySchema(MomentSchema):
    year = fields.Year(text=True, metadata={"description": "calendar year; this year by default"})


class LimitUseSchema(Schema):
    name = fields.Words(required=True)
    clause = fields.Words(required=True)
    scope = fields.Words(required=True)
    ceiling = fields.Money(required=True)
    used = fields.Money(required=True)
    left = fields.Money(required=True, signed=True, metadata={"description": "never clamped"})
    events = fields.Many(fields.Words(), required=True, metadata={"description": "ids of the events counted"})
    period_from = fields.Day(required=True, allow_none=True)
    period_until = fields.Day(required=True, allow_none=True, metadata={"description": "the last day"})
    window_ends_on = fields.Day(
        required=True, allow_none=True, metadata={"description": "the last day of a window of months"}
    )


class LimitsSchema(Schema):
    enterprise = fields.Code(required=True)
    year = fields.Year(required=True)
    limits = fields.Many(fields.Nested(LimitUseSchema), required=True)


@blueprint.route("/enterprises")
@reads(STAFF, views=True)
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, EnterprisesSchema)
def list_enterprises(query: Body) -> Body:
    """企业列表 / Enterprises, in the order of their codes"""
    page = find_enterprises(query)
    rows = [
        {
            "enterprise": row.enterprise,
            "name": row.name,
            "cases": row.cases,
            "awarded": row.awarded_fen,
            "settled": row.settled_fen,
            "payable": row.payable_fen,
            "recovered": row.recovered_fen,
            "outstanding": row.outstanding_fen,
        }
        for row in page.rows
    ]
    return {**page_body(query, page), "enterprises": rows}


@blueprint.route("/enterprises/<string:uscc>")
@reads(STAFF)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, EnterpriseSchema)
def enterprise(query: Body, uscc: str) -> Body:
    """一企一档 / One enterprise with all its cases"""
    summary = service().reader.enterprise(enterprise_at(uscc), moment_of(query))
    return {
        "enterprise": summary.enterprise,
        "name": summary.name,
        "awarded": summary.awarded_fen,
        "settled": summary.settled_fen,
        "recovered": summary.recovered_fen,
        "cases": [_case_body(case) for case in summary.cases],
    }


@blueprint.route("/enterprises/<string:uscc>/limits")
@reads(STAFF)
@blueprint.arguments(LimitsQuerySchema, location="query")
@blueprint.response(200, LimitsSchema)
def limits(query: Body, uscc: str) -> Body:
    """企业在一个年度的全部额度 / Every limit an enterprise draws on in a year, used or not"""
    code = enterprise_at(uscc)
    year = query.get("year") or business_date(service().clock()).year
    uses = service().reader.limits(code, year, moment_of(query))
    return {"enterprise": code, "year": year, "limits": [_limit_body(use) for use in uses]}


def _case_body(case: CaseFile) -> Body:
    return {
        "application_id": application_id(case.number),
        "award_id": award_id(case.number) if case.state in AWARD_STATES else None,
        "state": case.state,
        "state_name": said(STATE_NAMES[case.state]),
        "rule": case.rule,
        "item": case.item,
        "awarded": case.awarded_fen,
        "settled": case.settled_fen,
        "recovered": case.recovered_fen,
    }


def _limit_body(use: LimitUse) -> Body:
    period, window = use.limit.period, use.limit.window
    return {
        "name": use.headroom.limit,
        "clause": use.headroom.clause,
        **room_body(use.headroom),
        "events": use.counted,
        "period_from": None if period is None else period.start,
        "period_until": None if period is None else add_days(period.end, -1),
        "window_ends_on": None if window is None else add_days(window.end, -1),
    }
