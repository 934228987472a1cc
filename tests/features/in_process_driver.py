"""The driver that calls the one door directly."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from ledger.application import FundingLedger, Outcome
from ledger.calendar import SHANGHAI
from ledger.casefile import CaseState
from ledger.commands.command import Command
from ledger.commands.grant_role import GrantRole
from ledger.errors import Headroom, Refusal
from ledger.events import AmountDetermined, AwardApproved, CommandRefused
from ledger.policy.registry import PolicyRegistry
from ledger.roles import SYSTEM, Role
from ledger.rules import Binding, Step
from ledger.store.sqlite import SQLiteDCBRecorder
from projections.compose import compose
from projections.reader import Moment, Reader
from tests.features.driver import TICK, Act, Answer, Denial, Grant, first_morning, granted, limits_named, morning

SEED: Final = 20221010


class InProcessDriver:
    """Over the real store in a folder; time stands still unless a feature moves it."""

    def __init__(self, folder: Path, policies: PolicyRegistry, policy_id: str) -> None:
        self._recorder = SQLiteDCBRecorder(folder / "facts.sqlite")
        entropy = random.Random(SEED).randbytes
        self._ledger = FundingLedger(self._recorder, policies, compose(), lambda: self._now, entropy)
        self._reader = Reader(self._recorder, policies, lambda: self._now)
        self._keys = count(1)
        self.policy = policies.get(policy_id)
        self._now = first_morning(self.policy)

    def close(self) -> None:
        self._recorder.close()

    def now(self) -> datetime:
        return self._now

    def set_today(self, day: date) -> None:
        assert day >= self._now.astimezone(SHANGHAI).date(), "a feature's days do not run backwards"
        self._now = morning(day)

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

    def quote(
        self, rule: str, enterprise: str, item: str, particulars: Mapping[str, Any], cap_year: int | None
    ) -> Answer:
        try:
            found = self._ledger.quote(self.policy.id, rule, enterprise, item, particulars, cap_year)
        except Refusal as refusal:
            return Answer(denial=_denial(refusal))
        return Answer(grant=_grant(found.amount_fen, found.bound_by, found.steps))

    def headroom(self, enterprise: str, name: str, start: date) -> Headroom:
        named = limits_named(self.policy, name)
        (found,) = (
            use.headroom
            for use in self._reader.limits(enterprise, start.year)
            if use.limit.limit in named and use.limit.period and use.limit.period.start == start
        )
        return found

    def usage(self, enterprise: str, as_of: datetime) -> Mapping[str, int]:
        validity = self.policy.validity
        years = range(validity.start.year, validity.end.year + 1)
        uses = (use.headroom for year in years for use in self._reader.limits(enterprise, year, Moment(as_of)))
        return {head.scope: head.used_fen for head in uses if head.used_fen}

    def state(self, case: str) -> CaseState:
        return self._reader.case(case).state

    def awarded_fen(self, case: str) -> int:
        return self._reader.case(case).awarded_fen

    def fact_count(self) -> int:
        return self._recorder.head()

    def last_denial_kept(self) -> tuple[Denial, str | None, str | None]:
        (newest,) = self._reader.events(after=self._recorder.head() - 1, limit=1)
        event = newest.event
        assert isinstance(event, CommandRefused), f"the newest fact is no refusal but {newest.type_name}"
        return Denial(event.code, event.clause, event.limit, event.earlier or None), event.case, event.enterprise

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


def _grant(amount_fen: int, bound_by: Binding | None, steps: tuple[Step, ...]) -> Grant:
    cut = None if bound_by is None else (bound_by.clause, bound_by.limit)
    return granted(amount_fen, cut, ((step.clause, step.step, step.amount_fen) for step in steps))


def _denial(refusal: Refusal) -> Denial:
    return Denial(refusal.code, refusal.clause, refusal.limit, refusal.earlier)
