"""Somebody with the database's password: changes a store behind the program's back, and puts the triggers back."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
import msgspec
import psycopg

from ledger.events import RoleGranted
from ledger.mapper import Envelope, Fact, to_stored
from ledger.roles import Role
from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import EMPTY, leaf_hash
from ledger.store.contract import LedgerStore
from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.postgres_log import PostgresLog
from ledger.store.postgres_query import tag_hash
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_log import SQLiteLog
from ledger.store.stored_log import StoredLog

Row = dict[str, Any]
"""An event's columns; ``tags`` is a list of them in either store."""

_COLUMNS = ("position", "type", "tags", "run", "data")


class Tampered(ABC):
    """A store in the hands of its administrator. What is changed here leaves an index that fits, and triggers as before."""

    @abstractmethod
    def open(self) -> LedgerStore: ...

    @abstractmethod
    def log(self) -> StoredLog: ...

    @abstractmethod
    def rows(self) -> list[Row]: ...

    @abstractmethod
    def update(self, position: int, **columns: Any) -> None:
        """Set columns of one event; the index follows its tags."""

    @abstractmethod
    def delete(self, position: int) -> None:
        """Take one event out, and leave its tags in the index."""

    @abstractmethod
    def write_all(self, rows: list[Row]) -> None:
        """These events and no others, at positions 1, 2, 3 …"""

    @abstractmethod
    def hide(self, position: int, prefix: str) -> None:
        """Take the tags that begin with a prefix out of the index."""

    @abstractmethod
    def slip_in(self, position: int, tag: str) -> None:
        """Put a tag into the index that the event does not carry."""

    @abstractmethod
    def plant(self, position: int, row: Row, *, indexed: bool = True) -> None:
        """An event at a position of its own."""

    @abstractmethod
    def add_twin(self, twin: Row) -> None:
        """A second row at the last position, its tags in the index."""

    @abstractmethod
    def unguard(self) -> None:
        """Take the triggers away for good."""

    def row(self, position: int) -> Row:
        return self.rows()[position - 1]

    def rewrite(self, change: Callable[[list[Row]], None]) -> None:
        rows = self.rows()
        change(rows)
        for position, row in enumerate(rows, start=1):
            row["position"] = position
        self.write_all(rows)

    def position_of(self, type_name: str) -> int:
        """The first event of a type."""
        return next(row["position"] for row in self.rows() if row["type"] == type_name)


class TamperedSQLite(Tampered):
    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> LedgerStore:
        return SQLiteDCBRecorder(self.path)

    def log(self) -> StoredLog:
        return SQLiteLog(self.path)

    def rows(self) -> list[Row]:
        connection = apsw.Connection(str(self.path))
        found = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM events ORDER BY position")
        rows = [dict(zip(_COLUMNS, row, strict=True)) for row in found]
        connection.close()
        return [{**row, "tags": json.loads(row["tags"])} for row in rows]

    def update(self, position: int, **columns: Any) -> None:
        with self.unguarded() as connection:
            for name, value in columns.items():
                kept = _tags_text(value) if name == "tags" else value
                connection.execute(f"UPDATE events SET {name} = ? WHERE position = ?", (kept, position))
            if "tags" in columns:
                connection.execute("DELETE FROM event_tags WHERE position = ?", (position,))
                _index_in_file(connection, position, columns["tags"])

    def delete(self, position: int) -> None:
        with self.unguarded() as connection:
            connection.execute("DELETE FROM events WHERE position = ?", (position,))

    def write_all(self, rows: list[Row]) -> None:
        with self.unguarded() as connection:
            connection.execute("DELETE FROM events; DELETE FROM event_tags")
            for row in rows:
                kept = {**row, "tags": _tags_text(row["tags"])}
                connection.execute("INSERT INTO events VALUES (:position, :type, :tags, :run, :data)", kept)
                _index_in_file(connection, row["position"], row["tags"])

    def hide(self, position: int, prefix: str) -> None:
        with self.unguarded() as connection:
            connection.execute("DELETE FROM event_tags WHERE position = ? AND tag LIKE ?", (position, f"{prefix}%"))

    def slip_in(self, position: int, tag: str) -> None:
        with self.unguarded() as connection:
            connection.execute("INSERT INTO event_tags VALUES (?, ?)", (tag, position))

    def plant(self, position: int, row: Row, *, indexed: bool = True) -> None:
        with self.unguarded() as connection:
            kept = {**row, "position": position, "tags": _tags_text(row["tags"])}
            connection.execute("INSERT INTO events VALUES (:position, :type, :tags, :run, :data)", kept)
            _index_in_file(connection, position, row["tags"] if indexed else [])

    def add_twin(self, twin: Row) -> None:
        head = len(self.rows())
        with self.unguarded() as connection:
            kept = {**twin, "position": head + 1, "tags": _tags_text(twin["tags"])}
            connection.execute("INSERT INTO events VALUES (:position, :type, :tags, :run, :data)", kept)
            _index_in_file(connection, head, twin["tags"])
        self.renumber(head + 1, head)

    def renumber(self, position: int, as_if: int) -> None:
        """Change the position of an event in the bytes of its page, where SQLite does not look."""
        assert max(position, as_if) < 128, "a number of one byte"
        connection = apsw.Connection(str(self.path))
        connection.pragma("wal_checkpoint(truncate)")
        leaves = list(connection.execute("SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf'"))
        size = connection.pragma("page_size")
        connection.close()
        content = bytearray(self.path.read_bytes())
        for (number,) in leaves:
            page = memoryview(content)[(number - 1) * size : number * size]
            for cell in range(int.from_bytes(page[3:5])):
                at = int.from_bytes(page[8 + 2 * cell : 10 + 2 * cell])
                while page[at] & 0x80:  # the length of the row, before its number
                    at += 1
                if page[at + 1] == position:
                    page[at + 1] = as_if
                    self.path.write_bytes(content)
                    return
        raise AssertionError(f"no page has position {position}")

    def add_trigger_before_all(self, name: str, table: str) -> None:
        """A trigger that refuses some events, listed in the schema right after its table."""
        connection = apsw.Connection(str(self.path))
        connection.execute(
            f"CREATE TRIGGER {name} AFTER INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no room') WHERE random() = 1; END"
        )
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
        connection.pragma("writable_schema", True)
        connection.execute(
            "UPDATE sqlite_schema SET rowid = rowid + 1000 WHERE NOT (name = ?2 AND type = 'trigger') "
            "AND rowid > (SELECT rowid FROM sqlite_schema WHERE name = ?1 AND type = 'table')",
            (table, name),
        )
        connection.close()

    def unguard(self) -> None:
        with self.unguarded(put_back=False):
            pass

    @contextmanager
    def unguarded(self, *, put_back: bool = True) -> Iterator[apsw.Connection]:
        """The store without its triggers, which stand again afterwards as if nothing had been."""
        connection = apsw.Connection(str(self.path))
        triggers = list(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
        if put_back:
            for _, sql in triggers:
                connection.execute(sql)
        connection.close()


def _tags_text(tags: list[str]) -> str:
    return msgspec.json.encode(tags).decode()


def _index_in_file(connection: apsw.Connection, position: int, tags: list[str]) -> None:
    connection.executemany("INSERT INTO event_tags VALUES (?, ?)", [(tag, position) for tag in dict.fromkeys(tags)])


class TamperedPostgres(Tampered):
    """``url`` is of the owner of the tables."""

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self) -> LedgerStore:
        return PostgresDCBRecorder(self.url)

    def log(self) -> StoredLog:
        return PostgresLog(self.url)

    def rows(self) -> list[Row]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM ledger.events ORDER BY position").fetchall()
        return [dict(zip(_COLUMNS, row, strict=True)) for row in found]

    def update(self, position: int, **columns: Any) -> None:
        with self.unguarded() as connection:
            for name, value in columns.items():
                connection.execute(f"UPDATE ledger.events SET {name} = %s WHERE position = %s", (value, position))
            if "tags" in columns:
                connection.execute("DELETE FROM ledger.event_tags WHERE position = %s", (position,))
                _index_in_database(connection, position, columns["tags"])

    def delete(self, position: int) -> None:
        with self.unguarded() as connection:
            connection.execute("DELETE FROM ledger.events WHERE position = %s", (position,))

    def write_all(self, rows: list[Row]) -> None:
        with self.unguarded() as connection:
            connection.execute("TRUNCATE ledger.events, ledger.event_tags")
            for row in rows:
                connection.execute(
                    "INSERT INTO ledger.events (position, type, tags, run, data) VALUES (%s, %s, %s, %s, %s)",
                    [row[name] for name in _COLUMNS],
                )
                _index_in_database(connection, row["position"], row["tags"])

    def hide(self, position: int, prefix: str) -> None:
        tags = [tag for tag in self.row(position)["tags"] if tag.startswith(prefix)]
        assert tags, f"the event at {position} has such a tag"
        with self.unguarded() as connection:
            connection.execute(
                "DELETE FROM ledger.event_tags WHERE position = %s AND tag_hash = ANY (%s)",
                (position, [tag_hash(tag) for tag in tags]),
            )

    def slip_in(self, position: int, tag: str) -> None:
        with self.unguarded() as connection:
            _index_in_database(connection, position, [tag])

    def plant(self, position: int, row: Row, *, indexed: bool = True) -> None:
        with self.unguarded() as connection:
            connection.execute(
                "INSERT INTO ledger.events (position, type, tags, run, data) VALUES (%s, %s, %s, %s, %s)",
                [{**row, "position": position}[name] for name in _COLUMNS],
            )
            _index_in_database(connection, position, row["tags"] if indexed else [])

    def add_twin(self, twin: Row) -> None:
        """What refuses a second row of one position has to be taken away first, and cannot be put back."""
        head = len(self.rows())
        with self.unguarded() as connection:
            connection.execute("ALTER TABLE ledger.events DROP CONSTRAINT events_pkey CASCADE")
            connection.execute(
                "INSERT INTO ledger.events (position, type, tags, run, data) VALUES (%s, %s, %s, %s, %s)",
                [{**twin, "position": head}[name] for name in _COLUMNS],
            )
            _index_in_database(connection, head, twin["tags"])

    def unguard(self) -> None:
        with self.unguarded(put_back=False):
            pass

    @contextmanager
    def unguarded(self, *, put_back: bool = True) -> Iterator[psycopg.Connection[Any]]:
        """The store with its triggers switched off; afterwards they are on again as if nothing had been."""
        with psycopg.connect(self.url) as connection:
            triggers = connection.execute(
                "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'"
            ).fetchall()
            for table in {table for table, _ in triggers}:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield connection
            if put_back:
                for table, name in triggers:
                    connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def _index_in_database(connection: psycopg.Connection[Any], position: int, tags: list[str]) -> None:
    connection.cursor().executemany(
        "INSERT INTO ledger.event_tags (tag_hash, position) VALUES (%s, %s)",
        [(tag_hash(tag), position) for tag in dict.fromkeys(tags)],
    )


def role_never_given(person: str, role: Role, moment: datetime) -> Row:
    """A row of an event that nobody recorded, in order by itself, with a hash of its own."""
    envelope = Envelope(
        event_id=UUID(int=1 << 100),
        recorded_at=moment,
        effective_on=moment.date(),
        actor="system",
        role="admin",
        schema_version=1,
        correlation_id=UUID(int=1 << 100),
    )
    stored = to_stored(Fact(envelope=envelope, event=RoleGranted(person=person, role=role)))
    run = leaf_hash(leaf_bytes(stored.type, stored.tags, stored.data))
    return {"type": stored.type, "tags": stored.tags, "data": stored.data, "run": run}


def reseal(rows: list[Row]) -> None:
    """Compute every stored hash anew, so that all of them agree: only a kept checkpoint can tell."""
    leaves = [leaf_hash(leaf_bytes(row["type"], row["tags"], row["data"])) for row in rows]
    for row, run in zip(rows, EMPTY.append(leaves)[1], strict=True):
        row["run"] = run


def paths_in(content: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a JSON document."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from paths_in(value, (*at, name))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from paths_in(value, (*at, index))
    else:
        yield at


def changed_at(data: bytes, way: tuple[Any, ...]) -> bytes:
    """The document with one value changed to another of its kind."""
    content = json.loads(data)
    holder = content
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = _other(holder[way[-1]])
    return msgspec.json.encode(content)


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            last = value[-1:]
            return value[:-1] + ("1" if last != "1" else "2")
    return "x"
