"""The same service with its facts in PostgreSQL."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from api.database import FACTS, database_url
from api.service import open_service
from ledger.commands.grant_role import GrantRole
from ledger.errors import StoreFault
from ledger.roles import SYSTEM, Role
from tests.fixtures.postgres import postgres_server_url, postgres_url  # noqa: F401


def test_facts_in_the_database_outlive_the_service_and_leave_no_file(tmp_path: Path, postgres_url: str) -> None:  # noqa: F811
    command = GrantRole(person="wanglan", role=Role.FINANCE)
    with open_service(tmp_path, database_url=postgres_url) as service:
        first = service.ledger.execute(command, actor=SYSTEM, key="k")
    with open_service(tmp_path, database_url=postgres_url) as service:
        again = service.ledger.execute(command, actor=SYSTEM, key="k")
        assert again.replayed
        assert again.position == first.position
        service.views.catch_up()
        assert service.views.position == first.position
    assert not (tmp_path / FACTS).exists()


def test_a_missing_driver_is_named_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("api.database.find_spec", lambda name: None if name == "psycopg" else find(name))
    with pytest.raises(StoreFault, match=r"pip install 'funding-ledger\[postgres\]'"):
        open_service(tmp_path, database_url="dbname=ledger")


def test_the_environment_names_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_DATABASE_URL", raising=False)
    assert database_url() is None
    monkeypatch.setenv("LEDGER_DATABASE_URL", " ")
    assert database_url() is None
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgresql:///ledger")
    assert database_url() == "postgresql:///ledger"
