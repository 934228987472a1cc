"""Other public money for the same matter: chosen between, returned, topped up, or stacked up to the cost (reading B10)."""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from ledger.errors import Refusal, Text
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.model import Stacking
from ledger.rules import wording
from ledger.rules.claim import Binding, Claim, OtherFunding, WayOut
from ledger.rules.entitlement import Entitlement, Portion
from ledger.rules.rated import cut_told

STEP = "other-funding"


def refuse_undecided_funding(claim: Claim) -> None:
    """Raise ``Refusal`` ``other-funding`` where the office has not yet decided on a way out."""
    other = claim.other_funding
    if other is None:
        return
    if other.way_out is not None or claim.policy.stacking.value is Stacking.STACKABLE:
        return
    told = wording.amount(other.amount_fen)
    raise Refusal(
        STEP,
        Text(
            zh=f"同一事项已获其他财政资助{told.zh}，按就高不就低、不重复资助的原则不予核定；"
            "须先记录处理决定：退回后申领，或补足差额。",
            en=f"The same matter has received {told.en} of other public money, and is not funded twice; "
            "first record a decision: it is returned, or the difference is topped up.",
        ),
        clause=SUPPLEMENT,
    )


def refuse_unreturned_awards(other: OtherFunding) -> None:
    """Raise ``Refusal`` ``other-funding-not-returned`` where the ledger knows better than a decision that it was.

    Asked when it is decided so; what is left of an award never grows again after its approval.
    """
    if other.way_out is not WayOut.RETURN_THEN_CLAIM or not other.awards:
        return
    zh, en = "、".join(other.awards), ", ".join(other.awards)
    raise Refusal(
        "other-funding-not-returned",
        Text(
            zh=f"资助{zh}在本账本中尚未全部退还；请先释放未拨付的部分、追回已拨付的部分，再退回后申领，或改为补足差额。",
            en=f"This ledger shows {en} as not wholly given back; first release what is unpaid and recover what was "
            "paid, or decide that the difference is topped up.",
        ),
        clause=SUPPLEMENT,
    )


def cut_to_other_funding(claim: Claim, before: Entitlement) -> Entitlement:
    """What is due beside the other money. Raises ``Refusal`` ``other-funding-not-less`` where that is nothing."""
    other = claim.other_funding
    if other is None or other.amount_fen == 0:
        return before
    most_fen, how = _most(before, other)
    told = wording.amount(other.amount_fen)
    if before.exact_fen and most_fen <= 0:
        raise _not_less(told)
    after = before.cut(_cut_from_the_last(before, most_fen), Binding(SUPPLEMENT, STEP))
    assert _within_the_cost(after, other), "no rule grants more than its cost, and every way out keeps to that"
    effect = cut_told(before, after)
    return after.stepped(
        SUPPLEMENT,
        STEP,
        Text(
            zh=f"其他财政资助{told.zh}，{how.zh}；{effect.zh}",
            en=f"other public money, {told.en}, {how.en}; {effect.en}",
        ),
    )


def _most(before: Entitlement, other: OtherFunding) -> tuple[Fraction, Text]:
    """What may be granted at most beside the other money, and why."""
    match other.way_out:
        case WayOut.RETURN_THEN_CLAIM:
            return before.exact_fen, Text("已退回", "was returned")
        case WayOut.TOP_UP_DIFFERENCE:
            return before.exact_fen - other.amount_fen, Text("补足差额", "stays; the difference is due here")
        case None:
            told = Text("可叠加，合计不超过费用", "adds up, within the cost")
            return before.exact_fen if before.cost_fen is None else before.cost_fen - other.amount_fen, told
        case _:
            assert_never(other.way_out)


def _within_the_cost(after: Entitlement, other: OtherFunding) -> bool:
    """Whether all public money that stays, this grant included, is at most the cost that it is for."""
    if after.cost_fen is None or after.exact_fen == 0:
        return True
    stays_fen = 0 if other.way_out is WayOut.RETURN_THEN_CLAIM else other.amount_fen
    return after.exact_fen + stays_fen <= after.cost_fen


def _cut_from_the_last(before: Entitlement, most_fen: Fraction) -> tuple[Portion, ...]:
    """The portions, together at most ``most_fen``; what is too much comes off the last year first."""
    too_much = max(Fraction(0), before.exact_fen - most_fen)
    kept: list[Portion] = []
    for portion in reversed(before.portions):
        taken = min(portion.exact_fen, too_much)
        too_much -= taken
        kept.append(Portion(portion.period, portion.exact_fen - taken))
    return tuple(reversed(kept))


def _not_less(told: Text) -> Refusal:
    return Refusal(
        "other-funding-not-less",
        Text(
            zh=f"其他财政资助{told.zh}不低于本政策应得金额，没有差额可补；企业可保留原资助。",
            en=f"The other public money, {told.en}, is no less than what is due here: there is no difference to pay.",
        ),
        clause=SUPPLEMENT,
    )
