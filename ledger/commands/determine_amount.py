"""核定金额: the law computes what the application is due, on today's headroom, with every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

from ledger.casefile import CaseFile, CaseState
from ledger.commands.command import Command, Decision, Facts, require_state
from ledger.errors import FieldError, Refusal, Text
from ledger.events import AmountDetermined
from ledger.policy.model import Policy
from ledger.roles import Role
from ledger.rules import Claim, Determination, determine, read_particulars


class DetermineAmount(Command, frozen=True, kw_only=True):
    """``particulars`` as verified in review, where they differ from those submitted; ``cap_year`` the funding plan's year
    that is expected (the year of ``effective_on`` where none is given). May be repeated until the award is approved.
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
        cap_year = chosen_cap_year(policy, self.cap_year, facts)
        claim = claim_of(case, policy, raw, cap_year)
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
    )


def chosen_cap_year(policy: Policy, cap_year: int | None, facts: Facts) -> int:
    """The funding plan's year (reading B1): as given, else the year of the decision; inside the policy's validity."""
    year = facts.effective_on.year if cap_year is None else cap_year
    if not policy.validity.start.year <= year <= policy.validity.end.year:
        raise Refusal(
            "cap-year-outside-validity",
            Text(
                f"额度年度{year}不在政策有效期（{policy.validity.start}起至{policy.validity.end}前）内",
                f"cap year {year} is outside the policy's validity "
                f"(from {policy.validity.start}, before {policy.validity.end})",
            ),
            clause="附则",
        )
    return year
