"""One number of a public register, one stage, two policies: city and district do not both pay unasked (reading B10).

A number is compared as its register knows it, whoever claims for it (B23); a stage by the name that policies give it. What
was declared is not refused here: the law decides what is due beside it (:mod:`ledger.rules.other_funding`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from operator import attrgetter

from ledger.casefile import CaseFile
from ledger.commands.command import Facts
from ledger.errors import Refusal, Text
from ledger.identity import award_id
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.model import Policy, Rule, Stacking
from ledger.rules import Claim, wording
from ledger.rules.items import is_shared, rules_sharing
from ledger.scopes import Scope, item_of_rules


def refuse_funded_elsewhere(claim: Claim, declared: Collection[str], facts: Facts) -> None:
    """Raise ``Refusal`` ``funded-elsewhere`` where another policy funds the same number in the same stage.

    ``declared`` are the cases whose awards the application names. An award counts as long as anything of it is kept.
    """
    if not is_shared(claim.rule) or claim.policy.stacking.value is Stacking.STACKABLE:
        return
    for policy in facts.other_policies(claim.policy.id, claim.rule.stage):
        for case in _cases_of(claim, policy, facts):
            if case.kept_fen and case.number not in declared:
                raise _funded(claim, policy, case)


def _cases_of(claim: Claim, policy: Policy, facts: Facts) -> Iterator[CaseFile]:
    """The cases under this version of another policy that draw on the item, and were approved for the claim's stage."""
    rules = {rule.id: rule for rule in policy.rules.values() if rule.stage == claim.rule.stage and is_shared(rule)}
    years = _plan_years(policy, facts.effective_on)
    scopes = {scope for rule in rules.values() for scope in _counted_in(policy, rule, claim.item, years)}
    for scope in sorted(scopes, key=attrgetter("key")):
        for award in facts.standing().item_awards(scope):
            case = facts.case(award.case)
            assert case.policy is not None, "an award is made under a policy"
            if award.rule in rules and case.policy.version == policy.version:
                yield case


def _counted_in(policy: Policy, rule: Rule, item: str, years: Iterable[int]) -> set[Scope]:
    """Wherever a number of a register may have been counted under a rule, as its span is read or was (B41)."""
    spans = [None] if rule.item_span is None else [None, *years]
    return {item_of_rules(policy.id, rules_sharing(rule), item, None, year) for year in spans}


def _plan_years(policy: Policy, on: date) -> range:
    """Every funding plan that an award under the policy may have gone into by now."""
    last = max(on, policy.validity.end).year + policy.plan_years_ahead.value
    return range(policy.validity.start.year, last + 1)


def _funded(claim: Claim, policy: Policy, case: CaseFile) -> Refusal:
    named, told = award_id(case.number), wording.amount(case.kept_fen)
    zh = f"“{claim.item}”已按《{policy.title}》规则{case.rule}获得资助{told.zh}（资助{named}），同一阶段不重复资助。"
    en = f"{claim.item!r} was granted {told.en} under rule {case.rule} of {policy.id} (award {named}); "
    if case.enterprise == claim.enterprise:
        zh += "请在申报的“其他财政资助”中写明该资助编号（已提交的，撤回后重新申报），再决定退回后申领，或者补足差额。"
        en += (
            "one stage is funded once. Declare that award as other funding (withdraw what is submitted, and submit it "
            "anew); then a decision is recorded: it is returned, or the difference is topped up."
        )
    else:
        zh += "该资助属于另一单位，全部退还以前，不能就同一编号再予资助；请核对编号。"
        en += (
            "one stage is funded once. It is another enterprise's; until all of it is given back, the same number is not "
            "funded again: check the number."
        )
    return Refusal("funded-elsewhere", Text(zh, en), clause=SUPPLEMENT, earlier=case.number)
