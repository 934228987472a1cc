"""The policy is data: articles, rules, limits and readings, in files that cite where every number comes from.

::

    policies = PolicyRegistry.load()            # raises PolicyFault, naming file, key and clause of every fault
    policy = policies.get("shenzhen-meddev-2022", on=date(2026, 3, 1))
    rule = policy.rule("5.2")                   # raises UnknownName, or Refusal: no-money-rule
    policies.check_pin(pin.policy_id, pin.version, pin.sha256)
"""

from ledger.policy.model import (
    Article,
    CapYear,
    EvidenceKind,
    Funding,
    Interpretation,
    Limit,
    Pin,
    Policy,
    Reading,
    Review,
    Rule,
    Stage,
    Stages,
)
from ledger.policy.registry import BUILT_IN, PolicyFile, PolicyRegistry, built_in_policies, read_policy
from ledger.policy.terms import Cited, Kind, Particular

__all__ = [
    "BUILT_IN",
    "Article",
    "CapYear",
    "Cited",
    "EvidenceKind",
    "Funding",
    "Interpretation",
    "Kind",
    "Limit",
    "Particular",
    "Pin",
    "Policy",
    "PolicyFile",
    "PolicyRegistry",
    "Reading",
    "Review",
    "Rule",
    "Stage",
    "Stages",
    "built_in_policies",
    "read_policy",
]
