"""What a SQLite store looks like inside, and what is refused before anything is written to it.

::

    events      position 1, 2, 3 … without a gap, in the order of commits; type; tags as a JSON array;
                run, the hashes of the Merkle subtrees that it completes; data
    event_tags  one row for each distinct tag of an event: the index behind every query by tag

The database itself keeps both append-only, whoever writes: an event can only take the next position, which
also refuses ``INSERT OR REPLACE`` from a client that does not set ``recursive_triggers``; tag rows are
derived by a trigger in the statement that inserts their event, and a tag row that its event does not carry is
refused, so the index can neither miss a tag nor gain one later.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

import apsw

from ledger.errors import StoreFault, Text
from ledger.store.schema_object import SchemaObject
from ledger.store.schema_version import other_version

APPLICATION_ID: Final = 0x46644C67
"""``FdLg`` in the file's header: this file is a funding ledger's event store."""

SCHEMA_VERSION: Final = 1
"""Kept in ``user_version``; raised by one with every change to the tables or triggers below."""

SQLITE_REQUIRED: Final = (3, 51, 3)
"""The first SQLite without the WAL-reset bug, which can corrupt a database that several connections use."""

_RETRY_SECONDS: Final = 0.005

_TABLES: Final = {
    "events": """
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    tags TEXT NOT NULL CHECK (json_type(tags) = 'array'),
    run BLOB NOT NULL,
    data BLOB NOT NULL
) STRICT""",
    "event_tags": """
CREATE TABLE event_tags (
    tag TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID""",
}

TABLES: Final = frozenset(_TABLES)

_STATISTICS: Final = frozenset({"sqlite_stat1", "sqlite_stat3", "sqlite_stat4"})
"""What ``ANALYZE`` leaves: SQLite's own, and nobody else can make a table of such a name."""

_TRIGGERS: Final = {
    "events_take_the_next_position": """
CREATE TRIGGER events_take_the_next_position BEFORE INSERT ON events
WHEN NEW.position IS NOT (SELECT ifnull(max(position), 0) + 1 FROM events)
BEGIN
    SELECT RAISE(ABORT, 'events are append-only: a new event takes the position after the last');
END""",
    "events_bring_their_tags": """
CREATE TRIGGER events_bring_their_tags AFTER INSERT ON events
BEGIN
    INSERT INTO event_tags (tag, position) SELECT DISTINCT value, NEW.position FROM json_each(NEW.tags);
END""",
    "events_are_never_updated": """
CREATE TRIGGER events_are_never_updated BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only: an event is never updated; record a later event instead');
END""",
    "events_are_never_deleted": """
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only: an event is never deleted; record a later event instead');
END""",
    "event_tags_come_with_their_event": """
CREATE TRIGGER event_tags_come_with_their_event BEFORE INSERT ON event_tags
WHEN NOT EXISTS (
    SELECT 1 FROM events, json_each(events.tags) AS carried
    WHERE events.position = NEW.position AND carried.value = NEW.tag
)
BEGIN
    SELECT RAISE(ABORT, 'event tags are append-only: a tag is only written with its event');
END""",
    "event_tags_are_never_updated": """
CREATE TRIGGER event_tags_are_never_updated BEFORE UPDATE ON event_tags
BEGIN
    SELECT RAISE(ABORT, 'event tags are append-only: a tag is never updated');
END""",
    "event_tags_are_never_deleted": """
CREATE TRIGGER event_tags_are_never_deleted BEFORE DELETE ON event_tags
BEGIN
    SELECT RAISE(ABORT, 'event tags are append-only: a tag is never deleted');
END""",
}

_OBJECTS: Final = {
    **{SchemaObject("table", name): sql.strip() for name, sql in _TABLES.items()},
    **{SchemaObject("trigger", name): sql.strip() for name, sql in _TRIGGERS.items()},
}


def require_library(version: str) -> None:
    """Refuse a SQLite library that can corrupt the store. ``version`` is what it says, e.g. ``3.54.1``.

    Raises :class:`StoreFault`.
    """
    if tuple(int(part) for part in version.split(".")) < SQLITE_REQUIRED:
        required = ".".join(map(str, SQLITE_REQUIRED))
        raise StoreFault(
            Text(
                zh=f"SQLite 库版本 {version} 过旧，可能损坏数据库；需要 {required} 或更高版本，请升级 apsw。",
                en=f"The SQLite library is {version}, which can corrupt a database in WAL mode; "
                f"{required} or later is needed. Upgrade the package apsw.",
            )
        )


def changed_objects(connection: apsw.Connection) -> list[SchemaObject]:
    """Our tables and triggers that are missing or changed, and what is not ours and touches our tables."""
    found = _seen(connection)
    ours = [one for one, sql in _OBJECTS.items() if one not in found or found[one].sql != sql]
    return sorted([*ours, *(one for one, its in _foreign_to_us(found) if its.touches_ours)])


def foreign_objects(connection: apsw.Connection) -> list[SchemaObject]:
    """What is not ours, and lies beside our tables without touching them."""
    return sorted(one for one, its in _foreign_to_us(_seen(connection)) if not its.touches_ours)


class _Seen(NamedTuple):
    kind: str
    name: str
    table: str
    sql: str

    @property
    def touches_ours(self) -> bool:
        """An index may be unique, and refuse what the ledger records; a table of that name would answer in the place of
        SQLite's own function when an event is indexed."""
        if self.kind in ("trigger", "index"):
            return self.table.lower() in _TABLES
        return self.name.lower() == "json_each"


def _seen(connection: apsw.Connection) -> dict[SchemaObject, _Seen]:
    # Without those that SQLite makes for itself, as the index behind a UNIQUE.
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    # By kind and name: a trigger may have the name of a table.
    return {SchemaObject(seen.kind, seen.name): seen for seen in map(_Seen._make, rows)}


def _foreign_to_us(found: dict[SchemaObject, _Seen]) -> Iterator[tuple[SchemaObject, _Seen]]:
    for one, its in found.items():
        if one not in _OBJECTS and not (one.kind == "table" and one.name in _STATISTICS):
            yield one, its


def settle(connection: apsw.Connection, path: str, *, timeout_s: int) -> None:
    """Create the store in an empty file, or make sure that the file is a store this program can use.

    Any number of processes may do this to one empty file at once. A file that is refused is not written to.
    Raises :class:`StoreFault`, or ``apsw.BusyError`` when others held the file for ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if _is_blank(connection, path):
                _create(connection, path)
            _enter_wal(connection, path)
            return
        except apsw.BusyError:
            # Changing the journal mode does not always wait for the busy timeout, so the wait is done here.
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)


def _is_blank(connection: apsw.Connection, path: str) -> bool:
    """True for an empty file, False for a store of ours; anything else is refused."""
    # One transaction, hence one snapshot: another process may be creating the store at this moment.
    with connection:
        try:
            application_id = int(connection.pragma("application_id"))
            version = int(connection.pragma("user_version"))
            found = connection.execute("SELECT count(*) FROM sqlite_schema").get
            changed = [one.name for one in changed_objects(connection)]
        except apsw.NotADBError as error:
            raise _foreign(path, "it is not a SQLite database") from error
    if not found and application_id == 0 and version == 0:
        return True
    if application_id != APPLICATION_ID:
        raise _foreign(path, f"its application id is {application_id:#010x}, not {APPLICATION_ID:#010x}")
    if version != SCHEMA_VERSION:
        raise other_version(Text("文件", "file"), path, version, SCHEMA_VERSION)
    if changed:
        raise StoreFault(
            Text(
                zh=f"账本文件 {path} 的结构已被改动（{'、'.join(changed)}），请查明原因并从备份恢复。",
                en=f"The schema of the store {path} has been changed ({', '.join(changed)}), so what keeps "
                "it append-only may be gone. Find out who changed it, and restore the store from a backup.",
            )
        )
    return False


def _create(connection: apsw.Connection, path: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have come first while this one waited for the lock; its store is as good as
        # ours.
        if _is_blank(connection, path):
            for sql in _OBJECTS.values():
                connection.execute(sql)
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", SCHEMA_VERSION)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _enter_wal(connection: apsw.Connection, path: str) -> None:
    mode = connection.pragma("journal_mode", "wal")
    if mode != "wal":
        raise StoreFault(
            Text(
                zh=f"账本文件 {path} 无法使用 WAL 日志模式（当前为 {mode}）；请把它放在本机磁盘上。",
                en=f"The store {path} cannot use a write-ahead log (its journal mode stays {mode}). "
                "Keep it on a local disk that this user may write to.",
            )
        )


def _foreign(path: str, reason: str) -> StoreFault:
    return StoreFault(
        Text(
            zh=f"文件 {path} 不是本系统的账本，未作任何改动；请指定另一个文件。（{reason}）",
            en=f"The file {path} is not an event store of this program: {reason}. "
            "Nothing was changed in it. Name another file.",
        )
    )
