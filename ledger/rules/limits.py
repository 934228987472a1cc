"""The two limits that cut a rated amount: the item's ceiling and the enterprise's yearly ceilings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from ledger.errors import Refusal, Text
from ledger.policy.model import Limit, Rule
from ledger.policy.terms import DiscretionaryCeiling, WindowedRate
from ledger.rules import wording
from ledger.rules.claim import Binding, Claim, Standing
from ledger.rules.entitlement import Entitlement, Portion, Room, exhausted, room_under
from ledger.rules.items import carried_fen, had_its_one_award, is_carried, item_scope, item_year, others_told
from ledger.rules.moved_years import moved_by_year
from ledger.rules.particulars import Particulars
from ledger.rules.rated import cut_told
from ledger.scopes import ITEM, enterprise_window, enterprise_year


def item_room(claim: Claim, standing: Standing) -> Room | None:
    """What is left for the item under this rule, over all years; None where the rule sets no such ceiling.

    Raises ``Refusal`` ``item-already-awarded`` where the rule funds an item once (or once in each year) and something was
    granted for it, unless what a yearly limit cut off then is carried over (reading B30).
    """
    ceiling_fen = item_ceiling_fen(claim.rule, claim.particulars)
    if ceiling_fen is None:
        return None
    scope = item_scope(claim.policy, claim.rule, claim.enterprise, claim.item, claim.cap_year)
    room = room_under(standing, scope, ITEM, claim.rule.article, ceiling_fen)
    room = replace(room, others=others_told(claim, standing, room))
    if not had_its_one_award(claim, standing, scope, room.head.used_fen):
        return room
    left_fen = carried_fen(claim, standing, scope)
    if not left_fen:
        raise _already_awarded(claim, room)
    return replace(room, carried_fen=left_fen)


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
    if room.carried_fen is not None:
        # Only the rest of one entitlement: the same cost was granted in part before.
        rest_fen = max(Fraction(0), portion.exact_fen - room.head.used_fen)
        most_fen = min(rest_fen, Fraction(room.carried_fen))
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
    moved_fen = _moved_fen(claim, standing, limit)
    return [
        room_under(
            standing,
            enterprise_year(claim.policy.id, limit.name, claim.enterprise, portion.period),
            limit.name,
            limit.clause,
            ceiling_fen,
            moved_fen.get(portion.period, 0),
        )
        for portion in entitlement.portions
    ]


def _moved_fen(claim: Claim, standing: Standing, limit: Limit) -> Mapping[str, int]:
    """What counts in each benefit year, but was drawn on years counted from an anchor that was given back."""
    terms, policy_id, enterprise = claim.rule.terms, claim.policy.id, claim.enterprise
    if not isinstance(terms, WindowedRate):
        return {}
    recognised = standing.window(enterprise_window(policy_id, limit.name, enterprise))
    if recognised is None:
        return {}
    return moved_by_year(
        recognised,
        terms.window.months.value,
        lambda year: standing.used_fen(enterprise_year(policy_id, limit.name, enterprise, year)),
    )


def cut_to_years(claim: Claim, before: Entitlement, rooms: list[Room]) -> Entitlement:
    """Cut each portion to what is left in its year; ``Refusal`` ``limit-exhausted`` where nothing is left in any."""
    if before.exact_fen and not any(room.left_fen for room in rooms):
        raise exhausted(claim, rooms[0])
    for position, room in enumerate(rooms):
        portions = list(before.portions)
        portion = portions[position]
        portions[position] = Portion(portion.period, min(portion.exact_fen, Fraction(room.left_fen)))
        after = before.cut(tuple(portions), Binding(room.head.clause, room.head.limit))
        before = after.stepped(
            room.head.clause, "annual-cap", _year_told(room, portion, len(rooms), cut_told(before, after))
        )
    return before


def _year_told(room: Room, portion: Portion, years: int, effect: Text) -> Text:
    """``years``: how many the claim falls into; where it is not the only one, its share is told."""
    told, share = wording.room(room.head), Text(zh="", en="")
    if years > 1:
        of_it, fen = portion.of_it or Text(zh="", en=""), wording.amount(portion.exact_fen)
        share = Text(
            zh=f"本项{of_it.zh}属该年度，计{fen.zh}；", en=f"its share of this claim is {of_it.en}, {fen.en}; "
        )
    by_date = "-" in portion.period
    zh = f"自{portion.period}起的受益年度" if by_date else f"{portion.period}年度"
    en = f"benefit year from {portion.period}" if by_date else f"year {portion.period}"
    return Text(
        zh=f"单个企业每年（{room.head.limit}，{zh}）{told.zh}；{share.zh}{effect.zh}",
        en=f"per enterprise and year ({room.head.limit}, {en}): {told.en}; {share.en}{effect.en}",
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
    told, others, year = wording.room(room.head), room.others, item_year(claim)
    zh = "" if year is None else f"{year}年度"
    en = ("", "") if year is None else (f" for {year}", " for a year")
    rest = Text(zh="余额不结转", en="what is left lapses")
    if is_carried(claim.rule):
        rest = Text(
            zh="没有因年度上限核减而可以结转的余额",
            en="there is nothing that a yearly limit cut off, to be carried over",
        )
    return Text(
        zh=f"“{claim.item}”已按第{claim.rule.article}条获得过{zh}资助（{told.zh}{others.zh}）；同一{claim.rule.item}"
        f"{'' if year is None else '每年度'}只资助一次，{rest.zh}。",
        en=f"{claim.item!r} was already funded under article {claim.rule.article}{en[0]} ({told.en}{others.en}); "
        f"an item is funded once{en[1]}, and {rest.en}.",
    )
