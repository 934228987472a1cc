"""The views in a PostgreSQL database: the same rows as in a file, however they are written."""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

from projections.runner import ViewsRunner
from tests.fixtures.postgres import postgres_server_url, postgres_url  # noqa: F401
from tests.office import Office
from tests.projections.test_views import everything_in


def test_views_on_a_server_differ_from_those_in_a_file(tmp_path: Path, postgres_url: str) -> None:  # noqa: F811
    office = Office(tmp_path)
    on_server = ViewsRunner(office.store, _sqlalchemy_url(postgres_url))
    in_file = ViewsRunner(office.store, f"sqlite:///{tmp_path / 'views.sqlite'}")
    case = office.approved("甲")
    on_server.catch_up()
    office.pay(case, 1_000_00, "流水1")
    on_server.catch_up()
    in_file.catch_up()
    assert everything_in(on_server) == everything_in(in_file)
    assert on_server.cases() == in_file.cases()
    assert on_server.enterprises() == in_file.enterprises()
    on_server.rebuild()
    assert everything_in(on_server) == everything_in(in_file)
    for each in (on_server, in_file):
        each.stop()
    office.close()


def _sqlalchemy_url(address: str) -> str:
    """libpq's ``key=value`` form, as SQLAlchemy takes it."""
    url = URL.create("postgresql+psycopg", query=conninfo_to_dict(address))  # type: ignore[arg-type]
    return url.render_as_string(hide_password=False)
