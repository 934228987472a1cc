"""An item is funded once, where its rule says so: which awards count against a claim, and what is carried over of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.errors import Text
from ledger.identity import award_id
from ledger.policy.model import ItemSpan, OncePerItem, Policy, Rule
from ledger.policy.terms import Cited, Kind
from ledger.rules import wording
from ledger.rules.claim import Claim, ItemAward, Standing
from ledger.rules.entitlement import Room
from ledger.scopes import Scope, item_of_rules


def item_scope(policy: Policy, rule: Rule, enterprise: str, item: str, cap_year: int) -> Scope:
    """Where an item's ceiling is counted: over all years, or in the plan's; for the enterprise, or for everybody."""
    own = None if is_shared(rule) else enterprise
    year = cap_year if _holds(rule.item_span, ItemSpan.YEAR) else None
    return item_of_rules(policy.id, rules_sharing(rule), item, own, year)


def rules_sharing(rule: Rule) -> str:
    """The rules that fund an item together: those of one yearly limit, or the rule alone."""
    return rule.id if rule.limit is None else rule.limit.name


def item_year(claim: Claim) -> int | None:
    """The year that a claim takes its item's one award of; None where the rule does not fund an item once a year.

    It is the year that the claim states, whatever the yearly limit counts by (reading B2); the loader asks for one.
    """
    if not once_a_year(claim.rule):
        return None
    (stated,) = claim.particulars.of_kind(Kind.YEAR)
    return claim.particulars.number(stated)


def is_shared(rule: Rule) -> bool:
    """Whether an item is a number of a public register, and one whoever claims for it (reading B23)."""
    return _holds(rule.item_shared, True)


def once_a_year(rule: Rule) -> bool:
    return _holds(rule.once_per_item, OncePerItem.YEAR)


def is_carried(rule: Rule) -> bool:
    """Whether what a yearly limit cuts off an item may be claimed later, as the office reads it (B30)."""
    return _holds(rule.remainder_carried, True)


def had_its_one_award(claim: Claim, standing: Standing, scope: Scope, used_fen: int) -> bool:
    """Whether something was granted for the item: ever, or of the claim's own year, as the rule says."""
    if once_a_year(claim.rule):
        year = item_year(claim)
        return any(award.year == year for award in standing.item_awards(scope))
    return _holds(claim.rule.once_per_item, OncePerItem.EVER) and used_fen > 0


def others_told(claim: Claim, standing: Standing, room: Room) -> Text:
    """The awards for the item that another enterprise has: a register's number is one whoever claims for it."""
    if not is_shared(claim.rule) or not room.head.used_fen:
        return Text("", "")
    awards = (award for award in standing.item_awards(room.scope) if award.enterprise != claim.enterprise)
    return wording.of_others([award_id(award.case) for award in awards])


def carried_fen(claim: Claim, standing: Standing, scope: Scope) -> int:
    """What the enterprise may claim again for an item that had its one award: what a yearly limit alone cut off the last."""
    awards = standing.item_awards(scope) if is_carried(claim.rule) else ()
    return _cut_off_last_fen(claim.rule, claim.enterprise, awards)


def carried_cases(policy: Policy, rule: Rule, enterprise: str, item: str, standing: Standing) -> tuple[str, ...]:
    """The enterprise's cases of which an application for the item can only claim what is carried over; mostly none.

    The loader sees to it that such an item's ceiling counts over all years: no plan's year need be known.
    """
    if not is_carried(rule):
        return ()
    awards = standing.item_awards(item_scope(policy, rule, enterprise, item, cap_year=0))
    if not _cut_off_last_fen(rule, enterprise, awards):
        return ()
    return tuple(award.case for award in awards if _is_of(award, rule, enterprise))


def _cut_off_last_fen(rule: Rule, enterprise: str, awards: Sequence[ItemAward]) -> int:
    """Of the last award only: what it left open was carried from those before it, or was given up."""
    return awards[-1].cut_fen if awards and _is_of(awards[-1], rule, enterprise) else 0


def _is_of(award: ItemAward, rule: Rule, enterprise: str) -> bool:
    return (award.rule, award.enterprise) == (rule.id, enterprise)


def _holds(cited: Cited[Any] | None, value: object) -> bool:
    return cited is not None and cited.value == value
