"""Whether a policy may still be claimed under: within its five years, and after them for windows that run on (B33)."""

from __future__ import annotations

from datetime import date

from ledger.calendar import Window, add_days, add_months
from ledger.errors import Refusal, Text
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.model import Policy, Rule
from ledger.policy.terms import WindowedRate
from ledger.rules.claim import Standing
from ledger.scopes import enterprise_window


def require_in_force(policy: Policy, rule: Rule, enterprise: str, on: date, standing: Standing) -> None:
    """Raise ``Refusal`` ``policy-not-in-force`` for a day outside the validity, unless the enterprise's window runs on: then
    it may be the last day of the last year that plans for that window at the latest.
    """
    if on in policy.validity:
        return
    window = _running_on(policy, rule, enterprise, standing)
    if window is not None and on.year <= _last_plan(window):
        return
    first, beyond = policy.validity.start, policy.validity.end
    raise Refusal(
        "policy-not-in-force",
        Text(
            f"{on}不在政策有效期（{first}起至{beyond}前）内，且没有可执行完毕的资助期{_ended_told(window).zh}",
            f"{on} is outside the policy's validity (from {first}, before {beyond}), and no window runs on"
            f"{_ended_told(window).en}",
        ),
        clause=SUPPLEMENT,
    )


def require_plan_year(policy: Policy, rule: Rule, enterprise: str, year: int, standing: Standing) -> None:
    """Raise ``Refusal`` ``cap-year-outside-validity`` for a quote into a funding plan before or after the policy's years.

    A window that runs on may be planned for until the year after its end, when its last claims come.
    """
    window = _running_on(policy, rule, enterprise, standing)
    if policy.validity.start.year <= year <= (_last_plan(window) if window else policy.validity.end.year):
        return
    raise _no_plan_of(policy, year)


def require_plan_of_window(policy: Policy, rule: Rule, enterprise: str, year: int, standing: Standing) -> None:
    """Raise ``Refusal`` ``cap-year-outside-validity`` for a decision into a plan to come that is too late for a window that
    runs on, as :func:`require_plan_year` does for a quote.
    """
    window = _running_on(policy, rule, enterprise, standing)
    if window is not None and year > _last_plan(window):
        raise _no_plan_of(policy, year)


def _last_plan(window: Window) -> int:
    """The year of the last funding plan for a window that runs on: its last claims come in the year after its last day's."""
    return add_days(window.end, -1).year + 1


def _ended_told(window: Window | None) -> Text:
    if window is None:
        return Text("", "")
    ended, last = add_days(window.end, -1), _last_plan(window)
    return Text(
        f"（资助期至{ended}为止，最迟在{last}年申报）",
        f" (the window ended on {ended}, and could be claimed for until the end of {last})",
    )


def _no_plan_of(policy: Policy, year: int) -> Refusal:
    first, last = policy.validity.start, policy.validity.end
    return Refusal(
        "cap-year-outside-validity",
        Text(
            f"额度年度{year}不在政策有效期（{first}起至{last}前）内",
            f"cap year {year} is outside the policy's validity (from {first}, before {last})",
        ),
        clause=SUPPLEMENT,
    )


def require_open_plan(policy: Policy, decided_on: date, year: int) -> None:
    """Raise ``Refusal`` ``plan-year-not-open`` for a decision into another funding plan than that of its own year, or of
    one of the next (reading B1: at most so many as the policy says).

    The validity is not asked here: an application accepted within it is decided after it too (reading B33).
    """
    first, last = decided_on.year, decided_on.year + policy.plan_years_ahead.value
    if first <= year <= last:
        return
    raise Refusal(
        "plan-year-not-open",
        Text(
            f"{decided_on}作出的决定只能列入{_years_told(first, last).zh}年度的资助计划，不能列入{year}年度；请改填计划年度",
            f"what is decided on {decided_on} goes into the funding plan of {_years_told(first, last).en}, not of {year}; "
            "give such a cap year",
        ),
        clause=policy.plan_years_ahead.cite or SUPPLEMENT,
    )


def _years_told(first: int, last: int) -> Text:
    if first == last:
        return Text(str(first), str(first))
    return Text(f"{first}至{last}", f"{first} to {last}")


def _running_on(policy: Policy, rule: Rule, enterprise: str, standing: Standing) -> Window | None:
    """The enterprise's recognised window, where the office lets it run on beyond the validity."""
    if not policy.windows_run_on.value or not isinstance(rule.terms, WindowedRate):
        return None
    assert rule.limit is not None, "the loader gives every windowed rule a yearly limit"
    recognised = standing.window(enterprise_window(policy.id, rule.limit.name, enterprise))
    if recognised is None:
        return None
    months = rule.terms.window.months.value + recognised.rent_free_months
    window = Window(recognised.anchor, add_months(recognised.anchor, months))
    return window if window.end > policy.validity.end else None
