"""One hold of the store's write lock: what is looked at through it is true until it commits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem, DCBSequencedEvent

from ledger.calendar import Clock
from ledger.errors import Text, Unavailable
from ledger.guards import Fold
from ledger.mapper import Fact, Recorded, from_stored, to_stored
from ledger.memory import Memory
from ledger.store.contract import LedgerStore, WriteTransaction

S = TypeVar("S")

CLOCK_SKEW_MAX: Final = timedelta(seconds=5)
"""How far another process's clock may be ahead of ours before somebody has to look."""


class View(Protocol):
    """Where decisions look: the state of a fold over the events with a tag."""

    def look(self, fold: Fold[S], tag: str) -> S: ...


class Snapshot:
    """A view for those who only ask: reads the store without its write lock, and remembers nothing."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def look(self, fold: Fold[S], tag: str) -> S:
        state = fold.start(tag)
        for stored in self._store.read(with_tag(tag)):
            state = fold.apply(state, from_stored(stored))
        return state


class Session:
    """A view for those who decide. Facts recorded in it are seen by the next decision, and written when it ends."""

    def __init__(self, transaction: WriteTransaction, memory: Memory, foreseen: Sequence[str]) -> None:
        self._transaction = transaction
        self._memory = memory
        self._head = transaction.head
        self._written: list[DCBEvent] = []
        self._unwritten: defaultdict[str, list[Recorded]] = defaultdict(list)
        self._stored: dict[str, list[DCBSequencedEvent]] = {}
        self._decoded: dict[str, list[Recorded]] = {}
        self.foresee(foreseen)

    @property
    def head(self) -> int:
        """The last position, with what was recorded here."""
        return self._head

    def foresee(self, tags: Sequence[str]) -> None:
        """Read in one question what many decisions are known to ask for.

        Decoded only when asked for: a history that cannot be read fails the one who asks, not all who share the commit.
        """
        self._stored.update(self._transaction.histories(tags))

    def instant(self, clock: Clock) -> datetime:
        """The time of the next fact: never before the last, so that the log's order is also the order of time.

        Raises :class:`~ledger.errors.Unavailable` where the clock is behind the log by more than a moment.
        """
        now, last = clock(), self._last_instant()
        if last is None or now >= last:
            return now
        if last - now > CLOCK_SKEW_MAX:
            raise _clock_behind(now, last)
        return last

    def _last_instant(self) -> datetime | None:
        if self._memory.last_instant is None and self._head > 0:
            (stored,) = self._transaction.read(after=self._head - 1, limit=1)
            self._memory.last_instant = from_stored(stored).envelope.recorded_at
        return self._memory.last_instant

    def look(self, fold: Fold[S], tag: str) -> S:
        remembered = self._memory.recall(fold, tag)
        if remembered is not None:
            state: S = remembered[1]
            return state
        state = fold.start(tag)
        for recorded in self._history(tag):
            state = fold.apply(state, recorded)
        if fold.kept:
            self._memory.keep(fold, tag, state)
        return state

    def record(self, fact: Fact) -> Recorded:
        """Give a fact its place after all others. It reads back, or this raises and nothing has changed."""
        stored, position = to_stored(fact), self._head + 1
        recorded = Recorded(position=position, tags=tuple(stored.tags), envelope=fact.envelope, event=fact.event)
        self._memory.advance(recorded)
        self._head = position
        self._written.append(stored)
        for tag in recorded.tags:
            self._unwritten[tag].append(recorded)
        return recorded

    def write(self) -> None:
        if self._written:
            last = self._transaction.append(self._written)
            assert last == self._head, "positions are given out under the write lock"

    def _history(self, tag: str) -> list[Recorded]:
        if tag not in self._decoded:
            if tag not in self._stored:
                self.foresee([tag])
            self._decoded[tag] = list(map(from_stored, self._stored[tag]))
        return [*self._decoded[tag], *self._unwritten.get(tag, ())]


def with_tag(tag: str) -> DCBQuery:
    return DCBQuery(items=[DCBQueryItem(tags=[tag])])


def _clock_behind(now: datetime, last: datetime) -> Unavailable:
    return Unavailable(
        Text(
            f"服务器时钟{now}早于账本最后一条记录的时间{last}，请校正服务器时钟后用同一幂等键重试",
            f"the server's clock, {now}, is behind the ledger's last fact, {last}; "
            "set the clock right and repeat with the same key",
        )
    )
