"""Whether a claim comes in time: costs not too old, paid soon enough, of a year that has come (reading B25).

Only what the claim states is checked: these dates are optional particulars, and the office asks for them by its guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ledger.calendar import add_days, add_months
from ledger.errors import Refusal, Text
from ledger.policy.model import Rule
from ledger.policy.terms import Cited, CostDates, Kind
from ledger.rules.claim import Claim
from ledger.rules.particulars import Particulars

Bound = tuple[str, date, date | None, date | None]
"""A particular, the day it states, and the first and the last day that it may state."""


def refuse_stale_costs(claim: Claim) -> None:
    """Raise ``Refusal`` ``outside-cost-window`` or ``year-not-come``."""
    if (dates := claim.rule.cost_dates) is not None:
        for bound in _bounds(dates, claim.particulars, claim.applied_on):
            _refuse_outside(claim.rule, *bound)
    for name in claim.particulars.of_kind(Kind.YEAR):
        if claim.particulars.number(name) > claim.applied_on.year:
            raise _year_not_come(claim, name)


def _bounds(dates: CostDates, stated: Particulars, applied_on: date) -> Iterator[Bound]:
    def day(name: str | None) -> date | None:
        return stated.day(name) if name is not None and name in stated else None

    def before_application(months: Cited[int] | None) -> date | None:
        return add_months(applied_on, -months.value) if months is not None else None

    since, until, paid_until, event = (day(n) for n in (dates.since, dates.until, dates.paid_until, dates.event))
    if dates.event is not None and event is not None:
        yield dates.event, event, before_application(dates.event_months), applied_on
    if dates.since is not None and since is not None:
        yield dates.since, since, before_application(dates.before_application_months), None
    if dates.until is not None and until is not None:
        yield dates.until, until, None, event or applied_on
        if since is not None and dates.length_months is not None:
            yield dates.until, until, None, add_days(add_months(since, dates.length_months.value), -1)
    if dates.paid_until is not None and paid_until is not None:
        tail = dates.tail_days.value if dates.tail_days is not None else 0
        yield dates.paid_until, paid_until, None, applied_on
        if event is not None:
            yield dates.paid_until, paid_until, None, add_days(event, tail)


def _refuse_outside(rule: Rule, name: str, stated: date, first: date | None, last: date | None) -> None:
    if (first is None or stated >= first) and (last is None or stated <= last):
        return
    bound = (f"不早于{first}", f"not before {first}") if first and stated < first else (f"不晚于{last}", f"by {last}")
    raise Refusal(
        "outside-cost-window",
        Text(
            zh=f"“{rule.particulars[name].label}”为{stated}，应{bound[0]}，不予资助。请剔除期外费用后再申报。",
            en=f"{name} is {stated}; it must be {bound[1]}. Leave out what lies outside, and claim the rest.",
        ),
        clause=rule.article,
    )


def _year_not_come(claim: Claim, name: str) -> Refusal:
    year, label = claim.particulars.number(name), claim.rule.particulars[name].label
    return Refusal(
        "year-not-come",
        Text(
            zh=f"“{label}”为{year}年，晚于申请日{claim.applied_on}所在的年度。请在该年度发生之后再申报。",
            en=f"{name} is {year}, after the year of the application of {claim.applied_on}. Claim it when it has come.",
        ),
        clause=claim.rule.article,
    )
