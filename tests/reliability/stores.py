"""The one list of the stores that every reliability test runs on."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ledger.store.contract import LedgerStore
from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.sqlite import SQLiteDCBRecorder
from tests.fixtures.postgres import postgres_server_url
from tests.reliability.workplace import workplace

__all__ = [
    "STORES",
    "EmptyStores",
    "Opener",
    "empty_postgres_on",
    "empty_sqlite",
    "empty_stores",
    "postgres_server_url",
]

STORES: Final[dict[str, type[SQLiteDCBRecorder] | type[PostgresDCBRecorder]]] = {
    "sqlite": SQLiteDCBRecorder,
    "postgres": PostgresDCBRecorder,
}

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens one store, as often as it is called: each time as another process would."""

    kind: str
    address: str

    def __call__(self) -> LedgerStore:
        return STORES[self.kind](self.address)


EmptyStores = Callable[[], AbstractContextManager[Opener]]
"""Makes an empty store, which is gone at the end."""


@contextmanager
def empty_sqlite() -> Iterator[Opener]:
    with workplace("store") as folder:
        yield Opener("sqlite", str(folder / "facts.sqlite"))


def empty_postgres_on(server_url: str) -> EmptyStores:
    @contextmanager
    def empty_postgres() -> Iterator[Opener]:
        name = f"reliability_{os.getpid()}_{next(_numbers)}"
        _run(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield Opener("postgres", make_conninfo(server_url, dbname=name))
        finally:
            _run(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    return empty_postgres


def _run(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(params=list(STORES))
def empty_stores(request: pytest.FixtureRequest) -> EmptyStores:
    if request.param == "sqlite":
        return empty_sqlite
    return empty_postgres_on(request.getfixturevalue("postgres_server_url"))
