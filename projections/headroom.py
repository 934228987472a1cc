"""Which limits an enterprise has in a calendar year, used or not: what a clerk is shown before she decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ledger.calendar import Window, window_of_months, years_of_window
from ledger.events import AwardApproved
from ledger.policy.model import CapYear, Limit, Policy
from ledger.policy.terms import WindowedRate
from ledger.rules import RecognisedWindow, moved_by_year
from ledger.scopes import ITEM, Scope, enterprise_window, enterprise_year


@dataclass(frozen=True, slots=True)
class EnterpriseLimit:
    """One limit of one enterprise. ``period`` is the calendar or benefit year it counts in, None for an item, which counts
    over all years; ``window`` the whole span of months that a windowed limit runs for. ``moved_fen`` counts under it,
    though it was drawn on years that are counted from another day by now.
    """

    limit: str
    clause: str
    scope: str
    ceiling_fen: int
    period: Window | None = None
    window: Window | None = None
    moved_fen: int = 0


class Standing(Protocol):
    """What was granted so far: see :class:`ledger.rules.Standing`."""

    def used_fen(self, scope: Scope) -> int: ...

    def window(self, scope: Scope) -> RecognisedWindow | None: ...


def limits_in_year(
    policies: Iterable[Policy], enterprise: str, year: int, awards: Iterable[AwardApproved], standing: Standing
) -> Iterator[EnterpriseLimit]:
    """The yearly limits of every policy, the benefit years that touch ``year``, and the items awarded so far.

    ``awards`` are the enterprise's own, in order.
    """
    calendar_year = Window(date(year, 1, 1), date(year + 1, 1, 1))
    for policy in policies:
        for limit in policy.limits.values():
            if limit.cap_year.value is CapYear.BENEFIT:
                yield from _benefit_years(policy, limit, enterprise, calendar_year, standing)
            else:
                scope = enterprise_year(policy.id, limit.name, enterprise, str(year))
                yield EnterpriseLimit(limit.name, limit.clause, scope.key, limit.ceiling_fen.value, calendar_year)
    yield from _items(awards)


def _benefit_years(
    policy: Policy, limit: Limit, enterprise: str, year: Window, standing: Standing
) -> Iterator[EnterpriseLimit]:
    """Benefit years run from the anchor of the recognised window; without a window there are none."""
    recognised = standing.window(enterprise_window(policy.id, limit.name, enterprise))
    if recognised is None:
        return

    def scope(name: str) -> Scope:
        return enterprise_year(policy.id, limit.name, enterprise, name)

    months = _window_months(policy, limit)
    moved = moved_by_year(recognised, months, lambda name: standing.used_fen(scope(name)))
    window = _window(policy, recognised, months)
    for period in years_of_window(window.start, window.end, months):
        if period.overlaps(year):
            name = period.start.isoformat()
            yield EnterpriseLimit(
                limit.name, limit.clause, scope(name).key, limit.ceiling_fen.value, period, window, moved[name]
            )


def _window(policy: Policy, recognised: RecognisedWindow, months: int) -> Window:
    """It ends with the policy where the office does not let it run on (reading B33)."""
    window = window_of_months(recognised.anchor, months + recognised.rent_free_months)
    if policy.windows_run_on.value:
        return window
    return Window(window.start, min(window.end, policy.validity.end))


def _window_months(policy: Policy, limit: Limit) -> int:
    """How many months the rules under a windowed limit fund; they agree, for they share the window."""
    (months,) = {
        rule.terms.window.months.value
        for rule in policy.rules.values()
        if rule.limit is limit and isinstance(rule.terms, WindowedRate)
    }
    return months


def _items(awards: Iterable[AwardApproved]) -> Iterator[EnterpriseLimit]:
    latest = {draw.scope: draw for award in awards for draw in award.draws if draw.limit == ITEM}
    for draw in latest.values():
        yield EnterpriseLimit(draw.limit, draw.clause, draw.scope, draw.ceiling_fen)
