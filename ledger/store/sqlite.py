"""The embedded event store: one SQLite file, through apsw, as a persistence module of eventsourcing.

Choose it with ``PERSISTENCE_MODULE=ledger.store.sqlite``; ``SQLITE_DBNAME`` is the file,
``SQLITE_LOCK_TIMEOUT`` the longest wait for others in whole seconds. The file has a write-ahead log and
``synchronous=FULL``: what ``append`` returned survives a power failure. Never open it with Python's
``sqlite3`` in the same process: two SQLite libraries in one process undo each other's locks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import chain, starmap
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, cast

import apsw
import msgspec
from eventsourcing.dcb.api import (
    DCBAppendCondition,
    DCBEvent,
    DCBQuery,
    DCBSequencedEvent,
)
from eventsourcing.persistence import IntegrityError, ProgrammingError

from ledger.errors import StoreFault, Text
from ledger.seal.merkle import NodeReader, RunReader
from ledger.store import configured
from ledger.store.contract import LedgerStore
from ledger.store.events_read import EventsRead, matches
from ledger.store.sealing import Sealer
from ledger.store.sqlite_connections import Readers, busy, closed, explained, open_store
from ledger.store.sqlite_log_rewrite import leave
from ledger.store.sqlite_query import EVERYTHING, Bindings, match, runs, selection
from ledger.store.sqlite_subscription import SQLiteSubscription

Row = tuple[int, str, str, bytes]

_HEAD: Final = "SELECT max(position) FROM events WHERE position > 0"
_INSERT: Final = "INSERT INTO events (position, type, tags, run, data) VALUES "
_ROW: Final = "(?, ?, ?, ?, ?)"
_ROWS_MOST: Final = 32
"""Events that one statement inserts. Each statement lets go of the interpreter's lock, and somebody else takes it."""
_HISTORIES: Final = """
SELECT t.tag, e.position, e.type, e.tags, e.data
FROM json_each(?) AS asked
    CROSS JOIN event_tags AS t ON t.tag = asked.value AND t.position > 0
    CROSS JOIN events AS e ON e.position = t.position"""
_decode_tags = msgspec.json.Decoder(list[str]).decode
_encode = msgspec.json.Encoder().encode
_position: Final = itemgetter(1)


@cache
def _insertion(rows: int) -> str:
    return _INSERT + ", ".join([_ROW] * rows)


def _sequenced(position: int, type_: str, tags: str, data: bytes) -> DCBSequencedEvent:
    try:
        # A damaged byte can make a text of a blob, or the other way round, and nothing but this would notice.
        if type(type_) is not str or type(data) is not bytes:
            raise TypeError(f"a {type(type_).__name__} and a {type(data).__name__} where a text and bytes belong")
        return DCBSequencedEvent(DCBEvent(type=type_, data=data, tags=_decode_tags(tags)), position)
    except (TypeError, msgspec.DecodeError) as error:
        raise _unreadable(position, error) from error


class WriteTransaction:
    """The store under its write lock: what is read here is still true when it is committed.

    The seam for deciding many commands in one commit. Not for use after its ``with`` block has ended.
    """

    def __init__(self, connection: apsw.Connection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer
        self._head = _head(connection)

    @property
    def head(self) -> int:
        """The last position, including what this transaction has appended; 0 in an empty store."""
        return self._head

    def matches(self, query: DCBQuery | None, *, after: int | None = None) -> bool:
        """Whether any event after the position matches."""
        after = after or 0
        if after >= self._head:
            return False
        sql, bindings = match(query, after=after, upto=self._head)
        return bool(self._connection.execute(sql, bindings).get)

    def read(self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None) -> EventsRead:
        """As :meth:`SQLiteDCBRecorder.read`, with what this transaction has appended."""
        return _read(self._connection, query, after, limit)

    def histories(self, tags: Sequence[str]) -> dict[str, list[DCBSequencedEvent]]:
        """The events that carry each of the tags, in order; an empty list for a tag that nothing carries."""
        found: dict[str, list[DCBSequencedEvent]] = {tag: [] for tag in tags}
        if found:
            rows = _rows(self._connection, _HISTORIES, [_encode(list(found)).decode()])
            # Sorted here, where most histories asked for are empty: SQLite would make a table in between.
            for tag, *row in sorted(rows, key=_position):
                event = _sequenced(*row)
                if tag in event.event.tags:
                    found[tag].append(event)
        return found

    def nodes(self) -> NodeReader:
        """The nodes of the sealed log, with what this transaction has appended."""
        return RunReader(lambda leaves: _runs(self._connection, leaves))

    def append(self, events: Sequence[DCBEvent]) -> int:
        """Append events at the next positions and return the last position."""
        sealed = self._sealer.seal(self._head, events, RunReader(partial(_runs, self._connection)))
        rows = [
            (position, event.type, _encode(event.tags).decode(), run, event.data)
            for position, (event, run) in enumerate(zip(events, sealed, strict=True), start=self._head + 1)
        ]
        for first in range(0, len(rows), _ROWS_MOST):
            inserted = rows[first : first + _ROWS_MOST]
            self._connection.execute(_insertion(len(inserted)), tuple(chain.from_iterable(inserted)))
        self._head += len(rows)
        return self._head


class SQLiteDCBRecorder(LedgerStore):
    """Events in one SQLite file, shared by any number of threads and processes.

    Reading never waits for writing. Writing takes one lock within the process and one on the file, so
    positions are 1, 2, 3 … without a gap, in the order of commits. Each process opens its own; none may be
    carried over a ``fork``.

    Raises ``StoreFault`` on construction for a file or a library that must not be used, and ``Unavailable``
    from every method when the store did not answer in time, the disk failed, or ``close()`` was called.
    """

    def __init__(self, path: str | Path, *, lock_timeout_s: int = configured.LOCK_TIMEOUT_S) -> None:
        self._path = str(path)
        self._lock_timeout_s = lock_timeout_s
        self._write_lock = threading.Lock()
        self._sealer = Sealer()
        self._writer: apsw.Connection | None = open_store(self._path, lock_timeout_s=lock_timeout_s)
        self._readers = Readers(self._path, lock_timeout_s=lock_timeout_s)
        self._subscriptions: set[SQLiteSubscription] = set()
        self._subscriptions_lock = threading.Lock()
        self._closed = False

    def head(self) -> int:
        """The position of the last event, 0 in an empty store."""
        with self._readers.lend() as connection:
            return _head(connection)

    def read(self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None) -> EventsRead:
        """Matching events after a position, in order, at most ``limit`` of them.

        All rows are fetched before this returns: read a long history in slices, by ``after`` and ``limit``.
        """
        with self._readers.lend() as connection:
            return _read(connection, query, after, limit)

    def nodes(self) -> NodeReader:
        """The nodes of the sealed log, for proofs."""

        def fetch(leaves: Sequence[int]) -> dict[int, bytes]:
            with self._readers.lend() as connection:
                return _runs(connection, leaves)

        return RunReader(fetch)

    def append(self, events: Sequence[DCBEvent], condition: DCBAppendCondition | None = None) -> int:
        """Append all events or none, and return the last position when they are on the disk.

        Raises ``IntegrityError`` if an event after ``condition.after`` matches the condition's query.
        """
        if not events:
            raise ProgrammingError("Appending needs at least one event")
        with self.transaction() as transaction:
            if condition and transaction.matches(condition.fail_if_events_match, after=condition.after):
                raise IntegrityError(condition)
            return transaction.append(events)

    @contextmanager
    def transaction(self, foreseen: Sequence[str] = ()) -> Iterator[WriteTransaction]:
        """Hold the write lock for a ``with`` block; commit durably at its end, roll back if it raises.

        ``foreseen`` changes nothing here: in process, a question costs no round trip.
        """
        if not self._write_lock.acquire(timeout=self._lock_timeout_s):
            raise busy(self._path)
        try:
            connection = self._writing_connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
                transaction = WriteTransaction(connection, self._sealer)
                before = transaction.head
                yield transaction
                connection.execute("COMMIT")
            except BaseException as error:
                self._abandon(connection)
                if isinstance(error, apsw.Error):
                    raise explained(error, self._path) from error
                raise
        finally:
            self._write_lock.release()
        if transaction.head > before:
            self._wake_subscriptions()

    def subscribe(self, query: DCBQuery | None = None, *, after: int | None = None) -> SQLiteSubscription:
        """Follow matching events after a position, also those that other processes record."""
        subscription = SQLiteSubscription(self, query, after)
        with self._subscriptions_lock:
            if self._closed:
                raise closed(self._path)
            self._subscriptions.add(subscription)
        return subscription

    def forget(self, subscription: SQLiteSubscription) -> None:
        """Wake this subscription no more (it has been stopped)."""
        with self._subscriptions_lock:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        """Let what is under way finish, stop subscriptions, close every connection. May be called again."""
        with self._subscriptions_lock:
            self._closed = True
            following = list(self._subscriptions)
        for subscription in following:
            subscription.stop()
        self._readers.close()
        with self._write_lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                # Closing writes the log back into the file; where the disk fails, the next start does that.
                leave(writer, self._path, timeout_s=self._lock_timeout_s)

    def _writing_connection(self) -> apsw.Connection:
        if self._closed:
            raise closed(self._path)
        if self._writer is None:
            self._writer = open_store(self._path, lock_timeout_s=self._lock_timeout_s)
        return self._writer

    def _abandon(self, connection: apsw.Connection) -> None:
        """Roll back; where even that fails, give up the connection, which rolls back too.

        A connection that met an error is kept otherwise: if the last connection closes after a failed flush, the
        next to open it reads the commit that was rolled back from the log, and completes it.
        """
        self._sealer.forget()
        with suppress(apsw.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if connection.in_transaction:
            self._writer = None
            with suppress(apsw.Error):
                connection.close()

    def _wake_subscriptions(self) -> None:
        with self._subscriptions_lock:
            for subscription in self._subscriptions:
                subscription.wake()


class Factory(configured.StoreFactory):
    """The store that ``SQLITE_DBNAME`` names."""

    ADDRESS = "SQLITE_DBNAME"
    LOCK_TIMEOUT = "SQLITE_LOCK_TIMEOUT"
    kind = Text("文件", "file")

    def open_store(self, address: str, *, lock_timeout_s: int) -> SQLiteDCBRecorder:
        return SQLiteDCBRecorder(address, lock_timeout_s=lock_timeout_s)


def _read(connection: apsw.Connection, query: DCBQuery | None, after: int | None, limit: int | None) -> EventsRead:
    if limit is not None:
        assert limit >= 0, "a limit is a number of events"
        rows = _rows(connection, *selection(query, after=after or 0, upto=EVERYTHING, limit=limit))
        return EventsRead(_meant(query, rows), rows[-1][0] if rows else None)
    # Nothing is ever changed or inserted before the head, so the events up to it are one snapshot with it,
    # without holding a read transaction open.
    head = _head(connection)
    rows = _rows(connection, *selection(query, after=after or 0, upto=head, limit=EVERYTHING))
    return EventsRead(_meant(query, rows), head or None)


def _meant(query: DCBQuery | None, rows: Iterable[Row]) -> Iterator[DCBSequencedEvent]:
    """An entry that somebody put into the index makes nothing of an event that does not carry its tag."""
    return (found for found in starmap(_sequenced, rows) if matches(query, found.event))


def _unreadable(position: int, error: Exception) -> StoreFault:
    return StoreFault(
        Text(
            zh=f"账本第{position}条事件已损坏（{error}），请停用服务，检查磁盘，并从备份恢复。",
            en=f"Event {position} of the store is damaged ({error}). "
            "Stop the service, check the disk, and restore the store from a backup.",
        )
    )


def _runs(connection: apsw.Connection, leaves: Sequence[int]) -> dict[int, bytes]:
    return dict(cast(list[tuple[int, bytes]], connection.execute(*runs(leaves)).fetchall()))


def _head(connection: apsw.Connection) -> int:
    return cast(int | None, connection.execute(_HEAD).get) or 0


def _rows(connection: apsw.Connection, sql: str, bindings: Bindings) -> list[Any]:
    with _readable_text():
        return connection.execute(sql, bindings).fetchall()


@contextmanager
def _readable_text() -> Iterator[None]:
    """SQLite does not look into its texts, apsw does: one that is no UTF-8 leaves as a fault of the store."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise StoreFault(
            Text(
                zh=f"账本中有一条事件的文字已损坏（{error}），请停用服务，检查磁盘，并从备份恢复。",
                en=f"The text of an event of the store is damaged ({error}). "
                "Stop the service, check the disk, and restore the store from a backup.",
            )
        ) from error
