"""The views' database: how it is opened, and how its tables come to be. SQLite by default, PostgreSQL by its url."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from projections.tables import SCHEMA_VERSION, markers, metadata

MARKER: Final = 1
_LOCK: Final = 0x66756E64
"""Any number, the same in every process: PostgreSQL's advisory lock for whoever makes the tables."""
_SQLITE_WAIT_S: Final = 30
_SPOILT: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# As SQLAlchemy writes a date; Python's own way of doing the same is deprecated.
sqlite3.register_adapter(date, date.isoformat)

_log = logging.getLogger(__name__)


def open_database(url: str) -> Engine:
    """Open the views' database with its tables, empty where they were missing, of another version, or spoilt."""
    engine = _engine(url)
    try:
        settle_schema(engine)
    except DatabaseError as error:
        if not _is_spoilt(error):
            raise
        _log.warning("the views are spoilt and will be rebuilt: %s", error.orig)
        engine.dispose()
        _remove_files(engine)
        settle_schema(engine)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that will write: takes SQLite's lock at its start, so that it waits there and never fails later."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def settle_schema(engine: Engine) -> None:
    """Make the tables; drop those of another version first. Safe where many processes begin at once."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _version(connection) == SCHEMA_VERSION:
            return
        metadata.drop_all(connection)
        metadata.create_all(connection)
        marker = {"id": MARKER, "schema_version": SCHEMA_VERSION, "position": 0, "event_id": ""}
        connection.execute(insert(markers).values(marker))


def _version(connection: Connection) -> int | None:
    """The version of the tables; None where there are none, or none that can be understood."""
    try:
        with connection.begin_nested():
            return connection.execute(select(markers.c.schema_version)).scalar()
    except (OperationalError, ProgrammingError) as error:
        if _is_spoilt(error):
            raise
        return None


def _engine(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    # The driver must not begin transactions by itself: it would begin late, and end them around CREATE TABLE.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_SQLITE_WAIT_S * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    # Views that lose their last moments in a power failure take them from the log again.
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_spoilt(error: DatabaseError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _SPOILT


def _remove_files(engine: Engine) -> None:
    assert engine.url.database, "only a file can be spoilt"
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(engine.url.database + suffix).unlink()
