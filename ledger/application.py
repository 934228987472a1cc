"""The one door: the only way a fact enters the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from ledger.calendar import Clock, business_date
from ledger.casefile import CaseFile, CaseFold
from ledger.commands.command import Command, Decision
from ledger.commands.determine_amount import chosen_cap_year
from ledger.commands.grant_role import GrantRole
from ledger.commands.submit_application import claim_errors
from ledger.errors import (
    IdempotencyConflict,
    Malformed,
    NotFound,
    NotPermitted,
    Outdated,
    OutOfOrder,
    PreconditionFailed,
    Refusal,
    Text,
)
from ledger.events import CommandRefused, case_tag, key_tag, person_tag, scope_tag
from ledger.guards import HasUsage, Projections
from ledger.idempotency import KeyFold, key_errors, request_digest
from ledger.identity import Entropy, new_case_number, uuid7
from ledger.mapper import Envelope, Fact, Recorded
from ledger.memory import Memory
from ledger.people import RolesFold
from ledger.policy.model import Pin, Policy
from ledger.policy.registry import PolicyRegistry
from ledger.roles import ROLE_NAMES, SYSTEM, Role
from ledger.rules import Claim, Determination, RecognisedWindow, determine, read_particulars
from ledger.scopes import Scope, item_key
from ledger.session import Session, Snapshot, View
from ledger.store.contract import LedgerStore
from ledger.uscc import parse_uscc
from ledger.writer import Writer

KEY_LENGTH_MAX: Final = 200

_CASES: Final = CaseFold()
_ROLES: Final = RolesFold()
_KEYS: Final = KeyFold()
_KINDS: Final = {"refusal": Refusal, "out-of-order": OutOfOrder, "outdated": Outdated}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command led to: the fact recorded. ``replayed`` where its key had been answered before."""

    recorded: Recorded
    replayed: bool = False

    @property
    def position(self) -> int:
        """What a reader must have reached to see the fact."""
        return self.recorded.position

    @property
    def case(self) -> str | None:
        return getattr(self.recorded.event, "case", None)


class FundingLedger:
    """Takes commands, decides them on the facts, and records what was decided.

    ``store`` is an event store (:mod:`ledger.store.contract`); ``projections`` the folds and guards composed by
    ``projections.compose``; ``clock`` and ``entropy`` the only sources of time and chance. Safe for many threads; safe
    for many processes on one store.
    """

    def __init__(
        self,
        store: LedgerStore,
        policies: PolicyRegistry,
        projections: Projections,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.policies = policies
        self._store = store
        self._projections = projections
        self._clock = clock
        self._entropy = entropy
        self._writer = Writer(store, Memory())

    def execute(self, command: Command, *, actor: str, key: str, expected_position: int | None = None) -> Outcome:
        """Decide a command and record what follows from it; returns when it is durable.

        ``actor`` is the user name of the person who gives it; ``key`` their idempotency key: the same key and command
        give the same outcome again, recorded refusals included, however often and after whatever crash.
        ``expected_position`` is the case's position as the caller last saw it.

        Raises any :class:`~ledger.errors.LedgerError` but a fault.
        """
        if errors := [*key_errors(key), *command.field_errors(business_date(self._clock()))]:
            raise Malformed(errors)
        request = _Request(command, actor, key, request_digest(command), expected_position)
        answer = self._writer.run(_Attempt(self, request))
        if isinstance(answer, Refusal):
            raise answer
        assert isinstance(answer, Outcome)
        return answer

    def quote(
        self,
        policy_id: str,
        rule_id: str,
        enterprise: str,
        item: str,
        particulars: Mapping[str, Any],
        cap_year: int | None = None,
    ) -> Determination:
        """What a claim would be granted now, by the same code as the real decision, recording nothing.

        Raises :class:`~ledger.errors.Malformed`, :class:`~ledger.errors.NotFound` for an unknown policy, and any
        :class:`~ledger.errors.Refusal` that the determination would meet.
        """
        if errors := list(claim_errors(enterprise, item)):
            raise Malformed(errors)
        facts = _Facts(self, Snapshot(self._store), business_date(self._clock()))
        policy = facts.policy(policy_id)
        rule = policy.rule(rule_id)
        claim = Claim(
            policy=policy,
            rule=rule,
            enterprise=parse_uscc(enterprise),
            item=item_key(item),
            cap_year=chosen_cap_year(policy, cap_year, facts),
            particulars=read_particulars(rule, particulars),
            applied_on=facts.today,
        )
        return determine(claim, facts.standing())

    def roles_of(self, person: str) -> frozenset[Role]:
        """The roles a person holds now."""
        return Snapshot(self._store).look(_ROLES, person_tag(person))


class _Facts:
    """What one decision may ask: see :class:`ledger.commands.command.Facts`."""

    def __init__(self, ledger: FundingLedger, view: View, today: date, effective_on: date | None = None) -> None:
        self._ledger = ledger
        self._view = view
        self.today = today
        self.effective_on = effective_on or today

    def case(self, number: str) -> CaseFile:
        case = self._view.look(_CASES, case_tag(number))
        if not case.exists:
            raise NotFound(Text(f"没有编号为{number}的案卷", f"there is no case {number}"))
        return case

    def new_case_number(self) -> str:
        while True:
            number = new_case_number(self._ledger._entropy)
            if not self._view.look(_CASES, case_tag(number)).exists:
                return number

    def policy(self, policy_id: str) -> Policy:
        return self._ledger.policies.get(policy_id, on=self.effective_on)

    def pinned_policy(self, pin: Pin | None) -> Policy:
        assert pin is not None, "every case is made under a policy"
        self._ledger.policies.check_pin(pin.policy_id, pin.version, pin.sha256)
        return self._ledger.policies.get(pin.policy_id, pin.version, on=self.effective_on)

    def standing(self) -> _Facts:
        return self

    def used_fen(self, scope: Scope) -> int:
        usage: HasUsage = self._view.look(self._ledger._projections.usage, scope_tag(scope.key))
        return usage.used_fen

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return self._view.look(self._ledger._projections.windows, scope_tag(scope.key))


@dataclass(frozen=True, slots=True)
class _Request:
    """A command as it was given: by whom, under which key, on which view of its case."""

    command: Command
    actor: str
    key: str
    digest: str
    expected_position: int | None

    @property
    def key_tag(self) -> str:
        return key_tag(self.actor, self.key)


class _Attempt:
    """The decision about one request: a :class:`ledger.writer.Task`."""

    def __init__(self, ledger: FundingLedger, request: _Request) -> None:
        self._ledger = ledger
        self._request = request
        self._command = request.command

    def foreseen(self) -> list[str]:
        case, _ = self._command.about
        tags = [self._request.key_tag, person_tag(self._request.actor)]
        return tags if case is None else [*tags, case_tag(case)]

    def decide(self, session: Session) -> Outcome | Refusal:
        """The outcome; or a refusal that is itself recorded, as an answer to give back when it is durable."""
        self._session = session
        if (earlier := self._answered_before()) is not None:
            return earlier
        self._now = session.instant(self._ledger._clock)
        today = business_date(self._now)
        self._facts = _Facts(self._ledger, session, today, self._command.effective_on)
        role = self._authorise()
        self._check_case()
        try:
            fact = self._fact(self._command.decide(self._facts), role)
            self._ask_guards(fact)
        except Refusal as refusal:
            if not self._command.asks_for_money:
                raise
            return self._record_refusal(refusal, role)
        return Outcome(session.record(fact))

    def _answered_before(self) -> Outcome | Refusal | None:
        recorded = self._session.look(_KEYS, self._request.key_tag)
        if recorded is None:
            return None
        if recorded.envelope.request_sha256 != self._request.digest:
            raise IdempotencyConflict(
                Text(
                    "该幂等键已用于另一请求，请换用新的键",
                    "this idempotency key stands for another request; use a new key",
                )
            )
        if isinstance(event := recorded.event, CommandRefused):
            return _refusal_of(event, recorded.position)
        return Outcome(recorded, replayed=True)

    def _authorise(self) -> Role:
        if self._request.actor == SYSTEM and isinstance(self._command, GrantRole):
            return Role.ADMIN
        held = self._session.look(_ROLES, person_tag(self._request.actor))
        usable = sorted(held & self._command.roles)
        if not usable:
            names = [ROLE_NAMES[role] for role in sorted(self._command.roles)]
            raise NotPermitted(
                Text(
                    f"此操作须由{'或'.join(name.zh for name in names)}办理",
                    f"this takes the role of {' or '.join(name.en for name in names)}",
                )
            )
        return usable[0]

    def _check_case(self) -> None:
        """Before a decision about a case: it exists, stands where the caller saw it, and does not run backwards in time."""
        number, _ = self._command.about
        if number is None:
            return
        case = self._facts.case(number)
        expected = self._request.expected_position
        if expected is not None and case.position != expected:
            raise PreconditionFailed(
                Text(
                    f"案卷{number}已有更新（现为{case.position}，您看到的是{expected}），请刷新后再办理",
                    f"case {number} has moved on (now {case.position}, you saw {expected}); look again",
                )
            )
        if case.effective_on is not None and self._facts.effective_on < case.effective_on:
            raise OutOfOrder(
                "effective-before-last-step",
                Text(
                    f"业务日期{self._facts.effective_on}早于本案卷上一步的{case.effective_on}，请核对",
                    f"{self._facts.effective_on} is before the case's last step, {case.effective_on}; please check",
                ),
            )

    def _fact(self, decision: Decision, role: Role) -> Fact:
        event_id = uuid7(self._now, self._ledger._entropy)
        number, _ = self._command.about
        case = None if number is None else self._facts.case(number)
        envelope = Envelope(
            event_id=event_id,
            recorded_at=self._now,
            effective_on=self._facts.effective_on,
            actor=self._request.actor,
            role=role,
            schema_version=decision.event.schema_version,
            # A matter's first event is what all its facts belong to; its last is what led to this one.
            correlation_id=event_id if case is None or case.first_event_id is None else case.first_event_id,
            causation_id=None if case is None else case.last_event_id,
            key=self._request.key,
            request_sha256=self._request.digest,
            reference=self._command.reference,
            reason=self._command.reason,
            policy=decision.policy,
        )
        return Fact(envelope=envelope, event=decision.event)

    def _ask_guards(self, fact: Fact) -> None:
        for guard in self._ledger._projections.guards:
            guard.permits(fact.event, fact.envelope, partial(self._session.look, guard))

    def _record_refusal(self, refusal: Refusal, role: Role) -> Refusal:
        case, enterprise = self._command.about
        if case is not None:
            enterprise = self._facts.case(case).enterprise
        event = CommandRefused(
            command=self._command.name,
            kind=next(kind for kind, cls in _KINDS.items() if type(refusal) is cls),
            code=refusal.code,
            text=refusal.text,
            clause=refusal.clause,
            limit=refusal.limit,
            asked_fen=self._command.asked_fen,
            case=case,
            enterprise=enterprise,
        )
        refusal.recorded_at = self._session.record(self._fact(Decision(event), role)).position
        return refusal


def _refusal_of(event: CommandRefused, position: int) -> Refusal:
    refusal = _KINDS[event.kind](event.code, event.text, clause=event.clause, limit=event.limit)
    refusal.recorded_at, refusal.replayed = position, True
    return refusal
