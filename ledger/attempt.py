"""The decision about one request, from its idempotency key to the fact that is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from ledger.calendar import business_date
from ledger.commands.command import Command, Decision
from ledger.commands.grant_role import GrantRole
from ledger.commands.revoke_role import RevokeRole
from ledger.errors import (
    IdempotencyConflict,
    NotPermitted,
    Outdated,
    OutOfOrder,
    PreconditionFailed,
    Refusal,
    Text,
)
from ledger.events import (
    ACCEPTANCE_NUMBER,
    BANK_SERIAL,
    CommandRefused,
    case_tag,
    key_tag,
    person_tag,
    register_tag,
)
from ledger.facts import ROLES, Means, RecordedFacts
from ledger.idempotency import KeyFold
from ledger.identity import uuid7
from ledger.mapper import Envelope, Fact, Recorded
from ledger.roles import ROLE_NAMES, SYSTEM, Role
from ledger.session import Session

_KEYS: Final = KeyFold()
_REGISTERS: Final = {"bank_serial": BANK_SERIAL, "acceptance_number": ACCEPTANCE_NUMBER}
"""Fields of commands → the registers that their guard will look into. Foreseeing wrongly costs a question, nothing else."""
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


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it was given: by whom, under which key, on which view of its case."""

    command: Command
    actor: str
    key: str
    digest: str
    expected_position: int | None

    def __post_init__(self) -> None:
        assert self.actor and "/" not in self.actor, "an actor's name must not run into the key beside it"

    @property
    def key_tag(self) -> str:
        return key_tag(self.actor, self.key)


class Attempt:
    """The decision about one request: a :class:`ledger.writer.Task`."""

    def __init__(self, means: Means, request: Request) -> None:
        self._means = means
        self._request = request
        self._command = request.command

    def foreseen(self) -> list[str]:
        case, _ = self._command.about
        tags = [self._request.key_tag, person_tag(self._request.actor)]
        if case is not None:
            tags.append(case_tag(case))
        for field, register in _REGISTERS.items():
            if (number := getattr(self._command, field, None)) is not None:
                tags.append(register_tag(register, number.strip()))
        return tags

    def decide(self, session: Session) -> Outcome | Refusal:
        """The outcome; or a refusal that is itself recorded, as an answer to give back when it is durable."""
        self._session = session
        if (earlier := self._answered_before()) is not None:
            return earlier
        self._now = session.instant(self._means.clock)
        today = business_date(self._now)
        self._facts = RecordedFacts(self._means, session, today, self._command.effective_on)
        role = self._authorise()
        try:
            self._check_case()
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
        if self._request.actor == SYSTEM and isinstance(self._command, GrantRole | RevokeRole):
            return Role.ADMIN
        held = self._session.look(ROLES, person_tag(self._request.actor))
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
        assert case.policy is not None, "every case is made under a policy"
        self._means.policies.require_loaded([(case.policy.policy_id, case.policy.version)])
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
        event_id = uuid7(self._now, self._means.entropy)
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
        for guard in self._means.projections.guards:
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
            earlier=refusal.earlier or msgspec.UNSET,
        )
        refusal.recorded_at = self._session.record(self._fact(Decision(event), role)).position
        return refusal


def _refusal_of(event: CommandRefused, position: int) -> Refusal:
    refusal: Refusal = _KINDS[event.kind](event.code, event.text, clause=event.clause, limit=event.limit)
    refusal.earlier = event.earlier or None
    refusal.recorded_at, refusal.replayed = position, True
    return refusal
