"""A hundred thousand random quotes over all rules agree with a second, deliberately naive computation."""

from __future__ import annotations

import ast
import os
import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.calendar import Window
from ledger.errors import Refusal
from ledger.policy import Policy, built_in_policies
from ledger.rules import (
    Claim,
    FundedSpan,
    ItemAward,
    OtherFunding,
    RecognisedWindow,
    WayOut,
    determine,
    read_particulars,
)
from ledger.scopes import Scope
from tests.properties import naive_rules as naive

QUOTES: Final = int(os.environ.get("NAIVE_QUOTES", "100000"))
PARTS: Final = 10
"""Parts that the tests may run side by side."""
ENTERPRISE: Final = "91440300MA5FX3K72N"
TODAY: Final = date(2026, 6, 1)
MONEY: Final = {
    "proposed", "total_investment", "project_cost", "rd_cost", "build_cost", "actual_cost", "audited_cost",
    "purchase_total", "training_cost", "benchmark_rent", "actual_rent", "billed_cost", "operating_cost",
}  # fmt: skip


class Standing:
    """A past as the product asks for it."""

    def __init__(self, past: naive.Past) -> None:
        self.past = past

    def used_fen(self, scope: Scope) -> int:
        if scope.limit == "item":
            own_fen = sum(self.past.item_years.values())
            if scope.holder.startswith(f"{ENTERPRISE}/"):
                return own_fen
            assert "/" not in scope.holder, "an item of an enterprise that did not claim"
            return own_fen + self.past.item_others
        return self.past.tier_fen if scope.limit.startswith("tier-") else self.past.in_year(scope.period)

    def item_awards(self, scope: Scope) -> list[ItemAward]:
        assert scope.limit == "item"
        granted = {year: fen for year, fen in self.past.item_years.items() if fen}
        own = [ItemAward(f"A-{year}", "", ENTERPRISE, int(year), fen, 0) for year, fen in granted.items()]
        if scope.holder.startswith(f"{ENTERPRISE}/") or not self.past.item_others:
            return own
        return [*own, ItemAward("A-9", "", "another", 2026, self.past.item_others, 0)]

    def window(self, scope: Scope) -> RecognisedWindow | None:
        past = self.past
        if past.window_from is None:
            return None
        began = past.window_from
        return RecognisedWindow(
            tuple(
                FundedSpan(item, Window(since, to), "awd-X", began, past.free_months, began)
                for item, since, to in past.funded
            )
        )


class Chance:
    """Random claims, drawn so that every number of the law is met from below, at, and from above."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def fen(self, *ceilings: int) -> int:
        pick = self.random.random()
        if pick < 0.4 and ceilings:
            return max(0, self.random.choice(ceilings) + self.random.choice((-101, -100, -99, -1, 0, 1, 99, 100, 101)))
        if pick < 0.5:
            return self.random.randrange(0, 1000)
        return self.random.randrange(0, 2 * max(ceilings, default=10**10) + 1)

    def day(self, first: date, days: int) -> date:
        return first + timedelta(days=self.random.randrange(days))

    def used(self, *ceilings: int) -> int:
        return 0 if self.random.random() < 0.5 else self.fen(*ceilings)

    def claim(self, rule: str) -> tuple[str, dict[str, Any], naive.Past]:
        past = naive.Past()
        if self.random.random() < 0.1:
            past.elsewhere_fen = self.fen(10**8) + 1
            past.way_out = self.random.choice([None, *WayOut])
        item = self.random.choice(("甲", "乙"))
        if rule in naive.RATES:
            return item, self.rated(rule, past), past
        if rule in naive.PROPOSED:
            self.item_granted(past, naive.PROPOSED[rule])
            return item, {"proposed": self.fen(naive.PROPOSED[rule])}, past
        if rule in naive.TIERS:
            past.tier_fen = self.used(*naive.TIERS[rule])
            proposed = self.fen(*naive.TIERS[rule], *(max(0, c - past.tier_fen) for c in naive.TIERS[rule]))
            count = self.random.choice((0, 9, 10, 11, 19, 20, 21, 39, 40, 41, 200))
            year = self.random.choice((2021, 2022, 2025, 2026, 2026, 2027))
            return item, {"project_count": count, "proposed": proposed, "service_year": year}, past
        return item, self.windowed(rule, past), past

    def item_granted(self, past: naive.Past, ceiling: int | None) -> None:
        """Mostly nothing: else what funds an item once would hardly ever be granted."""
        if ceiling and self.random.random() < 0.4:
            past.item_years = {str(year): self.used(ceiling) for year in (2025, 2026)}
        if ceiling and self.random.random() < 0.2:
            past.item_others = self.used(ceiling)

    def rated(self, rule: str, past: naive.Past) -> dict[str, Any]:
        basis, percent, item_ceiling, year_ceiling = naive.RATES[rule]
        ceilings = [ceiling for ceiling in (item_ceiling, year_ceiling) if ceiling]
        self.item_granted(past, item_ceiling)
        past.years = {str(year): self.used(year_ceiling or 0) for year in (2025, 2026)}
        stated: dict[str, Any] = {basis: self.fen(*(ceiling * 100 // percent for ceiling in ceilings))}
        if rule in ("5.1", "5.2"):
            stated["special_approval"] = self.random.random() < 0.5
        if rule == "8.2":
            stated["equity_relation"] = self.random.random() < 0.1
        if rule == "7.1":
            stated["area_m2"] = self.fen(stated[basis] * 40 // 100 // 3000, 333_333)
        if rule == "15.1":
            stated["purchase_year"] = self.random.choice((2021, 2022, 2025, 2026, 2026, 2027))
        return stated

    def windowed(self, rule: str, past: naive.Past) -> dict[str, Any]:
        anchor = self.day(date(2022, 8, 1) if self.random.random() < 0.8 else date(2020, 1, 1), 1200)
        if self.random.random() < 0.5:
            anchor = anchor.replace(day=self.random.choice((1, 1, 1, 1, TODAY.day + 1, TODAY.day + 2)))
        if self.random.random() < 0.5:
            self.recognised(anchor, past)
        ceiling = naive.RENT_CEILING if rule == "22.2" else naive.BILLS[rule][1]
        for start in (anchor, past.window_from or anchor):
            for months in (0, 12, 24):
                past.years[naive.months_later(start, months).isoformat()] = self.used(ceiling)
        return self.rent(anchor) if rule == "22.2" else self.bills(rule, anchor)

    def recognised(self, anchor: date, past: naive.Past) -> None:
        """A window that began on, before or after the claim's own day, with some months paid for."""
        past.window_from = self.random.choice(
            (anchor, naive.months_later(anchor, -self.random.randrange(1, 30)), anchor + timedelta(days=1))
        )
        past.free_months = self.random.choice((0, 0, 1, 5))
        for _ in range(self.random.choice((1, 1, 2))):
            first, months = self.random.randrange(36), self.random.choice((1, 3, 12, 30))
            since, to = (naive.months_later(past.window_from, step) for step in (first, first + months))
            past.funded.append((self.random.choice(("甲", "乙", "丙")), since, to))

    def rent(self, tenancy: date) -> dict[str, Any]:
        step = self.random.randrange(-6, 44)
        months = self.random.choice((1, 1, 3, 6, 12, 12, 36, 40))
        origin = tenancy.replace(day=1) if self.random.random() < 0.5 else tenancy
        if self.random.random() < 0.2:  # the last month ends about today
            step = (TODAY.year - origin.year) * 12 + TODAY.month - origin.month - months
        until = naive.months_later(origin, step + months) - timedelta(days=1)
        stated: dict[str, Any] = {
            "benchmark_rent": self.fen(6000, 4500),
            "area_m2": self.random.choice((400_000, 2_000_000, self.random.randrange(0, 10_000_000))),
            "tenancy_from": tenancy,
            "rent_free_months": self.random.choice((0, 0, 0, 1, 4)),
            "claim_from": naive.months_later(origin, step),
            "claim_until": until,
        }
        if self.random.random() < 0.5:
            stated["actual_rent"] = self.fen(stated["benchmark_rent"])
        return stated

    def bills(self, rule: str, anchor: date) -> dict[str, Any]:
        percent, ceiling, cost, anchored = naive.BILLS[rule]
        first = self.day(anchor - timedelta(days=20), 1150)
        if self.random.random() < 0.2:
            first = naive.months_later(anchor, self.random.choice((0, 12, 24, 36)))
        length = self.random.choice((1, 30, 31, 90, 365, 366, 731))
        if self.random.random() < 0.2:  # the last day is about today
            first = TODAY + timedelta(days=self.random.choice((0, 1, 2)) - length)
        stated: dict[str, Any] = {
            cost: self.fen(ceiling * 100 // percent),
            anchored: anchor,
            "period_from": first,
            "period_until": first + timedelta(days=length - 1),
        }
        if rule == "22.3":
            stated["paid_on"] = TODAY + timedelta(days=self.random.choice((-400, -1, 0, 0, 0, 1)))
        return stated


def written(name: str, value: Any) -> Any:
    """A particular as the interface takes it."""
    if isinstance(value, date):
        return value.isoformat()
    return f"{value // 100}.{value % 100:02d}" if name in MONEY or name == "area_m2" else value


def product(policy: Policy, rule_id: str, item: str, stated: dict[str, Any], past: naive.Past) -> int | str:
    rule = policy.rule(rule_id)
    particulars = read_particulars(rule, {name: written(name, value) for name, value in stated.items()})
    way_out = WayOut(past.way_out) if past.way_out else None
    other = OtherFunding(past.elsewhere_fen, way_out) if past.elsewhere_fen else None
    claim = Claim(policy, rule, ENTERPRISE, item, TODAY.year, particulars, TODAY, other)
    try:
        return determine(claim, Standing(past)).amount_fen
    except Refusal as refusal:
        return refusal.code


@pytest.mark.parametrize("part", range(PARTS))
def test_the_product_and_the_naive_computation_agree_on_every_quote(part: int) -> None:
    policy, chance = built_in_policies().get("shenzhen-meddev-2022"), Chance(20220801 + part)
    answers: Counter[tuple[str, str]] = Counter()
    for _ in range(QUOTES // PARTS):
        rule = chance.random.choice(naive.ALL)
        item, stated, past = chance.claim(rule)
        expected = naive.quote(rule, item, stated, TODAY, TODAY.year, past)
        answered = product(policy, rule, item, stated, past)
        assert answered == expected, (rule, item, stated, past)
        answers[rule, expected if isinstance(expected, str) else "granted"] += 1
    if QUOTES >= 100_000:
        assert all(answers[rule, "granted"] > 50 for rule in naive.ALL), answers
        refusals = {code for _, code in answers} - {"granted"}
        assert refusals >= {
            "limit-exhausted", "item-already-awarded", "nothing-to-grant", "equity-relation", "above-ceiling",
            "below-lowest-tier", "window-ended", "window-not-begun", "window-conflict", "months-already-funded",
            "not-yet-paid", "period-not-over", "year-not-come", "before-policy-start", "other-funding",
            "other-funding-not-less",
        }, refusals  # fmt: skip


def test_the_naive_computation_knows_every_rule_and_shares_nothing_with_the_product() -> None:
    assert set(naive.ALL) == set(built_in_policies().get("shenzhen-meddev-2022").rules)
    tree = ast.parse(Path(naive.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))
    assert modules == {"__future__", "dataclasses", "datetime"}
