"""From a claim to a determination, in the order of the law: conditions, shape, item, year, rounding."""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from ledger.errors import Refusal, Text
from ledger.money import round_down
from ledger.policy.terms import DiscretionaryCeiling, Rate, RateArea, TierCeiling, WindowedRate
from ledger.rules import wording
from ledger.rules.ceilings import discretionary, tier_room, tiered
from ledger.rules.claim import Claim, Determination, Draw, Standing
from ledger.rules.earliest import refuse_earlier_years
from ledger.rules.entitlement import Entitlement, Room
from ledger.rules.freshness import refuse_stale_costs
from ledger.rules.items import item_year
from ledger.rules.limits import cut_to_item, cut_to_years, item_room, year_rooms
from ledger.rules.other_funding import cut_to_other_funding, refuse_undecided_funding
from ledger.rules.rated import rated, rated_with_area
from ledger.rules.windowed import windowed


def determine(claim: Claim, standing: Standing) -> Determination:
    """What a claim is granted under its rule, given what was granted before.

    Pure: a quote and the real decision call this alike. Raises ``Refusal`` with the clause, and the limit where one
    was missing: ``limit-exhausted``, ``item-already-awarded``, ``above-ceiling``, ``below-lowest-tier``,
    ``window-ended``, ``window-not-begun``, ``window-conflict``, ``months-already-funded``, ``period-not-over``,
    ``not-yet-paid``, ``not-the-previous-year``, ``nothing-to-grant``, those of :mod:`ledger.rules.freshness`,
    :mod:`ledger.rules.earliest` and :mod:`ledger.rules.other_funding`, and the codes that the policy's ``refused_when``
    give (``equity-relation``).
    """
    _refuse_barred(claim)
    refuse_undecided_funding(claim)
    refuse_stale_costs(claim)
    refuse_earlier_years(claim)
    item = item_room(claim, standing)
    tier = tier_room(claim, standing, claim.rule.terms) if isinstance(claim.rule.terms, TierCeiling) else None
    entitlement = cut_to_item(claim, _by_shape(claim, standing, tier or item), item)
    uncut, years = entitlement, list[Room]()
    if claim.rule.limit is not None:
        years = year_rooms(claim, standing, claim.rule.limit, entitlement)
        entitlement = cut_to_years(claim, entitlement, years)
    entitlement = cut_to_other_funding(claim, entitlement)
    amount_fen = _granted_fen(claim, entitlement)
    entitlement = _rounded(claim, entitlement, amount_fen)
    whole = [room for room in (tier, item) if room is not None]
    return Determination(
        amount_fen=amount_fen,
        bound_by=entitlement.bound_by,
        steps=entitlement.steps,
        draws=(*_year_draws(entitlement, years, amount_fen), *(_draw(room, amount_fen) for room in whole)),
        headroom=tuple(room.head for room in (*years, *whole)),
        window=entitlement.window,
        item_year=item_year(claim),
        cut_fen=_cut_by_years_fen(claim, uncut, amount_fen),
    )


def _cut_by_years_fen(claim: Claim, uncut: Entitlement, amount_fen: int) -> int:
    """How much more there would be but for the yearly limit, where the office may have that carried over (reading B30)."""
    if claim.rule.remainder_carried is None:
        return 0
    without = cut_to_other_funding(claim, uncut)
    return round_down(without.exact_fen, claim.policy.rounding_fen.value) - amount_fen


def _refuse_barred(claim: Claim) -> None:
    for bar in claim.rule.refused_when:
        if claim.particulars.flag(bar.flag):
            raise Refusal(
                bar.code,
                Text(
                    zh=f"{bar.because}，依第{bar.cite}条不予资助。",
                    en=f"Article {bar.cite} does not fund claims where {bar.flag} holds.",
                ),
                clause=bar.cite,
            )


def _by_shape(claim: Claim, standing: Standing, room: Room | None) -> Entitlement:
    terms = claim.rule.terms
    match terms:
        case Rate():
            return rated(claim, terms)
        case RateArea():
            return rated_with_area(claim, terms)
        case WindowedRate():
            return windowed(claim, standing, terms)
        case TierCeiling():
            assert room is not None
            return tiered(claim, terms, room)
        case DiscretionaryCeiling():
            assert room is not None, "the loader gives every discretionary rule an item ceiling"
            return discretionary(claim, terms, room)
        case _:
            assert_never(terms)


def _granted_fen(claim: Claim, entitlement: Entitlement) -> int:
    """The exact amount, rounded down once. Raises ``Refusal`` ``nothing-to-grant`` where that leaves nothing."""
    amount_fen = round_down(entitlement.exact_fen, claim.policy.rounding_fen.value)
    if amount_fen:
        return amount_fen
    exact, unit = wording.amount(entitlement.exact_fen), wording.amount(claim.policy.rounding_fen.value)
    raise Refusal(
        "nothing-to-grant",
        Text(
            zh=f"依第{claim.rule.article}条计算得{exact.zh}，不足{unit.zh}，没有可资助的金额。请核对填报的数额。",
            en=f"Article {claim.rule.article} gives {exact.en}, less than {unit.en}: nothing can be granted. "
            "Check the figures stated.",
        ),
        clause=claim.rule.article,
    )


def _rounded(claim: Claim, entitlement: Entitlement, amount_fen: int) -> Entitlement:
    """With a line that tells of the rounding, where it changed something."""
    if entitlement.exact_fen == amount_fen:
        return entitlement
    exact, rounded = wording.amount(entitlement.exact_fen), wording.amount(amount_fen)
    told = Text(zh=f"{exact.zh}，向下取整为{rounded.zh}", en=f"{exact.en}, rounded down to {rounded.en}")
    return entitlement.stepped(claim.rule.article, "rounding", told, shown_fen=amount_fen)


def _year_draws(entitlement: Entitlement, years: list[Room], amount_fen: int) -> list[Draw]:
    """What the award takes from the yearly limit in each period; nothing is drawn where nothing is taken."""
    if not years:
        return []
    shares = whole_shares([portion.exact_fen for portion in entitlement.portions], amount_fen)
    return [_draw(room, share_fen) for room, share_fen in zip(years, shares, strict=True) if share_fen]


def whole_shares(exact_fen: list[Fraction], total_fen: int) -> list[int]:
    """``total_fen``, at most the sum of the exact parts, divided into whole fen.

    Each share is its part rounded down; fen that the fractions make up together go to parts that have a fraction,
    first to last, and what the rounding of the sum takes away comes off the last. So no share exceeds its part rounded
    up, and none exceeds a whole-fen limit that its part was cut to.
    """
    shares = [int(part) for part in exact_fen]
    missing = total_fen - sum(shares)
    for position, part in enumerate(exact_fen):
        if missing > 0 and part.denominator != 1:
            shares[position] += 1
            missing -= 1
    assert missing <= 0, "the parts that have a fraction make up for all of it"
    for position in reversed(range(len(shares))):
        taken = min(shares[position], -missing)
        shares[position] -= taken
        missing += taken
    assert missing == 0 and sum(shares) == total_fen, (exact_fen, total_fen)
    return shares


def _draw(room: Room, amount_fen: int) -> Draw:
    assert 0 < amount_fen <= room.left_fen, (room, amount_fen)
    return Draw(room.head.limit, room.head.clause, room.head.scope, room.head.ceiling_fen, amount_fen)
