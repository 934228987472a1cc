"""What people are told of days and spans."""

from __future__ import annotations

from datetime import date

from ledger.calendar import Window
from ledger.rules import wording


def test_a_span_is_told_with_the_day_after_its_last() -> None:
    assert wording.span(Window(date(2027, 7, 1), date(2027, 8, 1))).zh == "2027-07-01至2027-07-31"


def test_a_window_that_expired_before_it_began_is_told_backwards() -> None:
    told = wording.span(Window(date(2027, 8, 2), date(2027, 8, 1)))
    assert told.zh == "（自2027-08-02起算，此前已届满，无一日）"
    assert "expired before" in told.en
