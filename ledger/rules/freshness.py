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
    def named(name: str | None) -> tuple[str, date] | None:
        if name not in stated:
            return None
        assert name is not None, "nothing is stated without a name"
        return name, stated.day(name)

    def before_application(months: Cited[int] | None) -> date | None:
        return add_months(applied_on, -months.value) if months is not None else None

    since, until, paid_until, event = (named(n) for n in (dates.since, dates.until, dates.paid_until, dates.event))
    if event is not None:
        yield *event, before_application(dates.event_months), applied_on
    if since is not None:
        yield *since, before_application(dates.before_application_months), None
    if until is not None:
        yield *until, None, event[1] if event is not None else applied_on
        if dates.length_months is not None:
            assert since is not None, "checked when the particulars were read: both or neither"
            yield *until, None, add_days(add_months(since[1], dates.length_months.value), -1)
    if paid_until is not None:
        yield *paid_until, None, applied_on
        if event is not None:
            assert dates.tail_days is not None, "the loader asks for it where there are both"
            yield *paid_until, None, add_days(event[1], dates.tail_days.value)


def _refuse_outside(rule: Rule, name: str, stated: date, first: date | None, last: date | None) -> None:
    if (first is None or stated >= first) and (last is None or stated <= last):
        return
    bound, do = _bound_told(stated, first, last), _do_told(rule, name, first is not None and stated < first)
    raise Refusal(
        "outside-cost-window",
        Text(
            zh=f"“{rule.particulars[name].label}”为{stated}，应{bound.zh}，不予资助。{do.zh}",
            en=f"{name} is {stated}; it must be {bound.en}. {do.en}",
        ),
        clause=rule.article,
    )


def _do_told(rule: Rule, name: str, too_early: bool) -> Text:
    """What is left to do: costs can be left out of a claim, the event that it rests on cannot."""
    if rule.cost_dates is None or name != rule.cost_dates.event:
        return Text(zh="请剔除期外费用后再申报。", en="Leave out what lies outside, and claim the rest.")
    if too_early:
        return Text(
            zh="申报已经过期，剔除费用也不能再申报；请核对该日期。",
            en="It is too long ago to be claimed for, whatever costs are left out; check the date.",
        )
    return Text(zh="请核对该日期，或在该日以后再申报。", en="Check the date, or claim on that day or later.")


def _bound_told(stated: date, first: date | None, last: date | None) -> Text:
    if first is not None and stated < first:
        return Text(zh=f"不早于{first}", en=f"not before {first}")
    return Text(zh=f"不晚于{last}", en=f"by {last}")


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
