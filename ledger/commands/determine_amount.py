"""核定金额: the law computes what the application is due, on today's headroom, with every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

import msgspec

from ledger.casefile import CaseFile, CaseState
from ledger.commands.command import Command, Decision, Facts, register_errors, require_state, required
from ledger.errors import FieldError, Malformed, Outdated, Refusal, Text
from ledger.events import AmountDetermined, Evidence
from ledger.evidence import evidence_key, given_evidence
from ledger.funded_elsewhere import refuse_funded_elsewhere
from ledger.other_funding import declared_cases, funding_beside
from ledger.policy.model import EvidenceKind, Policy, Rule
from ledger.policy.terms import DiscretionaryCeiling, TierCeiling
from ledger.roles import Role
from ledger.rules import (
    Claim,
    Determination,
    determine,
    read_particulars,
    require_open_plan,
    require_plan_of_window,
)
from ledger.rules.particulars import PARTICULARS


class DetermineAmount(Command, frozen=True, kw_only=True):
    """``particulars`` as verified in review, where they differ from those submitted; ``cap_year`` the funding plan's year
    that is expected: the year of ``effective_on`` where none is given, or the next. May be repeated until the award is
    approved. Where the office proposes the amount itself, it says why in ``reason``. ``audit_report`` is the number (文号)
    of the audit that confirmed the cost, where the rule asks for one and the application did not come with it.
    """

    name: ClassVar[str] = "determine-amount"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER})
    asks_for_money: ClassVar[bool] = True

    case: str
    cap_year: int | None = None
    particulars: Mapping[str, Any] | None = None
    audit_report: str | None = None

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        if self.particulars is not None:
            yield from self.reason_errors(
                Text(
                    "核定依据与申报不一致时，请写明理由",
                    "say why the verified particulars differ from those submitted",
                )
            )
        if self.audit_report is not None:
            yield from register_errors("audit_report", self.audit_report)

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(case, [CaseState.ACCEPTED, CaseState.DETERMINED], Text("核定金额", "determine its amount"))
        policy = facts.pinned_policy(case.policy)
        raw = case.particulars if self.particulars is None else self.particulars
        rule = policy.rule(case.rule)
        if self.reason is None and is_proposed(rule):
            raise required("reason")
        added = self._added_evidence(case, policy, rule)
        require_audit_report(case, rule, added)
        claim = claim_of(case, policy, raw, chosen_cap_year(case, policy, self.cap_year, facts), facts)
        refuse_funded_elsewhere(claim, declared_cases(case, facts.case), facts)
        result = determine(claim, facts.standing())
        return Decision(_determined(case, claim, result, added), case.policy)

    def _added_evidence(self, case: CaseFile, policy: Policy, rule: Rule) -> tuple[Evidence, ...]:
        """The audit report given now, or with the determination before this one; not what the application came with.

        How often it may stand is what the office reads today, either way.
        """
        if self.audit_report is None:
            known = [{"kind": given.kind, "key": given.key} for given in case.review_evidence]
            return given_evidence(policy, rule, known)
        kind, key = EvidenceKind.AUDIT_REPORT, evidence_key(self.audit_report)
        if any((given.kind, given.key) == (kind, key) for given in case.evidence):
            return ()
        return given_evidence(policy, rule, [{"kind": kind.value, "key": key}])


def _determined(case: CaseFile, claim: Claim, result: Determination, added: tuple[Evidence, ...]) -> AmountDetermined:
    return AmountDetermined(
        case=case.number,
        enterprise=case.enterprise,
        particulars=claim.particulars.as_json(),
        cap_year=claim.cap_year,
        amount_fen=result.amount_fen,
        bound_by=result.bound_by,
        steps=result.steps,
        headroom=result.headroom,
        evidence=added or msgspec.UNSET,
    )


def claim_of(case: CaseFile, policy: Policy, raw: Mapping[str, Any], cap_year: int, facts: Facts) -> Claim:
    """What a case claims on these particulars, beside the other public money that there is now."""
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
        other_funding=funding_beside(case, facts.case),
    )


def claim_again(case: CaseFile, policy: Policy, raw: Mapping[str, Any], cap_year: int, facts: Facts, do: Text) -> Claim:
    """The claim of a sheet that was made before. ``Outdated``, with what to ``do``, where a reading switched since asks for
    what the sheet does not state: there is no field to correct in the step that finds it.
    """
    try:
        return claim_of(case, policy, raw, cap_year, facts)
    except Malformed as unread:
        fields = [error.field.removeprefix(PARTICULARS) for error in unread.errors]
        stated = policy.rule(case.rule).particulars
        labels = "、".join(stated[name].label if name in stated else name for name in fields)
        raise Outdated(
            "sheet-outdated",
            Text(
                f"按现行口径，核算表的申报要素不齐或有误：{labels}；{do.zh}",
                f"as the policy is read now, the sheet lacks or misstates {', '.join(fields)}; {do.en}",
            ),
            clause=policy.rule(case.rule).article,
        ) from unread


def is_proposed(rule: Rule) -> bool:
    """Whether the office proposes the amount, for which it must give its reason (reading B20)."""
    return isinstance(rule.terms, TierCeiling | DiscretionaryCeiling)


def chosen_cap_year(case: CaseFile, policy: Policy, cap_year: int | None, facts: Facts) -> int:
    """The funding plan's year (reading B1): as given, else the year of the decision; one that is open on that day, and no
    plan to come that is too late for a window that runs on (reading B33).
    """
    year = facts.effective_on.year if cap_year is None else cap_year
    require_open_plan(policy, facts.effective_on, year)
    if year > facts.effective_on.year:
        require_plan_of_window(policy, policy.rule(case.rule), case.enterprise, year, facts.standing())
    return year


def require_audit_report(case: CaseFile, rule: Rule, added: Sequence[Evidence]) -> None:
    """Raise ``Refusal`` ``audit-report-missing`` where the rule funds audited costs only and no report is named."""
    if rule.audited is None or not rule.audited.value:
        return
    if any(given.kind == EvidenceKind.AUDIT_REPORT for given in (*case.evidence, *added)):
        return
    clause = rule.audited.cite or rule.article
    raise Refusal(
        "audit-report-missing",
        Text(
            f"第{clause}条只资助审计确认的费用，本申报没有审计报告；请在申报证据中登记，或在核定时填写审计报告文号",
            f"article {clause} funds audited costs only, and the application has no audit report; give its number with the "
            "application's evidence, or when the amount is determined",
        ),
        clause=clause,
    )
