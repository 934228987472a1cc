"""What goes into a determination and what comes out of it. Frozen data; the arithmetic is in the neighbouring files.

Amounts are integer fen, spans half-open (:class:`ledger.calendar.Window`), texts in both languages for a clerk to read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from ledger.calendar import Window
from ledger.errors import Headroom, Text
from ledger.policy.model import Policy, Rule
from ledger.rules.particulars import Particulars
from ledger.scopes import Scope


class WayOut(StrEnum):
    """What the office decided about other public money for the same matter (reading B10)."""

    RETURN_THEN_CLAIM = "return-then-claim"
    """It was paid back, so that the claim stands by itself."""
    TOP_UP_DIFFERENCE = "top-up-difference"
    """It stays, and only the difference is granted here."""


@dataclass(frozen=True, slots=True)
class OtherFunding:
    """Public money for the same matter, over all levels; ``way_out`` is None until the office has decided on one.

    ``awards`` are those of this ledger among it, by id, that are not wholly given back; ``amount_fen`` has what is left.
    """

    amount_fen: int
    way_out: WayOut | None
    awards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim under one rule.

    ``policy`` is the policy as read on the day of decision; ``enterprise`` a compact 统一社会信用代码; ``item`` what is
    claimed for (a certificate's number, a lease); ``cap_year`` the plan year; ``applied_on`` the day of application
    (for a quote: today), which what must be paid first is measured against.
    """

    policy: Policy
    rule: Rule
    enterprise: str
    item: str
    cap_year: int
    particulars: Particulars
    applied_on: date
    other_funding: OtherFunding | None = None


@dataclass(frozen=True, slots=True)
class FundedSpan:
    """Days that an earlier award pays for, for one item."""

    item: str
    span: Window
    award_id: str


@dataclass(frozen=True, slots=True)
class RecognisedWindow:
    """The one window of an enterprise under a limit group: never restarted, earliest start kept (reading B12)."""

    anchor: date
    rent_free_months: int
    funded: tuple[FundedSpan, ...]


class Standing(Protocol):
    """What was granted before, as far as a claim is concerned: a fold over the events."""

    def used_fen(self, scope: Scope) -> int:
        """What earlier awards draw on a scope, net of releases; 0 where nothing does."""

    def used_within_fen(self, scope: Scope, within: Scope) -> int:
        """The part of it that awards drew which draw on ``within`` too: an item's, in one year."""

    def window(self, scope: Scope) -> RecognisedWindow | None:
        """The window recognised under a scope of :func:`ledger.scopes.enterprise_window`, if any."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the calculation sheet; ``amount_fen`` is what is left of the claim after it.

    ``step`` is one of ``rent-basis``, ``rate``, ``area-cap``, ``window``, ``tier``, ``ceiling``, ``item-cap``,
    ``annual-cap``, ``other-funding``, ``rounding``. A fraction of a fen is left off in ``amount_fen`` and told in
    ``detail``.
    """

    clause: str
    step: str
    detail: Text
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Draw:
    """What the award takes from one limit. ``scope`` is a :attr:`ledger.scopes.Scope.key`."""

    limit: str
    clause: str
    scope: str
    ceiling_fen: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class WindowUse:
    """The window that an award stands in (``window``) and the days that it pays for (``funded``).

    ``scope`` is the key of :func:`ledger.scopes.enterprise_window`; ``anchor`` and ``rent_free_months`` are what the
    award recognises, the earlier facts included.
    """

    scope: str
    anchor: date
    rent_free_months: int
    window: Window
    funded: Window


@dataclass(frozen=True, slots=True)
class Binding:
    """What finally cut the amount: ``limit`` is ``item``, ``area``, ``window``, ``other-funding`` or the name of a yearly
    limit.
    """

    clause: str
    limit: str


@dataclass(frozen=True, slots=True)
class Determination:
    """What a claim is granted, and why.

    ``amount_fen`` is positive and a whole number of the policy's rounding unit. ``bound_by`` is None where nothing cut
    the rated amount. The ``draws`` of one limit sum to ``amount_fen``, and none exceeds what was left. ``headroom``
    shows each limit as it was before this claim: the yearly limit first, then the item.
    """

    amount_fen: int
    bound_by: Binding | None
    steps: tuple[Step, ...]
    draws: tuple[Draw, ...]
    headroom: tuple[Headroom, ...]
    window: WindowUse | None
