"""What we are measured against: plain inserts, the library's own recorder, an ORM. Packages that pip installs."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
import psycopg
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT
from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import ForeignKey, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ledger.store.sqlite_connections import CHECKPOINT_PAGES, WRITER_CACHE_KIB
from tests.bench.till import CLIENTS

BODY: Final = b'{"envelope": ' + b"x" * 620 + b"}"
"""As long as the JSON of a settlement."""

HOLDERS: Final = 1_000
CEILING_FEN: Final = 10**12


def open_plain(path: Path) -> apsw.Connection:
    """A SQLite file with the settings of our store."""
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("cache_size", -WRITER_CACHE_KIB)
    connection.wal_autocheckpoint(CHECKPOINT_PAGES)
    return connection


class PlainSQLite:
    """One row, one commit."""

    def __init__(self, folder: Path) -> None:
        self._connection = open_plain(folder / "plain.sqlite")
        self._connection.execute("CREATE TABLE payments (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    def insert(self, number: int) -> None:
        for _ in range(number):
            self._connection.execute("INSERT INTO payments (body) VALUES (?)", (BODY,))

    def close(self) -> None:
        self._connection.close()


class PlainPostgres:
    """One row, one commit, through psycopg."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("CREATE TABLE payments (id bigserial PRIMARY KEY, body bytea NOT NULL)")

    def insert(self, number: int) -> None:
        for _ in range(number):
            self._connection.execute("INSERT INTO payments (body) VALUES (%b)", (BODY,))

    def close(self) -> None:
        self._connection.close()


class LibraryRecorder:
    """eventsourcing's recorder for PostgreSQL, sixteen clients: read a case, append on condition that it did not move."""

    def __init__(self, url: str) -> None:
        known: dict[str, Any] = conninfo_to_dict(url)
        self._datastore = PostgresDatastore(
            dbname=known["dbname"],
            host=known["host"],
            port=known.get("port", "5432"),
            user=known["user"],
            password=known.get("password", ""),
            pool_size=CLIENTS,
            max_overflow=CLIENTS,
        )
        self._recorder = PostgresDCBRecorderTT(self._datastore)
        self._recorder.create_table()

    def settle_together(self, number: int) -> None:
        def one() -> None:
            case, key = f"case={uuid.uuid4().hex[:10]}", f"key=cashier/{uuid.uuid4()}"
            query = DCBQuery(items=[DCBQueryItem(tags=[case])])
            head = self._recorder.read(query).head
            tags = [case, f"enterprise={case}", f"bank-serial={case}", key]
            fact = DCBEvent(type="disbursement-settled", data=BODY, tags=tags)
            self._recorder.append([fact], DCBAppendCondition(fail_if_events_match=query, after=head))

        at_once(number, one)

    def close(self) -> None:
        self._datastore.close()


class _Base(DeclarativeBase):
    pass


class Limit(_Base):
    __tablename__ = "limits"
    id: Mapped[int] = mapped_column(primary_key=True)
    ceiling_fen: Mapped[int]
    used_fen: Mapped[int]


class Payment(_Base):
    __tablename__ = "payments"
    id: Mapped[int] = mapped_column(primary_key=True)
    limit_id: Mapped[int] = mapped_column(ForeignKey("limits.id"))
    amount_fen: Mapped[int]
    bank_serial: Mapped[str] = mapped_column(unique=True)
    body: Mapped[bytes]


class Orm:
    """SQLAlchemy's ORM on SQLite, sixteen clients: lock, look at one limit, write its row and the payment's, commit."""

    def __init__(self, folder: Path) -> None:
        self._engine = create_engine(
            f"sqlite:///{folder / 'orm.sqlite'}", pool_size=CLIENTS, connect_args={"timeout": 60}
        )
        event.listen(self._engine, "connect", self._prepare)
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        _Base.metadata.create_all(self._engine)
        with Session(self._engine) as session, session.begin():
            session.add_all(Limit(id=n, ceiling_fen=CEILING_FEN, used_fen=0) for n in range(HOLDERS))

    @staticmethod
    def _prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    def settle_together(self, number: int) -> None:
        def one() -> None:
            chance = uuid.uuid4()
            with Session(self._engine) as session, session.begin():
                limit = session.get_one(Limit, chance.int % HOLDERS)
                assert limit.used_fen + 100_000 <= limit.ceiling_fen
                limit.used_fen += 100_000
                paid = Payment(limit_id=limit.id, amount_fen=100_000, bank_serial=chance.hex, body=BODY)
                session.add(paid)

        at_once(number, one)

    def close(self) -> None:
        self._engine.dispose()


def at_once(number: int, one: Callable[[], None]) -> None:
    """So many, by sixteen clients. The first error that any met is raised."""
    errors: list[BaseException] = []

    def client() -> None:
        try:
            for _ in range(number // CLIENTS):
                one()
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that measures
            errors.append(error)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@contextmanager
def closing(*things: Any) -> Iterator[None]:
    try:
        yield
    finally:
        for each in things:
            each.close()
