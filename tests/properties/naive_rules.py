"""The 22 rules once more, on purpose as naively as can be: written from the clauses alone, in whole numbers of fen.

It shares no line with the product (a test holds that) and knows none of its words: costs in fen, areas in hundredths of a
square metre, dates as dates. ``quote`` answers with fen, or with the word that says why nothing is granted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

WAN = 1_000_000  # fen

# rule: basis, percent, ceiling of the item, yearly ceiling
RATES = {
    "2.3": ("total_investment", 40, 5000 * WAN, None),
    "3.1": ("project_cost", 100, 3000 * WAN, None),
    "3.2": ("total_investment", 40, 30000 * WAN, None),
    "5.1": ("rd_cost", 40, 300 * WAN, 1000 * WAN),
    "5.2": ("rd_cost", 40, 500 * WAN, 1000 * WAN),
    "7.1": ("build_cost", 40, 1000 * WAN, None),
    "8.1": ("actual_cost", 20, 1500 * WAN, 3000 * WAN),
    "8.2": ("actual_cost", 20, 1500 * WAN, 3000 * WAN),
    "10.2": ("audited_cost", 100, 500 * WAN, None),
    "14.1": ("audited_cost", 100, None, 1000 * WAN),
    "15.1": ("purchase_total", 3, 300 * WAN, 500 * WAN),
    "22.1": ("total_investment", 10, 10000 * WAN, None),
    "23.1": ("training_cost", 50, 500 * WAN, None),
}
PROPOSED = {"2.1": 3000 * WAN, "2.2": 1500 * WAN, "10.1": 50 * WAN, "10.3": 500 * WAN}
TIERS = {"19.1": (100 * WAN, 200 * WAN, 300 * WAN), "19.2": (50 * WAN, 100 * WAN, 150 * WAN)}
# The same project is not funded again (附则: 不重复资助); a purchase is that of a year (十五: 当年).
ONCE = ("2.1", "2.2", "2.3", "3.1", "3.2", "5.1", "5.2", "7.1", "10.1", "10.2", "10.3", "22.1", "23.1")
ONCE_A_YEAR = ("15.1",)
# What these fund is a registration certificate: one product, whoever claims for it. All else is an enterprise's own.
BY_CERTIFICATE = ("5.1", "5.2", "8.1", "8.2")
RENT_CEILING = 500 * WAN
# The measures hold from this day on (附则; V1): no month, bill or cost from before it, no purchase or service of a year
# before its own (B33.1).
BEGAN = date(2022, 8, 1)
BILLS = {
    "22.3": (50, 200 * WAN, "billed_cost", "contract_signed_on"),
    "22.4": (20, 500 * WAN, "operating_cost", "production_from"),
}
ALL = [*RATES, *PROPOSED, *TIERS, "22.2", *BILLS]


@dataclass
class Past:
    """What was granted before. ``years`` by the year's name: ``2026``, or a benefit year's first day.

    ``item_years``: this enterprise's grants for the item, by year; ``item_others``: those of other enterprises for an item
    of the same name.
    """

    item_years: dict[str, int] = field(default_factory=dict)
    item_others: int = 0
    tier_fen: int = 0
    years: dict[str, int] = field(default_factory=dict)
    other_years_fen: int = 0
    window_from: date | None = None
    free_months: int = 0
    funded: list[tuple[str, date, date]] = field(default_factory=list)  # item, first day, first day after
    elsewhere_fen: int = 0
    way_out: str | None = None

    def of_item(self, rule: str) -> int:
        return sum(self.item_years.values()) + (self.item_others if rule in BY_CERTIFICATE else 0)

    def in_year(self, name: str) -> int:
        return self.years.get(name, self.other_years_fen)


def quote(rule: str, item: str, stated: dict, today: date, plan_year: int, past: Past) -> int | str:
    if stated.get("equity_relation"):
        return "equity-relation"
    if past.elsewhere_fen and past.way_out is None:
        return "other-funding"
    for year in ("purchase_year", "service_year"):
        if stated.get(year, 0) > today.year:
            return "year-not-come"
    if min(stated.get("purchase_year", today.year), stated.get("service_year", today.year)) < BEGAN.year:
        return "before-policy-start"
    if rule in ONCE and past.of_item(rule):
        return "item-already-awarded"
    if rule in ONCE_A_YEAR and past.item_years.get(str(stated["purchase_year"])):
        return "item-already-awarded"
    if rule in RATES:
        return rated(rule, stated, plan_year, past)
    if rule in PROPOSED:
        return proposed(stated["proposed"], PROPOSED[rule], past)
    if rule in TIERS:
        tier = (stated["project_count"] >= 10) + (stated["project_count"] >= 20) + (stated["project_count"] >= 40)
        if tier == 0:
            return "below-lowest-tier"
        return proposed(stated["proposed"], TIERS[rule][tier - 1] - past.tier_fen, past)
    if rule == "22.2":
        return rent(item, stated, today, past)
    return bills(rule, item, stated, today, past)


def whole_yuan(parts: int, per_fen: int, past: Past) -> int | str:
    """``parts`` of which ``per_fen`` make a fen, less what is topped up, down to the yuan."""
    if past.way_out == "top-up-difference":
        if parts and parts <= past.elsewhere_fen * per_fen:
            return "other-funding-not-less"
        parts = max(0, parts - past.elsewhere_fen * per_fen)
    granted = parts // (per_fen * 100) * 100
    return granted or "nothing-to-grant"


def proposed(wanted: int, left: int, past: Past) -> int | str:
    if wanted and left <= 0:
        return "limit-exhausted"
    return "above-ceiling" if wanted > max(left, 0) else whole_yuan(wanted, 1, past)


def rated(rule: str, stated: dict, plan_year: int, past: Past) -> int | str:
    basis, percent, item_ceiling, year_ceiling = RATES[rule]
    hundredths = stated[basis] * percent
    if rule == "7.1":
        hundredths = min(hundredths, stated["area_m2"] * 3000 * 100)
    if stated.get("special_approval"):
        item_ceiling += 100 * WAN
    year = str(stated.get("purchase_year", plan_year))
    for ceiling, used in ((item_ceiling, past.of_item(rule)), (year_ceiling, past.in_year(year))):
        if ceiling is not None:
            if hundredths and ceiling <= used:
                return "limit-exhausted"
            hundredths = min(hundredths, max(0, ceiling - used) * 100)
    return whole_yuan(hundredths, 100, past)


# Windows


def months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    return date(year, month, min(day.day, longest))


def window(own: date, free: int, past: Past) -> tuple[date, date, date] | None:
    """The window's first day, the first day that this claim may use, and the first day after; None: in conflict."""
    if past.window_from is not None and own < past.window_from:
        return None
    start = past.window_from or own
    end = months_later(start, 36 + max(free, past.free_months if past.window_from else 0))
    return start, min(own, end), end


def year_name(start: date, day: date) -> str:
    passed = 0
    for months in (12, 24):
        if day >= months_later(start, months):
            passed = months
    return months_later(start, passed).isoformat()


def share(parts_by_year: dict[str, int], per_fen: int, ceiling: int, past: Past) -> int | str:
    total = sum(parts_by_year.values())
    if total and not any(parts and ceiling > past.in_year(name) for name, parts in parts_by_year.items()):
        return "limit-exhausted"
    kept = sum(min(p, max(0, ceiling - past.in_year(name)) * per_fen) for name, p in parts_by_year.items())
    return whole_yuan(kept, per_fen, past)


def paid_before(item: str, first: date, beyond: date, past: Past) -> bool:
    return any(what == item and first < to and since < beyond for what, since, to in past.funded)


def months_begun(since: date, to: date) -> set[str]:
    """The months of the calendar that rent months begin in: those of all the days, but for the one that the last month
    runs into, whose own rent month is the next.
    """
    days = (since + timedelta(days=number) for number in range((to - since).days))
    return {f"{day:%Y-%m}" for day in days} - {f"{to:%Y-%m}"}


def rent(item: str, stated: dict, today: date, past: Past) -> int | str:
    tenancy, first = stated["tenancy_from"], stated["claim_from"]
    beyond = stated["claim_until"] + timedelta(days=1)
    found = window(tenancy, stated.get("rent_free_months", 0), past)
    if found is None:
        return "window-conflict"
    start, usable, end = found
    months, origin = [], first if first.day == 1 else tenancy
    step = (first.year - origin.year) * 12 + first.month - origin.month
    while months_later(origin, step) < beyond:
        months.append((months_later(origin, step), months_later(origin, step + 1)))
        step += 1
    months = [month for month in months if month[0] >= BEGAN]
    if not months:
        return "before-policy-start"
    inside = [month for month in months if usable <= month[0] and month[1] <= end]
    if not inside:
        return "window-ended" if first >= usable else "window-not-begun"
    if paid_before(item, inside[0][0], inside[-1][1], past):
        return "months-already-funded"
    supported = {month for _, since, to in past.funded for month in months_begun(since, to)}
    monthly = min(stated["benchmark_rent"], stated.get("actual_rent", stated["benchmark_rent"])) * stated["area_m2"]
    parts: dict[str, int] = {}
    over = today + timedelta(days=1)  # a month may end on the day of application
    in_time = True
    for since, to in inside:
        (month,) = months_begun(since, to)
        if month not in supported and len(supported) >= 36:
            continue  # 三十六个月: another month there is not; one that counts already stays one
        supported |= {month}
        name = year_name(start, since)
        parts[name] = parts.get(name, 0) + monthly
        in_time = in_time and to <= over
    if not parts:
        return "window-ended"
    return share(parts, 200, RENT_CEILING, past) if in_time else "period-not-over"


def bills(rule: str, item: str, stated: dict, today: date, past: Past) -> int | str:
    percent, ceiling, cost, anchor = BILLS[rule]
    first, beyond = stated["period_from"], stated["period_until"] + timedelta(days=1)
    found = window(stated[anchor], 0, past)
    if found is None:
        return "window-conflict"
    start, usable, end = found
    if first < BEGAN:
        return "before-policy-start"
    if first < usable or beyond > end:
        return "window-ended" if first >= usable else "window-not-begun"
    if paid_before(item, first, beyond, past):
        return "months-already-funded"
    if stated["period_until"] > today:
        return "period-not-over"
    if rule == "22.3" and stated["paid_on"] > today:
        return "not-yet-paid"
    days: dict[str, int] = {}
    for number in range((beyond - first).days):
        name = year_name(start, first + timedelta(days=number))
        days[name] = days.get(name, 0) + 1
    whole = (beyond - first).days
    parts = {name: stated[cost] * percent * count for name, count in days.items()}
    return share(parts, 100 * whole, ceiling, past)
