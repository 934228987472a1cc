"""Limits, balances and the order of steps, added up from the bytes of the log a second time.

This shares no code with the guards and folds that decided: it reads the few fields it needs from the stored JSON by name,
and states what must hold after every event. A fault in a guard, or a fact that never went through the door, shows here
as a difference. Which steps must be kept apart comes from the table :data:`projections.duties.APART`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ledger.events import ACCEPTANCE_NUMBER, BANK_SERIAL
from ledger.policy.model import Pin
from ledger.seal.sealed_log import Finding, Row
from projections.derivation.cases import Cases
from projections.derivation.fields import DECODER, Complaints, Envelope, Event, Payload
from projections.derivation.limits import Limits
from projections.derivation.people import People


@dataclass(frozen=True, slots=True)
class Totals:
    """What a log adds up to, in fen: awarded is approved less released."""

    cases: int
    awards: int
    awarded_fen: int
    paid_fen: int
    recovered_fen: int


class Derivation:
    """Takes a log's events in order and tells what is wrong with each. One that cannot be read is passed over."""

    def __init__(self) -> None:
        self._complaints = Complaints()
        self._cases = Cases(self._complaints)
        self._limits = Limits(self._complaints)
        self._people = People(self._complaints)
        self._recorded_at: datetime | None = None
        self._keys: set[int] = set()
        self.pins: set[Pin] = set()
        """The policy texts that anything rests on."""
        self._registers: dict[str, set[str]] = {ACCEPTANCE_NUMBER: set(), BANK_SERIAL: set()}

    def apply(self, rows: Sequence[Row]) -> Iterator[Finding]:
        """What is wrong with the next events."""
        decode = DECODER.decode
        for row in rows:
            try:
                event = decode(row.data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            self._take(row.type_name, event)
            for code, text in self._complaints.taken():
                yield Finding(row.position, code, text, row.type_name, of_rules=True)

    def totals(self) -> Totals:
        cases = self._cases.of.values()
        return Totals(
            cases=len(cases),
            awards=sum(1 for case in cases if case.approved_fen),
            awarded_fen=sum(case.award_fen for case in cases),
            paid_fen=sum(case.paid_fen for case in cases),
            recovered_fen=sum(case.recovered_fen for case in cases),
        )

    def budgeted_fen(self, scope: str) -> int:
        """What the awards read so far take of the budget of this scope."""
        return self._limits.budgeted_fen(scope)

    def _take(self, type_name: str, event: Event) -> None:
        envelope, payload = event.envelope, event.payload
        if envelope.policy is not None:
            self.pins.add(envelope.policy)
        self._check_time(envelope)
        self._check_once(envelope, payload)
        self._people.apply(type_name, envelope, payload)
        case = self._cases.apply(type_name, envelope, payload)
        if type_name == "budget-appropriated":
            self._limits.appropriated(payload)
        elif case is not None:
            if type_name == "award-approved":
                self._limits.approved(case, payload)
            elif type_name == "award-released":
                self._limits.released(payload)
            elif type_name == "recovery-received":
                self._limits.recovered(payload)

    def _check_time(self, envelope: Envelope) -> None:
        if self._recorded_at is not None and envelope.recorded_at < self._recorded_at:
            self._complaints.say(
                "recorded-backwards",
                f"记录时间{envelope.recorded_at}早于前一事件的{self._recorded_at}",
                f"it was recorded at {envelope.recorded_at}, before the event in front of it, {self._recorded_at}",
            )
        self._recorded_at = envelope.recorded_at

    def _check_once(self, envelope: Envelope, payload: Payload) -> None:
        if envelope.key is not None:
            # Of a million keys two share a 64-bit hash with a chance of one in forty million.
            key = hash((envelope.actor, envelope.key))
            if key in self._keys:
                self._complaints.say(
                    "key-twice", f"幂等键{envelope.key}使用了两次", f"its key, {envelope.key}, was used before"
                )
            self._keys.add(key)
        if payload.bank_serial:
            self._check_register(BANK_SERIAL, payload.bank_serial)
        if payload.acceptance_number:
            self._check_register(ACCEPTANCE_NUMBER, payload.acceptance_number)

    def _check_register(self, register: str, number: str) -> None:
        used = self._registers[register]
        if number in used:
            self._complaints.say(
                "number-twice", f"号码{number}使用了两次", f"the number {number} ({register}) was used before"
            )
        used.add(number)
