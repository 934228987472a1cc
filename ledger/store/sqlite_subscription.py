"""Following a SQLite store: every event once and in order, whichever process recorded it."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from eventsourcing.dcb.api import DCBQuery, DCBSequencedEvent, DCBSubscription

from ledger.errors import Unavailable

if TYPE_CHECKING:
    from ledger.store.sqlite import SQLiteDCBRecorder

POLL_SECONDS: Final = 0.05
"""How long events of another process may go unnoticed. Those of this process are noticed at once."""

_SLICE: Final = 500


class SQLiteSubscription(DCBSubscription["SQLiteDCBRecorder"]):
    """Iterates over recorded events, then waits for new ones. For one consumer; any thread may stop it.

    It reads in the consumer's own thread. eventsourcing's ``DCBListenNotifySubscription`` keeps a thread for
    it that hears only of this process, and that holds up the interpreter's exit when nobody stops it.

    ``next()`` raises ``StopIteration`` once stopped or once the recorder is closed. It also raises what
    reading raises; after ``Unavailable``, call ``next()`` again: nothing is skipped.
    """

    def __init__(self, recorder: SQLiteDCBRecorder, query: DCBQuery | None = None, after: int | None = None) -> None:
        super().__init__(recorder=recorder, query=query, after=after)
        self._fetched: deque[DCBSequencedEvent] = deque()
        self._woken = threading.Event()

    def __next__(self) -> DCBSequencedEvent:
        while not self._has_been_stopped:
            if self._fetched:
                return self._fetched.popleft()
            # Cleared before looking: what is recorded while this looks wakes it again.
            self._woken.clear()
            self._fetch()
            if not self._fetched:
                self._woken.wait(POLL_SECONDS)
        raise StopIteration

    def stop(self) -> None:
        """End the iteration, also of a consumer that is waiting in ``next()``. Returns at once."""
        super().stop()
        self._woken.set()
        self._recorder.forget(self)

    def wake(self) -> None:
        """Look for new events now."""
        self._woken.set()

    def _fetch(self) -> None:
        try:
            # Events are recorded in the order of positions: when a read that began at this head returns all
            # it found, everything up to the head has been seen, matching or not, and is never looked at
            # again.
            head = self._recorder.head()
            if head <= self._last_position:
                return
            found = list(self._recorder.read(self._query, after=self._last_position, limit=_SLICE))
        except Unavailable:
            if self._has_been_stopped:
                return
            raise
        self._fetched.extend(found)
        last = found[-1].position if found else 0
        self._last_position = last if len(found) == _SLICE else max(head, last)
