"""R1: what the server has answered is on the disk; killed under load again and again, it loses and doubles nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.postgres import postgres_server_url, postgres_url  # noqa: F401
from tests.reliability.kills import kill_often
from tests.reliability.soak_figures import SHORT


@pytest.mark.slow
def test_no_answered_fact_is_lost_and_none_is_doubled_when_the_server_is_killed(tmp_path: Path) -> None:
    assert kill_often(tmp_path, SHORT.http_kills).answered > SHORT.http_kills


@pytest.mark.slow
def test_no_answered_fact_is_lost_when_the_server_over_a_postgresql_database_is_killed(
    tmp_path: Path,
    postgres_url: str,  # noqa: F811
) -> None:
    killed = kill_often(tmp_path, SHORT.http_kills_postgres, database_url=postgres_url)
    assert killed.answered > SHORT.http_kills_postgres
