"""Whether a period inside a window may be claimed by now: over, of the right year, paid for (readings B11 and B11.1)."""

from __future__ import annotations

from ledger.calendar import Window, add_days
from ledger.errors import Refusal, Text
from ledger.policy.terms import Bills, Claimable, PeriodCost, WindowTerms
from ledger.rules import wording
from ledger.rules.claim import Claim


def refuse_not_over(claim: Claim, window: WindowTerms, span: Window) -> None:
    """What is to be paid for is over on the day of application, which may be its last day.

    ``span`` ends where the claim does, as far as the window holds it. Raises ``Refusal`` ``period-not-over``.
    """
    last = add_days(span.end, -1)
    if window.claimable.value is Claimable.WHOLE_WINDOW or last <= claim.applied_on:
        return
    raise Refusal(
        "period-not-over",
        Text(
            zh=f"申报期间到{last}才届满，晚于申请日{claim.applied_on}，不予资助。"
            "请申报到申请日为止已经届满的部分（租金按整月），其余的届满以后另行申报。",
            en=f"The claimed period is over on {last} only, after the day of application, {claim.applied_on}. "
            "Claim what is over by that day (rent by whole months), and the rest when it is over.",
        ),
        clause=claim.rule.article,
    )


def refuse_unpaid(claim: Claim, source: PeriodCost, span: Window) -> None:
    """Pay first, then claim. Raises ``Refusal`` ``not-the-previous-year`` or ``not-yet-paid``."""
    if source.paid_first is None:
        return
    if source.paid_first.bills.value is Bills.PREVIOUS_YEAR_PAID:
        _refuse_other_years(claim, span)
    if (paid_on := claim.particulars.day(source.paid_first.on)) <= claim.applied_on:
        return
    raise Refusal(
        "not-yet-paid",
        Text(
            zh=f"费用于{paid_on}缴纳，晚于申请日{claim.applied_on}；先缴后补，请缴费后再申报。",
            en=f"Paid on {paid_on}, after the application of {claim.applied_on}: pay first, then claim.",
        ),
        clause=claim.rule.article,
    )


def _refuse_other_years(claim: Claim, span: Window) -> None:
    year = claim.applied_on.year - 1
    if span.start.year == year == add_days(span.end, -1).year:
        return
    told = wording.span(span)
    raise Refusal(
        "not-the-previous-year",
        Text(
            zh=f"费用期间{told.zh}不在申请日{claim.applied_on}的上一年度（{year}年）之内，不予资助。请按上一年度的账单申报。",
            en=f"The period {told.en} is not inside {year}, the year before the application of {claim.applied_on}. "
            "Claim that year's bills.",
        ),
        clause=claim.rule.article,
    )
