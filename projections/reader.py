"""Questions answered on the spot, by folding the facts themselves: always current, and as of any instant or date.

``as_of`` keeps what had been recorded by that instant; ``effective`` what had taken effect by that business date. The door
gives instants in the order of positions (:meth:`ledger.session.Session.instant`), so an instant is also a position.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar

from eventsourcing.dcb.api import DCBQuery, DCBQueryItem, DCBRecorder

from ledger.calendar import Clock, business_date, system_clock
from ledger.case_fold import CaseFold
from ledger.casefile import CaseFile
from ledger.errors import Headroom, NotFound, Text
from ledger.events import (
    ApplicationSubmitted,
    AwardApproved,
    BudgetAppropriated,
    CaseEvent,
    CommandRefused,
    InterpretationRecorded,
    case_tag,
    enterprise_tag,
    policy_tag,
    refusals_tag,
    scope_tag,
)
from ledger.guards import Fold
from ledger.interpretations import InterpretationsFold
from ledger.mapper import Recorded, from_stored
from ledger.policy.model import Policy
from ledger.policy.registry import PolicyFile, PolicyRegistry
from ledger.rules import RecognisedWindow
from ledger.scopes import Scope, budget_of_year
from ledger.seal.leaf import leaf_bytes
from projections.budget import BudgetGuard, BudgetUse
from projections.headroom import EnterpriseLimit, limits_in_year
from projections.limits import LimitsGuard, drawn_fen
from projections.readings import ReadingHistory, histories
from projections.sheet import Sheet, determination_in, sheet
from projections.windows import WindowsFold

S = TypeVar("S")

_ASKED_MOST: Final = 100
"""In one question."""


@dataclass(frozen=True, slots=True)
class Moment:
    """From when history is asked. All None: now. ``up_to`` is the last position that is seen: what an earlier answer
    was true of, so that it can be given again.
    """

    as_of: datetime | None = None
    effective: date | None = None
    up_to: int | None = None

    def sees(self, recorded: Recorded) -> bool:
        envelope = recorded.envelope
        return (
            (self.as_of is None or envelope.recorded_at <= self.as_of)
            and (self.effective is None or envelope.effective_on <= self.effective)
            and (self.up_to is None or recorded.position <= self.up_to)
        )


NOW = Moment()


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit as it stands. ``counted`` are the ids of the events behind ``used_fen``."""

    limit: EnterpriseLimit
    headroom: Headroom
    counted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnterpriseSummary:
    """All of one enterprise's cases (一企一档), and what they come to in fen."""

    enterprise: str
    name: str
    cases: tuple[CaseFile, ...]

    @property
    def awarded_fen(self) -> int:
        return sum(case.awarded_fen for case in self.cases)

    @property
    def settled_fen(self) -> int:
        return sum(case.settled_fen for case in self.cases)

    @property
    def recovered_fen(self) -> int:
        return sum(case.recovered_fen for case in self.cases)


class Reader:
    """Answers from the log. Safe for many threads."""

    def __init__(self, recorder: DCBRecorder, policies: PolicyRegistry, clock: Clock = system_clock) -> None:
        self._recorder = recorder
        self._policies = policies
        self._clock = clock

    def case(self, number: str, moment: Moment = NOW) -> CaseFile:
        """Raises :class:`~ledger.errors.NotFound` where the case did not exist at that moment."""
        case = self._fold(CaseFold(), case_tag(number), moment)
        if not case.exists:
            raise NotFound(Text(f"没有编号为{number}的案卷", f"there is no case {number}"))
        return case

    def known(self, numbers: Iterable[str]) -> frozenset[str]:
        """Those of many case numbers that there is a case of; asked for many at once."""
        tags, found = {case_tag(number): number for number in numbers}, set[str]()
        asked = list(tags)
        for first in range(0, len(asked), _ASKED_MOST):
            some = asked[first : first + _ASKED_MOST]
            items = [DCBQueryItem(tags=[tag], types=[ApplicationSubmitted.type_name]) for tag in some]
            for stored in self._recorder.read(DCBQuery(items=items)):
                found.update(tags[tag] for tag in stored.event.tags if tag in tags)
        return frozenset(found)

    def history(self, number: str, moment: Moment = NOW) -> list[Recorded]:
        """Every event of an application and the award that came of it, refused commands included, in order."""
        history = self._tagged(moment, case_tag(number), refusals_tag(number))
        if not history:
            raise NotFound(Text(f"没有编号为{number}的案卷", f"there is no case {number}"))
        return history

    def leaves(self, number: str, up_to: int) -> list[tuple[int, bytes]]:
        """The history of a case as it is sealed: positions up to ``up_to``, and the bytes that each leaf is the hash of."""
        query = DCBQuery(items=[DCBQueryItem(tags=[tag]) for tag in (case_tag(number), refusals_tag(number))])
        return [
            (stored.position, leaf_bytes(stored.event.type, stored.event.tags, stored.event.data))
            for stored in self._recorder.read(query)
            if stored.position <= up_to
        ]

    def enterprise(self, uscc: str, moment: Moment = NOW) -> EnterpriseSummary:
        """Raises :class:`~ledger.errors.NotFound` where the enterprise had no case at that moment."""
        fold, cases = CaseFold(), dict[str, CaseFile]()
        for recorded in self._tagged(moment, enterprise_tag(uscc)):
            if isinstance(event := recorded.event, CaseEvent):
                case = cases.get(event.case) or fold.start(case_tag(event.case))
                cases[event.case] = fold.apply(case, recorded)
        if not cases:
            raise NotFound(Text(f"没有企业{uscc}的记录", f"nothing is recorded of enterprise {uscc}"))
        latest = max(cases.values(), key=lambda case: case.position)
        return EnterpriseSummary(uscc, latest.enterprise_name, tuple(cases.values()))

    def limits(self, uscc: str, year: int, moment: Moment = NOW) -> list[LimitUse]:
        """Every limit the enterprise draws on in a calendar year, used or not: the yearly groups of every policy, by the
        version that has begun, the benefit years that touch the year, and the items awarded. ``used_fen`` is the guard's
        own figure, and what was drawn on years that are counted from another day by now.
        """
        history = self._tagged(moment, enterprise_tag(uscc))
        self._policies.require_loaded(_pins(each for each in history if isinstance(each.event, AwardApproved)))
        awards = [recorded.event for recorded in history if isinstance(recorded.event, AwardApproved)]
        policies = [
            self.policy(policy_id, begun.version, moment)
            for policy_id in self._policies.ids
            if (begun := self._begun(policy_id, moment)) is not None
        ]
        limits = limits_in_year(policies, uscc, year, awards, _Granted(self, moment))
        return [self._limit_use(limit, moment) for limit in limits]

    def policy(self, policy_id: str, version: int | None = None, moment: Moment = NOW) -> Policy:
        """A version (the newest, where none is named) as the office read it on the moment's day, its recorded
        interpretations included. Raises :class:`~ledger.errors.NotFound`.
        """
        if version is None:
            version = self._policies.get(policy_id).version
        decided = self._fold(InterpretationsFold(), policy_tag(policy_id), moment)
        return self._policies.get(policy_id, version, on=self.read_on(moment), interpretations=decided)

    def _begun(self, policy_id: str, moment: Moment) -> Policy | None:
        """What new applications come under on the moment's day; None before the first version."""
        decided = self._fold(InterpretationsFold(), policy_tag(policy_id), moment)
        try:
            return self._policies.begun(policy_id, on=self.read_on(moment), interpretations=decided)
        except NotFound:
            return None

    def policy_file(self, policy_id: str, version: int) -> PolicyFile:
        """A version as its file tells it, with the keys of its numbers. Raises :class:`~ledger.errors.NotFound`."""
        return self._policies.file(policy_id, version)

    def read_on(self, moment: Moment) -> date:
        """The day that a moment's policies are read for."""
        return moment.effective or business_date(moment.as_of or self._clock())

    def readings(self, policy_id: str, version: int, moment: Moment = NOW) -> list[ReadingHistory]:
        """Every open question of a version as it was read at that moment, and all that was decided about it by then.

        Raises :class:`~ledger.errors.NotFound`.
        """
        file = self._policies.file(policy_id, version)
        recorded = [
            each
            for each in self._tagged(moment, policy_tag(policy_id))
            if isinstance(each.event, InterpretationRecorded) and each.event.version == version
        ]
        return histories(self.policy(policy_id, version, moment), file, recorded, self.read_on(moment))

    def sheet(self, number: str, moment: Moment = NOW, determination: int | None = None) -> Sheet:
        """The calculation sheet (核算表) of one of a case's determinations, counted from 1; of the last by default.

        Raises :class:`~ledger.errors.NotFound` where there is no such case, or no such determination yet.
        """
        history = self.history(number, moment)
        recorded = determination_in(history, determination)
        assert recorded.envelope.policy is not None, "every case is made under a policy"
        self._policies.require_loaded(_pins([recorded]))
        pin, then = recorded.envelope.policy, Moment(effective=recorded.envelope.effective_on, up_to=recorded.position)
        policy = self.policy(pin.policy_id, pin.version, then)
        return sheet(recorded, history, policy, lambda scope: self._tagged(moment, scope_tag(scope)))

    def budget(self, policy_id: str, year: int, moment: Moment = NOW) -> BudgetUse:
        """Raises :class:`~ledger.errors.NotFound` for an unknown policy."""
        policy = self._policies.get(policy_id)
        return self._fold(BudgetGuard(), scope_tag(budget_of_year(policy.id, year).key), moment)

    def budget_years(self, policy_id: str, moment: Moment = NOW) -> frozenset[int]:
        """The years that a budget of the policy was stated for, within its validity or beyond."""
        query = DCBQuery(items=[DCBQueryItem(types=[BudgetAppropriated.type_name])])
        stated = (from_stored(stored) for stored in self._recorder.read(query))
        return frozenset(
            recorded.event.year
            for recorded in stated
            if isinstance(recorded.event, BudgetAppropriated)
            and recorded.event.policy_id == policy_id
            and moment.sees(recorded)
        )

    def events(self, after: int, limit: int) -> list[Recorded]:
        """The feed of all events in order, from the first position above ``after``."""
        return [from_stored(stored) for stored in self._recorder.read(after=after, limit=limit)]

    def refusals(self, after: int, limit: int) -> list[Recorded]:
        """Commands that asked for money and were refused, in order, from the first position above ``after``."""
        query = DCBQuery(items=[DCBQueryItem(types=[CommandRefused.type_name])])
        return [from_stored(stored) for stored in self._recorder.read(query, after=after, limit=limit)]

    def holds(self, position: int) -> bool:
        """Whether the log has reached a position."""
        return position <= 0 or any(True for _ in self._recorder.read(after=position - 1, limit=1))

    def used_fen(self, scope: Scope, moment: Moment = NOW) -> int:
        """What is drawn on a scope, net of what was given back."""
        return self._fold(LimitsGuard(), scope_tag(scope.key), moment).used_fen

    def window(self, scope: Scope, moment: Moment = NOW) -> RecognisedWindow | None:
        """The window recognised under a scope of :func:`ledger.scopes.enterprise_window`, if any."""
        return self._fold(WindowsFold(), scope_tag(scope.key), moment)

    def _limit_use(self, limit: EnterpriseLimit, moment: Moment) -> LimitUse:
        fold, tag = LimitsGuard(), scope_tag(limit.scope)
        usage, counted = fold.start(tag), []
        for recorded in self._tagged(moment, tag):
            usage = fold.apply(usage, recorded)
            if drawn_fen(limit.scope, recorded.event):
                counted.append(str(recorded.envelope.event_id))
        used_fen = usage.used_fen + limit.moved_fen
        headroom = Headroom(limit.limit, limit.clause, limit.scope, limit.ceiling_fen, used_fen)
        return LimitUse(limit, headroom, tuple(counted))

    def _fold(self, fold: Fold[S], tag: str, moment: Moment) -> S:
        state = fold.start(tag)
        for recorded in self._tagged(moment, tag):
            state = fold.apply(state, recorded)
        return state

    def _tagged(self, moment: Moment, *tags: str) -> list[Recorded]:
        query = DCBQuery(items=[DCBQueryItem(tags=[tag]) for tag in tags])
        everything = (from_stored(stored) for stored in self._recorder.read(query))
        return [recorded for recorded in everything if moment.sees(recorded)]


@dataclass(frozen=True, slots=True)
class _Granted:
    """What was granted, as a moment sees it."""

    reader: Reader
    moment: Moment

    def used_fen(self, scope: Scope) -> int:
        return self.reader.used_fen(scope, self.moment)

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return self.reader.window(scope, self.moment)


def _pins(recorded: Iterable[Recorded]) -> list[tuple[str, int]]:
    """The policies that facts rest on: id and version."""
    return [(pin.policy_id, pin.version) for each in recorded if (pin := each.envelope.policy) is not None]
