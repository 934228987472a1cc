"""Limit scopes: the one string under which everything that draws on one limit is counted.

A scope is ``policy/limit/holder/period``: ``shenzhen-meddev-2022/C5/91440300MA5FX3K72N/2026``. It is written once, here,
because a tag spelled in two ways matches nothing, and a limit that matches nothing is silently unlimited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.typed_alike import typed_alike

ITEM: Final = "item"
BUDGET: Final = "budget"
WINDOW: Final = "window"


@dataclass(frozen=True, slots=True)
class Scope:
    """One limit, for one holder and one period.

    ``limit`` is a limit group of the policy (``C5``), or ``item``, ``budget``, ``window``; ``holder`` an enterprise's
    统一社会信用代码, an item, or both; ``period`` a cap year, the first day of a benefit year, or the rules that fund an
    item.
    """

    policy_id: str
    limit: str
    holder: str
    period: str

    @property
    def key(self) -> str:
        return f"{self.policy_id}/{self.limit}/{self.holder}/{self.period}"


def enterprise_year(policy_id: str, limit: str, enterprise: str, period: str) -> Scope:
    """What one enterprise draws on a yearly limit group; ``period`` is ``2026`` or a benefit year's first day."""
    return Scope(policy_id, limit, enterprise, period)


def item_of_rules(
    policy_id: str, rules: str, item: str, enterprise: str | None = None, year: int | None = None
) -> Scope:
    """What one item (a registration certificate, a project, a lease) draws: over all years, or in one.

    A number of a public register is one item, whoever claims for it; a name that ``enterprise`` gave is its own.
    ``rules`` is the yearly limit that several rules share, or the id of a rule that shares none: a certificate is of one
    class, so what it drew under the rule for one class counts under the rule for the other.
    """
    holder = item if enterprise is None else f"{enterprise}/{item}"
    return Scope(policy_id, ITEM, holder, rules if year is None else f"{rules}/{year}")


def is_item(key: str) -> bool:
    """Whether a scope so written is that of an item."""
    return key.split("/", 2)[1] == ITEM


def budget_of_year(policy_id: str, year: int) -> Scope:
    """What all awards of a policy draw on the budget of one year."""
    return Scope(policy_id, BUDGET, "all", str(year))


def enterprise_window(policy_id: str, limit: str, enterprise: str) -> Scope:
    """The months window that was recognised for an enterprise under a limit group (reading B12: one, never restarted)."""
    return Scope(policy_id, WINDOW, enterprise, limit)


ITEM_LENGTH_MAX: Final = 100
REGISTER_LENGTH_MAX: Final = 60


def item_key(text: str) -> str:
    """An item's name as it is counted, so that two ways of typing one number are one item (:mod:`ledger.typed_alike`).

    Raises ``ValueError`` where no letter or digit is left, or more than ``ITEM_LENGTH_MAX`` characters.
    """
    return _within(ITEM_LENGTH_MAX, text)


def register_key(text: str) -> str:
    """A bank's serial number or an acceptance number as its register knows it: one number, however it was typed.

    Raises ``ValueError`` where no letter or digit is left, or more than ``REGISTER_LENGTH_MAX`` characters.
    """
    return _within(REGISTER_LENGTH_MAX, text)


def _within(length_max: int, text: str) -> str:
    key = typed_alike(text)
    if len(key) > length_max or not key.isprintable() or not any(map(str.isalnum, key)):
        raise ValueError(f"nothing that can be told apart: {text!r}")
    return key
