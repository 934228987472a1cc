"""The shapes ``rate`` and ``rate-area``: a share of a cost, and so much a square metre at most."""

from __future__ import annotations

from fractions import Fraction

from ledger.errors import Text
from ledger.policy.model import CapYear
from ledger.policy.terms import Kind, Rate, RateArea
from ledger.rules import wording
from ledger.rules.claim import Binding, Claim
from ledger.rules.entitlement import Entitlement, Portion


def plain_period(claim: Claim) -> str:
    """The period of a claim that lies in one: the year it states, where the limit counts by that, or the plan year."""
    limit = claim.rule.limit
    if limit is not None and limit.cap_year.value is CapYear.PURCHASE:
        (year,) = claim.particulars.of_kind(Kind.YEAR)
        return str(claim.particulars.number(year))
    return str(claim.cap_year)


def rated(claim: Claim, terms: Rate | RateArea) -> Entitlement:
    """rate × cost."""
    cost_fen = claim.particulars.number(terms.basis)
    exact_fen = terms.rate.value * cost_fen
    return Entitlement((Portion(plain_period(claim), exact_fen),)).stepped(
        claim.rule.article, "rate", rate_told(cost_named(claim, terms.basis), terms.rate.value, Fraction(cost_fen))
    )


def rated_with_area(claim: Claim, terms: RateArea) -> Entitlement:
    """min(rate × cost, amount per m² × area)."""
    before = rated(claim, terms)
    centi_m2 = claim.particulars.number(terms.area)
    cap_fen = Fraction(terms.per_m2_fen.value * centi_m2, 100)
    (portion,) = before.portions
    smaller = Portion(portion.period, min(portion.exact_fen, cap_fen))
    after = before.cut((smaller,), Binding(claim.rule.article, "area"))
    cap, per_m2 = wording.amount(cap_fen), wording.amount(terms.per_m2_fen.value)
    effect = cut_told(before, after)
    return after.stepped(
        claim.rule.article,
        "area-cap",
        Text(
            zh=f"每平方米最高{per_m2.zh} × {wording.area(centi_m2)}平方米 = {cap.zh}；{effect.zh}",
            en=f"at most {per_m2.en} per m² × {wording.area(centi_m2)} m² = {cap.en}; {effect.en}",
        ),
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
