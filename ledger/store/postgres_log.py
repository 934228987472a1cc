"""A PostgreSQL store as evidence: read as it lies there, and nothing of it believed.

Read by a connection of its own that cannot write, with the rights of any role that may SELECT, also from a replica. Unlike
the recorder it creates nothing, and does not refuse a database whose schema was changed, because somebody who switched a
trigger off is whom an auditor looks for.

The events up to a position are the same in every snapshot, so none is held: a check of many minutes keeps no old row from
being vacuumed, and may go on by another connection when the first is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import msgspec
import psycopg
from psycopg import RawCursor

from ledger.errors import LedgerError, NotFound, StoreFault, Text
from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import NodeReader, RunReader
from ledger.seal.sealed_log import Finding, LogDamaged, OutOfReach, Row
from ledger.store import postgres_query, postgres_schema
from ledger.store.configured import LOCK_TIMEOUT_S
from ledger.store.postgres_connections import Address, explained, is_lost, refusal_of, refused
from ledger.store.postgres_schema import Connection
from ledger.store.stored_log import (
    StoredLog,
    before_first,
    change_permitted,
    miscounted,
    not_carried,
    not_indexed,
    schema_findings,
)

T = TypeVar("T")

_TRIES: Final = 2

# What Address.connect leaves to whoever writes; and a check that takes long is no mistake.
_SETTINGS: Final = "SET default_transaction_read_only = on; SET statement_timeout = 0"

_ROWS: Final = """
SELECT position, type, tags, data, run FROM ledger.events
WHERE position BETWEEN $1::bigint AND $2::bigint ORDER BY position"""

_HASH: Final = "('x' || encode(substring(sha256(convert_to(t.tag, 'UTF8')) FOR 8), 'hex'))::bit(64)::bigint"

_NOT_INDEXED: Final = f"""
SELECT e.position, e.type, t.tag FROM ledger.events AS e CROSS JOIN LATERAL unnest(e.tags) AS t (tag)
WHERE e.position BETWEEN $1::bigint AND $2::bigint
    AND NOT EXISTS (SELECT FROM ledger.event_tags AS i WHERE i.tag_hash = {_HASH} AND i.position = e.position)
ORDER BY e.position"""

# Each event takes more than 64 bytes.
_EVENTS_MOST: Final = "SELECT pg_table_size(to_regclass('ledger.events')) / 64"

_COUNT: Final = "SELECT count(*) FROM ledger.events"

_ENTRIES: Final = "SELECT count(*) FROM ledger.event_tags WHERE position BETWEEN 1 AND $1::bigint"

_TAGS_CARRIED: Final = """
SELECT coalesce(sum((SELECT count(DISTINCT t.tag) FROM unnest(e.tags) AS t (tag))), 0)::bigint
FROM ledger.events AS e WHERE e.position BETWEEN 1 AND $1::bigint"""

_NOT_CARRIED: Final = f"""
SELECT i.position FROM ledger.event_tags AS i WHERE i.position BETWEEN 1 AND $1::bigint AND NOT EXISTS (
    SELECT FROM ledger.events AS e CROSS JOIN LATERAL unnest(e.tags) AS t (tag)
    WHERE e.position = i.position AND i.tag_hash = {_HASH})
ORDER BY i.position LIMIT 1"""

_BEFORE_FIRST: Final = "SELECT position, type FROM ledger.events WHERE position < 1 ORDER BY position LIMIT 1"

_OF_NO_EVENT: Final = """
SELECT i.position FROM ledger.event_tags AS i WHERE i.position < 1 OR (
    i.position > $1::bigint AND NOT EXISTS (SELECT FROM ledger.events AS e WHERE e.position = i.position))
ORDER BY i.position LIMIT 1"""

_NOT_READ: Final = ("58030", "XX")
"""The disk below gives no bytes, or others than were written."""

_encode = msgspec.json.Encoder().encode


class PostgresLog(StoredLog):
    """The events of a PostgreSQL store, up to the last that was there when it was opened. May be pickled.

    Raises ``NotFound`` for a database without a ledger, ``StoreFault`` for one that cannot be read at all, ``OutOfReach``
    where the server does not answer.
    """

    divisible = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._address = Address(url, LOCK_TIMEOUT_S)
        self._connection: Connection | None = None
        try:
            if not self._on_server(postgres_schema.holds_something):
                raise _no_ledger(self.name)
            self._size = self._plausible(self._ask(postgres_query.HEAD)[0][0])
        except BaseException:
            self.close()
            raise

    def __getstate__(self) -> tuple[str, int]:
        return self._url, self._size

    def __setstate__(self, state: tuple[str, int]) -> None:
        self._url, self._size = state
        self._address = Address(self._url, LOCK_TIMEOUT_S)
        self._connection = None

    @property
    def name(self) -> str:
        """The database, without what must stay secret."""
        return self._address.name

    @property
    def size(self) -> int:
        return self._size

    def rows(self, first: int, last: int) -> list[Row]:
        return [_row(*found) for found in self._ask(_ROWS, first, last)]

    def head(self) -> int:
        return int(self._ask(postgres_query.HEAD)[0][0])

    def nodes(self) -> NodeReader:
        return RunReader(lambda leaves: dict(self._ask(*_flat(postgres_query.runs(leaves)))))

    def findings(self, first: int, last: int) -> list[Finding]:
        """Tags that the index does not know: whoever asks by them, a limit for instance, misses the event."""
        return [not_indexed(*found) for found in self._ask(_NOT_INDEXED, first, last)]

    def closing_findings(self) -> list[Finding]:
        """Index entries that no event carries, what lies where nobody reads, and what is left of what keeps the tables
        append-only."""
        changed = self._on_server(postgres_schema.changed_objects)
        foreign = self._on_server(postgres_schema.foreign_objects)
        rights = [change_permitted(*found) for found in self._on_server(postgres_schema.rights_to_change)]
        return [*self._foreign_entries(), *self._out_of_range(), *schema_findings(changed, foreign), *rights]

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _plausible(self, last: int) -> int:
        """How many events to look for. Where a position is beyond anything the table can hold, what is missing before it
        is found among as many as there are."""
        if last <= self._ask(_EVENTS_MOST)[0][0]:
            return last
        return min(last, int(self._ask(_COUNT)[0][0]))

    def _foreign_entries(self) -> list[Finding]:
        entries, carried = self._ask(_ENTRIES, self._size)[0][0], self._ask(_TAGS_CARRIED, self._size)[0][0]
        if entries == carried:
            return []
        named = [not_carried(position, None) for (position,) in self._ask(_NOT_CARRIED, self._size)]
        return named or [miscounted(entries, carried)]

    def _out_of_range(self) -> list[Finding]:
        events = [before_first(*found) for found in self._ask(_BEFORE_FIRST)]
        return [*events, *(not_carried(position, None) for (position,) in self._ask(_OF_NO_EVENT, self._size))]

    def _ask(self, text: str, *values: object) -> list[Any]:
        return self._on_server(lambda connection: RawCursor(connection).execute(text, values, binary=True).fetchall())

    def _on_server(self, question: Callable[[Connection], T]) -> T:
        """The answer, by a new connection where the old one was lost. Errors leave as errors of the ledger."""
        with self._explaining():
            for tried in range(1, _TRIES + 1):
                try:
                    return question(self._connected())
                except psycopg.Error as error:
                    if not is_lost(error) or tried == _TRIES:
                        raise
                    self.close()
        raise AssertionError("the last try returns or raises")

    def _connected(self) -> Connection:
        """The connection, made when first asked for in a process."""
        if self._connection is None:
            connection = self._address.connect()
            connection.execute(_SETTINGS, prepare=False)
            self._connection = connection
        return self._connection

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            if is_lost(error):
                raise _out_of_reach(self.name, error) from error
            told = explained(error, self.name)
            raise (LogDamaged(told.text) if _is_damage(error, told) else told) from error


def _is_damage(error: psycopg.Error, told: LedgerError) -> bool:
    """Whether something that is there cannot be read, rather than forbidden, locked or away."""
    if (error.sqlstate or "").startswith(_NOT_READ):
        return True
    return isinstance(told, StoreFault) and not isinstance(error, psycopg.errors.InsufficientPrivilege)


def _flat(statement: postgres_query.Statement) -> tuple[Any, ...]:
    text, values = statement
    return text, *values


def _row(position: int, type_name: Any, tags: Any, data: Any, run: Any) -> Row:
    if not (isinstance(type_name, str) and isinstance(tags, list) and type(data) is type(run) is bytes):
        # Only where somebody changed the columns themselves.
        raise LogDamaged(
            Text(
                f"第{position}号事件的列已不是账本的列",
                f"the columns of the event at position {position} are no longer those of a ledger",
            )
        )
    return Row(position, leaf_bytes(type_name, tags, data), type_name, _encode(tags), data, run)


def _no_ledger(name: str) -> NotFound:
    return NotFound(
        Text(
            f"数据库{name}里没有账本。请核对 LEDGER_DATABASE_URL；新账本由 funding-ledger serve 建立，"
            "备份由 funding-ledger restore 恢复到其中。",
            f"there is no ledger in the database {name}; check LEDGER_DATABASE_URL. funding-ledger serve makes a new "
            "one there, funding-ledger restore puts a backup there.",
        )
    )


def _out_of_reach(name: str, error: psycopg.Error) -> OutOfReach:
    if (told := refusal_of(error)) is not None:
        return OutOfReach(refused(name, told))
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return OutOfReach(
        Text(
            f"数据库{name}没有应答（{reason}）；请查明后重试，未作任何改动。",
            f"The database {name} does not answer ({reason}). Nothing was changed: see to it, then try again.",
        )
    )
