"""Limit scopes: the one string under which everything that draws on one limit is counted.

A scope is ``policy/limit/holder/period``: ``shenzhen-meddev-2022/C5/91440300MA5FX3K72N/2026``. It is written once, here,
because a tag spelled in two ways matches nothing, and a limit that matches nothing is silently unlimited.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

ITEM: Final = "item"
BUDGET: Final = "budget"
WINDOW: Final = "window"


@dataclass(frozen=True, slots=True)
class Scope:
    """One limit, for one holder and one period.

    ``limit`` is a limit group of the policy (``C5``), or ``item``, ``budget``, ``window``; ``holder`` an enterprise's
    统一社会信用代码 or an item; ``period`` a cap year, the first day of a benefit year, or a rule id.
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


def item_of_rule(policy_id: str, rule_id: str, item: str) -> Scope:
    """What one item (a registration certificate, a project, a lease) draws under one rule, over all years."""
    return Scope(policy_id, ITEM, item, rule_id)


def budget_of_year(policy_id: str, year: int) -> Scope:
    """What all awards of a policy draw on the budget of one year."""
    return Scope(policy_id, BUDGET, "all", str(year))


def enterprise_window(policy_id: str, limit: str, enterprise: str) -> Scope:
    """The months window that was recognised for an enterprise under a limit group (reading B12: one, never restarted)."""
    return Scope(policy_id, WINDOW, enterprise, limit)


ITEM_LENGTH_MAX: Final = 100


def item_key(text: str) -> str:
    """An item's name as it is counted: half-width, without blanks, so that two ways of typing one number are one item.

    Raises ``ValueError`` where nothing is left, or more than ``ITEM_LENGTH_MAX`` characters.
    """
    key = "".join(unicodedata.normalize("NFKC", text).split())
    if not key or len(key) > ITEM_LENGTH_MAX or not key.isprintable():
        raise ValueError(f"not the name of an item: {text!r}")
    return key
