"""The shapes ``tier-ceiling`` and ``discretionary-ceiling``: the office proposes, the text says how much at most."""

from __future__ import annotations

from fractions import Fraction

from ledger.errors import Refusal, Text
from ledger.policy.terms import DiscretionaryCeiling, Kind, Tier, TierCeiling
from ledger.rules import wording
from ledger.rules.claim import Claim, Standing
from ledger.rules.entitlement import Entitlement, Portion, Room, exhausted, room_under
from ledger.rules.rated import plain_period
from ledger.scopes import enterprise_year


def tier_room(claim: Claim, standing: Standing, terms: TierCeiling) -> Room:
    """What is left of the tier's ceiling, which holds for one enterprise and the year stated in the claim.

    Raises ``Refusal`` ``below-lowest-tier`` where the count reaches no tier.
    """
    tier = _tier_reached(claim, terms)
    (year,) = claim.particulars.of_kind(Kind.YEAR)
    scope = enterprise_year(
        claim.policy.id, f"tier-{claim.rule.id}", claim.enterprise, str(claim.particulars.number(year))
    )
    return room_under(standing, scope, wording.TIER, claim.rule.article, tier.ceiling_fen)


def tiered(claim: Claim, terms: TierCeiling, room: Room) -> Entitlement:
    """The proposed amount, within the ceiling of the tier that the count reaches."""
    tier, count = _tier_reached(claim, terms), claim.particulars.number(terms.count)
    label, ceiling = claim.rule.particulars[terms.count].label, wording.amount(tier.ceiling_fen)
    begins = _begins_told(terms, tier)
    reached = Text(
        zh=f"{label}{count}，属{begins.zh}一档，最高{ceiling.zh}",
        en=f"{terms.count} {count} reaches the tier {begins.en}, at most {ceiling.en}",
    )
    return _proposed(claim, terms.proposed, room, "tier", reached)


def discretionary(claim: Claim, terms: DiscretionaryCeiling, room: Room) -> Entitlement:
    """The proposed amount, within the item's ceiling."""
    ceiling = wording.amount(room.head.ceiling_fen)
    return _proposed(claim, terms.proposed, room, "ceiling", Text(zh=f"最高{ceiling.zh}", en=f"at most {ceiling.en}"))


def _tier_reached(claim: Claim, terms: TierCeiling) -> Tier:
    count = claim.particulars.number(terms.count)
    least = count if terms.at_least_included.value else count - 1
    reached = [tier for tier in terms.tiers if tier.at_least <= least]
    if reached:
        return reached[-1]
    raise Refusal("below-lowest-tier", _below_told(claim, terms, count), clause=claim.rule.article)


def _below_told(claim: Claim, terms: TierCeiling, count: int) -> Text:
    begins, label = _begins_told(terms, terms.tiers[0]), claim.rule.particulars[terms.count].label
    return Text(
        zh=f"{label}{count}，未达到第{claim.rule.article}条最低一档（{begins.zh}），不予资助。",
        en=f"{terms.count} {count} does not reach the lowest tier of article {claim.rule.article}, {begins.en}.",
    )


def _begins_told(terms: TierCeiling, tier: Tier) -> Text:
    """Where a tier begins, as the office reads 以上 (B18): with the number itself, or above it."""
    if terms.at_least_included.value:
        return Text(zh=f"{tier.at_least}以上", en=f"from {tier.at_least}")
    return Text(zh=f"超过{tier.at_least}", en=f"above {tier.at_least}")


def _proposed(claim: Claim, name: str, room: Room, step: str, ceiling: Text) -> Entitlement:
    """The proposed amount; refused above the room that is left."""
    proposed_fen = claim.particulars.number(name)
    if proposed_fen and not room.left_fen:
        raise exhausted(claim, room)
    proposed, told = wording.amount(proposed_fen), wording.room(room.head)
    if proposed_fen > room.left_fen:
        raise Refusal("above-ceiling", _above_told(room, proposed), clause=claim.rule.article, limit=room.head)
    return Entitlement((Portion(plain_period(claim), Fraction(proposed_fen)),)).stepped(
        claim.rule.article,
        step,
        Text(
            zh=f"{ceiling.zh}；拟资助{proposed.zh}，未超出（{told.zh}）",
            en=f"{ceiling.en}; proposed {proposed.en}, not exceeded ({told.en})",
        ),
    )


def _above_told(room: Room, proposed: Text) -> Text:
    limit, told = wording.limit(room.head), wording.room(room.head)
    if room.head.used_fen == 0:
        most = wording.amount(room.head.ceiling_fen)
        return Text(
            zh=f"拟资助{proposed.zh}高于{limit.zh}{most.zh}。请将金额降至上限以内。",
            en=f"The proposed {proposed.en} exceed the {limit.en}, {most.en}. Propose no more than that.",
        )
    return Text(
        zh=f"拟资助{proposed.zh}高于{limit.zh}的余额：{told.zh}{room.others.zh}。请将金额降至余额以内。",
        en=f"The proposed {proposed.en} exceed what is left of the {limit.en}: {told.en}{room.others.en}. "
        "Propose no more than what is left.",
    )
