"""Logs of any size, made fast: one matter goes through the one door, and is then written again under other names.

Every fact is made by the mapper and sealed by the store, as the door does it; only the decisions are spared. The amounts
add up: ``funding-ledger verify`` finds such a log whole.
"""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from stdnum.cn import uscc

from ledger.errors import Headroom
from ledger.events import (
    AmountDetermined,
    ApplicationAccepted,
    ApplicationSubmitted,
    AwardApproved,
    DisbursementSettled,
    Event,
)
from ledger.identity import new_case_number
from ledger.mapper import Fact, Recorded, to_stored
from ledger.store.contract import LedgerStore
from tests.office import ENTERPRISE, Office

STAGED_ON: Final = date(2026, 3, 2)
"""The business day of everything staged; whoever goes on does so on the day after."""

AMOUNT_FEN: Final = 1_000
"""Each award, paid at once and in one sum: a million of them fill the yearly limit of an enterprise."""

BATCH_EVENTS: Final = 4_000
"""In one commit."""

STEPS: Final = (
    "application-submitted",
    "application-accepted",
    "amount-determined",
    "award-approved",
    "disbursement-requested",
    "disbursement-ordered",
    "disbursement-settled",
)
DETERMINED, ORDERED, SETTLED = 3, 6, 7
"""How many steps a matter has taken: ready to be approved, ready to be settled, done."""

CASES_PER_ENTERPRISE: Final = 10

USCC_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Of a unified social credit code (GB 32100): no I, O, S, V or Z."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One case to be staged."""

    case: str
    enterprise: str
    steps: int


class Names:
    """Case numbers, enterprises and keys, spread as in an office: at random, the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def case(self) -> str:
        return new_case_number(self.random.randbytes)

    def enterprise(self) -> str:
        stem = "91440300MA" + "".join(self.random.choices(USCC_CHARACTERS, k=7))
        return stem + uscc.calc_check_digit(stem)

    def enterprises(self) -> Iterator[str]:
        """Each as often as it has cases."""
        while True:
            one = self.enterprise()
            yield from [one] * CASES_PER_ENTERPRISE

    def matters(self, steps: int, count: int, enterprise: str | None = None) -> list[Matter]:
        """``count`` cases that have taken so many steps, of many enterprises or of the one that is named."""
        holders = islice(self.enterprises(), count) if enterprise is None else [enterprise] * count
        return [Matter(self.case(), holder, steps) for holder in holders]


@dataclass(frozen=True, slots=True)
class Template:
    """One matter as the door recorded it, and the grants of the staff before it."""

    grants: tuple[Recorded, ...]
    steps: tuple[Recorded, ...]


@cache
def template() -> Template:
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder), today=STAGED_ON)
        case = office.approved("样例", rd_cost="25.00", special_approval=False)
        office.pay(case, AMOUNT_FEN, "样例流水")
        history = office.reader.history(case)
        grants = office.reader.events(0, history[0].position - 1)
        office.close()
    assert tuple(one.type_name for one in history) == STEPS
    return Template(tuple(grants), tuple(history))


class Stage:
    """Writes facts to a store, as many in one commit as go well. Goes on where an earlier stage of the store ended."""

    def __init__(self, store: LedgerStore, seed: str) -> None:
        self._store = store
        self._random = random.Random(seed)
        self._used: defaultdict[str, int] = defaultdict(int)
        self._instant = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)
        self._milliseconds = int(self._instant.timestamp() * 1000)

    def staff(self) -> None:
        self._write(Fact(envelope=grant.envelope, event=grant.event) for grant in template().grants)

    def matters(self, matters: Sequence[Matter]) -> None:
        """Stage the matters, one after another."""
        self._write(fact for matter in matters for fact in self._facts(matter))

    def _write(self, facts: Iterator[Fact]) -> None:
        while batch := [to_stored(fact) for fact in islice(facts, BATCH_EVENTS)]:
            with self._store.transaction() as transaction:
                transaction.append(batch)

    def _facts(self, matter: Matter) -> Iterator[Fact]:
        first = before = None
        for step in template().steps[: matter.steps]:
            event_id = self._event_id()
            first = first or event_id
            envelope = msgspec.structs.replace(
                step.envelope,
                event_id=event_id,
                recorded_at=self._instant,
                correlation_id=first,
                causation_id=before,
                key=str(UUID(int=self._random.getrandbits(128), version=4)),
            )
            before = event_id
            yield Fact(envelope=envelope, event=self._renamed(step.event, matter))

    def _event_id(self) -> UUID:
        bits = self._random.getrandbits(74)
        return UUID(int=self._milliseconds << 80 | 7 << 76 | bits >> 62 << 64 | 2 << 62 | bits & (1 << 62) - 1)

    def _renamed(self, event: Event, matter: Matter) -> Event:
        """The same fact about another case: its number, its enterprise, its item, its scopes, its serial numbers."""
        changed: dict[str, Any] = {"case": matter.case, "enterprise": matter.enterprise}
        match event:
            case ApplicationSubmitted():
                changed["item"] = item_of(matter.case)
            case ApplicationAccepted():
                changed["acceptance_number"] = f"受理{matter.case}"
            case AmountDetermined():
                changed["headroom"] = tuple(self._room(head, matter) for head in event.headroom)
            case AwardApproved():
                changed["item"] = item_of(matter.case)
                changed["draws"] = tuple(replace(draw, scope=_scope(draw.scope, matter)) for draw in event.draws)
                self._used[matter.enterprise] += AMOUNT_FEN
            case DisbursementSettled():
                changed["bank_serial"] = f"20260302{matter.case}"
        return msgspec.structs.replace(event, **changed)

    def _room(self, head: Headroom, matter: Matter) -> Headroom:
        used = self._used[matter.enterprise] if ENTERPRISE in head.scope else 0
        return replace(head, scope=_scope(head.scope, matter), used_fen=used)


def item_of(case: str) -> str:
    return f"演械注准{case}"


def _scope(scope: str, matter: Matter) -> str:
    return scope.replace(ENTERPRISE, matter.enterprise).replace("/样例/", f"/{item_of(matter.case)}/")
