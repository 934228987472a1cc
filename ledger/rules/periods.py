"""What a claim under a window is for: its period, its whole months, its size.

A claim for rent spans whole months and begins either on the first of a month or on a monthly step of its own tenancy
(reading B12.1): a tenancy from 15 March may be claimed from 15 April to 14 May, or for the month of May.
"""

from __future__ import annotations

from datetime import date

from ledger.calendar import Window, add_months, is_month_start, months_from, span_until
from ledger.errors import FieldError, Text
from ledger.policy.model import Rule
from ledger.policy.terms import MonthlyRent, WindowedRate, WindowTerms
from ledger.rules.particulars import MONEY_FEN_MOST, Particulars, field_of


def claimed_span(particulars: Particulars, window: WindowTerms) -> Window:
    return span_until(particulars.day(window.since), particulars.day(window.until))


def claimed_months(particulars: Particulars, window: WindowTerms) -> list[Window]:
    """The whole months of a claim that :func:`period_errors` finds no fault with."""
    origin, first, beyond = _monthly_steps(claimed_span(particulars, window), particulars.day(window.anchor))
    assert first is not None and beyond is not None and first < beyond, "checked when the particulars were read"
    return [Window(add_months(origin, k), add_months(origin, k + 1)) for k in range(first, beyond)]


def period_errors(rule: Rule, particulars: Particulars) -> list[FieldError]:
    """What is wrong with a claimed period: it ends before it begins, lacks one of its ends where its length is bounded, is
    not made of whole months, or costs absurdly.
    """
    if (dates := rule.cost_dates) and dates.since in particulars and dates.until in particulars:
        assert dates.since and dates.until
        if particulars.day(dates.until) < particulars.day(dates.since):
            return [_invalid(dates.until, Text(zh="止日早于起日", en="the period ends before it begins"))]
    elif dates and dates.length_months and (dates.since in particulars or dates.until in particulars):
        assert dates.since and dates.until, "the loader asks for both"
        other, stated = (dates.until, dates.since) if dates.since in particulars else (dates.since, dates.until)
        return [_alone(other, rule.particulars[stated].label, stated)]
    if not isinstance(rule.terms, WindowedRate):
        return []
    window, source = rule.terms.window, rule.terms.source
    span = claimed_span(particulars, window)
    if span.end <= span.start:
        return [_invalid(window.until, Text(zh="止日早于起日", en="the period ends before it begins"))]
    return _rent_errors(particulars, window, source) if isinstance(source, MonthlyRent) else []


def _rent_errors(particulars: Particulars, window: WindowTerms, rent: MonthlyRent) -> list[FieldError]:
    _, first, beyond = _monthly_steps(claimed_span(particulars, window), particulars.day(window.anchor))
    if first is None or beyond is None or first >= beyond:
        how = Text(
            zh="请按整月填写：自每月1日起，或自起租日对应的日子起，至整月届满之日止（含当日）",
            en="claim whole months: from the first of a month, or from the tenancy's day of the month, "
            "up to and including the last day of a month so counted",
        )
        return [_invalid(window.since, how), _invalid(window.until, how)]
    unit_fen, centi_m2 = particulars.number(rent.benchmark), particulars.number(rent.area)
    if unit_fen * centi_m2 * (beyond - first) > MONEY_FEN_MOST * 100:
        what = Text(
            zh="租金合计超过1万亿元，请核对单价（元/平方米·月）与面积",
            en="the rent comes to more than 1,000,000,000,000.00 yuan; check the price per m² and month, and the area",
        )
        return [FieldError(field_of(rent.benchmark), "invalid-money", what)]
    return []


def _monthly_steps(span: Window, tenancy: date) -> tuple[date, int | None, int | None]:
    """Where a span's months are counted from, and at which steps from there it begins and ends; None between two steps."""
    origin = span.start if is_month_start(span.start) else tenancy
    return origin, months_from(origin, span.start), months_from(origin, span.end)


def _invalid(name: str, text: Text) -> FieldError:
    return FieldError(field_of(name), "invalid-period", text)


def _alone(name: str, stated_label: str, stated: str) -> FieldError:
    return FieldError(
        field_of(name),
        "missing",
        Text(
            zh=f"已填“{stated_label}”，此项也须填写，否则无从核对期间；或者两项都不填",
            en=f"{stated} is stated, so this must be too, for the length of the period to be checked; or leave out both",
        ),
    )
