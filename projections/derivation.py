"""Limits, balances and the order of steps, added up from the bytes of the log a second time.

This shares no code with the guards and folds that decided: it reads the few fields it needs from the stored JSON by name,
and states what must hold after every event. A fault in a guard, or a fact that never went through the door, shows here as
a difference. What the law says (ceilings, windows, which steps must be kept apart) comes from the policy files and from
:data:`projections.duties.APART`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

import msgspec

from ledger.calendar import Window
from ledger.causes import Cause
from ledger.errors import LedgerError, Text
from ledger.events import ACCEPTANCE_NUMBER, BANK_SERIAL
from ledger.money import format_yuan
from ledger.policy.model import CapYear, Pin, Policy, Rule
from ledger.policy.registry import PolicyRegistry
from ledger.policy.terms import MonthlyRent, WindowedRate
from ledger.roles import SYSTEM
from ledger.scopes import ITEM, budget_of_year, enterprise_window, enterprise_year, item_of_rule
from ledger.seal.verification import Finding, Row
from projections.duties import APART

# ---- The fields that are read, by their names in the stored JSON


class _Envelope(msgspec.Struct):
    event_id: str
    recorded_at: datetime
    effective_on: str
    actor: str
    role: str
    correlation_id: str
    causation_id: str | None = None
    key: str | None = None
    policy: Pin | None = None


class _Draw(msgspec.Struct):
    limit: str
    scope: str
    ceiling_fen: int
    amount_fen: int


class _Span(msgspec.Struct):
    start: date
    end: date


class _Window(msgspec.Struct):
    scope: str
    anchor: date
    window: _Span
    funded: _Span


class _Payload(msgspec.Struct):
    """Every field that some check reads; each is empty where the event's type does not have it."""

    case: str | None = None
    enterprise: str = ""
    rule: str = ""
    item: str = ""
    acceptance_number: str = ""
    bank_serial: str = ""
    particulars: dict[str, str | bool | int] | None = None
    amount_fen: int = 0
    determined_fen: int = 0
    cap_year: int = 0
    draws: tuple[_Draw, ...] = ()
    budget_scope: str = ""
    window: _Window | None = None
    window_scope: str | None = None
    cause: str = ""
    restores_headroom: bool = False
    disbursement: int = 0
    violation: int = 0
    recovery: int = 0
    scope: str = ""
    policy_id: str = ""
    year: int = 0
    person: str = ""
    role: str = ""


class _Event(msgspec.Struct):
    envelope: _Envelope
    payload: _Payload


_DECODER = msgspec.json.Decoder(_Event)
_SUBMITTED, _ACCEPTED, _DETERMINED, _APPROVED, _CLOSED = range(5)
_APART: Final = {later.type_name: tuple(step.type_name for step in earlier) for later, earlier in APART.items()}
_BEFORE_OTHERS: Final = frozenset(step for earlier in _APART.values() for step in earlier)
