"""The shapes ``rate`` and ``rate-area``: a share of a cost, and so much a square metre at most."""

from __future__ import annotations

from fractions import Fraction

from ledger.errors import Text
from ledger.policy.model import CapYear
from ledger.policy.terms import AreaCapOn, Kind, Rate, RateArea
from ledger.rules import wording
from ledger.rules.claim import Binding, Claim
from ledger.rules.entitlement import Entitlement, Portion


def plain_period(claim: Claim) -> str:
    """The period of a claim that lies in one: the year it states or its event's, where the limit counts by that, or the
    plan year.
    """
    counted_by = claim.rule.limit.cap_year.value if claim.rule.limit else CapYear.PLAN
    if counted_by is CapYear.PURCHASE:
        (year,) = claim.particulars.of_kind(Kind.YEAR)
        return str(claim.particulars.number(year))
    if counted_by is CapYear.EVENT:
        assert claim.rule.event_day is not None, "the loader asks for it"
        return str(claim.particulars.day(claim.rule.event_day).year)
    return str(claim.cap_year)


def rated(claim: Claim, terms: Rate | RateArea) -> Entitlement:
    """rate × cost."""
    cost_fen = Fraction(claim.particulars.number(terms.basis))
    portion = Portion(plain_period(claim), terms.rate.value * cost_fen)
    return Entitlement((portion,), cost_fen).stepped(
        claim.rule.article, "rate", rate_told(cost_named(claim, terms.basis), terms.rate.value, cost_fen)
    )


def rated_with_area(claim: Claim, terms: RateArea) -> Entitlement:
    """min(rate × cost, amount per m² × area); where the amount per m² bounds the cost, at most rate × that (B15)."""
    before = rated(claim, terms)
    centi_m2 = claim.particulars.number(terms.area)
    area_fen = Fraction(terms.per_m2_fen.value * centi_m2, 100)
    on_cost = terms.area_cap_on.value is AreaCapOn.COST
    cap_fen = area_fen * terms.rate.value if on_cost else area_fen
    (portion,) = before.portions
    smaller = Portion(portion.period, min(portion.exact_fen, cap_fen))
    after = before.cut((smaller,), Binding(claim.rule.article, "area"))
    return after.stepped(claim.rule.article, "area-cap", _area_told(terms, centi_m2, cap_fen, cut_told(before, after)))


def _area_told(terms: RateArea, centi_m2: int, cap_fen: Fraction, effect: Text) -> Text:
    cap, per_m2, area = wording.amount(cap_fen), wording.amount(terms.per_m2_fen.value), wording.area(centi_m2)
    share = f" × {wording.percent(terms.rate.value)}" if terms.area_cap_on.value is AreaCapOn.COST else ""
    return Text(
        zh=f"每平方米最高{per_m2.zh} × {area}平方米{share} = {cap.zh}；{effect.zh}",
        en=f"at most {per_m2.en} per m² × {area} m²{share} = {cap.en}; {effect.en}",
    )


def cost_named(claim: Claim, basis: str) -> Text:
    """The particular that states the cost, as people call it."""
    return Text(zh=claim.rule.particulars[basis].label, en=basis)


def rate_told(name: Text, rate: Fraction, cost_fen: Fraction) -> Text:
    cost, granted, share = wording.amount(cost_fen), wording.amount(cost_fen * rate), wording.percent(rate)
    return Text(zh=f"{name.zh}{cost.zh} × {share} = {granted.zh}", en=f"{name.en} {cost.en} × {share} = {granted.en}")


def cut_told(before: Entitlement, after: Entitlement) -> Text:
    """What a limit did to the amount, in words."""
    cut_fen = before.exact_fen - after.exact_fen
    if cut_fen == 0:
        return Text(zh="未超出，不核减", en="not exceeded, nothing is cut")
    cut = wording.amount(cut_fen)
    return Text(zh=f"核减{cut.zh}", en=f"{cut.en} are cut")
