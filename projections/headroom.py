"""Which limits an enterprise has in a calendar year, used or not: what a clerk is shown before she decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from ledger.calendar import Window, years_of_window
from ledger.events import AwardApproved
from ledger.policy.model import CapYear, Limit, Policy
from ledger.policy.terms import WindowedRate
from ledger.scopes import ITEM, Scope, enterprise_year


@dataclass(frozen=True, slots=True)
class EnterpriseLimit:
    """One limit of one enterprise. ``period`` is the calendar or benefit year it counts in, None for an item, which counts
    over all years; ``window`` the whole span of months that a windowed limit runs for.
    """

    limit: str
    clause: str
    scope: str
    ceiling_fen: int
    period: Window | None = None
    window: Window | None = None


def limits_in_year(
    policies: Iterable[Policy], enterprise: str, year: int, awards: Iterable[AwardApproved]
) -> Iterator[EnterpriseLimit]:
    """The yearly limits of every policy, the benefit years that touch ``year``, and the items awarded so far.

    ``awards`` are the enterprise's own, in order.
    """
    own = list(awards)
    calendar_year = Window(date(year, 1, 1), date(year + 1, 1, 1))
    for policy in policies:
        for limit in policy.limits.values():
            if limit.cap_year.value is CapYear.BENEFIT:
                yield from _benefit_years(policy, limit, enterprise, calendar_year, own)
            else:
                scope = enterprise_year(policy.id, limit.name, enterprise, str(year))
                yield EnterpriseLimit(limit.name, limit.clause, scope.key, limit.ceiling_fen.value, calendar_year)
    yield from _items(own)


def _benefit_years(
    policy: Policy, limit: Limit, enterprise: str, year: Window, awards: list[AwardApproved]
) -> Iterator[EnterpriseLimit]:
    """Benefit years run from the anchor of the window that was recognised last; without a window there are none."""
    uses = [award.window for award in awards if award.window and _draws_on(award, policy, limit)]
    if not uses:
        return
    window = uses[-1].window
    for period in years_of_window(window.start, window.end, _window_months(policy, limit)):
        if period.overlaps(year):
            scope: Scope = enterprise_year(policy.id, limit.name, enterprise, period.start.isoformat())
            yield EnterpriseLimit(limit.name, limit.clause, scope.key, limit.ceiling_fen.value, period, window)


def _window_months(policy: Policy, limit: Limit) -> int:
    """How many months the rules under a windowed limit fund; they agree, for they share the window."""
    (months,) = {
        rule.terms.window.months.value
        for rule in policy.rules.values()
        if rule.limit is limit and isinstance(rule.terms, WindowedRate)
    }
    return months


def _draws_on(award: AwardApproved, policy: Policy, limit: Limit) -> bool:
    prefix = f"{policy.id}/{limit.name}/"
    return any(draw.scope.startswith(prefix) for draw in award.draws)


def _items(awards: list[AwardApproved]) -> Iterator[EnterpriseLimit]:
    latest = {draw.scope: draw for award in awards for draw in award.draws if draw.limit == ITEM}
    for draw in latest.values():
        yield EnterpriseLimit(draw.limit, draw.clause, draw.scope, draw.ceiling_fen)
