"""Time in the demo: a clock that is told what time it is, and stories that take turns on it in the order of their days."""

from __future__ import annotations

import heapq
from collections.abc import Generator
from datetime import UTC, date, datetime, time
from random import Random
from typing import Final

from ledger.calendar import SHANGHAI, add_days

Story = Generator[int | date]
"""Acts, then says when it goes on: so many working days later, or on a date. What it does after that is its next step."""

_SATURDAY: Final = 5
_CLOSED: Final = {(1, 1), *((5, day) for day in range(1, 6)), *((10, day) for day in range(1, 8))}
"""Holidays on fixed days, as (month, day); the demo's office knows no lunar ones."""
_OPENS, _CLOSES = 9 * 3600, 17 * 3600
"""Office hours, in seconds of the day."""


class Timeline:
    """Runs stories side by side. Also the clock that their steps are recorded by."""

    def __init__(self, first: date, random: Random) -> None:
        self._random = random
        self._now = self._moment(first)
        self._waiting: list[tuple[datetime, int, Story]] = []
        self._begun = 0

    def clock(self) -> datetime:
        return self._now

    @property
    def today(self) -> date:
        return self._now.astimezone(SHANGHAI).date()

    def begin(self, story: Story, on: date) -> None:
        """Have a story begin on a working day not before ``on``."""
        self._begun += 1
        heapq.heappush(self._waiting, (self._moment(on), self._begun, story))

    def run(self, last: date) -> None:
        """Let all stories go on until ``last``, that day included; what would come later does not happen."""
        while self._waiting:
            self._now, number, story = heapq.heappop(self._waiting)
            if self.today > last:
                return
            if (pause := next(story, None)) is not None:
                then = pause if isinstance(pause, date) else _working_days_after(self.today, pause)
                heapq.heappush(self._waiting, (max(self._moment(then), self._now), number, story))

    def _moment(self, day: date) -> datetime:
        seconds = self._random.randrange(_OPENS, _CLOSES)
        of_day = time(seconds // 3600, seconds // 60 % 60, seconds % 60)
        return datetime.combine(_working_day(day), of_day, SHANGHAI).astimezone(UTC)


def _working_day(day: date) -> date:
    while day.weekday() >= _SATURDAY or (day.month, day.day) in _CLOSED:
        day = add_days(day, 1)
    return day


def _working_days_after(day: date, days: int) -> date:
    for _ in range(days):
        day = _working_day(add_days(day, 1))
    return day
