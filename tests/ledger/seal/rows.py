"""Small logs to check: rows as a store would hand them out, valid events with their runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from ledger.events import RoleGranted
from ledger.mapper import Envelope, Fact, to_stored
from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import EMPTY, leaf_hash
from ledger.seal.sealed_log import Finding, Row, SealedLog


def event_row(position: int, person: str = "") -> Row:
    """A role granted, as a row without its run."""
    moment = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=position)
    envelope = Envelope(
        event_id=UUID(int=position),
        recorded_at=moment,
        effective_on=date(2026, 3, 2),
        actor="system",
        role="admin",
        schema_version=1,
        correlation_id=UUID(int=position),
    )
    stored = to_stored(Fact(envelope=envelope, event=RoleGranted(person=person or f"p{position}", role="auditor")))
    leaf = leaf_bytes(stored.type, stored.tags, stored.data)
    return Row(position, leaf, stored.type, msgspec.json.encode(stored.tags), stored.data, None)


def sealed_rows(count: int, **others: Any) -> list[Row]:
    """``others``: persons by position, ``p3="somebody"``."""
    rows = [event_row(position, others.get(f"p{position}", "")) for position in range(1, count + 1)]
    _, runs = EMPTY.append([leaf_hash(row.leaf) for row in rows])
    return [row._replace(run=run) for row, run in zip(rows, runs, strict=True)]


@dataclass
class MemoryLog(SealedLog):
    """Rows in memory. ``size`` is what the log claims, ``all`` what it has."""

    all: list[Row]
    claimed: int = 0
    more: list[Finding] = field(default_factory=list)

    divisible = True

    @property
    def size(self) -> int:
        return self.claimed or len(self.all)

    def rows(self, first: int, last: int) -> list[Row]:
        return [row for row in self.all if first <= row.position <= last]

    def findings(self, first: int, last: int) -> list[Finding]:
        return [finding for finding in self.more if first <= finding.position <= last]

    def closing_findings(self) -> list[Finding]:
        return []

    def close(self) -> None:
        pass

    def without(self, position: int) -> MemoryLog:
        return replace(self, all=[row for row in self.all if row.position != position], claimed=self.size)

    def with_row(self, row: Row) -> MemoryLog:
        return replace(self, all=[row if one.position == row.position else one for one in self.all])
