"""Following a PostgreSQL store: woken by the server's notifications, whichever process recorded.

A notification that was lost, with its connection or otherwise, costs time and never an event: subscriptions look by
themselves every now and then.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from typing import TYPE_CHECKING, Final

import psycopg
from eventsourcing.dcb.api import DCBQuery

from ledger.store.following import Following
from ledger.store.postgres_connections import Address, closed
from ledger.store.postgres_schema import CHANNEL

if TYPE_CHECKING:
    from ledger.store.postgres import PostgresDCBRecorder

POLL_SECONDS: Final = 1.0
"""How long an event may go unnoticed where its notification was lost."""

_RECONNECT_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class PostgresSubscription(Following["PostgresDCBRecorder"]):
    """What :meth:`PostgresDCBRecorder.subscribe` returns."""

    def __init__(
        self,
        recorder: PostgresDCBRecorder,
        listener: Listener,
        query: DCBQuery | None = None,
        after: int | None = None,
    ) -> None:
        super().__init__(recorder, query, after, poll_seconds=POLL_SECONDS)
        self._listener = listener
        listener.add(self)

    def stop(self) -> None:
        super().stop()
        self._listener.discard(self)


class Listener:
    """Hears of commits, in one connection and one thread for all subscriptions of a recorder, opened with the first."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._subscriptions: set[PostgresSubscription] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._alarm, self._bell = socket.socketpair()

    def add(self, subscription: PostgresSubscription) -> None:
        with self._lock:
            if self._ended.is_set():
                raise closed(self._address.name)
            self._subscriptions.add(subscription)
            if self._thread is None:
                # A daemon: nobody who forgets to close a recorder shall hold up the interpreter's exit.
                self._thread = threading.Thread(target=self._listen, name="ledger-listener", daemon=True)
                self._thread.start()

    def discard(self, subscription: PostgresSubscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)

    def wake(self) -> None:
        """Let every subscription look for new events."""
        with self._lock:
            for subscription in self._subscriptions:
                subscription.wake()

    def close(self) -> None:
        """Stop every subscription, and listening. May be called again."""
        with self._lock:
            first = not self._ended.is_set()
            self._ended.set()
            following = list(self._subscriptions)
        for subscription in following:
            subscription.stop()
        if first and self._thread is not None:
            self._bell.send(b"!")
            # It may be waiting for a server that does not answer, which need not hold up anybody.
            self._thread.join(_CLOSE_SECONDS)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                self._hear()
            except psycopg.Error as error:
                _log.warning("the connection that hears of new events was lost, and is opened anew: %s", error)
            except OSError:
                _log.exception("the connection that hears of new events failed, and is opened anew")
            self._ended.wait(_RECONNECT_SECONDS)

    def _hear(self) -> None:
        with self._address.connect() as connection, selectors.DefaultSelector() as selector:
            connection.execute(f"LISTEN {CHANNEL}", prepare=False)
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._alarm, selectors.EVENT_READ)
            while not self._ended.is_set():
                # First of all, too: what was recorded before it listened was not heard of.
                self.wake()
                selector.select()
                for _ in connection.notifies(timeout=0):
                    pass
