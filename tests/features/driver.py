"""How the features knock at the door: a small protocol over the ledger, and the driver that calls it in-process.

Everything a driver takes and gives is plain data in fen, dates and the ledger's own words, so that another driver can do the
same over HTTP. Chinese is spoken one floor up, in :mod:`tests.features.office`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

from ledger.application import FundingLedger, Outcome
from ledger.calendar import SHANGHAI
from ledger.casefile import CaseState
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.approve_award import ApproveAward
from ledger.commands.command import Command
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.grant_role import GrantRole
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.receive_recovery import ReceiveRecovery
from ledger.commands.release_award import ReleaseAward
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.commands.submit_application import SubmitApplication
from ledger.commands.withdraw_application import WithdrawApplication
from ledger.errors import Headroom, Refusal
from ledger.events import AmountDetermined, AwardApproved, CommandRefused
from ledger.policy.model import Policy
from ledger.policy.registry import PolicyRegistry
from ledger.roles import SYSTEM, Role
from ledger.rules import Binding, Determination, Step
from ledger.scopes import ITEM
from ledger.store.sqlite import SQLiteDCBRecorder
from projections.compose import compose
from projections.reader import Reader

SEED: Final = 20221010
STARTS: Final[Mapping[str, str | None]] = {"rate": None, "tier": "tier", "ceiling": "ceiling"}
"""The step of the sheet that every shape of rule begins with → what the grant rests on where no limit cut it."""
TICK: Final = timedelta(seconds=1)


class Act(Enum):
    """The steps of a case, by the command behind each."""

    SUBMIT = SubmitApplication
    ACCEPT = AcceptApplication
    WITHDRAW = WithdrawApplication
    DETERMINE = DetermineAmount
    APPROVE = ApproveAward
    RELEASE = ReleaseAward
    REQUEST = RequestDisbursement
    ORDER = OrderDisbursement
    SETTLE = SettleDisbursement
    FIND_VIOLATION = FindViolation
    ORDER_RECOVERY = OrderRecovery
    RECEIVE_RECOVERY = ReceiveRecovery


@dataclass(frozen=True, slots=True)
class Grant:
    """Money that was computed or approved. ``clause`` and ``limit`` are what it rests on: the limit that cut it last, or
    the rule's own article and no limit; ``tier`` or ``ceiling`` where the office proposed it. ``rounded``: the rounding
    took something off.
    """

    amount_fen: int
    clause: str
    limit: str | None
    rounded: bool


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal, with the limit that was missing where one was."""

    code: str
    clause: str | None
    limit: Headroom | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an act: done, or denied; and for money the grant. ``case`` where the act opened or moved one,
    ``number`` that of the disbursement or recovery within it.
    """

    case: str | None = None
    number: int | None = None
    grant: Grant | None = None
    denial: Denial | None = None


class Driver(Protocol):
    """What the features need of the product."""

    policy: Policy

    def set_today(self, day: date) -> None: ...

    def give_role(self, person: str, role: Role) -> None: ...

    def act(self, act: Act, person: str, **says: Any) -> Answer:
        """Let a person take a step; ``says`` are the fields of its command. A refusal is an answer, not an exception."""
        ...

    def quote(self, rule: str, enterprise: str, item: str, particulars: Mapping[str, Any]) -> Answer: ...

    def headroom(self, enterprise: str, name: str, start: date) -> Headroom:
        """The limit so named, as its holder is shown it for the calendar or benefit year that begins on ``start``."""
        ...

    def usage(self, enterprise: str) -> Mapping[str, int]:
        """Fen drawn under every limit of an enterprise, by scope."""
        ...

    def state(self, case: str) -> CaseState: ...

    def fact_count(self) -> int: ...

    def last_denial_kept(self) -> tuple[Denial, str | None, str | None]:
        """The newest fact, which must be a refused command: the refusal, its case and its enterprise."""
        ...


class InProcessDriver:
    """Calls the one door directly, over the real store in a folder; time stands still unless a feature moves it."""

    def __init__(self, folder: Path, policies: PolicyRegistry, policy_id: str) -> None:
        self._recorder = SQLiteDCBRecorder(folder / "facts.sqlite")
        self._ledger = FundingLedger(
            self._recorder, policies, compose(), lambda: self._now, random.Random(SEED).randbytes
        )
        self._reader = Reader(self._recorder, policies)
        self._keys = count(1)
        self.policy = policies.get(policy_id)
        self._now = _morning(date(self.policy.validity.start.year, 1, 1))

    def close(self) -> None:
        self._recorder.close()

    def set_today(self, day: date) -> None:
        assert day >= self._now.astimezone(SHANGHAI).date(), "a feature's days do not run backwards"
        self._now = _morning(day)

    def give_role(self, person: str, role: Role) -> None:
        self._execute(GrantRole(person=person, role=role), SYSTEM)

    def act(self, act: Act, person: str, **says: Any) -> Answer:
        about: str | None = says.get("case")
        try:
            outcome = self._execute(act.value(**says), person)
        except Refusal as refusal:
            return Answer(case=about, denial=_denial(refusal))
        event = outcome.recorded.event
        number = getattr(event, "disbursement", None) or getattr(event, "recovery", None)
        return Answer(case=outcome.case, number=number, grant=self._grant(outcome))

    def quote(self, rule: str, enterprise: str, item: str, particulars: Mapping[str, Any]) -> Answer:
        try:
            determination = self._ledger.quote(self.policy.id, rule, enterprise, item, particulars)
        except Refusal as refusal:
            return Answer(denial=_denial(refusal))
        return Answer(grant=_granted(determination))

    def headroom(self, enterprise: str, name: str, start: date) -> Headroom:
        named = {limit.name for limit in self.policy.limits.values() if limit.label.split("，")[0] == name}
        (found,) = (
            use.headroom
            for use in self._reader.limits(enterprise, start.year)
            if use.limit.limit in named and use.limit.period and use.limit.period.start == start
        )
        return found

    def usage(self, enterprise: str) -> Mapping[str, int]:
        validity = self.policy.validity
        years = range(validity.start.year, validity.end.year + 1)
        uses = (use.headroom for year in years for use in self._reader.limits(enterprise, year))
        return {head.scope: head.used_fen for head in uses if head.used_fen}

    def state(self, case: str) -> CaseState:
        return self._reader.case(case).state

    def fact_count(self) -> int:
        return self._recorder.head()

    def last_denial_kept(self) -> tuple[Denial, str | None, str | None]:
        (newest,) = self._reader.events(after=self._recorder.head() - 1, limit=1)
        event = newest.event
        assert isinstance(event, CommandRefused), f"the newest fact is no refusal but {newest.type_name}"
        return Denial(event.code, event.clause, event.limit), event.case, event.enterprise

    def _execute(self, command: Command, person: str) -> Outcome:
        self._now += TICK
        return self._ledger.execute(command, actor=person, key=f"step-{next(self._keys)}")

    def _grant(self, outcome: Outcome) -> Grant | None:
        match outcome.recorded.event:
            case AmountDetermined() as event:
                return _grant(event.amount_fen, event.bound_by, event.steps)
            case AwardApproved() as event:
                determined = self._reader.case(event.case).determination
                assert determined is not None, "an award without a determination"
                return _grant(event.amount_fen, event.bound_by, determined.steps)
        return None


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(9), SHANGHAI)


def _granted(determination: Determination) -> Grant:
    return _grant(determination.amount_fen, determination.bound_by, determination.steps)


def _grant(amount_fen: int, bound_by: Binding | None, steps: tuple[Step, ...]) -> Grant:
    rounded = any(step.step == "rounding" for step in steps)
    if bound_by is not None:
        return Grant(amount_fen, bound_by.clause, bound_by.limit, rounded)
    (start,) = (step for step in steps if step.step in STARTS)
    return Grant(amount_fen, start.clause, STARTS[start.step], rounded)


def _denial(refusal: Refusal) -> Denial:
    return Denial(refusal.code, refusal.clause, refusal.limit)


__all__ = ["ITEM", "SEED", "Act", "Answer", "Denial", "Driver", "Grant", "InProcessDriver"]
