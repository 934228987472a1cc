"""One writer, many commands: whoever waits is decided together, written together and flushed to the disk once.

The first thread that finds nobody at work takes the store's write lock and decides for all who wait by then, on facts that
cannot change meanwhile. When its own answer is durable it hands the work to one of those who came in the meantime. So a
single client never waits for company, and many clients share one flush.

Those whom a batch answered come back while the next is being flushed, and would share every second flush only. Where a flush
takes longer than their way back, the next leader waits for them a moment: :class:`_Company`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from copy import copy
from itertools import chain
from typing import Final, Protocol

from ledger.errors import LedgerError, Text, Unavailable
from ledger.mapper import from_stored
from ledger.memory import Memory
from ledger.session import Session
from ledger.store.contract import LedgerStore, WriteTransaction

BATCH_MAX: Final = 256
"""Decisions in one commit; bounds how long others wait for the write lock."""
BACKLOG_MAX: Final = 10_000
"""Decisions that may wait; beyond it the caller is told at once instead of after a time-out."""
CATCH_UP_PAGE: Final = 1_000

SLOW_FLUSH_S: Final = 0.0001
"""Waiting for company only pays where a flush takes longer than this, as on every disk that keeps its word."""
PATIENCE_MOST_S: Final = 0.005


class Task(Protocol):
    """Something to be decided under the write lock."""

    def foreseen(self) -> Sequence[str]:
        """Tags that the decision is known to look at."""
        ...

    def decide(self, session: Session) -> object:
        """Decide, and record through the session. May raise: then this task fails, alone."""
        ...


class _Ticket:
    """One task, and the thread that waits for it."""

    __slots__ = ("answer", "called", "error", "leads", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.answer: object = None
        self.error: BaseException | None = None
        self.leads = False
        self.called = threading.Lock()
        self.called.acquire()


class _Company:
    """How many took part lately, and until when it pays to wait for them to come back. Touched under the writer's gate."""

    __slots__ = ("_complete", "_expected", "_until", "_wanted")

    def __init__(self) -> None:
        self._expected, self._until, self._wanted = 0, 0.0, 0
        self._complete = threading.Lock()
        self._complete.acquire()

    def dispersed(self, size: int, flush_s: float) -> None:
        """A batch was answered; ``size`` counts those who came meanwhile as well. One alone is no company."""
        self._expected = min(size, BATCH_MAX) if flush_s > SLOW_FLUSH_S else 0
        self._until = time.monotonic() + min(flush_s / 2, PATIENCE_MOST_S)

    def patience_s(self, present: int) -> float:
        """For how long to :meth:`wait`, if at all."""
        left = self._until - time.monotonic() if present < self._expected else 0.0
        self._wanted = self._expected if left > 0 else 0
        return max(left, 0.0)

    def arrived(self, present: int) -> None:
        if 0 < self._wanted <= present:
            self._wanted = 0
            self._complete.release()

    def wait(self, patience_s: float) -> None:
        """Until all are there, or no longer than that. Not under the gate."""
        self._complete.acquire(timeout=patience_s)

    def settle(self) -> None:
        """After waiting: nobody is called any more, and a call that came too late is taken back."""
        self._wanted = 0
        self._complete.acquire(blocking=False)


class Writer:
    """Gathers tasks and decides them in batches. Safe for many threads; other processes are caught up with first."""

    def __init__(self, store: LedgerStore, memory: Memory, *, backlog_max: int = BACKLOG_MAX) -> None:
        self._store = store
        self._memory = memory
        self._backlog_max = backlog_max
        self._position: int | None = None
        self._gate = threading.Lock()
        self._waiting: deque[_Ticket] = deque()
        self._at_work = False
        self._company = _Company()
        self._flush_s = 0.0

    def run(self, task: Task) -> object:
        """Decide one task and return its answer when it is durable, or raise what it raised.

        Raises :class:`~ledger.errors.Unavailable` where too many wait or the store did not answer: what was asked may or
        may not have been recorded, and repeating it with the same key tells.
        """
        ticket = _Ticket(task)
        if not self._enqueue([ticket]):
            raise _overloaded(self._backlog_max)
        self._wait(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.answer

    def run_many(self, tasks: Sequence[Task]) -> list[object]:
        """Decide tasks in their order, as many in one commit as a batch takes.

        Gives for each its answer, or the error that :meth:`run` would raise. Holds nobody up: others that wait share the
        batches.
        """
        tickets = [_Ticket(task) for task in tasks]
        if tickets and not self._enqueue(tickets):
            return [_overloaded(self._backlog_max) for _ in tickets]
        self._wait(*tickets)
        return [ticket.answer if ticket.error is None else ticket.error for ticket in tickets]

    def _enqueue(self, tickets: Sequence[_Ticket]) -> bool:
        """False where too many wait already. The first leads where nobody is at work."""
        with self._gate:
            if len(self._waiting) >= self._backlog_max:
                return False
            self._waiting.extend(tickets)
            self._company.arrived(len(self._waiting))
            if not self._at_work:
                self._appoint()
            return True

    def _wait(self, *tickets: _Ticket) -> None:
        """Until all are decided, by whoever leads: the thread that waits for the first in the queue does."""
        try:
            for ticket in tickets:
                ticket.called.acquire()
                if ticket.leads:
                    self._work()
        except BaseException:
            self._leave(tickets)
            raise

    def _leave(self, tickets: Sequence[_Ticket]) -> None:
        """Who is interrupted leaves with all that nobody waits for any more, and passes on what was to be led."""
        with self._gate:
            left = [ticket for ticket in tickets if ticket in self._waiting]
            for ticket in left:
                self._waiting.remove(ticket)
            if any(ticket.leads for ticket in left):
                self._appoint()

    def _appoint(self) -> None:
        """Under the gate: call the first who waits to lead, or put the work down."""
        self._at_work = bool(self._waiting)
        if self._waiting:
            self._waiting[0].leads = True
            self._waiting[0].called.release()

    def _work(self) -> None:
        """Decide one batch, call those who waited for it, and hand over to the first who came meanwhile."""
        batch = self._gather()
        try:
            self._decide_together(batch)
        finally:
            for ticket in batch:
                ticket.called.release()
            with self._gate:
                self._company.dispersed(len(batch) + len(self._waiting), self._flush_s)
                self._appoint()

    def _gather(self) -> list[_Ticket]:
        """Those who wait, after a moment's patience for those who will be back at once."""
        with self._gate:
            patience_s = self._company.patience_s(len(self._waiting))
            if not patience_s:
                return self._taken()
        try:
            self._company.wait(patience_s)
        finally:
            with self._gate:
                self._company.settle()
        with self._gate:
            return self._taken()

    def _taken(self) -> list[_Ticket]:
        """Under the gate: the next batch, out of the queue."""
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_MAX))]

    def _decide_together(self, batch: Sequence[_Ticket]) -> None:
        try:
            # Only whoever is at work touches the memory, so that it may be asked before the lock is held; what other
            # processes recorded meanwhile is caught up with under it.
            foreseen = self._foreseen(batch)
            with self._store.transaction(foreseen) as transaction:
                self._catch_up(transaction)
                session = Session(transaction, self._memory, foreseen)
                for ticket in batch:
                    try:
                        ticket.answer = ticket.task.decide(session)
                    except Exception as error:  # noqa: BLE001 - whatever it is, it is this caller's alone
                        ticket.error = error
                session.write()
                self._position = session.head
                decided = time.monotonic()
            self._flush_s = time.monotonic() - decided
        except BaseException as error:
            # Nothing of the batch was written, or nobody can tell: what is remembered may not be true any more.
            self._memory.forget()
            self._position = None
            failure = error if isinstance(error, LedgerError) else None
            for ticket in batch:
                # One for each: many threads that raise the same object lengthen one traceback.
                ticket.error = _unknown(error) if failure is None else copy(failure)
            if not isinstance(error, Exception):
                raise

    def _foreseen(self, batch: Sequence[_Ticket]) -> list[str]:
        tags = dict.fromkeys(chain.from_iterable(ticket.task.foreseen() for ticket in batch))
        return [tag for tag in tags if not self._memory.knows(tag)]

    def _catch_up(self, transaction: WriteTransaction) -> None:
        """Fold in what other processes recorded since, so that what is remembered is true under this lock."""
        if self._position is None or self._position > transaction.head:
            # Nothing is known yet; or the store is not the one we knew: a standby took over that lacks our last facts.
            self._memory.forget()
            self._position = transaction.head
        while self._position < transaction.head:
            for stored in transaction.read(after=self._position, limit=CATCH_UP_PAGE):
                try:
                    self._memory.advance(from_stored(stored))
                except Exception:  # noqa: BLE001 - the one who asks for this history meets the failure, alone
                    self._memory.forget_histories(stored.event.tags)
                self._position = stored.position


def _overloaded(backlog: int) -> Unavailable:
    return Unavailable(
        Text(
            f"系统繁忙：已有{backlog}项操作在等待，请稍后用同一幂等键重试",
            f"overloaded: {backlog} commands are waiting; repeat later with the same key",
        )
    )


def _unknown(error: BaseException) -> Unavailable:
    unavailable = Unavailable(
        Text(
            "系统未能确认是否已记录，请用同一幂等键重试，不会重复记录",
            "whether this was recorded is unknown; repeat with the same key, it is never recorded twice",
        )
    )
    unavailable.__cause__ = error
    return unavailable
