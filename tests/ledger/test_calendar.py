"""Months, windows and the dates that people get wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import (
    Window,
    add_months,
    business_date,
    days_in_both,
    is_month_end,
    is_month_start,
    joined,
    month_number,
    months_from,
    span_until,
    window_of_months,
    years_of_window,
)

days = st.dates(date(2000, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "result"),
    [("2023-07-01", 36, "2026-07-01"), ("2024-01-31", 1, "2024-02-29"), ("2023-01-31", 1, "2023-02-28"),
     ("2024-02-29", 12, "2025-02-28"), ("2024-12-31", 1, "2025-01-31"), ("2024-03-31", -1, "2024-02-29"),
     ("2024-01-15", -1, "2023-12-15")],
)  # fmt: skip
def test_the_same_day_months_later_or_the_month_s_last(day: str, months: int, result: str) -> None:
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(result)


def test_a_window_holds_its_first_day_and_not_its_end() -> None:
    window = window_of_months(date(2023, 7, 1), 36)
    assert date(2023, 6, 30) not in window
    assert date(2023, 7, 1) in window
    assert date(2026, 6, 30) in window
    assert date(2026, 7, 1) not in window
    assert window.covers(window)
    assert not window.overlaps(Window(date(2026, 7, 1), date(2026, 8, 1)))
    assert window.overlaps(Window(date(2026, 6, 30), date(2026, 8, 1)))


@given(days, st.integers(0, 60), st.integers(1, 60))
def test_the_months_of_a_span_are_as_many_from_whatever_day_they_are_counted(
    day: date, first: int, months: int
) -> None:
    span = Window(add_months(day, first), add_months(day, first + months))
    began = [add_months(day, step) for step in range(first, first + months)]
    assert list(span.month_numbers()) == [month_number(each) for each in began]
    assert len(span.month_numbers()) == months


def test_spans_that_follow_on_each_other_are_one() -> None:
    january, february = Window(date(2024, 1, 1), date(2024, 2, 1)), Window(date(2024, 2, 1), date(2024, 3, 1))
    may = Window(date(2024, 5, 1), date(2024, 6, 1))
    assert joined([january, february, may]) == [Window(date(2024, 1, 1), date(2024, 3, 1)), may]
    assert joined([january]) == [january]


def test_a_period_told_with_its_last_day_ends_the_day_after() -> None:
    assert span_until(date(2024, 2, 1), date(2024, 2, 29)) == Window(date(2024, 2, 1), date(2024, 3, 1))


@given(days, st.integers(-200, 200))
def test_monthly_steps_are_counted_back(day: date, months: int) -> None:
    assert months_from(day, add_months(day, months)) == months


def test_a_day_between_two_steps_is_no_step() -> None:
    assert months_from(date(2023, 7, 15), date(2024, 7, 14)) is None
    assert months_from(date(2023, 7, 31), date(2024, 2, 28)) is None


@given(days, st.integers(0, 500), days, st.integers(0, 500))
def test_days_in_both_are_counted_one_by_one(one: date, n: int, other: date, m: int) -> None:
    first = {one.toordinal() + i for i in range(n)}
    second = {other.toordinal() + i for i in range(m)}
    spans = [Window(d, date.fromordinal(d.toordinal() + k)) for d, k in ((one, n), (other, m))]
    assert days_in_both(*spans) == len(first & second)


def test_the_extension_belongs_to_the_last_year_of_a_window() -> None:
    years = years_of_window(date(2023, 3, 15), date(2026, 5, 15), 36)
    assert [(y.start.isoformat(), y.end.isoformat()) for y in years] == [
        ("2023-03-15", "2024-03-15"),
        ("2024-03-15", "2025-03-15"),
        ("2025-03-15", "2026-05-15"),
    ]


def test_the_day_in_shenzhen_begins_at_sixteen_hours_utc() -> None:
    assert business_date(datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert business_date(datetime(2026, 6, 30, 16, 0, tzinfo=UTC)) == date(2026, 7, 1)


def test_the_first_and_the_last_of_a_month() -> None:
    assert is_month_start(date(2024, 2, 1))
    assert not is_month_start(date(2024, 2, 2))
    assert is_month_end(date(2024, 2, 29))
    assert not is_month_end(date(2024, 2, 28))
    assert is_month_end(date(2023, 2, 28))
