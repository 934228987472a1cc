"""A path that somebody mistyped is wrong usage (2), in every command that takes one, and never a failing store (4)."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.cli.exits import Exit
from tests.cli.audited_folder import Folder, NewDatabase, in_file, new_database, postgres_server_url  # noqa: F401
from tests.cli.test_processes import free_port
from tests.fixtures.postgres import statement

# ruff: noqa: F811

AWARD = "awd-7Q2M4X9KDB"

TAKES_A_FILE = (
    ("verify", "PATH"),
    ("verify", "--checkpoint", "PATH"),
    ("verify", "--checkpoint", "KEPT", "--key", "PATH"),
    ("restore", "BACKUP", "--checkpoint", "PATH"),
    ("restore", "BACKUP", "--key", "PATH"),
    ("certificate", AWARD, "-o", "NEW", "--checkpoint", "PATH"),
    ("import", "PATH", "--dry-run"),
    ("import-settlements", "PATH", "--dry-run"),
    ("checkpoint", "--signing-key", "PATH"),
    ("export", "-o", "NEW", "--signing-key", "PATH"),
    ("backup", "NEW", "--signing-key", "PATH"),
    ("policies", "check", "PATH"),
    ("trace", AWARD, "--policies", "PATH"),
)
MAKES_A_FILE = (
    ("checkpoint", "--out", "PATH"),
    ("export", "-o", "PATH"),
    ("certificate", "CASE", "-o", "PATH"),
    ("sheet", "CASE", "-o", "PATH"),
    ("keys", "--out", "PATH"),
    ("backup", "PATH"),
)
MAKES_A_FOLDER = (
    ("users", "add", "wang", "--role", "finance", "--password-stdin"),
    ("keys",),
    ("restore", "BACKUP"),
    ("demo", "--port", "PORT"),
    ("serve", "--port", "PORT"),
)


def named(arguments: tuple[str, ...]) -> str:
    return " ".join(arguments)


@pytest.fixture
def words(in_file: Folder, tmp_path: Path) -> dict[str, str]:
    in_file.done("checkpoint", "--out", tmp_path / "kept")
    in_file.done("backup", tmp_path / "backup")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    words = {"KEPT": "kept", "BACKUP": "backup", "NEW": "new"}
    return {
        **{word: str(tmp_path / name) for word, name in words.items()},
        "CASE": in_file.case,
        "PORT": str(free_port()),
    }


@pytest.mark.parametrize("arguments", TAKES_A_FILE, ids=named)
@pytest.mark.parametrize("path", ["missing", "folder", "file/below", pytest.param("x" * 300, id="too long")])
def test_a_file_that_is_none_is_not_called_a_fault(
    in_file: Folder, tmp_path: Path, words: dict[str, str], arguments: tuple[str, ...], path: str
) -> None:
    words["PATH"] = str(tmp_path / path)
    result = in_file.run(*(words.get(word, word) for word in arguments))
    assert result.exit_code == Exit.MALFORMED, result.output
    assert result.output.strip()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("arguments", MAKES_A_FILE, ids=named)
@pytest.mark.parametrize("path", ["file", "folder", "no/folder", "file/below", pytest.param("x" * 300, id="too long")])
def test_a_place_that_cannot_be_written_is_not_called_a_fault(
    in_file: Folder, tmp_path: Path, words: dict[str, str], arguments: tuple[str, ...], path: str
) -> None:
    words["PATH"] = str(tmp_path / path)
    result = in_file.run(*(words.get(word, word) for word in arguments))
    assert result.exit_code == Exit.MALFORMED, result.output
    assert (tmp_path / "file").read_text("utf-8") == "x"
    assert not list((tmp_path / "folder").iterdir())
    assert not list(tmp_path.glob(".*unfinished"))


@pytest.mark.parametrize("arguments", MAKES_A_FOLDER, ids=named)
@pytest.mark.parametrize("path", ["file", "file/below", pytest.param("x" * 300, id="too long")])
def test_a_data_folder_that_cannot_be_made_is_not_called_a_fault(
    in_file: Folder, tmp_path: Path, words: dict[str, str], arguments: tuple[str, ...], path: str
) -> None:
    result = in_file.run(*(words.get(word, word) for word in arguments), "--data", tmp_path / path, typed="pw\n")
    assert result.exit_code == Exit.MALFORMED, result.output
    assert path in result.output.replace("\n", "")


def test_wrong_usage_is_told_to_scripts_in_json(in_file: Folder, tmp_path: Path) -> None:
    for arguments in (
        ("verify", tmp_path / "missing"),
        ("import", tmp_path / "missing"),
        ("export",),
        ("verify", "--x"),
    ):
        result = in_file.run(*arguments, "--json")
        assert result.exit_code == Exit.MALFORMED
        assert json.loads(result.stdout)["code"] in ("invalid-usage", "invalid-request")


# ---- A server that answers


def test_a_server_that_refuses_a_role_or_a_database_is_told_with_its_words(
    in_file: Folder, new_database: NewDatabase
) -> None:
    url = new_database()
    in_file.done("checkpoint")
    database = str(conninfo_to_dict(url)["dbname"])
    for wrong, said in (
        (make_conninfo(url, dbname=f"{database}_gone"), f'database "{database}_gone" does not exist'),
        (make_conninfo(url, user="nobody_at_all", password="secret"), "nobody_at_all"),
    ):
        for arguments in (("verify",), ("checkpoint",), ("limits", "91440300MA5FX3K72N"), ("users", "list")):
            for chinese in (False, True):
                result = in_file.run(*arguments, url=wrong, chinese=chinese)
                assert result.exit_code == Exit.FAULT
                assert said in result.stderr
                assert "LEDGER_DATABASE_URL" in result.stderr
                assert "secret" not in result.output
                assert ("拒绝连接" if chinese else "refuses the connection") in result.stderr
                assert "does not answer" not in result.stderr
                assert "没有应答" not in result.stderr
                assert "not answer" not in result.stderr


def test_a_role_that_may_not_connect_is_not_called_silence(in_file: Folder, new_database: NewDatabase) -> None:
    url = new_database()
    database = str(conninfo_to_dict(url)["dbname"])
    role = f"{database}_role"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} NOLOGIN")
    try:
        result = in_file.run("verify", url=make_conninfo(url, user=role))
        assert result.exit_code == Exit.FAULT
        assert "refuses the connection" in result.stderr
    finally:
        statement(url, f"DROP ROLE {role}")
