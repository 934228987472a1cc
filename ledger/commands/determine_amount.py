"""核定金额: the law computes what the application is due, on today's headroom, with every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

from ledger.casefile import CaseFile, CaseState
from ledger.commands.command import Command, Decision, Facts, require_state, required
from ledger.errors import FieldError, Text
from ledger.events import AmountDetermined
from ledger.policy.model import Policy, Rule
from ledger.policy.terms import DiscretionaryCeiling, TierCeiling
from ledger.roles import Role
from ledger.rules import Claim, Determination, determine, read_particulars, require_plan_year


class DetermineAmount(Command, frozen=True, kw_only=True):
    """``particulars`` as verified in review, where they differ from those submitted; ``cap_year`` the funding plan's year
    that is expected (the year of ``effective_on`` where none is given). May be repeated until the award is approved. Where
    the office proposes the amount itself, it says why in ``reason``.
    """

    name: ClassVar[str] = "determine-amount"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER})
    asks_for_money: ClassVar[bool] = True

    case: str
    cap_year: int | None = None
    particulars: Mapping[str, Any] | None = None

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        if self.particulars is not None:
            yield from self.reason_errors(
                Text(
                    "核定依据与申报不一致时，请写明理由",
                    "say why the verified particulars differ from those submitted",
                )
            )

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(case, [CaseState.ACCEPTED, CaseState.DETERMINED], Text("核定金额", "determine its amount"))
        policy = facts.pinned_policy(case.policy)
        raw = case.particulars if self.particulars is None else self.particulars
        if self.reason is None and is_proposed(policy.rule(case.rule)):
            raise required("reason")
        claim = claim_of(case, policy, raw, chosen_cap_year(policy, case.rule, case.enterprise, self.cap_year, facts))
        result = determine(claim, facts.standing())
        return Decision(_determined(case, claim, result), case.policy)


def _determined(case: CaseFile, claim: Claim, result: Determination) -> AmountDetermined:
    return AmountDetermined(
        case=case.number,
        enterprise=case.enterprise,
        particulars=claim.particulars.as_json(),
        cap_year=claim.cap_year,
        amount_fen=result.amount_fen,
        bound_by=result.bound_by,
        steps=result.steps,
        headroom=result.headroom,
    )


def claim_of(case: CaseFile, policy: Policy, raw: Mapping[str, Any], cap_year: int) -> Claim:
    assert case.submitted_on is not None
    rule = policy.rule(case.rule)
    return Claim(
        policy=policy,
        rule=rule,
        enterprise=case.enterprise,
        item=case.item,
        cap_year=cap_year,
        particulars=read_particulars(rule, raw),
        applied_on=case.submitted_on,
        other_funding=case.other_funding,
    )


def is_proposed(rule: Rule) -> bool:
    """Whether the office proposes the amount, for which it must give its reason (reading B20)."""
    return isinstance(rule.terms, TierCeiling | DiscretionaryCeiling)


def chosen_cap_year(policy: Policy, rule_id: str, enterprise: str, cap_year: int | None, facts: Facts) -> int:
    """The funding plan's year (reading B1): as given, else the year of the decision; one that the policy has."""
    year = facts.effective_on.year if cap_year is None else cap_year
    require_plan_year(policy, policy.rule(rule_id), enterprise, year, facts.standing())
    return year
