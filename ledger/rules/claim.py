"""What goes into a determination and what comes out of it. Frozen data; the arithmetic is in the neighbouring files.

Amounts are integer fen, spans half-open (:class:`ledger.calendar.Window`), texts in both languages for a clerk to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from msgspec import UNSET, UnsetType

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
    """Days in a row that an earlier award pays for, for one item.

    ``anchor`` and ``rent_free_months`` are what that award's own claim stated; ``years_from`` is the anchor that held when
    it was approved, from which the years that it draws on are counted.
    """

    item: str
    span: Window
    award_id: str
    anchor: date
    rent_free_months: int
    years_from: date


@dataclass(frozen=True, slots=True)
class RecognisedWindow:
    """The one window of an enterprise under a limit group: never restarted, earliest start kept (reading B12).

    It rests on the awards that are left: ``funded`` is never empty.
    """

    funded: tuple[FundedSpan, ...]

    @property
    def anchor(self) -> date:
        return min(span.anchor for span in self.funded)

    @property
    def rent_free_months(self) -> int:
        return max(span.rent_free_months for span in self.funded)


@dataclass(frozen=True, slots=True)
class ItemAward:
    """An earlier award for an item, as far as it still draws on the item's ceiling.

    ``year`` is the one that its claim was for, where its rule funds an item once in each year; ``cut_fen`` what it would
    have been granted more but for a yearly limit (reading B30).
    """

    case: str
    rule: str
    enterprise: str
    year: int | None
    drawn_fen: int
    cut_fen: int


class Standing(Protocol):
    """What was granted before, as far as a claim is concerned: a fold over the events."""

    def used_fen(self, scope: Scope) -> int:
        """What earlier awards draw on a scope, net of releases; 0 where nothing does."""

    def item_awards(self, scope: Scope) -> Sequence[ItemAward]:
        """The awards that draw on an item's scope, in the order of their approval; not those that gave all of it back."""

    def window(self, scope: Scope) -> RecognisedWindow | None:
        """The window recognised under a scope of :func:`ledger.scopes.enterprise_window`, if any."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the calculation sheet; ``amount_fen`` is what is left of the claim after it.

    ``step`` is one of ``rent-basis``, ``rate``, ``area-cap``, ``window``, ``actual-rent``, ``tier``, ``ceiling``,
    ``item-cap``, ``annual-cap``, ``other-funding``, ``rounding``. A fraction of a fen is left off in
    ``amount_fen`` and told in ``detail``.
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
    """The window that an award stands in (``window``) and the days that it pays for, first to last (``funded``).

    ``scope`` is the key of :func:`ledger.scopes.enterprise_window`; ``anchor`` and ``rent_free_months`` are what the
    award recognises, the earlier facts included; ``own_anchor`` and ``own_rent_free_months`` what its own claim stated.
    ``parts`` are the spans paid for where days between them are not; left out where ``funded`` is paid for throughout.
    What was recorded before the last three were kept has none of them.
    """

    scope: str
    anchor: date
    rent_free_months: int
    window: Window
    funded: Window
    own_anchor: date | UnsetType = UNSET
    own_rent_free_months: int | UnsetType = UNSET
    parts: tuple[Window, ...] | UnsetType = UNSET

    def spans(self, item: str, award_id: str) -> tuple[FundedSpan, ...]:
        """What the award pays for, as later claims find it; of an older one only what it recognised is known."""
        anchor = self.anchor if self.own_anchor is UNSET else self.own_anchor
        extended = self.rent_free_months if self.own_rent_free_months is UNSET else self.own_rent_free_months
        return tuple(
            FundedSpan(item, span, award_id, anchor, extended, self.anchor) for span in self.parts or (self.funded,)
        )


@dataclass(frozen=True, slots=True)
class Binding:
    """What finally cut the amount: ``limit`` is ``item``, ``area``, ``window``, ``actual-rent``, ``other-funding`` or
    the name of a yearly limit.
    """

    clause: str
    limit: str


@dataclass(frozen=True, slots=True)
class Determination:
    """What a claim is granted, and why.

    ``amount_fen`` is positive and a whole number of the policy's rounding unit. ``bound_by`` is None where nothing cut
    the rated amount. The ``draws`` of one limit sum to ``amount_fen``, and none exceeds what was left. ``headroom``
    shows each limit as it was before this claim: the yearly limit first, then the item. ``item_year`` and ``cut_fen`` are
    what the claim leaves to later ones for its item, as in :class:`ItemAward`.
    """

    amount_fen: int
    bound_by: Binding | None
    steps: tuple[Step, ...]
    draws: tuple[Draw, ...]
    headroom: tuple[Headroom, ...]
    window: WindowUse | None
    item_year: int | None
    cut_fen: int
