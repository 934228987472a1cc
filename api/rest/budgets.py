"""Budgets: the sum that all awards of one policy and year may reach together."""

from __future__ import annotations

from typing import Any

from api.auth import STAFF, service
from api.rest import fields
from api.rest.addresses import budget_address
from api.rest.blueprint import Blueprint, reads, records
from api.rest.bodies import AmountSchema
from api.rest.moments import MomentSchema, moment_of
from api.rest.recording import Headers, headers_of, record
from api.rest.schema import Schema
from ledger.calendar import add_days
from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.errors import NotFound, Text
from projections.reader import Moment

blueprint = Blueprint("budgets", __name__, description="预算 / Budgets")

Body = dict[str, Any]


class AppropriationSchema(AmountSchema):
    policy = fields.Words(required=True, metadata={"examples": ["shenzhen-meddev-2022"]})
    year = fields.Year(required=True)


class BudgetSchema(Schema):
    """``appropriated`` is null until a budget is stated: then none binds."""

    policy = fields.Words(required=True)
    year = fields.Year(required=True)
    scope = fields.Words(required=True)
    appropriated = fields.Money(required=True, allow_none=True)
    approved = fields.Money(required=True)
    left = fields.Money(required=True, signed=True, allow_none=True)


class BudgetQuerySchema(MomentSchema):
    policy = fields.Sought()
    year = fields.Year(text=True)


class BudgetsSchema(Schema):
    budgets = fields.Many(fields.Nested(BudgetSchema), required=True)


@blueprint.route("/budgets", methods=["POST"])
@records(AppropriateBudget)
@blueprint.arguments(AppropriationSchema)
@blueprint.response(201, BudgetSchema)
def appropriate_budget(body: Body) -> tuple[Body, Headers]:
    """下达年度预算，以最后一次为准 / State a year's budget; a later statement replaces it"""
    outcome = record(AppropriateBudget(**body))
    headers = {**headers_of(outcome), "Location": budget_address(body["policy"], body["year"])}
    return _budget_body(body["policy"], body["year"], Moment(up_to=outcome.position)), headers


@blueprint.route("/budgets")
@reads(STAFF)
@blueprint.arguments(BudgetQuerySchema, location="query")
@blueprint.response(200, BudgetsSchema)
def list_budgets(query: Body) -> Body:
    """各政策各年度的预算 / The budgets of every policy and year of its validity, and of years stated beyond it"""
    moment = moment_of(query)
    return {
        "budgets": [
            _budget_body(policy_id, year, moment)
            for policy_id in service().policies.ids
            if query.get("policy") in (None, policy_id)
            for year in sorted({*_years(policy_id), *service().reader.budget_years(policy_id, moment)})
            if query.get("year") in (None, year)
        ]
    }


@blueprint.route("/budgets/<string:policy_id>/<number:year>")
@reads(STAFF)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, BudgetSchema)
def budget(query: Body, policy_id: str, year: int) -> Body:
    """一项政策一个年度的预算 / The budget of one policy and year"""
    shown = _budget_body(policy_id, year, moment_of(query))
    # A window that runs on is paid for in years beyond: what was stated or approved for one is found all the same.
    if year not in _years(policy_id) and shown["appropriated"] is None and not shown["approved"]:
        raise NotFound(Text(f"{year}年度不在政策有效期内", f"{year} is outside the policy's validity"))
    return shown


def _years(policy_id: str) -> range:
    validity = service().policies.get(policy_id).validity
    return range(validity.start.year, add_days(validity.end, -1).year + 1)


def _budget_body(policy_id: str, year: int, moment: Moment) -> Body:
    use = service().reader.budget(policy_id, year, moment)
    room = use.headroom()
    return {
        "policy": policy_id,
        "year": year,
        "scope": use.scope,
        "appropriated": use.appropriated_fen,
        "approved": use.approved_fen,
        "left": None if room is None else room.left_fen,
    }
