"""Somebody with the database's password: changes a closed store behind the program's back, and puts the triggers back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec

from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import EMPTY, leaf_hash

Row = dict[str, Any]


@contextmanager
def unguarded(path: Path, *, put_back: bool = True) -> Iterator[apsw.Connection]:
    """The store without its triggers, which stand again afterwards as if nothing had been."""
    connection = apsw.Connection(str(path))
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


def rows_of(connection: apsw.Connection) -> list[Row]:
    names = ("position", "type", "tags", "run", "data")
    found = connection.execute(f"SELECT {', '.join(names)} FROM events ORDER BY position")
    return [dict(zip(names, row, strict=True)) for row in found]


def write_all(connection: apsw.Connection, rows: list[Row]) -> None:
    """These events and no others, at positions 1, 2, 3 …, with an index that fits them."""
    connection.execute("DELETE FROM events; DELETE FROM event_tags")
    for position, row in enumerate(rows, start=1):
        row["position"] = position
        connection.execute("INSERT INTO events VALUES (:position, :type, :tags, :run, :data)", row)
    connection.execute(
        "INSERT INTO event_tags SELECT DISTINCT t.value, e.position FROM events AS e, json_each(e.tags) AS t"
    )


def rewrite(path: Path, change: Callable[[list[Row]], None]) -> None:
    with unguarded(path) as connection:
        rows = rows_of(connection)
        change(rows)
        write_all(connection, rows)


def update(path: Path, position: int, **columns: object) -> None:
    """Set columns of one event; the index follows its tags."""
    with unguarded(path) as connection:
        for name, value in columns.items():
            connection.execute(f"UPDATE events SET {name} = ? WHERE position = ?", (value, position))
        if "tags" in columns:
            connection.execute("DELETE FROM event_tags WHERE position = ?", (position,))
            connection.execute(
                "INSERT INTO event_tags SELECT DISTINCT t.value, e.position FROM events AS e, json_each(e.tags) AS t "
                "WHERE e.position = ?",
                (position,),
            )


def reseal(rows: list[Row]) -> None:
    """Compute every stored hash anew, so that all of them agree: only a kept checkpoint can tell."""
    leaves = [leaf_hash(leaf_bytes(row["type"], json.loads(row["tags"]), row["data"])) for row in rows]
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


def backup_of(path: Path) -> bytes:
    """The bytes of a store, its log written back."""
    connection = apsw.Connection(str(path))
    connection.pragma("wal_checkpoint", "truncate")
    connection.close()
    return path.read_bytes()
