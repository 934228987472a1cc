"""Rent claimed in full, piece after piece: thirty-six months are paid for, however a lease was cut into claims."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import pytest

from ledger.calendar import add_days, add_months, month_number
from ledger.errors import Refusal
from ledger.policy import Policy, built_in_policies
from ledger.rules import Claim, Determination, ItemAward, RecognisedWindow, determine, read_particulars
from ledger.scopes import Scope
from tests.properties import naive_rules as naive

ENTERPRISE: Final = "91440300MA5FX3K72N"
LAST_DAY: Final = date(2036, 1, 1)
"""A day on which every month here is over."""
PARTS: Final = 4
LEASES: Final = 15
"""How many pairs of leases each part claims."""
MONTH_FEN: Final = 500_000
"""Half of 100 yuan × 100 m²: far below the yearly limit."""

Month = tuple[str, int]
"""A lease, and which month of it, from 0."""


@dataclass
class Leases:
    """One enterprise's leases: by name the day that each began on. ``free_months`` push the window's end back."""

    began: dict[str, date]
    free_months: int

    def stated(self, lease: str, first: int, beyond: int) -> dict[str, Any]:
        """A claim for months of a lease, as the naive computation takes it."""
        began = self.began[lease]
        return {
            "benchmark_rent": 10_000,
            "area_m2": 10_000,
            "tenancy_from": began,
            "rent_free_months": self.free_months,
            "claim_from": add_months(began, first),
            "claim_until": add_days(add_months(began, beyond), -1),
        }


@dataclass
class Memory:
    """What was awarded so far, as the product asks for it."""

    policy: Policy
    used: dict[str, int] = field(default_factory=dict)
    recognised: RecognisedWindow | None = None
    paid: set[Month] = field(default_factory=set)

    def used_fen(self, scope: Scope) -> int:
        return self.used.get(scope.key, 0)

    def item_awards(self, scope: Scope) -> Sequence[ItemAward]:
        raise AssertionError("a lease has no ceiling of its own")

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return self.recognised

    def as_naive(self) -> naive.Past:
        if self.recognised is None:
            return naive.Past()
        return naive.Past(
            years={scope.rpartition("/")[2]: fen for scope, fen in self.used.items()},
            window_from=self.recognised.anchor,
            free_months=self.recognised.rent_free_months,
            funded=[(its.item, its.span.start, its.span.end) for its in self.recognised.funded],
        )

    def determine(self, lease: str, stated: dict[str, Any]) -> Determination | str:
        written = {name: f"{value // 100}.00" if value == 10_000 else value for name, value in stated.items()}
        written |= {name: value.isoformat() for name, value in stated.items() if isinstance(value, date)}
        rule = self.policy.rule("22.2")
        read = read_particulars(rule, written)
        try:
            return determine(Claim(self.policy, rule, ENTERPRISE, lease, 2036, read, LAST_DAY), self)
        except Refusal as refused:
            return refused.code

    def claim(self, leases: Leases, lease: str, first: int, beyond: int) -> None:
        """Award the claim, or find it refused; the naive computation must say the same."""
        stated = leases.stated(lease, first, beyond)
        expected = naive.quote("22.2", lease, stated, LAST_DAY, LAST_DAY.year, self.as_naive())
        granted = self.determine(lease, stated)
        if isinstance(granted, str):
            assert granted == expected == "window-ended", (leases, lease, first, beyond)
            return
        assert granted.amount_fen == expected, (leases, lease, first, beyond)
        for draw in granted.draws:
            self.used[draw.scope] = self.used.get(draw.scope, 0) + draw.amount_fen
        assert granted.window is not None
        spans = granted.window.spans(lease, f"{lease}{first}")
        self.recognised = RecognisedWindow((*(self.recognised.funded if self.recognised else ()), *spans))
        paid = {
            (lease, step)
            for step in range(first, beyond)
            if any(add_months(leases.began[lease], step) in its.span for its in spans)
        }
        assert granted.amount_fen == len(paid) * MONTH_FEN
        assert not paid & self.paid, "a month of a lease was paid for twice"
        self.paid |= paid


def drawn(chance: random.Random) -> tuple[Leases, list[list[Month]]]:
    """Leases, and what is claimed of them: runs of months, in the order of their claims. The first lease leaves its
    rent-free months out; another, if there is one, begins later and is claimed for all that the window holds.
    """
    began = date(2022, 8, 1) + timedelta(days=chance.randrange(900))
    if chance.random() < 0.6:
        began = add_days(add_months(began.replace(day=1), 1), -chance.randrange(1, 4))
    leases = Leases({"甲": began}, chance.choice((0, 1, 1, 2, 6)))
    months = 36 + leases.free_months
    free = set(chance.sample(range(months), leases.free_months))
    runs = list(cut(chance, "甲", [step for step in range(months) if step not in free]))
    if chance.random() < 0.5:
        leases.began["乙"] = second = began + timedelta(days=chance.randrange(800))
        end = add_months(began, months)
        held = [step for step in range(months) if add_months(second, step + 1) <= end]
        runs += list(cut(chance, "乙", held))
    head, *rest = runs
    chance.shuffle(rest)
    return leases, [head, *rest]  # the window begins with the first lease


def cut(chance: random.Random, lease: str, steps: Sequence[int]) -> Iterator[list[Month]]:
    run: list[Month] = []
    for step in steps:
        if run and (step != run[-1][1] + 1 or chance.random() < 0.15):
            yield run
            run = []
        run.append((lease, step))
    if run:
        yield run


@pytest.mark.parametrize("part", range(PARTS))
def test_a_lease_claimed_in_full_is_paid_for_thirty_six_months_however_it_is_cut(part: int) -> None:
    policy, chance = built_in_policies().get("shenzhen-meddev-2022"), random.Random(f"rent in full {part}")
    for _ in range(LEASES):
        leases, runs = drawn(chance)
        whole, by_month = Memory(policy), Memory(policy)
        for run in runs:
            (lease, first), (_, last) = run[0], run[-1]
            whole.claim(leases, lease, first, last + 1)
            for _, step in run:
                by_month.claim(leases, lease, step, step + 1)
        assert whole.paid == by_month.paid, leases
        counted = {month_number(add_months(leases.began[lease], step)) for lease, step in whole.paid}
        assert len(counted) == 36, (leases, runs)
        if len(leases.began) == 1:
            assert len(whole.paid) == 36, (leases, runs)
