"""The calculation sheet (核算表) of one determination: every step, every limit, and whose awards had used it up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import cn2an

from ledger.counted import counted
from ledger.errors import Headroom, NotFound, Text
from ledger.events import AmountDetermined, ApplicationSubmitted, AwardApproved, CaseEvent
from ledger.identity import application_id, award_id
from ledger.mapper import Recorded
from ledger.money import format_yuan, parse_yuan
from ledger.policy.model import Pin, Policy, Reading, Rule
from ledger.policy.terms import Kind, MonthlyRent, PeriodCost, Rate, RateArea, WindowedRate
from ledger.rules import Binding, wording
from ledger.scopes import ITEM
from projections.limits import drawn_fen

History = Callable[[str], Sequence[Recorded]]
"""Gives every event recorded under a scope, in order."""

_BASIS_STEP: Final = "rent-basis"


@dataclass(frozen=True, slots=True)
class SheetStep:
    """A line of the calculation. ``cut_fen`` is what it took off the line before, in the end rounded away by the last;
    None where it begins the calculation. ``scope`` is the limit's that cut, None for what no limit did.
    """

    clause: str
    step: str
    detail: Text
    amount_fen: int
    cut_fen: int | None
    scope: str | None


@dataclass(frozen=True, slots=True)
class CountedAward:
    """Another award that draws on a limit: by how much, net of what it gave back."""

    award_id: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class SheetLimit:
    """A limit as it was before the claim, what it cut off, and the awards that its use is made up of.

    ``label`` is its name in words; ``period`` the year that it counts in, None for a limit over all years.
    """

    label: Text
    period: str | None
    headroom: Headroom
    cut_fen: int
    counted: tuple[CountedAward, ...]


@dataclass(frozen=True, slots=True)
class Stated:
    """A particular as verified: as it is written (money ``"16000000.00"``), and in words.

    ``label`` is the policy's, which has it in Chinese alone; that of a basis that is computed is ours.
    """

    name: str
    label: Text
    value: str | bool | int
    text: Text


@dataclass(frozen=True, slots=True)
class Approval:
    amount_fen: int
    capitals: str
    cap_year: int
    on: date
    by: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: what was asked, how it was computed, what is due. Amounts are fen; ``capitals`` is the amount in 大写.

    ``number`` counts the determinations of the case from 1; ``superseded`` where a later one took this one's place.
    ``basis`` and ``rate`` are None where the office proposes the amount. ``readings`` are the office's answers to the
    rule's open questions on the day of the determination.
    """

    application_id: str
    award_id: str | None
    number: int
    superseded: bool
    enterprise: str
    enterprise_name: str
    policy: Pin
    policy_number: str
    policy_title: str
    rule: Rule
    item: str
    particulars: tuple[Stated, ...]
    basis: Stated | None
    rate: str | None
    steps: tuple[SheetStep, ...]
    limits: tuple[SheetLimit, ...]
    bound_by: Binding | None
    amount_fen: int
    capitals: str
    cap_year: int
    determined_on: date
    determined_by: str
    reference: str | None
    reason: str | None
    approval: Approval | None
    readings: tuple[Reading, ...]


_NO_WAN: Final = re.compile("亿(?=[壹贰叁肆伍陆柒捌玖]仟[^万]*元)")
"""Thousands right after 亿. 壹亿贰仟元 may stand for 100,002,000 yuan by the banks' rules, and is read as 120,000,000."""


def capitals(amount_fen: int) -> str:
    """``陆佰万元整``: the amount in capital numerals, exact to the fen."""
    assert amount_fen >= 0, amount_fen
    return _NO_WAN.sub("亿零", str(cn2an.an2cn(format_yuan(amount_fen), "rmb")))


def determination_in(history: Sequence[Recorded], number: int | None = None) -> Recorded:
    """The determination so numbered in a case's history, the last where none is named.

    Raises :class:`~ledger.errors.NotFound` where no amount was determined yet, or not so often.
    """
    found = _determinations(history)
    if not found:
        raise NotFound(Text("尚未核定金额，没有核算表", "no amount was determined yet: there is no sheet"))
    if number is None:
        return found[-1]
    if not 1 <= number <= len(found):
        raise NotFound(
            Text(
                f"没有第{number}次核定；共核定{len(found)}次",
                f"there is no determination {number}; the amount was determined {counted(len(found), 'time')}",
            )
        )
    return found[number - 1]


def _determinations(history: Sequence[Recorded]) -> list[Recorded]:
    return [recorded for recorded in history if isinstance(recorded.event, AmountDetermined)]


def sheet(recorded: Recorded, history: Sequence[Recorded], policy: Policy, scope_history: History) -> Sheet:
    """The sheet of one determination (``recorded``) in a case's ``history``. Pure.

    ``policy`` is the case's own version as read on the day of that determination; ``scope_history`` is asked for the
    scopes of the limits, of which only what was recorded before the determination counts.
    """
    determined = recorded.event
    assert isinstance(determined, AmountDetermined), recorded.type_name
    all_determined = _determinations(history)
    superseded = recorded is not all_determined[-1]
    submitted = next(r.event for r in history if isinstance(r.event, ApplicationSubmitted))
    # An amount is approved as it was determined last.
    approval = None if superseded else next((r for r in history if isinstance(r.event, AwardApproved)), None)
    rule = policy.rule(submitted.rule)
    limits = _headroom(determined, approval)
    steps = tuple(_steps(determined, limits))
    return Sheet(
        application_id=application_id(submitted.case),
        award_id=award_id(submitted.case) if approval else None,
        number=all_determined.index(recorded) + 1,
        superseded=superseded,
        enterprise=submitted.enterprise,
        enterprise_name=submitted.enterprise_name,
        policy=policy.pin,
        policy_number=policy.number,
        policy_title=policy.title,
        rule=rule,
        item=submitted.item,
        particulars=tuple(_stated(rule, determined)),
        basis=_basis(rule, determined),
        rate=_rate(rule),
        steps=steps,
        limits=tuple(_limits(recorded, limits, steps, policy, rule, scope_history)),
        bound_by=determined.bound_by,
        amount_fen=determined.amount_fen,
        capitals=capitals(determined.amount_fen),
        cap_year=determined.cap_year,
        determined_on=recorded.envelope.effective_on,
        determined_by=recorded.envelope.actor,
        reference=recorded.envelope.reference,
        reason=recorded.envelope.reason,
        approval=_approval(approval),
        readings=tuple(policy.readings[name] for name in _readings_of(rule, policy)),
    )


def _stated(rule: Rule, determined: AmountDetermined) -> Iterator[Stated]:
    """In the order in which the rule asks for them."""
    for name, particular in rule.particulars.items():
        if (value := determined.particulars.get(name)) is not None:
            yield Stated(name, Text(particular.label, particular.label), value, _in_words(particular.kind, value))


def _in_words(kind: Kind, value: str | bool | int) -> Text:
    match kind:
        case Kind.MONEY:
            return wording.amount(parse_yuan(value))
        case Kind.AREA_M2:
            return Text(f"{value}平方米", f"{value} m²")
        case Kind.FLAG:
            return Text("是", "yes") if value else Text("否", "no")
        case Kind.MONTHS:
            return Text(f"{value}个月", counted(int(value), "month"))
        case Kind.YEAR:
            return Text(f"{value}年", str(value))
    return Text(str(value), str(value))


def _basis(rule: Rule, determined: AmountDetermined) -> Stated | None:
    match rule.terms:
        case Rate(basis=name) | RateArea(basis=name) | WindowedRate(source=PeriodCost(cost=name)):
            return next(stated for stated in _stated(rule, determined) if stated.name == name)
        case WindowedRate(source=MonthlyRent()):
            rent = next(step for step in determined.steps if step.step == _BASIS_STEP)
            told = Text("租金", "rent")
            return Stated(_BASIS_STEP, told, format_yuan(rent.amount_fen), wording.amount(rent.amount_fen))
    return None


def _rate(rule: Rule) -> str | None:
    return wording.percent(rule.terms.rate.value) if isinstance(rule.terms, Rate | RateArea | WindowedRate) else None


def _steps(determined: AmountDetermined, limits: Sequence[Headroom]) -> Iterator[SheetStep]:
    """Every step with what it took off the one before. The steps of a yearly limit follow its years in order."""
    yearly = iter([head.scope for head in limits if head.limit != ITEM])
    item = next((head.scope for head in limits if head.limit == ITEM), None)
    before_fen: int | None = None
    for step in determined.steps:
        scope = next(yearly, None) if step.step == "annual-cap" else item if step.step == "item-cap" else None
        cut_fen = None if before_fen is None else before_fen - step.amount_fen
        yield SheetStep(step.clause, step.step, step.detail, step.amount_fen, cut_fen, scope)
        # A rent is what the rate is taken of: the calculation begins after it.
        before_fen = None if step.step == _BASIS_STEP else step.amount_fen


def _limits(
    recorded: Recorded,
    limits: Sequence[Headroom],
    steps: Sequence[SheetStep],
    policy: Policy,
    rule: Rule,
    scope_history: History,
) -> Iterator[SheetLimit]:
    for head in limits:
        before = [other for other in scope_history(head.scope) if other.position < recorded.position]
        counted = tuple(_counted(head.scope, before))
        # What counts though it was drawn on years counted from another day stands in the determination's figure alone.
        used_fen = max(head.used_fen, sum(award.amount_fen for award in counted))
        cut_fen = sum(step.cut_fen or 0 for step in steps if step.scope == head.scope)
        yield SheetLimit(
            label=_limit_label(head.limit, policy, rule),
            period=None if head.limit == ITEM else head.scope.rpartition("/")[2],
            headroom=Headroom(head.limit, head.clause, head.scope, head.ceiling_fen, used_fen),
            cut_fen=cut_fen,
            counted=counted,
        )


def _limit_label(name: str, policy: Policy, rule: Rule) -> Text:
    if name == ITEM:
        return Text(f"单项（{rule.item}）", f"per item “{rule.item}”")
    limit = policy.limits.get(name)
    # What is no yearly limit of the policy is the ceiling of the tier that the claim is in.
    if limit is None:
        return Text(f"{rule.name}（按档）", f"by tier “{rule.name}”")
    return Text(f"{limit.label}（{name}）", f"{name} “{limit.label}”")


def _headroom(determined: AmountDetermined, approval: Recorded | None) -> tuple[Headroom, ...]:
    """The limits as determined; for what was recorded before these were kept, those that the award draws on."""
    if determined.headroom or approval is None:
        return determined.headroom
    assert isinstance(approval.event, AwardApproved)
    return tuple(Headroom(d.limit, d.clause, d.scope, d.ceiling_fen, 0) for d in approval.event.draws)


def _counted(scope: str, events: Sequence[Recorded]) -> Iterator[CountedAward]:
    drawn: dict[str, int] = {}
    for recorded in events:
        if isinstance(recorded.event, CaseEvent) and (amount_fen := drawn_fen(scope, recorded.event)):
            drawn[recorded.event.case] = drawn.get(recorded.event.case, 0) + amount_fen
    for case, amount_fen in drawn.items():
        if amount_fen:
            yield CountedAward(award_id(case), amount_fen)


def _approval(recorded: Recorded | None) -> Approval | None:
    if recorded is None:
        return None
    event, envelope = recorded.event, recorded.envelope
    assert isinstance(event, AwardApproved)
    return Approval(
        amount_fen=event.amount_fen,
        capitals=capitals(event.amount_fen),
        cap_year=event.cap_year,
        on=envelope.effective_on,
        by=envelope.actor,
        reference=envelope.reference,
    )


def _readings_of(rule: Rule, policy: Policy) -> list[str]:
    """The rule's own, its numbers' included; then those that its limit and every sum go by."""
    limit = [rule.limit.ceiling_fen.reading, rule.limit.cap_year.reading] if rule.limit else []
    window = [policy.windows_run_on.reading] if isinstance(rule.terms, WindowedRate) else []
    by_year = any(particular.kind is Kind.YEAR for particular in rule.particulars.values())
    start = [policy.funded_from_start.reading] if window or by_year else []
    named = [*rule.readings, *limit, *window, *start, policy.rounding_fen.reading, policy.stacking.reading]
    return [name for name in dict.fromkeys(named) if name is not None]
