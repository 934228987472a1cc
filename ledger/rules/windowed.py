"""The shape ``windowed-rate``: a rate of what falls into an enterprise's window of months, split over benefit years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from ledger.calendar import Window, add_days, add_months, calendar_years_of, days_in_both, years_of_window
from ledger.errors import Refusal, Text
from ledger.policy.model import CapYear, Policy
from ledger.policy.terms import Bills, MonthlyRent, PeriodCost, PeriodSplit, RentBasis, WindowedRate
from ledger.rules import wording
from ledger.rules.claim import Binding, Claim, RecognisedWindow, Standing, WindowUse
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
    window: Window
    open: Window
    years: tuple[_Year, ...]
    recognised: RecognisedWindow | None

    def use(self, funded: Window) -> WindowUse:
        return WindowUse(self.scope, self.anchor, self.extended_months, self.window, funded)


def windowed(claim: Claim, standing: Standing, terms: WindowedRate) -> Entitlement:
    """rate × cost of the claimed months or period, as far as it lies inside the window.

    Raises ``Refusal`` with the codes ``window-conflict``, ``window-not-begun``, ``window-ended``,
    ``months-already-funded`` and ``not-yet-paid``.
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
    extended = claim.particulars.number(terms.window.extended_by) if terms.window.extended_by else 0
    if recognised is not None:
        extended = max(extended, recognised.rent_free_months)
    whole = Window(anchor, add_months(anchor, terms.window.months.value + extended))
    years = tuple(_years(whole, terms.window.months.value, claim.rule.limit.cap_year.value))
    window = _within_validity(claim.policy, whole)
    own = Window(min(own_anchor, window.end), window.end)
    return _Frame(scope.key, anchor, extended, window, own, years, recognised)


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
    monthly_fen = _unit_rent_fen(claim, rent) * Fraction(claim.particulars.number(rent.area), 100)
    basis = Entitlement(_by_year(frame, months, monthly_fen)).stepped(
        article, "rent-basis", _rent_told(claim, rent, monthly_fen, len(months))
    )
    rated = replace(basis, portions=_by_year(frame, months, monthly_fen * rate))
    before = rated.stepped(article, "rate", rate_told(Text(zh="租金", en="rent"), rate, monthly_fen * len(months)))
    funded = _fundable(claim, terms, frame, months)
    after = before.cut(_by_year(frame, funded, monthly_fen * rate), Binding(article, "window"))
    after = after.stepped(article, "window", _window_told(frame, before, after, _months_told(funded, months)))
    use = frame.use(Window(funded[0].start, funded[-1].end))
    return replace(after, window=use, cost_fen=monthly_fen * len(funded))


def _unit_rent_fen(claim: Claim, rent: MonthlyRent) -> int:
    """Fen per m² and month: the benchmark, or the actual rent where that is lower and the office counts it (B13)."""
    benchmark_fen = claim.particulars.number(rent.benchmark)
    if rent.basis.value is RentBasis.BENCHMARK or rent.actual not in claim.particulars:
        return benchmark_fen
    return min(benchmark_fen, claim.particulars.number(rent.actual))


def _by_year(frame: _Frame, months: list[Window], monthly_fen: Fraction) -> tuple[Portion, ...]:
    """A month counts in the year that it begins in; outside the window in any: there it is cut off again."""
    sums: dict[str, Fraction] = {}
    for month in months:
        name = _year_of(frame, month.start).name
        sums[name] = sums.get(name, Fraction(0)) + monthly_fen
    return tuple(Portion(name, fen) for name, fen in sums.items())


def _year_of(frame: _Frame, day: date) -> _Year:
    begun = [year for year in frame.years if year.days.start <= day]
    return (begun or frame.years)[-1]


def _fundable(claim: Claim, terms: WindowedRate, frame: _Frame, months: list[Window]) -> list[Window]:
    """The claimed months that lie wholly inside the window, as many as are still to be supported.

    Raises ``Refusal`` where none does, or where one of them was funded before.
    """
    inside = [month for month in months if frame.open.covers(month)]
    if not inside:
        raise _outside(claim, frame, claimed_span(claim.particulars, terms.window))
    _refuse_funded(claim, frame, Window(inside[0].start, inside[-1].end))
    supported, funded = _supported_months(frame), []
    for month in inside:
        supported.add((month.start.year, month.start.month))
        if len(supported) <= terms.window.months.value:
            funded.append(month)
    if not funded:
        raise _all_supported(claim, terms)
    return funded


def _supported_months(frame: _Frame) -> set[tuple[int, int]]:
    """The months that earlier awards pay for, over all the enterprise's items; two leases of one month count once."""
    spans = frame.recognised.funded if frame.recognised else ()
    return {(month.start.year, month.start.month) for funded in spans for month in funded.span.months()}


def _period_cost(claim: Claim, terms: WindowedRate, source: PeriodCost, frame: _Frame) -> Entitlement:
    """rate × cost of a period that lies wholly inside the window."""
    span = claimed_span(claim.particulars, terms.window)
    if not frame.open.covers(span):
        raise _outside(claim, frame, span)
    _refuse_funded(claim, frame, span)
    _refuse_unpaid(claim, source, span)
    cost_fen = Fraction(claim.particulars.number(source.cost))
    portions = _split(frame, span, terms.rate.value * cost_fen, source.split.value)
    rated = Entitlement(portions, cost_fen).stepped(
        claim.rule.article, "rate", rate_told(cost_named(claim, source.cost), terms.rate.value, cost_fen)
    )
    told = _window_told(frame, rated, rated, wording.span(span))
    return replace(rated.stepped(claim.rule.article, "window", told), window=frame.use(span))


def _split(frame: _Frame, span: Window, exact_fen: Fraction, how: PeriodSplit) -> tuple[Portion, ...]:
    """A cost over the years that its period lies in: by days, or all where it ends."""
    if how is PeriodSplit.BY_PERIOD_END:
        year = next(y for y in frame.years if span.end <= y.days.end)
        return (Portion(year.name, exact_fen),)
    whole = days_in_both(span, span)
    shares = [(year, days_in_both(year.days, span)) for year in frame.years]
    return tuple(Portion(year.name, exact_fen * days / whole) for year, days in shares if days)


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


def _refuse_unpaid(claim: Claim, source: PeriodCost, span: Window) -> None:
    """Pay first, then claim (reading B11)."""
    if source.paid_first is None:
        return
    if source.paid_first.bills.value is Bills.PREVIOUS_YEAR_PAID:
        _refuse_other_years(claim, span)
    if (paid_on := claim.particulars.day(source.paid_first.on)) <= claim.applied_on:
        return
    raise Refusal(
        "not-yet-paid",
        Text(
            zh=f"费用于{paid_on}缴纳，晚于申请日{claim.applied_on}；先缴后补，请缴费后再申报。",
            en=f"Paid on {paid_on}, after the application of {claim.applied_on}: pay first, then claim.",
        ),
        clause=claim.rule.article,
    )


def _refuse_other_years(claim: Claim, span: Window) -> None:
    year = claim.applied_on.year - 1
    if span.start.year == year == add_days(span.end, -1).year:
        return
    told = wording.span(span)
    raise Refusal(
        "not-the-previous-year",
        Text(
            zh=f"费用期间{told.zh}不在申请日{claim.applied_on}的上一年度（{year}年）之内，不予资助。请按上一年度的账单申报。",
            en=f"The period {told.en} is not inside {year}, the year before the application of {claim.applied_on}. "
            "Claim that year's bills.",
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


def _months_told(funded: list[Window], claimed: list[Window]) -> Text:
    told = wording.span(Window(funded[0].start, funded[-1].end))
    return Text(
        zh=f"{told.zh}（申报{len(claimed)}个月中的{len(funded)}个月）",
        en=f"{told.en} ({len(funded)} of {len(claimed)} months claimed)",
    )


def _rent_told(claim: Claim, rent: MonthlyRent, monthly_fen: Fraction, months: int) -> Text:
    unit, total = wording.amount(_unit_rent_fen(claim, rent)), wording.amount(monthly_fen * months)
    area = wording.area(claim.particulars.number(rent.area))
    zh_basis, en_basis = (
        ("基准价与实际租金较低者", "lower of benchmark and actual rent")
        if rent.basis.value is RentBasis.LOWER
        else ("租金基准价", "benchmark rent")
    )
    return Text(
        zh=f"{zh_basis}每平方米每月{unit.zh} × {area}平方米 × {months}个月 = {total.zh}",
        en=f"{en_basis} {unit.en} per m² and month × {area} m² × {months} months = {total.en}",
    )
