"""A SQLite store as evidence: read as it lies there, and nothing of it believed.

Opened by path and for reading only, beside whoever writes. Unlike the recorder it does not refuse a file whose schema was
changed, because somebody who dropped a trigger is whom an auditor looks for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import msgspec

from ledger.errors import NotFound, StoreFault, Text
from ledger.seal.merkle import NodeReader, RunReader
from ledger.seal.verification import Finding, Row
from ledger.store import sqlite_schema
from ledger.store.sqlite_connections import explained
from ledger.store.sqlite_log_rewrite import lasting_log, leave
from ledger.store.sqlite_query import runs
from ledger.store.stored_log import StoredLog, changed_schema, not_carried, not_indexed

# As bytes, and whatever they are: what is damaged is to be found, and told by position.
_ROWS: Final = """
SELECT position, ifnull(CAST(type AS BLOB), x''), ifnull(CAST(tags AS BLOB), x''), ifnull(CAST(data AS BLOB), x''),
    ifnull(CAST(run AS BLOB), x'')
FROM events WHERE position BETWEEN ? AND ? ORDER BY position"""
_LEGIBLE: Final = "CASE WHEN typeof(e.tags) = 'text' AND json_valid(e.tags) THEN e.tags ELSE '[]' END"
_TAGS: Final = f"json_each({_LEGIBLE}) AS t"
_NOT_INDEXED: Final = f"""
SELECT e.position, CAST(e.type AS BLOB), CAST(t.value AS BLOB) FROM events AS e, {_TAGS}
WHERE e.position BETWEEN ? AND ?
AND NOT EXISTS (SELECT 1 FROM event_tags AS i WHERE i.tag = t.value AND i.position = e.position)
ORDER BY e.position"""
_INDEX_ENTRIES: Final = "SELECT count(*) FROM event_tags WHERE position <= ?"
_TAGS_CARRIED: Final = f"SELECT ifnull(sum(json_array_length({_LEGIBLE})), 0) FROM events AS e WHERE e.position <= ?"
_NOT_CARRIED: Final = f"""
SELECT i.position, CAST(i.tag AS BLOB) FROM event_tags AS i WHERE i.position <= ? AND NOT EXISTS (
    SELECT 1 FROM events AS e, {_TAGS} WHERE e.position = i.position AND t.value = i.tag)
ORDER BY i.position LIMIT 1"""
_BUSY_SECONDS: Final = 10
_encode = msgspec.json.Encoder().encode


class SQLiteLog(StoredLog):
    """The events of a SQLite store, up to the last that was there when it was opened. May be pickled.

    Raises ``NotFound`` where there is no file, ``StoreFault`` where it is no store that can be read at all.
    """

    divisible = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: apsw.Connection | None = None
        if not path.is_file():
            raise NotFound(Text(f"没有账本文件{path}", f"there is no store {path}"))
        with self._open() as connection:
            self._size: int = connection.execute("SELECT ifnull(max(position), 0) FROM events").get

    def __getstate__(self) -> tuple[Path, int]:
        return self._path, self._size

    def __setstate__(self, state: tuple[Path, int]) -> None:
        self._path, self._size = state
        self._connection = None

    @property
    def size(self) -> int:
        return self._size

    def rows(self, first: int, last: int) -> list[Row]:
        with self._open() as connection:
            return [_row(*found) for found in connection.execute(_ROWS, (first, last))]

    def nodes(self) -> NodeReader:
        return RunReader(self._runs)

    def findings(self, first: int, last: int) -> list[Finding]:
        """Tags that the index does not know: whoever asks by them, a limit for instance, misses the event."""
        with self._open() as connection:
            return [
                not_indexed(position, _text(type_name), _text(tag))
                for position, type_name, tag in connection.execute(_NOT_INDEXED, (first, last))
            ]

    def closing_findings(self) -> list[Finding]:
        """Index entries that no event carries, and what is left of what keeps the file append-only."""
        with self._open() as connection:
            changed = sqlite_schema.changed_objects(connection)
        return [*self._foreign_entries(), *changed_schema(self._size, changed)]

    def close(self) -> None:
        if self._connection is not None:
            leave(self._connection, str(self._path), timeout_s=_BUSY_SECONDS)
            self._connection = None

    def _foreign_entries(self) -> Iterator[Finding]:
        with self._open() as connection:
            entries = connection.execute(_INDEX_ENTRIES, (self._size,)).get
            if entries != connection.execute(_TAGS_CARRIED, (self._size,)).get:
                for position, tag in connection.execute(_NOT_CARRIED, (self._size,)):
                    yield not_carried(position, _text(tag))

    def _runs(self, leaves: Sequence[int]) -> dict[int, bytes]:
        with self._open() as connection:
            return dict(connection.execute(*runs(leaves)))

    @contextmanager
    def _open(self) -> Iterator[apsw.Connection]:
        """The connection, made when first asked for in a process. Errors of SQLite leave as errors of the ledger."""
        try:
            if self._connection is None:
                self._connection = open_for_reading(self._path)
            yield self._connection
        except apsw.NotADBError as error:
            raise _not_a_store(self._path, str(error)) from error
        except apsw.SQLError as error:
            raise _not_a_store(self._path, str(error)) from error
        except UnicodeDecodeError as error:
            raise _not_a_store(self._path, f"damaged text: {error}") from error
        except apsw.Error as error:
            raise explained(error, str(self._path)) from error


def open_for_reading(path: Path) -> apsw.Connection:
    """A connection that changes nothing, to a file that others may be writing to."""
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        # Such as a backup that was put away: nobody can go on behind a log there.
        return _reading(path)
    # A service may start while this is open, and go on behind the log as it was found here.
    with lasting_log(str(path), timeout_s=_BUSY_SECONDS):
        return _reading(path)


def _reading(path: Path) -> apsw.Connection:
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.CantOpenError:
        # On a disk that cannot be written to.
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(_BUSY_SECONDS * 1000)
        # Else the last to close would write the log back into the file: what is looked at is left as it lies.
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.pragma("query_only", True)
        connection.pragma("schema_version")  # reads, and so takes part in the log
    except BaseException:
        connection.close()
        raise
    return connection


def _row(position: int, stored_type: bytes, tags: bytes, data: bytes, run: bytes) -> Row:
    type_name = _text(stored_type)
    return Row(position, b"[%b,%b,%b]" % (_encode(type_name), tags, data), type_name, tags, data, run)


def _text(stored: bytes | None) -> str:
    """What was damaged is legible, and is not what was sealed."""
    return (stored or b"").decode(errors="replace")


def _not_a_store(path: Path, reason: str) -> StoreFault:
    return StoreFault(
        Text(
            f"文件{path}不是可读的账本（{reason}）；请指定 facts.sqlite 或其备份。",
            f"{path} is not a store that can be read ({reason}); name a facts.sqlite or a backup of one.",
        )
    )
