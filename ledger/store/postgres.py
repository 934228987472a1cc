"""The event store for production: a PostgreSQL database, as a persistence module of eventsourcing.

Choose it with ``PERSISTENCE_MODULE=ledger.store.postgres``; ``POSTGRES_URL`` is the address of the database as libpq
reads it, ``POSTGRES_LOCK_TIMEOUT`` the longest wait for others in whole seconds. The first to come creates the schema
``ledger`` there (:mod:`ledger.store.postgres_schema`). What ``append`` returned is flushed to the server's disk, and to
its synchronous standbys where it has any.

Connect to the server itself, or through a pooler in session mode: settings and LISTEN belong to a session.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

import psycopg
from eventsourcing.dcb.api import (
    DCBAppendCondition,
    DCBEvent,
    DCBQuery,
    DCBSequencedEvent,
)
from eventsourcing.persistence import IntegrityError, ProgrammingError
from psycopg import RawCursor
from psycopg.errors import InFailedSqlTransaction

from ledger.errors import StoreFault, Text, Unavailable
from ledger.seal.merkle import NodeReader, RunReader
from ledger.store import configured, postgres_query, postgres_schema
from ledger.store.contract import LedgerStore
from ledger.store.events_read import EventsRead
from ledger.store.postgres_connections import (
    Address,
    Readers,
    busy,
    closed,
    doubtful,
    explained,
    explaining,
    is_lost,
    open_writer,
    settle_doubts,
    taken_over,
    unknown,
    warnings_of,
)
from ledger.store.postgres_pipeline import send
from ledger.store.postgres_query import Insertion, Statement, by_tag, insertion, match, selection, sequenced
from ledger.store.postgres_schema import Connection
from ledger.store.postgres_subscription import Listener, PostgresSubscription
from ledger.store.sealing import Sealer


class WriteTransaction:
    """The store under its write lock: what is read here is still true when it is committed.

    Not for use after its ``with`` block has ended. Events are sent with the commit, in one round trip, unless something is
    asked in between that they could be part of.
    """

    def __init__(
        self,
        connection: Connection,
        sealer: Sealer,
        name: str,
        last: tuple[int, bytes | None],
        foreseen: dict[str, list[DCBSequencedEvent]],
    ) -> None:
        self._connection = connection
        self._sealer = sealer
        self._name = name
        self._head, self._run = last
        self._foreseen = foreseen
        self._unsent: Insertion | None = None
        self._sent = False

    @property
    def head(self) -> int:
        """The last position, including what this transaction has appended; 0 in an empty store."""
        return self._head

    @property
    def last(self) -> tuple[int, bytes | None]:
        """The head, and the run stored there: by both, a log is known again."""
        return self._head, self._run

    def matches(self, query: DCBQuery | None, *, after: int | None = None) -> bool:
        """Whether any event after the position matches."""
        after = after or 0
        return after < self._head and bool(self._ask(match(query, after=after))[0][0])

    def read(self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None) -> EventsRead:
        """As :meth:`PostgresDCBRecorder.read`, with what this transaction has appended."""
        return _response(self._ask(selection(query, after=after or 0, limit=limit)), limit)

    def histories(self, tags: Sequence[str]) -> dict[str, list[DCBSequencedEvent]]:
        """The events that carry each of the tags, in order; an empty list for a tag that nothing carries."""
        known = {} if self._unsent else self._foreseen
        asked = [tag for tag in tags if tag not in known]
        found = by_tag(asked, self._ask(postgres_query.histories(asked))) if asked else {}
        return {tag: known[tag] if tag in known else found[tag] for tag in tags}

    def nodes(self) -> NodeReader:
        """The nodes of the sealed log, with what this transaction has appended."""
        return RunReader(lambda leaves: dict(self._ask(postgres_query.runs(leaves))))

    def append(self, events: Sequence[DCBEvent]) -> int:
        """Append events at the next positions and return the last position."""
        self._send()
        nodes = self.nodes()
        runs: list[bytes] = []

        def seal() -> list[bytes]:
            runs.extend(self._sealer.seal(self._head, events, nodes))
            return runs

        self._unsent = insertion(self._head, events, seal)
        self._head, self._run = self._head + len(events), runs[-1]
        return self._head

    def commit(self) -> None:
        """Send what is left and commit, in one round trip. Raises what psycopg raises."""
        if self._unsent is not None:
            send(self._connection, self._unsent, commit=True)
        elif self._connection.execute("COMMIT", prepare=False).statusmessage != "COMMIT" and self._sent:
            # A transaction that met an error is rolled back by COMMIT, which is no error by itself.
            raise InFailedSqlTransaction("the transaction met an error before its commit")

    def _ask(self, statement: Statement) -> list[Any]:
        self._send()
        with explaining(self._name):
            return _execute(self._connection, statement).fetchall()

    def _send(self) -> None:
        if self._unsent is not None:
            with explaining(self._name):
                send(self._connection, self._unsent, commit=False)
            self._unsent, self._foreseen, self._sent = None, {}, True


class PostgresDCBRecorder(LedgerStore):
    """Events in one PostgreSQL database, shared by any number of threads, processes and machines.

    Reading never waits for writing. Writing takes one lock within the process and one in the database, so positions are
    1, 2, 3 … without a gap, in the order of commits. Each process opens its own; none may be carried over a ``fork``.

    Raises ``StoreFault`` on construction for a server or a database that must not be used, and ``Unavailable`` where the
    server does not answer; every method raises ``Unavailable`` when the store did not answer in time, the connection was
    lost, or ``close()`` was called. Connections that were lost are opened anew when they are next needed.
    """

    def __init__(self, url: str, *, lock_timeout_s: int = configured.LOCK_TIMEOUT_S) -> None:
        self._address = Address(url, lock_timeout_s)
        self._name = self._address.name
        self._write_lock = threading.Lock()
        self._sealer = Sealer()
        with explaining(self._name):
            self._writer: Connection | None
            self._writer, self._timeline = open_writer(self._address)
        # What a transaction last saw, to know the log again when the connection was lost.
        self._last: tuple[int, bytes | None] = (0, None)
        self._readers = Readers(self._address)
        self._listener = Listener(self._address)
        self._closed = False

    def head(self) -> int:
        """The position of the last event, 0 in an empty store."""
        return cast(int, self._ask((postgres_query.HEAD, ()))[0][0])

    def read(self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None) -> EventsRead:
        """Matching events after a position, in order, at most ``limit`` of them.

        All rows are fetched before this returns: read a long history in slices, by ``after`` and ``limit``.
        """
        return _response(self._ask(selection(query, after=after or 0, limit=limit)), limit)

    def nodes(self) -> NodeReader:
        """The nodes of the sealed log, for proofs."""
        return RunReader(lambda leaves: dict(self._ask(postgres_query.runs(leaves))))

    def append(self, events: Sequence[DCBEvent], condition: DCBAppendCondition | None = None) -> int:
        """Append all events or none, and return the last position when they are durable.

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

        The histories of the tags ``foreseen`` come with the lock, which saves a round trip.
        """
        if not self._write_lock.acquire(timeout=self._address.lock_timeout_s):
            raise busy(self._name)
        try:
            connection, transaction = self._begin(foreseen)
            before = transaction.head
            try:
                yield transaction
            except BaseException:
                self._abandon(connection)
                raise
            self._commit(connection, transaction)
        finally:
            self._write_lock.release()
        if transaction.head > before:
            self._listener.wake()

    def subscribe(self, query: DCBQuery | None = None, *, after: int | None = None) -> PostgresSubscription:
        """Follow matching events after a position, also those that other processes record."""
        if self._closed:
            raise closed(self._name)
        return PostgresSubscription(self, self._listener, query, after)

    def close(self) -> None:
        """Let a write under way finish, stop subscriptions, close every connection. May be called again."""
        self._closed = True
        self._listener.close()
        self._readers.close()
        with self._write_lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.close()

    def _ask(self, statement: Statement) -> list[Any]:
        return self._readers.ask(lambda connection: _execute(connection, statement).fetchall())

    def _begin(self, foreseen: Sequence[str]) -> tuple[Connection, WriteTransaction]:
        if self._closed:
            raise closed(self._name)
        if self._writer is not None:
            connection = self._writer
            try:
                return connection, self._locked(connection, foreseen)
            except psycopg.Error as error:
                self._abandon(connection)
                if not is_lost(error):
                    raise explained(error, self._name) from error
            except BaseException:
                self._abandon(connection)
                raise
            # Lost since it was last used; nothing has been asked of it yet, so that a new one is as good.
        connection = self._reopened()
        try:
            return connection, self._locked(connection, foreseen)
        except psycopg.Error as error:
            self._abandon(connection)
            raise explained(error, self._name) from error
        except BaseException:
            self._abandon(connection)
            raise

    def _locked(self, connection: Connection, foreseen: Sequence[str]) -> WriteTransaction:
        found = connection.execute(postgres_query.begin(foreseen), prepare=False)
        found.nextset()
        found.nextset()
        row = found.fetchone()
        assert row is not None
        head, run, fsync, full_page_writes = row
        try:
            postgres_schema.require_durable(fsync, full_page_writes, self._name)
        except StoreFault as fault:
            raise Unavailable(fault.text) from fault
        histories = by_tag(foreseen, found.fetchall()) if foreseen and found.nextset() else {}
        self._last = head, run
        return WriteTransaction(connection, self._sealer, self._name, self._last, histories)

    def _reopened(self) -> Connection:
        try:
            with explaining(self._name):
                connection, timeline = open_writer(self._address)
        except StoreFault as fault:
            # The service runs already: whatever is wrong with the server now may be put right without a new start.
            raise Unavailable(fault.text) from fault
        try:
            with explaining(self._name):
                # The last commit may have been cut off, and whoever asks again must not find what may yet be lost.
                warnings = settle_doubts(connection)
                known = timeline == self._timeline and self._knows_again(connection)
            if warnings:
                raise doubtful(warnings, self._name)
        except BaseException:
            connection.close()
            raise
        self._writer = connection
        if not known:
            # What callers remember of the facts may be what the store had and has no more.
            self._timeline, self._last = timeline, (0, None)
            raise taken_over(self._name)
        return connection

    def _knows_again(self, connection: Connection) -> bool:
        """Whether what was last seen is still there: its machine may have been put back to an earlier state."""
        position, run = self._last
        return position == 0 or connection.execute(postgres_query.RUN, (position,)).fetchone() == (run,)

    def _commit(self, connection: Connection, transaction: WriteTransaction) -> None:
        try:
            with warnings_of(connection) as warnings:
                transaction.commit()
        except BaseException as error:
            self._abandon(connection)
            if not isinstance(error, psycopg.Error):
                raise
            raise (unknown if is_lost(error) else explained)(error, self._name) from error
        if warnings:
            # Closed, so that the next write waits for what this one did not.
            connection.close()
            self._abandon(connection)
            raise doubtful(warnings, self._name)
        self._last = transaction.last

    def _abandon(self, connection: Connection) -> None:
        """Roll back; where even that fails, give up the connection, which rolls back too."""
        self._sealer.forget()
        with suppress(psycopg.Error):
            if not connection.closed:
                connection.execute("ROLLBACK", prepare=False)
        if connection.closed or connection.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
            connection.close()
            self._writer = None


class Factory(configured.StoreFactory):
    """The store that ``POSTGRES_URL`` names."""

    ADDRESS = "POSTGRES_URL"
    LOCK_TIMEOUT = "POSTGRES_LOCK_TIMEOUT"
    kind = Text("数据库", "database")

    def open_store(self, address: str, *, lock_timeout_s: int) -> PostgresDCBRecorder:
        return PostgresDCBRecorder(address, lock_timeout_s=lock_timeout_s)


def _response(rows: Sequence[Any], limit: int | None) -> EventsRead:
    assert limit is None or limit >= 0, "a limit is a number of events"
    found = [row[1:] for row in rows if row[1] is not None]
    events = map(sequenced, found)
    if limit is not None:
        return EventsRead(events, found[-1][0] if found else None)
    return EventsRead(events, rows[0][0] or None)


def _execute(connection: Connection, statement: Statement) -> RawCursor[Any]:
    return RawCursor(connection).execute(*statement, prepare=True, binary=True)
