"""The fields that are read of an event, by their names in the stored JSON; whatever else is there is passed over."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import msgspec

from ledger.errors import Text
from ledger.policy.model import Pin


class Envelope(msgspec.Struct):
    """``effective_on`` stays text: ISO dates sort as they are."""

    event_id: str
    recorded_at: datetime
    effective_on: str
    actor: str
    role: str
    correlation_id: str
    causation_id: str | None = None
    key: str | None = None
    policy: Pin | None = None


class Draw(msgspec.Struct):
    limit: str
    scope: str
    ceiling_fen: int
    amount_fen: int


class Room(msgspec.Struct):
    limit: str


class Span(msgspec.Struct):
    """Half-open."""

    start: date
    end: date


class Window(msgspec.Struct):
    """What was recorded before each award's own terms were kept states them as they were recognised."""

    scope: str
    anchor: date
    rent_free_months: int
    window: Span
    funded: Span
    own_anchor: date | None = None
    own_rent_free_months: int | None = None
    parts: tuple[Span, ...] = ()


class PlannedStage(msgspec.Struct):
    share_ppm: int


class PaymentPlan(msgspec.Struct):
    unit_fen: int
    stages: tuple[PlannedStage, ...]


class Payload(msgspec.Struct):
    """Every field that some check reads; empty where the type does not have it. Amounts are fen."""

    case: str | None = None
    enterprise: str | None = None
    rule: str = ""
    item: str = ""
    acceptance_number: str = ""
    bank_serial: str = ""
    amount_fen: int = 0
    determined_fen: int = 0
    cap_year: int = 0
    draws: tuple[Draw, ...] = ()
    headroom: tuple[Room, ...] = ()
    budget_scope: str = ""
    window: Window | None = None
    window_scope: str | None = None
    payment_plan: PaymentPlan | None = None
    stage: int = 0
    final_fen: int | None = None
    cause: str = ""
    restores_headroom: bool = False
    disbursement: int = 0
    violation: int = 0
    recovery: int = 0
    scope: str = ""
    person: str = ""
    role: str = ""
    command: str = ""


class Event(msgspec.Struct):
    envelope: Envelope
    payload: Payload


DECODER: Final = msgspec.json.Decoder(Event)


class Complaints:
    """What the checks have against the event at hand."""

    def __init__(self) -> None:
        self._said: list[tuple[str, Text]] = []

    def say(self, code: str, zh: str, en: str) -> None:
        self._said.append((code, Text(zh, en)))

    def taken(self) -> list[tuple[str, Text]]:
        """What was said since the last time."""
        if not self._said:
            return []
        said, self._said = self._said, []
        return said
