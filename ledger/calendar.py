"""Dates: cap years, whole months, half-open windows. The only file that adds to a date."""

from __future__ import annotations

import calendar as _gregorian
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

Clock = Callable[[], datetime]
"""Tells the present instant, with an offset. Handed in everywhere; nothing else asks the machine for the time."""


def system_clock() -> datetime:
    """The machine's clock: the one place that reads it."""
    return datetime.now(UTC)


def business_date(instant: datetime) -> date:
    """The date in Shenzhen at an instant: the day on which a fact takes effect."""
    assert instant.tzinfo is not None, "an instant carries an offset"
    return instant.astimezone(SHANGHAI).date()


def add_days(day: date, days: int) -> date:
    return day + timedelta(days=days)


def add_months(day: date, months: int) -> date:
    """The same day of the month, ``months`` later; the month's last day where that day does not exist."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, _gregorian.monthrange(year, month0 + 1)[1]))


def is_month_start(day: date) -> bool:
    return day.day == 1


def is_month_end(day: date) -> bool:
    return day.day == _gregorian.monthrange(day.year, day.month)[1]


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of days: ``start`` is inside, ``end`` is the first day outside."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def covers(self, other: Window) -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Window) -> bool:
        return self.start < other.end and other.start < self.end

    def month_numbers(self) -> range:
        """The months that a span of whole months pays for, each by the :func:`month_number` that it begins in.

        Whole months counted from any one day begin in calendar months that follow on each other, so that nothing need be
        known of that day: 30 April to 30 July, of a lease from the 31st, are the months of April, May and June.
        """
        return range(month_number(self.start), month_number(self.end))


def month_number(day: date) -> int:
    """The calendar month in which a day lies, counted through the years."""
    return day.year * 12 + day.month


def joined(spans: Iterable[Window]) -> list[Window]:
    """Spans that follow on each other made one; they are given in order and do not overlap."""
    runs: list[Window] = []
    for span in spans:
        runs.append(Window(runs.pop().start, span.end) if runs and runs[-1].end == span.start else span)
    return runs


def window_of_months(anchor: date, months: int) -> Window:
    """``months`` consecutive months from ``anchor``."""
    return Window(anchor, add_months(anchor, months))


def months_from(origin: date, day: date) -> int | None:
    """How many whole months ``day`` lies after ``origin`` (negative before it); None where it is no monthly step."""
    months = month_number(day) - month_number(origin)
    return months if add_months(origin, months) == day else None


def span_until(first: date, last: date) -> Window:
    """The half-open span of a period told with its last day included, as people write them."""
    return Window(first, add_days(last, 1))


def days_in_both(one: Window, other: Window) -> int:
    """How many days lie in both spans; 0 where they do not meet."""
    return max(0, (min(one.end, other.end) - max(one.start, other.start)).days)


def calendar_years_of(span: Window) -> list[Window]:
    """The calendar years that a span touches, whole."""
    last = add_days(span.end, -1).year
    return [Window(date(year, 1, 1), date(year + 1, 1, 1)) for year in range(span.start.year, last + 1)]


def years_of_window(anchor: date, end: date, months: int) -> list[Window]:
    """The benefit years of a window of ``months``: twelve months each from the anchor; the last runs on to ``end``.

    ``end`` may lie after ``months`` have passed, where the window was extended (reading B12).
    """
    starts = [add_months(anchor, step) for step in range(0, months, 12)]
    return [Window(start, following) for start, following in zip(starts, [*starts[1:], end], strict=True)]
