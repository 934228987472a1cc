"""审批: the amount on the sheet becomes an award and counts toward its limits from here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

import msgspec

from ledger.casefile import CaseFile, CaseState
from ledger.commands.command import Command, Decision, Facts, amount_errors, require_state, required
from ledger.commands.determine_amount import chosen_cap_year, claim_again, require_audit_report
from ledger.draws import less, part_of
from ledger.errors import FieldError, Headroom, Malformed, Outdated, Refusal, Text
from ledger.events import AmountDetermined, AwardApproved
from ledger.funded_elsewhere import refuse_funded_elsewhere
from ledger.money import format_yuan
from ledger.other_funding import declared_cases
from ledger.roles import Role
from ledger.rules import Claim, Determination, determine
from ledger.scopes import budget_of_year
from ledger.stages import plan_under

_DETERMINE_AGAIN: Final = Text("请补正后重新核定", "state it and determine the amount again")


class ApproveAward(Command, frozen=True, kw_only=True):
    """The approver states the ``amount_fen`` that is approved: at most the determined one, less only with a ``reason``.

    ``cap_year`` is chosen here (the year of ``effective_on`` where none is given, or the sheet's where that is later) and
    never recomputed (reading B1). The next year takes a ``reason``; a year for which the sheet would read differently
    takes a new sheet.
    """

    name: ClassVar[str] = "approve-award"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    asks_for_money: ClassVar[bool] = True

    case: str
    amount_fen: int
    cap_year: int | None = None

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from amount_errors(self.amount_fen)

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        require_state(case, [CaseState.DETERMINED], Text("审批", "approve it"))
        determined = case.determination
        assert determined is not None
        policy = facts.pinned_policy(case.policy)
        require_audit_report(case, policy.rule(case.rule), case.review_evidence)
        cap_year = chosen_cap_year(case, policy, self._plan_year(determined, facts), facts)
        if cap_year != facts.effective_on.year and self.reason is None:
            raise _why_that_year(cap_year)
        claim = claim_again(case, policy, determined.particulars, cap_year, facts, _DETERMINE_AGAIN)
        if self.amount_fen > determined.amount_fen:
            raise _above_determined(self.amount_fen, determined, claim.rule.article)
        if self.amount_fen < determined.amount_fen and self.reason is None:
            raise required("reason")
        refuse_funded_elsewhere(claim, declared_cases(case, facts.case), facts)
        now = determine(claim, facts.standing())
        if cap_year != determined.cap_year and now.amount_fen != determined.amount_fen:
            raise _sheet_of_another_year(determined.cap_year, cap_year)
        if self.amount_fen > now.amount_fen:
            raise _no_longer_so_much(self.amount_fen, determined, now)
        return Decision(self._approved(case, claim, determined, now), case.policy)

    def _plan_year(self, determined: AmountDetermined, facts: Facts) -> int:
        """A sheet for a plan to come stays for that plan; one of a year that has passed meanwhile comes into this year's."""
        return self.cap_year or max(determined.cap_year, facts.effective_on.year)

    def _approved(
        self, case: CaseFile, claim: Claim, determined: AmountDetermined, now: Determination
    ) -> AwardApproved:
        return AwardApproved(
            case=case.number,
            enterprise=case.enterprise,
            rule=case.rule,
            item=case.item,
            amount_fen=self.amount_fen,
            determined_fen=determined.amount_fen,
            cap_year=claim.cap_year,
            bound_by=now.bound_by,
            # What is not approved comes off the last scopes: a claim over two benefit years fills the first one first.
            draws=less(now.draws, part_of(now.draws, now.amount_fen - self.amount_fen, now.amount_fen)),
            window=now.window,
            budget_scope=budget_of_year(claim.policy.id, claim.cap_year).key,
            window_scope=now.window.scope if now.window else None,
            payment_plan=plan_under(claim.policy, claim.rule) or msgspec.UNSET,
            item_year=now.item_year or msgspec.UNSET,
            cut_fen=now.cut_fen or msgspec.UNSET,
        )


def _why_that_year(cap_year: int) -> Malformed:
    told = Text(
        f"列入{cap_year}年度资助计划，不是决定当年，请写明理由",
        f"it goes into the funding plan of {cap_year}, which is not the year of the decision: say why",
    )
    return Malformed([FieldError("reason", "missing", told)])


def _above_determined(asked_fen: int, determined: AmountDetermined, article: str) -> Refusal:
    asked, due = format_yuan(asked_fen), format_yuan(determined.amount_fen)
    return Refusal(
        "above-determined-amount",
        Text(
            f"审批金额{asked}元高于按第{article}条核定的{due}元，请按核定金额或更低金额审批",
            f"{asked} yuan is above the {due} yuan determined under article {article}; approve that or less",
        ),
        clause=determined.bound_by.clause if determined.bound_by else article,
    )


def _sheet_of_another_year(sheet_year: int, cap_year: int) -> Refusal:
    return Outdated(
        "sheet-of-another-year",
        Text(
            f"核算表按{sheet_year}年度额度计算，列入{cap_year}年度结果不同，请按{cap_year}年度重新核定",
            f"the sheet is for {sheet_year} and comes out differently for {cap_year}; determine the amount for that year",
        ),
    )


def _no_longer_so_much(asked_fen: int, determined: AmountDetermined, now: Determination) -> Refusal:
    """Others took what was left of the limit that binds now; or else the amount is computed differently by now."""
    limit = _limit_named(now, now.bound_by.limit if now.bound_by else None)
    if limit is not None:
        used_then = {head.scope: head.used_fen for head in determined.headroom}
        if limit.used_fen > used_then.get(limit.scope, 0):
            return _headroom_moved(asked_fen, now, limit)
    asked, due = format_yuan(asked_fen), format_yuan(now.amount_fen)
    return Outdated(
        "determination-outdated",
        Text(
            f"核定之后口径、限额或其他资助的处理有变，现在算得{due}元，低于{asked}元，请重新核定",
            "readings, limits or what was decided of other funding changed since the amount was determined: it comes out "
            f"at {due} yuan now, below {asked}; determine the amount again",
        ),
        clause=now.bound_by.clause if now.bound_by else None,
    )


def _headroom_moved(asked_fen: int, now: Determination, limit: Headroom) -> Refusal:
    bound = now.bound_by
    asked, due = format_yuan(asked_fen), format_yuan(now.amount_fen)
    return Outdated(
        "headroom-moved",
        Text(
            f"核定之后额度已被其他资助占用：现在最多可批{due}元，低于{asked}元，请重新核定",
            f"others drew on the limit since the amount was determined: {due} yuan may be approved now, "
            f"not {asked}; determine the amount again",
        ),
        clause=bound.clause if bound else None,
        limit=limit,
    )


def _limit_named(now: Determination, name: str | None) -> Headroom | None:
    return next((headroom for headroom in now.headroom if headroom.limit == name), None)
