"""The policies in the ledger's books: which rules there are, and what a claim under each must state."""

from __future__ import annotations

from typing import Any

from api.auth import SIGNED_IN, service
from api.rest import fields
from api.rest.blueprint import Blueprint, reads
from api.rest.schema import Schema
from ledger.calendar import add_days
from ledger.policy.model import Policy, Rule
from ledger.policy.terms import Kind

blueprint = Blueprint("policies", __name__, description="政策 / Policies and their rules")


class ParticularSchema(Schema):
    name = fields.Words(required=True)
    kind = fields.Choice(Kind, required=True)
    label = fields.Words(required=True)
    required = fields.Flag(required=True)


class RuleSchema(Schema):
    id = fields.Words(required=True)
    article = fields.Words(required=True)
    name = fields.Words(required=True)
    item = fields.Words(required=True, metadata={"description": "what an item of this rule is"})
    limit = fields.Words(required=True, allow_none=True, metadata={"description": "the yearly limit it draws on"})
    particulars = fields.Many(fields.Nested(ParticularSchema), required=True)


class PolicySummarySchema(Schema):
    id = fields.Words(required=True)
    version = fields.Whole(required=True, least=1)
    number = fields.Words(required=True, metadata={"description": "文号"})
    title = fields.Words(required=True)
    sha256 = fields.Words(required=True)
    valid_from = fields.Day(required=True)
    valid_until = fields.Day(required=True, metadata={"description": "the last day"})


class PolicySchema(PolicySummarySchema):
    rules = fields.Many(fields.Nested(RuleSchema), required=True)


class PoliciesSchema(Schema):
    policies = fields.Many(fields.Nested(PolicySummarySchema), required=True)


@blueprint.route("/policies")
@reads(SIGNED_IN)
@blueprint.response(200, PoliciesSchema)
def policies() -> dict[str, Any]:
    """所有政策的最新版本 / The newest version of every policy"""
    registry = service().policies
    return {"policies": [_summary_body(registry.get(policy_id)) for policy_id in registry.ids]}


@blueprint.route("/policies/<string:policy_id>")
@reads(SIGNED_IN)
@blueprint.response(200, PolicySchema)
def policy(policy_id: str) -> dict[str, Any]:
    """一项政策及其规则 / One policy with its rules"""
    found = service().policies.get(policy_id)
    return {**_summary_body(found), "rules": [_rule_body(rule) for rule in found.rules.values()]}


def _summary_body(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "version": policy.version,
        "number": policy.number,
        "title": policy.title,
        "sha256": policy.sha256,
        "valid_from": policy.validity.start,
        "valid_until": add_days(policy.validity.end, -1),
    }


def _rule_body(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "article": rule.article,
        "name": rule.name,
        "item": rule.item,
        "limit": None if rule.limit is None else rule.limit.name,
        "particulars": [
            {
                "name": particular.name,
                "kind": particular.kind,
                "label": particular.label,
                "required": particular.required,
            }
            for particular in rule.particulars.values()
        ],
    }
