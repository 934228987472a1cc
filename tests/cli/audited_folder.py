"""A data folder on either store with the command line pointed at it: import the fixtures that a module needs."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from psycopg import sql
from psycopg.conninfo import make_conninfo

from api.cli.exits import Exit
from api.cli.program import program
from api.cli.speech import Language, Speech
from api.service import Service, open_service
from tests.fixtures.postgres import postgres_server_url, statement
from tests.office import Office
from tests.reliability.tampering import Tampered, TamperedPostgres, TamperedSQLite

__all__ = [
    "Folder",
    "NewDatabase",
    "NewUrl",
    "folder",
    "in_database",
    "in_file",
    "new_database",
    "new_url",
    "numbers",
    "postgres_server_url",
]

numbers = itertools.count(1)

ENGLISH = program(Speech(Language.EN))
CHINESE = program(Speech(Language.ZH))


class Folder:
    """A data folder with one paid award and a signing key, and the command line pointed at it.

    ``url`` is the database that holds its facts, or empty where they lie in the folder.
    """

    def __init__(self, path: Path, url: str = "") -> None:
        self.path = path
        self.url = url
        self.key = ""
        path.mkdir()
        office = self.office()
        self.case = office.approved("国械注准20263010001")
        office.pay(self.case, 2_000_000_00, "流水1")
        office.close()

    def run(
        self,
        *arguments: str | Path,
        chinese: bool = False,
        data: Path | None = None,
        url: str | None = None,
        typed: str | None = None,
    ) -> Result:
        environ = {
            "FUNDING_LEDGER_DATA": str(data or self.path),
            "LEDGER_DATABASE_URL": self.url if url is None else url,
        }
        command = CHINESE if chinese else ENGLISH
        result = CliRunner().invoke(command, [str(each) for each in arguments], env=environ, input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def done(
        self, *arguments: str | Path, data: Path | None = None, url: str | None = None, typed: str | None = None
    ) -> Result:
        result = self.run(*arguments, data=data, url=url, typed=typed)
        assert result.exit_code == Exit.DONE, result.output
        return result

    def json(self, *arguments: str | Path, data: Path | None = None, url: str | None = None) -> Any:
        return json.loads(self.run(*arguments, "--json", data=data, url=url).stdout)

    def service(self) -> Service:
        return open_service(self.path, database_url=self.url or None)

    def tampered(self) -> Tampered:
        return TamperedPostgres(self.url) if self.url else TamperedSQLite(self.path / "facts.sqlite")

    def office(self) -> Office:
        return Office(self.path, store=self.tampered().open())

    def head(self) -> int:
        office = self.office()
        head = office.head()
        office.close()
        return head

    def grow(self) -> None:
        office = self.another_office()
        office.submit("国械注准20263010002")
        office.close()

    def another_office(self) -> Office:
        """On the same store, a day later for each time, with idempotency keys of its own."""
        office = self.office()
        office.run_id += office.head()
        office.clock.set(date(2026, 3, 2) + timedelta(days=office.head()))
        return office


NewDatabase = Callable[[], str]


@pytest.fixture
def new_database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """Makes empty databases of the test's own; a server is only started for a test that asks for one."""
    server_url = ""
    made: list[str] = []

    def make() -> str:
        nonlocal server_url
        server_url = server_url or request.getfixturevalue("postgres_server_url")
        made.append(f"auditing_{os.getpid()}_{next(numbers)}")
        statement(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(made[-1])))
        return make_conninfo(server_url, dbname=made[-1])

    yield make
    for name in made:
        statement(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


NewUrl = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest, new_database: NewDatabase) -> NewUrl:
    """What a folder of the store under test needs: an empty database each time, or nothing."""
    return new_database if request.param == "postgres" else str


@pytest.fixture
def folder(tmp_path: Path, new_url: NewUrl) -> Folder:
    return with_key(Folder(tmp_path / "data", new_url()))


@pytest.fixture
def in_database(tmp_path: Path, new_database: NewDatabase) -> Folder:
    return with_key(Folder(tmp_path / "data", new_database()))


@pytest.fixture
def in_file(tmp_path: Path) -> Folder:
    """For what concerns files alone, or no store at all."""
    return with_key(Folder(tmp_path / "data"))


def with_key(folder: Folder) -> Folder:
    folder.key = folder.done("keys", "--origin", "example.gov.cn/funding").stdout.strip()
    return folder
