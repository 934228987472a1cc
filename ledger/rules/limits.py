"""The two limits that cut a rated amount: the item's ceiling and the enterprise's yearly ceilings."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ledger.errors import Refusal, Text
from ledger.policy.model import ItemSpan, Limit, OncePerItem, Rule
from ledger.policy.terms import Cited, DiscretionaryCeiling
from ledger.rules import wording
from ledger.rules.claim import Binding, Claim, Standing
from ledger.rules.entitlement import Entitlement, Portion, Room, exhausted, room_under
from ledger.rules.particulars import Particulars
from ledger.rules.rated import cut_told, plain_period
from ledger.scopes import ITEM, enterprise_year, item_of_rules


def item_room(claim: Claim, standing: Standing) -> Room | None:
    """What is left for the item under this rule, over all years; None where the rule sets no such ceiling.

    Raises ``Refusal`` ``item-already-awarded`` where the rule funds an item once (or once in each year of its limit) and
    something was granted for it, unless what a yearly limit cut off then is carried over (reading B30).
    """
    ceiling_fen = item_ceiling_fen(claim.rule, claim.particulars)
    if ceiling_fen is None:
        return None
    year = claim.cap_year if _holds(claim.rule.item_span, ItemSpan.YEAR) else None
    rules = claim.rule.id if claim.rule.limit is None else claim.rule.limit.name
    own = None if _holds(claim.rule.item_shared, True) else claim.enterprise
    scope = item_of_rules(claim.policy.id, rules, claim.item, own, year)
    room = room_under(standing, scope, ITEM, claim.rule.article, ceiling_fen)
    if _had_its_one_award(claim, standing, room) and not _carried(claim.rule):
        raise _already_awarded(claim, room)
    return room


def _had_its_one_award(claim: Claim, standing: Standing, room: Room) -> bool:
    """Whether something was granted for the item: ever, or in the claim's own year, as the rule says."""
    if _holds(claim.rule.once_per_item, OncePerItem.EVER):
        return room.head.used_fen > 0
    return _holds(claim.rule.once_per_item, OncePerItem.YEAR) and _used_in_its_year_fen(claim, standing, room) > 0


def _used_in_its_year_fen(claim: Claim, standing: Standing, room: Room) -> int:
    assert claim.rule.limit is not None, "the loader asks for it"
    year = enterprise_year(claim.policy.id, claim.rule.limit.name, claim.enterprise, plain_period(claim))
    return standing.used_within_fen(room.scope, year)


def _holds(cited: Cited[Any] | None, value: object) -> bool:
    return cited is not None and cited.value == value


def _carried(rule: Rule) -> bool:
    return _holds(rule.remainder_carried, True)


def item_ceiling_fen(rule: Rule, particulars: Particulars) -> int | None:
    """The item's ceiling, with the bonus where its condition holds (reading B8: a higher ceiling, not money)."""
    if rule.item_cap_fen is None:
        return None
    bonus = rule.item_cap_bonus
    raised_fen = bonus.amount_fen.value if bonus and particulars.flag(bonus.when) else 0
    return rule.item_cap_fen.value + raised_fen


def cut_to_item(claim: Claim, before: Entitlement, room: Room | None) -> Entitlement:
    """Cut a rated amount to what is left for its item. Raises ``Refusal`` ``limit-exhausted`` where nothing is."""
    if room is None or isinstance(claim.rule.terms, DiscretionaryCeiling):
        return before
    if before.exact_fen and not room.left_fen:
        raise exhausted(claim, room)
    (portion,) = before.portions
    most_fen = Fraction(room.left_fen)
    if _carried(claim.rule):
        # Only the rest of one entitlement: the same cost was granted in part before.
        most_fen = max(Fraction(0), min(portion.exact_fen, Fraction(room.head.ceiling_fen)) - room.head.used_fen)
        if portion.exact_fen and not most_fen:
            raise _already_awarded(claim, room)
    smaller = Portion(portion.period, min(portion.exact_fen, most_fen))
    after = before.cut((smaller,), Binding(room.head.clause, room.head.limit))
    told, effect, raised = wording.room(room.head), cut_told(before, after), _raised_told(claim)
    return after.stepped(
        room.head.clause,
        "item-cap",
        Text(
            zh=f"单项（{claim.rule.item}）{told.zh}{raised.zh}；{effect.zh}",
            en=f"per item: {told.en}{raised.en}; {effect.en}",
        ),
    )


def year_rooms(claim: Claim, standing: Standing, limit: Limit, entitlement: Entitlement) -> list[Room]:
    """What is left of the yearly limit, for each portion's period, in the portions' order."""
    bonus = claim.rule.item_cap_bonus
    raised = bonus if bonus and bonus.raises_limit.value and claim.particulars.flag(bonus.when) else None
    ceiling_fen = limit.ceiling_fen.value + (raised.amount_fen.value if raised else 0)
    return [
        room_under(
            standing,
            enterprise_year(claim.policy.id, limit.name, claim.enterprise, portion.period),
            limit.name,
            limit.clause,
            ceiling_fen,
        )
        for portion in entitlement.portions
    ]


def cut_to_years(claim: Claim, before: Entitlement, rooms: list[Room]) -> Entitlement:
    """Cut each portion to what is left in its year; ``Refusal`` ``limit-exhausted`` where nothing is left in any."""
    if before.exact_fen and not any(room.left_fen for room in rooms):
        raise exhausted(claim, rooms[0])
    for position, room in enumerate(rooms):
        portions = list(before.portions)
        portion = portions[position]
        portions[position] = Portion(portion.period, min(portion.exact_fen, Fraction(room.left_fen)))
        after = before.cut(tuple(portions), Binding(room.head.clause, room.head.limit))
        before = after.stepped(room.head.clause, "annual-cap", _year_told(room, portion, cut_told(before, after)))
    return before


def _year_told(room: Room, portion: Portion, effect: Text) -> Text:
    told = wording.room(room.head)
    by_date = "-" in portion.period
    zh = f"自{portion.period}起的受益年度" if by_date else f"{portion.period}年度"
    en = f"benefit year from {portion.period}" if by_date else f"year {portion.period}"
    return Text(
        zh=f"单个企业每年（{room.head.limit}，{zh}）{told.zh}；{effect.zh}",
        en=f"per enterprise and year ({room.head.limit}, {en}): {told.en}; {effect.en}",
    )


def _raised_told(claim: Claim) -> Text:
    bonus = claim.rule.item_cap_bonus
    if bonus is None or not claim.particulars.flag(bonus.when):
        return Text(zh="", en="")
    raised, label = wording.amount(bonus.amount_fen.value), claim.rule.particulars[bonus.when].label
    return Text(zh=f"（上限含{label}提高的{raised.zh}）", en=f" (ceiling raised by {raised.en}: {bonus.when})")


def _already_awarded(claim: Claim, room: Room) -> Refusal:
    return Refusal("item-already-awarded", _already_told(claim, room), clause=claim.rule.article, limit=room.head)


def _already_told(claim: Claim, room: Room) -> Text:
    told = wording.room(room.head)
    yearly = _holds(claim.rule.once_per_item, OncePerItem.YEAR)
    zh = f"{plain_period(claim)}年度" if yearly else ""
    en = (f" for {plain_period(claim)}", " for a year") if yearly else ("", "")
    return Text(
        zh=f"“{claim.item}”已按第{claim.rule.article}条获得过{zh}资助（{told.zh}）；同一{claim.rule.item}"
        f"{'每年度' if yearly else ''}只资助一次，余额不结转。",
        en=f"{claim.item!r} was already funded under article {claim.rule.article}{en[0]} ({told.en}); "
        f"an item is funded once{en[1]}, and what is left lapses.",
    )
