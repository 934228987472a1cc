"""Whoever mistypes ``--data`` must notice: a command that begins a ledger, or makes its folder, says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from api.cli.exits import Exit
from tests.cli.audited_folder import Folder, in_database, new_database, postgres_server_url  # noqa: F401
from tests.cli.test_processes import PROGRAM, environment, started

# ruff: noqa: F811

ADD = ("users", "add", "wanglan", "--role", "finance")


def run(folder: Path, *arguments: str, typed: str = "", english: bool = True) -> subprocess.CompletedProcess[str]:
    """In a session of its own, where no terminal can be opened."""
    return subprocess.run(
        [*PROGRAM, *arguments, "--lang", "en" if english else "zh"],
        cwd=folder,
        env=environment(),
        input=typed,
        capture_output=True,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("english", [True, False], ids=["en", "zh"])
def test_a_user_in_a_new_folder_is_told_that_a_ledger_was_begun_there(tmp_path: Path, english: bool) -> None:
    first = run(tmp_path, *ADD, "--password-stdin", "--data", "dtaa", typed="x\n", english=english)
    assert first.returncode == Exit.DONE
    begun, made = first.stderr.splitlines()
    for line in (begun, made):
        assert str(tmp_path / "dtaa") in line
    assert "--data" in begun
    assert ("There is no ledger in" if english else "还没有账本") in begun
    assert all((tmp_path / "dtaa" / name).is_file() for name in ("facts.sqlite", "credentials.sqlite", "views.sqlite"))
    assert all(name in made for name in ("facts.sqlite", "credentials.sqlite", "views.sqlite"))
    second = run(tmp_path, "users", "add", "li", "--role", "admin", "--password-stdin", "--data", "dtaa", typed="x\n")
    assert (second.returncode, second.stderr) == (Exit.DONE, "")


def test_a_new_folder_beside_a_database_is_told_for_what_it_is(in_database: Folder, tmp_path: Path) -> None:
    told = in_database.run(*ADD, "--password-stdin", data=tmp_path / "dtaa", typed="x\n")
    assert told.exit_code == Exit.DONE
    assert f"There are no users of a ledger in {tmp_path / 'dtaa'}" in told.stderr
    assert "facts.sqlite" not in told.stderr
    again = in_database.run(
        "users", "add", "li", "--role", "finance", "--password-stdin", data=tmp_path / "dtaa", typed="x\n"
    )
    assert again.stderr == ""


def test_who_is_asked_for_a_password_is_told_before_anything_is_made(tmp_path: Path) -> None:
    stopped = run(tmp_path, *ADD, "--data", "dtaa")
    assert stopped.returncode == Exit.MALFORMED
    assert "There is no ledger in" in stopped.stderr
    assert not (tmp_path / "dtaa").exists()


def test_a_key_without_a_ledger_is_told(tmp_path: Path) -> None:
    made = run(tmp_path, "keys", "--data", "dtaa")
    assert made.returncode == Exit.DONE
    assert len(made.stdout.splitlines()) == 1, "the key alone, for whoever reads it into a file"
    assert f"There is no ledger in {tmp_path / 'dtaa'}" in made.stderr
    assert sorted(os.listdir(tmp_path / "dtaa")) == ["log.key", "log.pub"]
    assert "log.key, log.pub" in made.stderr
    assert "还没有账本" in run(tmp_path, "keys", "--data", "other", english=False).stderr
    run(tmp_path, *ADD, "--password-stdin", "--data", "real", typed="x\n")
    assert "no ledger" not in run(tmp_path, "keys", "--data", "real").stderr


def test_a_key_kept_elsewhere_is_not_said_to_lie_in_the_folder(tmp_path: Path) -> None:
    told = run(tmp_path, "keys", "--data", "dtaa", "--out", "secret").stderr
    assert "(log.pub)" in told


def test_a_server_on_a_new_folder_tells(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--data", "dtaa") as (process, lines):
        assert any("还没有账本" in line and str(tmp_path / "dtaa") in line for line in lines)
        process.terminate()
        assert process.wait(30) == 0
    with started(tmp_path, "serve", "--data", "dtaa") as (process, lines):
        assert not any("还没有账本" in line for line in lines)
        process.terminate()
        process.wait(30)


def test_one_line_without_a_terminal_is_wrong_usage_and_not_an_interruption(tmp_path: Path) -> None:
    for typed in ("", "x\n", "x\ny\n"):
        for english, told in ((True, "there is no terminal"), (False, "没有终端")):
            result = run(tmp_path, *ADD, "--data", "new", typed=typed, english=english)
            assert result.returncode == Exit.MALFORMED
            assert told in result.stderr
            assert "--password-stdin" in result.stderr
            assert "Traceback" not in result.stderr
            assert not (tmp_path / "new").exists()
    assert run(tmp_path, *ADD, "--data", "new", typed="x\nx\n").returncode == Exit.DONE, "typed twice, as at a terminal"
