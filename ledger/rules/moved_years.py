"""What was drawn on years that are counted from another day by now.

A window whose first award was given back begins with the earliest that is left, and its years with it. What the others drew
stands under the years as they were counted then; it counts in those of today that its days fall into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from math import ceil

from ledger.calendar import Window, days_in_both, years_of_window
from ledger.rules.claim import RecognisedWindow


def moved_by_year(recognised: RecognisedWindow, months: int, used_fen: Callable[[str], int]) -> Mapping[str, int]:
    """By the first day of each year that a window of ``months`` has: what is drawn on it under the name of another year.

    A draw is spread evenly over the days that it pays for; a fraction of a fen counts as a whole one. ``used_fen`` tells
    what is drawn on the year that begins on a day, both written as ``2026-01-31``.
    """
    years = {year.start.isoformat(): year for year in years_of_window(recognised.anchor, date.max, months)}
    moved = dict.fromkeys(years, Fraction(0))
    for name, days in _days_by_year(recognised, months).items():
        if name not in years:
            paid, drawn_fen = sum(days_in_both(span, span) for span in days), used_fen(name)
            for now, year in years.items():
                moved[now] += Fraction(drawn_fen * sum(days_in_both(year, span) for span in days), paid)
    return {name: ceil(exact_fen) for name, exact_fen in moved.items()}


def _days_by_year(recognised: RecognisedWindow, months: int) -> Mapping[str, list[Window]]:
    """The spans that are paid for, by the first day of the year that they were counted in when they were approved."""
    days: dict[str, list[Window]] = {}
    for award in recognised.funded:
        for year in years_of_window(award.years_from, award.span.end, months):
            if days_in_both(year, award.span):
                part = Window(max(year.start, award.span.start), min(year.end, award.span.end))
                days.setdefault(year.start.isoformat(), []).append(part)
    return days
