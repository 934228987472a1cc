"""The shape ``windowed-rate``: a rate of what falls into an enterprise's window of months, split over benefit years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from msgspec import UNSET

from ledger.calendar import (
    Window,
    add_months,
    calendar_years_of,
    days_in_both,
    joined,
    month_number,
    years_of_window,
)
from ledger.errors import Refusal, Text
from ledger.policy.model import CapYear, Policy
from ledger.policy.terms import MonthlyRent, PeriodCost, PeriodSplit, WindowedRate
from ledger.rules import rents, wording
from ledger.rules.claim import Binding, Claim, RecognisedWindow, Standing, WindowUse
from ledger.rules.claimable import refuse_not_over, refuse_unpaid
from ledger.rules.earliest import earlier_told, months_from_start, refuse_earlier_period
from ledger.rules.entitlement import Entitlement, Portion
from ledger.rules.periods import claimed_months, claimed_span
from ledger.rules.rated import cost_named, cut_told, rate_told
from ledger.scopes import enterprise_window


@dataclass(frozen=True, slots=True)
class _Year:
    """A year that the limit counts in: a benefit year, named by its first day, or a calendar year (reading B3)."""

    name: str
    days: Window


@dataclass(frozen=True, slots=True)
class _Frame:
    """The window that a claim stands in. ``open`` is its part from the claim's own anchor on."""

    scope: str
    anchor: date
    extended_months: int
    own_anchor: date
    own_extended_months: int
    window: Window
    open: Window
    years: tuple[_Year, ...]
    recognised: RecognisedWindow | None

    def use(self, funded: list[Window]) -> WindowUse:
        """``funded``: the spans that are paid for, in order, none that follows on the one before."""
        return WindowUse(
            scope=self.scope,
            anchor=self.anchor,
            rent_free_months=self.extended_months,
            window=self.window,
            funded=Window(funded[0].start, funded[-1].end),
            own_anchor=self.own_anchor,
            own_rent_free_months=self.own_extended_months,
            parts=tuple(funded) if len(funded) > 1 else UNSET,
        )


def windowed(claim: Claim, standing: Standing, terms: WindowedRate) -> Entitlement:
    """rate × cost of the claimed months or period, as far as it lies inside the window.

    Raises ``Refusal`` with the codes ``window-conflict``, ``before-policy-start``, ``window-not-begun``,
    ``window-ended``, ``months-already-funded``, ``period-not-over``, ``not-the-previous-year`` and ``not-yet-paid``.
    """
    frame = _frame(claim, standing, terms)
    if isinstance(terms.source, MonthlyRent):
        return _rent(claim, terms, terms.source, frame)
    return _period_cost(claim, terms, terms.source, frame)


def _frame(claim: Claim, standing: Standing, terms: WindowedRate) -> _Frame:
    """One window per enterprise and limit group: the earliest anchor holds, the longest extension counts (B12)."""
    assert claim.rule.limit is not None, "the loader gives every windowed rule a yearly limit"
    scope = enterprise_window(claim.policy.id, claim.rule.limit.name, claim.enterprise)
    recognised = standing.window(scope)
    own_anchor = claim.particulars.day(terms.window.anchor)
    if recognised is not None and own_anchor < recognised.anchor:
        raise _conflict(claim, recognised, own_anchor)
    anchor = recognised.anchor if recognised else own_anchor
    own_extended = claim.particulars.number(terms.window.extended_by) if terms.window.extended_by else 0
    extended = max(own_extended, recognised.rent_free_months) if recognised else own_extended
    whole = Window(anchor, add_months(anchor, terms.window.months.value + extended))
    years = tuple(_years(whole, terms.window.months.value, claim.rule.limit.cap_year.value))
    window = _within_validity(claim.policy, whole)
    own = Window(min(own_anchor, window.end), window.end)
    return _Frame(scope.key, anchor, extended, own_anchor, own_extended, window, own, years, recognised)


def _years(window: Window, months: int, counted_by: CapYear) -> Iterator[_Year]:
    if counted_by is CapYear.CALENDAR:
        for year in calendar_years_of(window):
            yield _Year(str(year.start.year), year)
    else:
        for year in years_of_window(window.start, window.end, months):
            yield _Year(year.start.isoformat(), year)


def _within_validity(policy: Policy, window: Window) -> Window:
    """A recognised window runs on after the policy has expired, or ends with it (reading B33): it may hold no day at all."""
    if policy.windows_run_on.value:
        return window
    return Window(window.start, min(window.end, policy.validity.end))


def _rent(claim: Claim, terms: WindowedRate, rent: MonthlyRent, frame: _Frame) -> Entitlement:
    months = claimed_months(claim.particulars, terms.window)
    article, rate = claim.rule.article, terms.rate.value
    monthly_fen, paid_fen = rents.funded_fen(claim, rent), rents.paid_fen(claim, rent)
    basis = Entitlement(_by_year(frame, months, monthly_fen)).stepped(
        article, "rent-basis", rents.basis_told(claim, rent, len(months))
    )
    rated = replace(basis, portions=_by_year(frame, months, monthly_fen * rate))
    before = rated.stepped(article, "rate", rate_told(Text(zh="租金", en="rent"), rate, monthly_fen * len(months)))
    begun = months_from_start(claim, months)
    funded = _fundable(claim, terms, frame, begun)
    spans = joined(funded)
    refuse_not_over(claim, terms.window, funded[-1])
    after = before.cut(_by_year(frame, funded, monthly_fen * rate), Binding(article, "window"))
    told = _months_told(spans, funded, months, earlier_told(claim, len(months) - len(begun)))
    after = after.stepped(article, "window", _window_told(frame, before, after, told))
    if rents.may_exceed_rent(claim, rent):
        before = after
        after = before.cut(_by_year(frame, funded, min(monthly_fen * rate, paid_fen)), Binding(article, "actual-rent"))
        effect = cut_told(before, after)
        after = after.stepped(article, "actual-rent", rents.paid_told(claim, rent, len(funded), effect))
    return replace(after, window=frame.use(spans), cost_fen=paid_fen * len(funded))


def _by_year(frame: _Frame, months: list[Window], monthly_fen: Fraction) -> tuple[Portion, ...]:
    """A month counts in the year that it begins in; outside the window in any: there it is cut off again."""
    names = Counter(_year_of(frame, month.start).name for month in months)
    return tuple(
        Portion(name, monthly_fen * count, wording.part(count, len(months), "个月", "month"))
        for name, count in names.items()
    )


def _year_of(frame: _Frame, day: date) -> _Year:
    begun = [year for year in frame.years if year.days.start <= day]
    return (begun or frame.years)[-1]


def _fundable(claim: Claim, terms: WindowedRate, frame: _Frame, months: list[Window]) -> list[Window]:
    """The claimed months that lie wholly inside the window, as many as are still to be supported; a month that counts
    already, for another item, is none more. There may be months between them that are not.

    Raises ``Refusal`` where none does, or where one of them was funded before.
    """
    inside = [month for month in months if frame.open.covers(month)]
    if not inside:
        raise _outside(claim, frame, claimed_span(claim.particulars, terms.window))
    _refuse_funded(claim, frame, Window(inside[0].start, inside[-1].end))
    supported, funded = _supported_months(frame), []
    for month in inside:
        number = month_number(month.start)
        if number in supported or len(supported) < terms.window.months.value:
            supported.add(number)
            funded.append(month)
    if not funded:
        raise _all_supported(claim, terms)
    return funded


def _supported_months(frame: _Frame) -> set[int]:
    """The months that earlier awards pay for, over all the enterprise's items; two leases of one month count once."""
    spans = frame.recognised.funded if frame.recognised else ()
    return {number for funded in spans for number in funded.span.month_numbers()}


def _period_cost(claim: Claim, terms: WindowedRate, source: PeriodCost, frame: _Frame) -> Entitlement:
    """rate × cost of a period that lies wholly inside the window."""
    span = claimed_span(claim.particulars, terms.window)
    refuse_earlier_period(claim, span)
    if not frame.open.covers(span):
        raise _outside(claim, frame, span)
    _refuse_funded(claim, frame, span)
    refuse_not_over(claim, terms.window, span)
    refuse_unpaid(claim, source, span)
    cost_fen = Fraction(claim.particulars.number(source.cost))
    portions = _split(frame, span, terms.rate.value * cost_fen, source.split.value)
    rated = Entitlement(portions, cost_fen).stepped(
        claim.rule.article, "rate", rate_told(cost_named(claim, source.cost), terms.rate.value, cost_fen)
    )
    told = _window_told(frame, rated, rated, wording.span(span))
    return replace(rated.stepped(claim.rule.article, "window", told), window=frame.use([span]))


def _split(frame: _Frame, span: Window, exact_fen: Fraction, how: PeriodSplit) -> tuple[Portion, ...]:
    """A cost over the years that its period lies in: by days, or all where it ends."""
    if how is PeriodSplit.BY_PERIOD_END:
        year = next(y for y in frame.years if span.end <= y.days.end)
        return (Portion(year.name, exact_fen),)
    whole = days_in_both(span, span)
    shares = [(year, days_in_both(year.days, span)) for year in frame.years]
    return tuple(
        Portion(year.name, exact_fen * days / whole, wording.part(days, whole, "天", "day"))
        for year, days in shares
        if days
    )


def _refuse_funded(claim: Claim, frame: _Frame, span: Window) -> None:
    for funded in frame.recognised.funded if frame.recognised else ():
        if funded.item == claim.item and funded.span.overlaps(span):
            told = wording.span(funded.span)
            raise Refusal(
                "months-already-funded",
                Text(
                    zh=f"同一事项{told.zh}已由资助{funded.award_id}资助，不得重复。请改申报其余期间。",
                    en=f"Award {funded.award_id} already pays for {told.en} of this item. Claim other months.",
                ),
                clause=claim.rule.article,
            )


def _conflict(claim: Claim, recognised: RecognisedWindow, own_anchor: date) -> Refusal:
    return Refusal(
        "window-conflict",
        Text(
            zh=f"已认定的资助期自{recognised.anchor}起算，本次填报的起算日{own_anchor}更早。"
            "请核对起算日；确需更正的，先更正已认定的资助。",
            en=f"The recognised window starts on {recognised.anchor}, and this claim states the earlier "
            f"{own_anchor}. Check the date; to change the window, correct the earlier award first.",
        ),
        clause=claim.rule.article,
    )


def _outside(claim: Claim, frame: _Frame, span: Window) -> Refusal:
    told, window, begin = wording.span(span), wording.span(frame.window), frame.open.start
    if span.start >= begin:
        code = "window-ended"
        zh = "资助期不重新起算；跨越止日的费用请按资助期拆分后申报。"
        en = "A window is not restarted; split costs that run past its end."
    else:
        code = "window-not-begun"
        zh, en = f"本事项自{begin}起可申报。", f"This item can be claimed from {begin} on."
    return Refusal(
        code,
        Text(
            zh=f"申报期间{told.zh}不在资助期{window.zh}之内，不予资助。{zh}",
            en=f"The claimed period {told.en} is not inside the window {window.en}. {en}",
        ),
        clause=claim.rule.article,
    )


def _all_supported(claim: Claim, terms: WindowedRate) -> Refusal:
    return Refusal(
        "window-ended",
        Text(
            zh=f"该企业已获资助满{terms.window.months.value}个月，不再资助。",
            en=f"The enterprise was supported for all of its {terms.window.months.value} months; no more can be granted.",
        ),
        clause=claim.rule.article,
    )


def _window_told(frame: _Frame, before: Entitlement, after: Entitlement, funded: Text) -> Text:
    window, effect = wording.span(frame.window), cut_told(before, after)
    return Text(
        zh=f"资助期{window.zh}，本次资助{funded.zh}；{effect.zh}",
        en=f"window {window.en}, this pays for {funded.en}; {effect.en}",
    )


def _months_told(spans: list[Window], funded: list[Window], claimed: list[Window], earlier: Text) -> Text:
    """``earlier`` tells of those before the policy's first day."""
    told = wording.spans(spans)
    return Text(
        zh=f"{told.zh}（申报{len(claimed)}个月中的{len(funded)}个月{earlier.zh}）",
        en=f"{told.en} ({len(funded)} of {len(claimed)} months claimed{earlier.en})",
    )
