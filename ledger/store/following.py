"""Following a store: every event once and in order, whichever process recorded it.

What is delivered is always read by position, and positions are in the order of commits: nothing can turn up later before
the last position that was read. Being woken only saves time.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final, TypeVar

from eventsourcing.dcb.api import DCBQuery, DCBSequencedEvent, DCBSubscription

from ledger.errors import StoreFault, Text, Unavailable
from ledger.store.contract import LedgerStore

S = TypeVar("S", bound=LedgerStore, covariant=True)

_SLICE: Final = 500


class Following(DCBSubscription[S]):
    """Iterates over recorded events, then waits for new ones. For one consumer; any thread may stop it.

    It reads in the consumer's own thread, when woken and at least every ``poll_seconds``. eventsourcing's
    ``DCBListenNotifySubscription`` keeps a thread for it that hears only of this process, and that holds up the
    interpreter's exit when nobody stops it.

    ``next()`` raises ``StopIteration`` once stopped or once the recorder is closed. It also raises what reading raises;
    after ``Unavailable``, call ``next()`` again: nothing is skipped. It raises ``StoreFault`` where the log ends before what
    was followed. A server that took over may by then have recorded as many events of its own: whoever keeps what it was
    told compares the event at its own position before it goes on, as the views do.
    """

    def __init__(self, recorder: S, query: DCBQuery | None, after: int | None, *, poll_seconds: float) -> None:
        super().__init__(recorder=recorder, query=query, after=after)
        self._poll_seconds = poll_seconds
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
                self._woken.wait(self._poll_seconds)
        raise StopIteration

    def stop(self) -> None:
        """End the iteration, also of a consumer that is waiting in ``next()``. Returns at once."""
        super().stop()
        self._woken.set()

    def wake(self) -> None:
        """Look for new events now."""
        self._woken.set()

    def _fetch(self) -> None:
        try:
            # When a read that began at this head returns all it found, everything up to the head has been seen, matching
            # or not, and is never looked at again.
            head = self._recorder.head()
            if head < self._last_position:
                raise _another_log(self._last_position, head)
            if head == self._last_position:
                return
            found = list(self._recorder.read(self._query, after=self._last_position, limit=_SLICE))
        except Unavailable:
            if self._has_been_stopped:
                return
            raise
        self._fetched.extend(found)
        last = found[-1].position if found else 0
        self._last_position = last if len(found) == _SLICE else max(head, last)


def _another_log(position: int, head: int) -> StoreFault:
    return StoreFault(
        Text(
            f"账本曾到第{position}号，现在只到第{head}号：换了另一份账本，或者接替的服务器缺少最后几条；须从头读取",
            f"the log had {position} events and now has {head}: another log was put in its place, or a server took over "
            "without the last ones. Read it from the beginning",
        )
    )
