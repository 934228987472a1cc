"""A SQLite store as evidence: read as it lies there, and nothing of it believed.

Opened by path and for reading only, beside whoever writes. Unlike the recorder it does not refuse a file whose schema was
changed, because somebody who dropped a trigger is whom an auditor looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import apsw
import msgspec

from ledger.errors import NotFound, StoreFault, Text
from ledger.seal.merkle import NodeReader, RunReader
from ledger.seal.sealed_log import Finding, Row
from ledger.store import sqlite_damage, sqlite_schema
from ledger.store.sqlite_connections import explained
from ledger.store.sqlite_damage import StoreDamaged
from ledger.store.sqlite_log_rewrite import leave
from ledger.store.sqlite_query import runs
from ledger.store.sqlite_reading import BUSY_SECONDS, StillFile, open_for_reading
from ledger.store.stored_log import StoredLog, before_first, miscounted, not_carried, not_indexed, schema_findings

# As bytes, and whatever they are: what is damaged is to be found, and told by position.
_ROWS: Final = """
SELECT position, ifnull(CAST(type AS BLOB), x''), ifnull(CAST(tags AS BLOB), x''), ifnull(CAST(data AS BLOB), x''),
    ifnull(CAST(run AS BLOB), x'')
FROM events WHERE position BETWEEN ?1 AND ?2 ORDER BY position"""
# A range also looks at what follows it, which may lie on another page.
_ROW: Final = _ROWS.replace("BETWEEN ?1 AND ?2", "= ?1")
_LEGIBLE: Final = "CASE WHEN typeof(e.tags) = 'text' AND json_valid(e.tags) THEN e.tags ELSE '[]' END"
_TAGS: Final = f"json_each({_LEGIBLE}) AS t"
_NOT_INDEXED: Final = f"""
SELECT e.position, CAST(e.type AS BLOB), CAST(t.value AS BLOB) FROM events AS e, {_TAGS}
WHERE e.position BETWEEN ?1 AND ?2
AND NOT EXISTS (SELECT 1 FROM event_tags AS i WHERE i.tag = t.value AND i.position = e.position)
ORDER BY e.position"""
_NOT_INDEXED_ROW: Final = _NOT_INDEXED.replace("BETWEEN ?1 AND ?2", "= ?1")
_INDEX_ENTRIES: Final = "SELECT count(*) FROM event_tags WHERE position BETWEEN 1 AND ?"
_TAGS_CARRIED: Final = f"""
SELECT ifnull(sum((SELECT count(DISTINCT t.value) FROM {_TAGS})), 0) FROM events AS e WHERE e.position BETWEEN 1 AND ?"""
_NOT_CARRIED: Final = f"""
SELECT i.position, CAST(i.tag AS BLOB) FROM event_tags AS i WHERE i.position BETWEEN 1 AND ? AND NOT EXISTS (
    SELECT 1 FROM events AS e, {_TAGS} WHERE e.position = i.position AND t.value = i.tag)
ORDER BY i.position LIMIT 1"""
_BEFORE_FIRST: Final = "SELECT position, CAST(type AS BLOB) FROM events WHERE position < 1 ORDER BY position LIMIT 1"
_OF_NO_EVENT: Final = """
SELECT i.position, CAST(i.tag AS BLOB) FROM event_tags AS i
WHERE i.position < 1 OR (i.position > ? AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.position = i.position))
ORDER BY i.position LIMIT 1"""
_LAST: Final = "SELECT ifnull(max(position), 0) FROM events"
_encode = msgspec.json.Encoder().encode


class SQLiteLog(StoredLog):
    """The events of a SQLite store, up to the last that was there when it was opened. May be pickled.

    Raises ``NotFound`` where there is no file, ``StoreFault`` for a database that is no ledger, ``NameUnusable`` for a file
    that this user may not read, ``Unavailable`` where others keep it locked, and :class:`StoreDamaged` where its end cannot
    be read. With ``damaged`` it does not raise the last: then it has the events that any page of the file still tells of,
    and what is wrong is among its findings. A copy is ``told_as`` what it is a copy of.
    """

    divisible = True

    def __init__(self, path: Path, *, damaged: bool = False, told_as: Path | None = None) -> None:
        self._path = path
        self._told_as = told_as or path
        self._connection: apsw.Connection | None = None
        self._end_unreadable = False
        self._damage: str | None = None
        if not path.is_file():
            raise NotFound(Text(f"没有账本文件{path}", f"there is no store {path}"))
        try:
            with self._open() as connection:
                self._size = sqlite_damage.plausible(connection, connection.execute(_LAST).get, path)
        except StoreDamaged as damage:
            if sqlite_damage.is_of_another_program(self._open):
                raise StoreFault(sqlite_damage.not_a_store(self._told_as, damage.reason)) from damage
            if not damaged:
                raise
            self._size, self._end_unreadable = sqlite_damage.told_by_any_page(self._open, path)

    def __getstate__(self) -> tuple[Path, Path, int]:
        return self._path, self._told_as, self._size

    def __setstate__(self, state: tuple[Path, Path, int]) -> None:
        self._path, self._told_as, self._size = state
        self._connection = None
        self._end_unreadable = False
        self._damage = None

    @property
    def size(self) -> int:
        return self._size

    @property
    def end_unreadable(self) -> bool:
        return self._end_unreadable

    def rows(self, first: int, last: int) -> list[Row]:
        try:
            with self._open() as connection:
                # A page may hold positions that do not belong there: they are for the check to tell.
                return [_row(*row) for row in connection.execute(*_spanning(_ROWS, _ROW, first, last))]
        except StoreDamaged as damage:
            raise (sqlite_damage.page_unreadable(damage) if first == last else damage) from damage

    def head(self) -> int:
        with self._open() as connection:
            return int(connection.execute(_LAST).get)

    def nodes(self) -> NodeReader:
        return RunReader(self._runs)

    def findings(self, first: int, last: int) -> list[Finding]:
        """Tags that the index does not know: whoever asks by them, a limit for instance, misses the event."""
        try:
            with self._open() as connection:
                found = connection.execute(*_spanning(_NOT_INDEXED, _NOT_INDEXED_ROW, first, last))
                return [not_indexed(position, _text(type_name), _text(tag)) for position, type_name, tag in found]
        except StoreDamaged as damage:
            raise (sqlite_damage.index_unreadable(damage) if first == last else damage) from damage

    def closing_findings(self) -> list[Finding]:
        """Index entries that no event carries, what lies where nobody reads, what is left of what keeps the file
        append-only, and damage, also such as nobody met who read by position."""
        found: list[Finding] = []
        for look in (self._foreign_entries, self._out_of_range, self._schema):
            # What was damaged is told once, below, whoever met it first.
            with suppress(StoreDamaged):
                found += look()
        # Always: what lies out of order on a page may be seen by nobody who reads by position.
        complaints = sqlite_damage.complaints(self._open) or ([self._damage] if self._damage is not None else [])
        if complaints:
            found.append(sqlite_damage.damage_found(self._told_as, complaints))
        if isinstance(self._connection, StillFile):
            self._connection.require_still()
        return found

    def close(self) -> None:
        if self._connection is not None:
            leave(self._connection, str(self._path), timeout_s=BUSY_SECONDS)
            self._connection = None

    def _foreign_entries(self) -> list[Finding]:
        with self._open() as connection:
            entries = connection.execute(_INDEX_ENTRIES, (self._size,)).get
            carried = connection.execute(_TAGS_CARRIED, (self._size,)).get
            if entries == carried:
                return []
            named = [_entry(*found) for found in connection.execute(_NOT_CARRIED, (self._size,))]
            return named or [miscounted(entries, carried)]

    def _out_of_range(self) -> list[Finding]:
        with self._open() as connection:
            events = [before_first(position, _text(name)) for position, name in connection.execute(_BEFORE_FIRST)]
            return [*events, *(_entry(*found) for found in connection.execute(_OF_NO_EVENT, (self._size,)))]

    def _schema(self) -> list[Finding]:
        with self._open() as connection:
            changed = sqlite_schema.changed_objects(connection)
            return schema_findings(changed, sqlite_schema.foreign_objects(connection))

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
        except (apsw.NotADBError, apsw.SQLError, UnicodeDecodeError) as error:
            raise self._damaged(sqlite_damage.not_a_store, error) from error
        except (apsw.BusyError, apsw.LockedError) as error:
            raise sqlite_damage.locked(self._told_as) from error
        except apsw.Error as error:
            if not sqlite_damage.is_damage(error):
                raise explained(error, str(self._told_as)) from error
            raise self._damaged(sqlite_damage.unreadable, error) from error

    def _damaged(self, told: Callable[[Path, str], Text], error: Exception) -> StoreDamaged:
        if isinstance(self._connection, StillFile):
            self._connection.require_still()
        self._damage = str(error)
        return StoreDamaged(told(self._told_as, self._damage), self._damage)


def _entry(position: int, tag: bytes) -> Finding:
    return not_carried(position, _text(tag))


def _spanning(many: str, one: str, first: int, last: int) -> tuple[str, tuple[int, ...]]:
    return (one, (first,)) if first == last else (many, (first, last))


def _row(position: int, stored_type: bytes, tags: bytes, data: bytes, run: bytes) -> Row:
    type_name = _text(stored_type)
    return Row(position, b"[%b,%b,%b]" % (_encode(type_name), tags, data), type_name, tags, data, run)


def _text(stored: bytes | None) -> str:
    """What was damaged is legible, and is not what was sealed."""
    return (stored or b"").decode(errors="replace")
