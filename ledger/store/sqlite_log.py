"""A SQLite store as evidence: read as it lies there, and nothing of it believed.

Opened by path and for reading only, beside whoever writes. Unlike the recorder it does not refuse a file whose schema was
changed, because somebody who dropped a trigger is whom an auditor looks for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
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
from ledger.store.stored_log import StoredLog, not_carried, not_indexed, schema_findings

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
_INDEX_ENTRIES: Final = "SELECT count(*) FROM event_tags WHERE position <= ?"
_TAGS_CARRIED: Final = f"SELECT ifnull(sum(json_array_length({_LEGIBLE})), 0) FROM events AS e WHERE e.position <= ?"
_NOT_CARRIED: Final = f"""
SELECT i.position, CAST(i.tag AS BLOB) FROM event_tags AS i WHERE i.position <= ? AND NOT EXISTS (
    SELECT 1 FROM events AS e, {_TAGS} WHERE e.position = i.position AND t.value = i.tag)
ORDER BY i.position LIMIT 1"""
_LAST: Final = "SELECT ifnull(max(position), 0) FROM events"
# Each names positions without looking at what is recorded there; a damaged page ends it.
_POSITIONS: Final = (
    "SELECT position FROM events ORDER BY position",
    "SELECT position FROM event_tags ORDER BY tag DESC, position DESC",
    "SELECT position FROM event_tags ORDER BY tag, position",
)
_EVENT_BYTES_LEAST: Final = 64
"""Less than any event takes: a file with a position beyond what it could hold has a hole, or a damaged number."""
_COMPLAINTS_MOST: Final = 3
_COMPLAINTS: Final = f"PRAGMA quick_check({_COMPLAINTS_MOST})"
_NOT_READ: Final = (
    apsw.SQLITE_IOERR_READ,
    apsw.SQLITE_IOERR_SHORT_READ,
    apsw.SQLITE_IOERR_CORRUPTFS,
    apsw.SQLITE_IOERR_DATA,
)
_BUSY_SECONDS: Final = 10
_encode = msgspec.json.Encoder().encode


class StoreDamaged(StoreFault):
    """A part of the file cannot be read; ``reason`` is what SQLite says of it."""

    def __init__(self, text: Text, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class SQLiteLog(StoredLog):
    """The events of a SQLite store, up to the last that was there when it was opened. May be pickled.

    Raises ``NotFound`` where there is no file, :class:`StoreDamaged` where its end cannot be read. With ``damaged`` it does
    not: then it has the events that any page of the file still tells of, and what is wrong is among its findings.
    """

    divisible = True

    def __init__(self, path: Path, *, damaged: bool = False) -> None:
        self._path = path
        self._connection: apsw.Connection | None = None
        self._end_unreadable = False
        self._damage: str | None = None
        if not path.is_file():
            raise NotFound(Text(f"没有账本文件{path}", f"there is no store {path}"))
        try:
            with self._open() as connection:
                self._size = _plausible(connection, connection.execute(_LAST).get, path)
        except StoreDamaged:
            if not damaged:
                raise
            self._size = self._told_by_any_page()

    def __getstate__(self) -> tuple[Path, int]:
        return self._path, self._size

    def __setstate__(self, state: tuple[Path, int]) -> None:
        self._path, self._size = state
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
                found = connection.execute(*_spanning(_ROWS, _ROW, first, last))
                # A damaged page may hold positions that do not belong there.
                return [_row(*row) for row in found if first <= row[0] <= last]
        except StoreDamaged as damage:
            raise (_page_unreadable(damage) if first == last else damage) from damage

    def nodes(self) -> NodeReader:
        return RunReader(self._runs)

    def findings(self, first: int, last: int) -> list[Finding]:
        """Tags that the index does not know: whoever asks by them, a limit for instance, misses the event."""
        try:
            with self._open() as connection:
                found = connection.execute(*_spanning(_NOT_INDEXED, _NOT_INDEXED_ROW, first, last))
                return [not_indexed(position, _text(type_name), _text(tag)) for position, type_name, tag in found]
        except StoreDamaged as damage:
            raise (_index_unreadable(damage) if first == last else damage) from damage

    def closing_findings(self) -> list[Finding]:
        """Index entries that no event carries, what is left of what keeps the file append-only, and damage."""
        found: list[Finding] = []
        for look in (self._foreign_entries, self._schema):
            # What was damaged is told once, below, whoever met it first.
            with suppress(StoreDamaged):
                found += look()
        if self._damage is not None:
            found.append(_damaged(self._path, self._complaints() or [self._damage]))
        return found

    def close(self) -> None:
        if self._connection is not None:
            leave(self._connection, str(self._path), timeout_s=_BUSY_SECONDS)
            self._connection = None

    def _foreign_entries(self) -> list[Finding]:
        with self._open() as connection:
            entries = connection.execute(_INDEX_ENTRIES, (self._size,)).get
            if entries == connection.execute(_TAGS_CARRIED, (self._size,)).get:
                return []
            found = connection.execute(_NOT_CARRIED, (self._size,))
            return [not_carried(position, _text(tag)) for position, tag in found]

    def _schema(self) -> list[Finding]:
        with self._open() as connection:
            changed = sqlite_schema.changed_objects(connection)
            return schema_findings(changed, sqlite_schema.foreign_objects(connection))

    def _told_by_any_page(self) -> int:
        """How many events there are at least, where the last of them cannot be read."""
        last, self._end_unreadable = 0, True
        most = self._path.stat().st_size // _EVENT_BYTES_LEAST
        for positions in _POSITIONS:
            try:
                with self._open() as connection:
                    for (position,) in connection.execute(positions):
                        last = max(last, position if isinstance(position, int) and position <= most else 0)
            except StoreDamaged:
                continue
            if positions != _POSITIONS[0]:
                # The whole index could be read, and every event stands in it.
                self._end_unreadable = False
        return last

    def _complaints(self) -> list[str]:
        """What SQLite finds wrong with the file, which names pages."""
        lines: list[str] = []
        with suppress(StoreDamaged), self._open() as connection:
            for (told,) in connection.execute(_COMPLAINTS):
                lines += [line for line in str(told).splitlines() if line.strip() and not line.startswith("***")]
        return [] if lines == ["ok"] else lines[:_COMPLAINTS_MOST]

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
            self._damage = str(error)
            raise StoreDamaged(_not_a_store(self._path, self._damage), self._damage) from error
        except apsw.Error as error:
            if not _is_damage(error):
                raise explained(error, str(self._path)) from error
            self._damage = str(error)
            raise StoreDamaged(_unreadable(self._path, self._damage), self._damage) from error


def _is_damage(error: apsw.Error) -> bool:
    """Whether something that is there cannot be read, rather than something written, locked or made."""
    return isinstance(error, apsw.CorruptError) or getattr(error, "extendedresult", None) in _NOT_READ


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


def _spanning(many: str, one: str, first: int, last: int) -> tuple[str, tuple[int, ...]]:
    return (one, (first,)) if first == last else (many, (first, last))


def _row(position: int, stored_type: bytes, tags: bytes, data: bytes, run: bytes) -> Row:
    type_name = _text(stored_type)
    return Row(position, b"[%b,%b,%b]" % (_encode(type_name), tags, data), type_name, tags, data, run)


def _text(stored: bytes | None) -> str:
    """What was damaged is legible, and is not what was sealed."""
    return (stored or b"").decode(errors="replace")


def _plausible(connection: apsw.Connection, last: int, path: Path) -> int:
    """How many events to look for. Where a position is beyond anything the file can hold, what is missing before it is
    found among as many as there are."""
    if last <= path.stat().st_size // _EVENT_BYTES_LEAST:
        return last
    there: int = connection.execute("SELECT count(*) FROM events").get
    return min(last, there)


def _not_a_store(path: Path, reason: str) -> Text:
    return Text(
        f"文件{path}不是可读的账本（{reason}）；请指定 facts.sqlite 或其备份。",
        f"{path} is not a store that can be read ({reason}); name a facts.sqlite or a backup of one.",
    )


def _unreadable(path: Path, reason: str) -> Text:
    return Text(
        f"账本文件{path}有损坏，无法读取（{reason}）；请运行 funding-ledger verify 查明，检查磁盘，并从备份恢复。",
        f"The store {path} is damaged and cannot be read ({reason}): find out with funding-ledger verify, check the disk, "
        "and restore the store from a backup.",
    )


def _page_unreadable(damage: StoreDamaged) -> StoreFault:
    return StoreFault(
        Text(
            f"存放该事件的数据页无法读取（{damage.reason}）",
            f"the page of the file that holds it cannot be read ({damage.reason})",
        )
    )


def _index_unreadable(damage: StoreDamaged) -> StoreFault:
    return StoreFault(
        Text(
            f"索引中该事件的数据页无法读取（{damage.reason}）：不能确定按标签计算的限额或历史是否包含此事件",
            f"the page of the index where it belongs cannot be read ({damage.reason}): a limit or history read by tag may "
            "leave it out",
        )
    )


def _damaged(path: Path, complaints: Sequence[str]) -> Finding:
    return Finding(
        None,
        "store-damaged",
        Text(
            f"账本文件{path}有损坏（{'；'.join(complaints)}）。凡能读出的均已核对。请停止服务，保留该文件备查，检查磁盘，"
            "并从备份恢复：funding-ledger restore 备份 --checkpoint 检查点",
            f"the file {path} is damaged ({'; '.join(complaints)}). What could be read was checked. Stop the service, keep "
            "the file as evidence, check the disk, and restore a backup: funding-ledger restore BACKUP --checkpoint FILE",
        ),
    )
