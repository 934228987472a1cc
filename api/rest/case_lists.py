"""Cases as the lists of applications and awards show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from api.rest import fields
from api.rest.language import said
from api.rest.lists import PageQuerySchema, PageSchema, find_cases, page_body
from api.rest.schema import Schema
from ledger.casefile import STATE_NAMES, CaseState
from ledger.identity import application_id, award_id
from projections.queries import CaseRow

BEFORE_APPROVAL: Final = (
    CaseState.SUBMITTED,
    CaseState.ACCEPTED,
    CaseState.DETERMINED,
    CaseState.REFUSED,
    CaseState.WITHDRAWN,
)
AWARD_STATES: Final = tuple(state for state in CaseState if state not in BEFORE_APPROVAL)


class CaseQuerySchema(PageQuerySchema):
    enterprise = fields.Code()
    rule = fields.Sought()
    policy = fields.Sought()


class ApplicationQuerySchema(CaseQuerySchema):
    state = fields.Many(fields.Choice(CaseState))


class AwardQuerySchema(CaseQuerySchema):
    state = fields.Many(fields.Choice(AWARD_STATES))


class CaseSummarySchema(Schema):
    position = fields.Whole(required=True)
    state = fields.Choice(CaseState, required=True)
    state_name = fields.Words(required=True)
    enterprise = fields.Words(required=True)
    enterprise_name = fields.Words(required=True)
    policy = fields.Words(required=True)
    rule = fields.Words(required=True)
    item = fields.Words(required=True)
    acceptance_number = fields.Words(required=True, allow_none=True)
    submitted_on = fields.Day(required=True)
    approved_on = fields.Day(required=True, allow_none=True)
    cap_year = fields.Year(required=True, allow_none=True)
    determined = fields.Money(required=True)
    awarded = fields.Money(required=True)
    settled = fields.Money(required=True)
    payable = fields.Money(required=True)
    recovered = fields.Money(required=True)
    outstanding = fields.Money(required=True, metadata={"description": "ordered to be recovered, and not received yet"})


class ApplicationSummarySchema(CaseSummarySchema):
    id = fields.Words(required=True)
    award_id = fields.Words(required=True, allow_none=True)


class AwardSummarySchema(CaseSummarySchema):
    id = fields.Words(required=True)
    application_id = fields.Words(required=True)


class ApplicationsSchema(PageSchema):
    applications = fields.Many(fields.Nested(ApplicationSummarySchema), required=True)


class AwardsSchema(PageSchema):
    awards = fields.Many(fields.Nested(AwardSummarySchema), required=True)


def applications_body(query: dict[str, Any]) -> dict[str, Any]:
    page = find_cases(query, _each_once(query.get("state", ())))
    rows = [
        {
            **_summary_body(row),
            "id": application_id(row.case_number),
            "award_id": award_id(row.case_number) if row.state in AWARD_STATES else None,
        }
        for row in page.rows
    ]
    return {**page_body(query, page), "applications": rows}


def awards_body(query: dict[str, Any]) -> dict[str, Any]:
    page = find_cases(query, _each_once(query.get("state") or AWARD_STATES))
    rows = [
        {
            **_summary_body(row),
            "id": award_id(row.case_number),
            "application_id": application_id(row.case_number),
        }
        for row in page.rows
    ]
    return {**page_body(query, page), "awards": rows}


def _each_once(states: Iterable[str]) -> list[CaseState]:
    """However often a query repeats a state: a database takes so many values and no more."""
    return [CaseState(state) for state in dict.fromkeys(states)]


def _summary_body(row: CaseRow) -> dict[str, Any]:
    return {
        "position": row.position,
        "state": row.state,
        "state_name": said(STATE_NAMES[row.state]),
        "enterprise": row.enterprise,
        "enterprise_name": row.enterprise_name,
        "policy": row.policy,
        "rule": row.rule,
        "item": row.item,
        "acceptance_number": row.acceptance_number,
        "submitted_on": row.submitted_on,
        "approved_on": row.approved_on,
        "cap_year": row.cap_year,
        "determined": row.determined_fen,
        "awarded": row.awarded_fen,
        "settled": row.settled_fen,
        "payable": row.payable_fen,
        "recovered": row.recovered_fen,
        "outstanding": row.outstanding_fen,
    }
