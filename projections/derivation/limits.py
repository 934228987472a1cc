"""Every limit scope, budget and window: never above the ceiling that was recorded, at any position."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.calendar import Window as Days
from ledger.money import format_yuan
from ledger.scopes import budget_of_year
from projections.derivation.cases import Case
from projections.derivation.fields import Complaints, Draw, Payload, Window


@dataclass(frozen=True, slots=True)
class Occupied:
    """What one award holds of its window: the days that it pays for, and the terms that its own claim stated."""

    case: str | None
    item: str
    days: tuple[Days, ...]
    anchor: date
    extension: int


class Limits:
    """Folds what awards draw and give back.

    Ceilings are those that each award states. That the law gave an award these ceilings and this amount is not computed
    again here: the award's own calculation sheet tells it, line by line.
    """

    def __init__(self, complaints: Complaints) -> None:
        self._say = complaints.say
        self._used: dict[str, int] = {}
        self._appropriated: dict[str, int] = {}
        self._budgeted: dict[str, int] = {}
        self._windows: dict[str, list[Occupied]] = {}

    def appropriated(self, payload: Payload) -> None:
        if payload.amount_fen < self._budgeted.get(payload.scope, 0):
            self._say("budget-exceeded", "预算低于已审批的金额", "the budget is below what is approved")
        self._appropriated[payload.scope] = payload.amount_fen

    def approved(self, case: Case, payload: Payload) -> None:
        self._check_scopes(case, payload)
        self._check_sums(payload)
        for limit in sorted(case.limits - {draw.limit for draw in payload.draws}):
            self._say("draws-nothing", f"未占用核定时所依的限额{limit}", f"draws nothing on {limit}, which bound it")
        for draw in payload.draws:
            used = self._used[draw.scope] = self._used.get(draw.scope, 0) + draw.amount_fen
            if used > draw.ceiling_fen:
                self._exceeded("limit-exceeded", draw.scope, used, draw.ceiling_fen)
        budget = payload.budget_scope
        drawn = self._budgeted[budget] = self._budgeted.get(budget, 0) + payload.amount_fen
        if drawn > self._appropriated.get(budget, drawn):
            self._exceeded("budget-exceeded", budget, drawn, self._appropriated[budget])
        if payload.window is not None:
            self._use_window(payload, payload.window)

    def budgeted_fen(self, scope: str) -> int:
        """What a year's budget has granted and not got back."""
        return self._budgeted.get(scope, 0)

    def released(self, payload: Payload) -> None:
        """What will never be paid is the office's to grant again, whatever the cause gives back to the limits."""
        self._returned(payload, payload.amount_fen)

    def recovered(self, payload: Payload) -> None:
        """The budget gets back what the limits do: nothing for a violation (reading B5)."""
        self._returned(payload, _under_one_limit(payload.draws))

    def _returned(self, payload: Payload, of_budget_fen: int) -> None:
        for draw in payload.draws:
            used = self._used[draw.scope] = self._used.get(draw.scope, 0) - draw.amount_fen
            if used < 0:
                self._say("gives-back-more", f"{draw.scope}的占用成为负数", f"the use of {draw.scope} falls below zero")
        budget = payload.budget_scope
        self._budgeted[budget] = self._budgeted.get(budget, 0) - of_budget_fen
        if payload.window_scope is not None and payload.window_scope in self._windows:
            held = self._windows[payload.window_scope]
            self._windows[payload.window_scope] = [one for one in held if one.case != payload.case]

    def _exceeded(self, code: str, scope: str, used_fen: int, ceiling_fen: int) -> None:
        used, ceiling = format_yuan(used_fen), format_yuan(ceiling_fen)
        self._say(
            code, f"{scope}累计{used}元，超过上限{ceiling}元", f"{scope} comes to {used} yuan, above its {ceiling}"
        )

    def _check_scopes(self, case: Case, payload: Payload) -> None:
        """Its own enterprise, item, policy and year: what is drawn on another's scope is missed on its own."""
        policy = "" if case.policy is None else case.policy.policy_id
        for draw in payload.draws:
            if not draw.scope.startswith(_own_scopes(policy, draw.limit, case)):
                self._say(
                    "wrong-scope",
                    f"额度范围{draw.scope}不是其本身的",
                    f"it draws on {draw.scope}, not its own",
                )
        if payload.budget_scope != budget_of_year(policy, payload.cap_year).key:
            self._say("wrong-scope", "预算年度有误", "it draws on the budget of another year")

    def _check_sums(self, payload: Payload) -> None:
        sums: dict[str, int] = {}
        for draw in payload.draws:
            sums[draw.limit] = sums.get(draw.limit, 0) + draw.amount_fen
            # Nothing, where less was approved than determined and all of it came off this year.
            if draw.amount_fen < 0:
                self._say("negative", f"占用{draw.scope}的金额小于零", f"draws less than nothing on {draw.scope}")
        if any(fen != payload.amount_fen for fen in sums.values()):
            self._say("draws-differ", "占用限额之和不等于资助额", "what it draws under a limit is not the award")

    def _use_window(self, payload: Payload, used: Window) -> None:
        window, funded = Days(used.window.start, used.window.end), Days(used.funded.start, used.funded.end)
        days = tuple(Days(part.start, part.end) for part in used.parts) or (funded,)
        if not window.covers(funded) or used.window.start != used.anchor or not _in_order(funded, days):
            self._say("outside-window", "资助的月份不在资助期内", "the months it pays for are not inside its window")
        own = _occupied(payload, used, days)
        held = [*self._windows.get(used.scope, ()), own]
        anchor, extension = min(one.anchor for one in held), max(one.extension for one in held)
        if (anchor, extension) != (used.anchor, used.rent_free_months) or payload.window_scope != used.scope:
            self._say("another-window", "资助期被重新起算", "the window was begun anew")
        for one in held[:-1]:
            if one.item == own.item and any(its.overlaps(new) for its in one.days for new in own.days):
                self._say("months-twice", "同一事项的月份重复资助", "months of one item are paid for twice")
        self._windows[used.scope] = held


def _own_scopes(policy: str, limit: str, case: Case) -> tuple[str, ...]:
    """How the scopes of a limit begin for a case. A tier's ceiling is each rule's own; an item is the enterprise's, or one
    that a public register numbers."""
    match limit:
        case "tier":
            return (f"{policy}/tier-{case.rule}/{case.enterprise}/",)
        case "item":
            return (f"{policy}/item/{case.item}/", f"{policy}/item/{case.enterprise}/{case.item}/")
    return (f"{policy}/{limit}/{case.enterprise}/",)


def _occupied(payload: Payload, used: Window, days: tuple[Days, ...]) -> Occupied:
    anchor = used.anchor if used.own_anchor is None else used.own_anchor
    extension = used.rent_free_months if used.own_rent_free_months is None else used.own_rent_free_months
    return Occupied(payload.case, payload.item, days, anchor, extension)


def _in_order(whole: Days, parts: tuple[Days, ...]) -> bool:
    """Whether the parts reach from the first day of a span to its last, one after another."""
    ends = [day for part in parts for day in (part.start, part.end)]
    return ends == sorted(ends) and (ends[0], ends[-1]) == (whole.start, whole.end)


def _under_one_limit(draws: tuple[Draw, ...]) -> int:
    """Under every limit the same sum."""
    return sum(draw.amount_fen for draw in draws if draw.limit == draws[0].limit)
