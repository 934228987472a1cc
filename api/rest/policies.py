"""The policies in the ledger's books: which rules there are, and what a claim under each must state."""

from __future__ import annotations

from typing import Any

from api.auth import SIGNED_IN, service
from api.rest import fields
from api.rest.blueprint import Blueprint, reads
from api.rest.moments import MomentSchema, moment_of
from api.rest.policies_shown import (
    PolicySummarySchema,
    PolicyTextSchema,
    RuleSchema,
    policy_text_body,
    rule_body,
    summary_body,
)
from api.rest.schema import Schema

blueprint = Blueprint("policies", __name__, description="政策 / Policies and their rules")


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
    return {"policies": [summary_body(registry.get(policy_id)) for policy_id in registry.ids]}


@blueprint.route("/policies/<string:policy_id>")
@reads(SIGNED_IN)
@blueprint.response(200, PolicySchema)
def policy(policy_id: str) -> dict[str, Any]:
    """一项政策及其规则 / One policy with its rules"""
    found = service().policies.get(policy_id)
    return {**summary_body(found), "rules": [rule_body(rule) for rule in found.rules.values()]}


@blueprint.route("/policies/<string:policy_id>/<number:version>")
@reads(SIGNED_IN)
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, PolicyTextSchema)
def policy_text(query: dict[str, Any], policy_id: str, version: int) -> dict[str, Any]:
    """一个版本的政策全貌：条、规则、每个数的出处、口径 / One version as the office reads it

    Articles and rules in our own words, every number with its citation and its key in the policy file, and how the open
    questions are read on the day that is asked about (`effective`, today by default).
    """
    reader, moment = service().reader, moment_of(query)
    file = reader.policy_file(policy_id, version)
    return policy_text_body(
        reader.policy(policy_id, version, moment),
        file,
        versions=service().policies.versions(policy_id),
        read_on=reader.read_on(moment),
    )
