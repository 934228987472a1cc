"""Whether what is claimed lies before the policy's first day (reading B33.1): its months, its period, its year."""

from __future__ import annotations

from datetime import date

from ledger.calendar import Window, joined
from ledger.errors import Refusal, Text
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.model import Policy
from ledger.policy.terms import Kind
from ledger.rules import wording
from ledger.rules.claim import Claim


def refuse_earlier_years(claim: Claim) -> None:
    """A year that is claimed for may be the one in which the policy began. Raises ``Refusal`` ``before-policy-start``."""
    if (first := _first_day(claim.policy)) is None:
        return
    for name in claim.particulars.of_kind(Kind.YEAR):
        if claim.particulars.number(name) < first.year:
            raise _earlier_year(claim, name, first)


def months_from_start(claim: Claim, months: list[Window]) -> list[Window]:
    """The months of rent that begin on the policy's first day or later.

    Raises ``Refusal`` ``before-policy-start`` where none does.
    """
    if (first := _first_day(claim.policy)) is None:
        return months
    kept = [month for month in months if month.start >= first]
    if not kept:
        raise _earlier_period(wording.spans(joined(months)), first)
    return kept


def refuse_earlier_period(claim: Claim, span: Window) -> None:
    """A cost is one sum for its period, which is to begin on the policy's first day or later.

    Raises ``Refusal`` ``before-policy-start``.
    """
    first = _first_day(claim.policy)
    if first is not None and span.start < first:
        raise _earlier_period(wording.span(span), first)


def earlier_told(claim: Claim, months: int) -> Text:
    """What became of so many claimed months that begin before the policy's first day; nothing where there are none."""
    first = claim.policy.validity.start
    if months == 0:
        return Text(zh="", en="")
    return Text(
        zh=f"，其中政策施行日{first}以前的{months}个月不计",
        en=f"; {months} of them before {first}, when the policy began, do not count",
    )


def _first_day(policy: Policy) -> date | None:
    """The policy's first day; None where the office funds what lies before it."""
    return policy.validity.start if policy.funded_from_start.value else None


def _earlier_period(told: Text, first: date) -> Refusal:
    return Refusal(
        "before-policy-start",
        Text(
            zh=f"申报期间{told.zh}早于政策施行日{first}，不予资助。起算日可以早于施行日，但只资助自施行日起的租金月份、"
            "账单和费用；跨越施行日的费用请拆分后申报。",
            en=f"The claimed period {told.en} lies before {first}, when the policy began. A window may start earlier, but "
            "only rent, bills and costs from that day on are funded; split costs that run over it.",
        ),
        clause=SUPPLEMENT,
    )


def _earlier_year(claim: Claim, name: str, first: date) -> Refusal:
    year, label = claim.particulars.number(name), claim.rule.particulars[name].label
    return Refusal(
        "before-policy-start",
        Text(
            zh=f"“{label}”为{year}年，早于政策施行日{first}所在的年度，不予资助。只能申报{first.year}年及以后的年度。",
            en=f"{name} is {year}, before the year of {first}, when the policy began. Claim {first.year} or a later year.",
        ),
        clause=SUPPLEMENT,
    )
