"""verify on a SQLite file whose pages are damaged, and on a schema that somebody added to: a verdict, whatever it finds."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import apsw
import pytest

from api.cli.exits import Exit
from ledger.errors import Unavailable
from ledger.store import sqlite_reading
from ledger.store.sqlite_log import SQLiteLog
from projections.verification import verify
from tests.cli.audited_folder import (  # noqa: F401
    Folder,
    folder,
    in_database,
    in_file,
    new_database,
    new_url,
    postgres_server_url,
)
from tests.fixtures.postgres import statement
from tests.fixtures.somebody_else import folder_for_everybody, somebody_else
from tests.reliability.tampering import TamperedPostgres, TamperedSQLite

# ruff: noqa: F811

PAGE = 4096


@pytest.fixture
def checked(in_file: Folder, tmp_path: Path) -> Folder:
    """With a dozen pages of facts, all of them in the file itself, and a kept checkpoint."""
    for _ in range(12):
        in_file.grow()
    in_file.done("checkpoint", "--out", tmp_path / "kept")
    connection = apsw.Connection(str(facts(in_file)))
    connection.pragma("wal_checkpoint(truncate)")
    connection.close()
    return in_file


def facts(folder: Folder) -> Path:
    return folder.path / "facts.sqlite"


def verdict(folder: Folder, tmp_path: Path) -> Any:
    return folder.json("verify", "--checkpoint", tmp_path / "kept")


def pages(folder: Folder) -> dict[str, list[int]]:
    """Numbers of the pages of each table, from 1, its root first."""
    found: dict[str, list[int]] = {}
    connection = apsw.Connection(str(facts(folder)))
    for table in ("events", "event_tags", "sqlite_schema"):
        rows = connection.execute("SELECT pageno FROM dbstat WHERE name = ? ORDER BY path", (table,))
        found[table] = [number for (number,) in rows]
    connection.close()
    return found


def wipe(folder: Folder, page: int) -> None:
    with facts(folder).open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(bytes(PAGE))


def readable_positions(folder: Folder) -> list[int]:
    connection = apsw.Connection(str(facts(folder)))
    found = []
    for position in range(1, 31):
        try:
            found += [at for (at,) in connection.execute("SELECT position FROM events WHERE position = ?", (position,))]
        except apsw.CorruptError:
            continue
    connection.close()
    return found


def test_a_page_of_events_that_cannot_be_read_is_a_verdict_that_names_the_first(
    checked: Folder, tmp_path: Path
) -> None:
    leaves = pages(checked)["events"][1:]
    for page in (leaves[1], leaves[-1]):
        whole = facts(checked).read_bytes()
        wipe(checked, page)
        first_lost = min(set(range(1, 31)) - set(readable_positions(checked)))
        body = verdict(checked, tmp_path)
        assert body["events"] == 30, "the index tells of those behind a page that is gone"
        assert (body["first_wrong"]["position"], body["first_wrong"]["code"]) == (first_lost, "unreadable")
        assert "not-of-checkpoint" not in {finding["code"] for finding in body["findings"]}, "nobody can tell"
        said = [finding["message"] for finding in body["findings"] if finding["code"] == "store-damaged"]
        assert f"page {page}" in said[0]
        assert "funding-ledger restore" in said[0]
        result = checked.run("verify", "--checkpoint", tmp_path / "kept")
        assert result.exit_code == Exit.NOT_WHOLE
        assert f"The first wrong event: position {first_lost}: the page of the file" in result.stdout
        facts(checked).write_bytes(whole)


def test_what_lies_on_sound_pages_is_checked_all_the_same(checked: Folder, tmp_path: Path) -> None:
    checked.tampered().update(30, data=b'{"envelope":{},"payload":{}}')
    wipe(checked, pages(checked)["events"][2])
    codes = {(one["position"], one["code"]) for one in verdict(checked, tmp_path)["findings"]}
    assert (30, "not-as-sealed") in codes or (30, "unreadable") in codes
    assert any(code == "unreadable" and position < 30 for position, code in codes if position)


def test_a_damaged_index_does_not_make_events_unreadable(checked: Folder, tmp_path: Path) -> None:
    wipe(checked, pages(checked)["event_tags"][0])
    body = verdict(checked, tmp_path)
    assert {one["code"] for one in body["findings"]} == {"index-unreadable", "store-damaged"}
    assert body["events"] == 30


def test_a_root_page_of_the_events_is_told_from_the_first_position_on(checked: Folder, tmp_path: Path) -> None:
    wipe(checked, pages(checked)["events"][0])
    body = verdict(checked, tmp_path)
    assert (body["first_wrong"]["position"], body["first_wrong"]["code"]) == (1, "unreadable")
    assert body["events"] == 30


@pytest.mark.parametrize("content", [b"", b"x" * PAGE, None], ids=["empty", "no database", "schema page"])
def test_a_file_of_which_nothing_can_be_read_is_not_whole(
    checked: Folder, tmp_path: Path, content: bytes | None
) -> None:
    whole = facts(checked).read_bytes()
    facts(checked).write_bytes(whole[:100] + bytes(PAGE - 100) + whole[PAGE:] if content is None else content)
    body = verdict(checked, tmp_path)
    assert (body["first_wrong"]["position"], body["first_wrong"]["through"]) == (1, 30)
    assert body["first_wrong"]["code"] == "unreadable"
    assert body["findings"][-1]["code"] == "store-damaged"
    chinese = checked.run("verify", "--checkpoint", tmp_path / "kept", chinese=True)
    assert chinese.exit_code == Exit.NOT_WHOLE
    assert "从备份恢复" in chinese.stdout


def test_no_damage_ends_a_check_without_a_verdict(checked: Folder, tmp_path: Path) -> None:
    rng, whole = random.Random(20260331), facts(checked).read_bytes()
    for _ in range(40):
        broken = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            start, length = rng.randrange(len(whole)), rng.choice((1, 4, 100, PAGE))
            broken[start : start + length] = rng.randbytes(len(broken[start : start + length]))
        facts(checked).write_bytes(broken[: rng.choice((len(broken), rng.randrange(len(broken))))])
        for beside in ("facts.sqlite-wal", "facts.sqlite-shm"):
            (checked.path / beside).unlink(missing_ok=True)
        result = checked.run("verify", "--checkpoint", tmp_path / "kept")
        assert result.exit_code in (Exit.DONE, Exit.NOT_WHOLE), result.output
        # Bytes that nothing uses may change unnoticed; an event may not.
        assert result.exit_code == Exit.NOT_WHOLE or "30 events checked" in result.stdout


def test_a_position_beyond_all_others_does_not_keep_the_check_busy_for_ever(folder: Folder, tmp_path: Path) -> None:
    folder.done("checkpoint", "--out", tmp_path / "kept")
    head = folder.head()
    table = "ledger.events" if folder.url else "events"
    store = folder.tampered()
    assert isinstance(store, TamperedSQLite | TamperedPostgres)
    with store.unguarded() as connection:
        connection.execute(f"UPDATE {table} SET position = {1 << 62} WHERE position = {head}")
    body = verdict(folder, tmp_path)
    assert (body["first_wrong"]["position"], body["first_wrong"]["code"]) == (head, "missing")


# ---- What is no damage


def leave_log(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "delete")
    connection.close()


def test_a_store_that_somebody_holds_is_not_called_damaged(
    checked: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_reading, "BUSY_SECONDS", 0)
    leave_log(facts(checked))
    log = SQLiteLog(facts(checked))
    holder = apsw.Connection(str(facts(checked)))
    holder.execute("BEGIN EXCLUSIVE")
    result = checked.run("verify", "--checkpoint", tmp_path / "kept")
    assert result.exit_code == Exit.FAULT, result.output
    assert "keep the store" in result.stderr
    assert "locked" in result.stderr
    assert "damaged" not in result.output
    with pytest.raises(Unavailable, match="locked"):
        # Also once the check has begun.
        verify(log, [])
    holder.execute("ROLLBACK")
    holder.close()
    assert verify(log, []).whole
    log.close()


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a); PRAGMA application_id = 7",
        "CREATE TABLE t (a); CREATE VIEW v AS SELECT 1",
    ],
)
def test_a_sound_database_that_is_no_ledger_is_not_called_damaged(
    checked: Folder, tmp_path: Path, statements: str
) -> None:
    facts(checked).unlink()
    connection = apsw.Connection(str(facts(checked)))
    connection.execute(statements)
    connection.close()
    result = checked.run("verify", "--checkpoint", tmp_path / "kept")
    assert result.exit_code == Exit.FAULT, result.output
    assert "is not a store that can be read" in result.stderr
    assert "name a facts.sqlite" in result.stderr
    assert "damaged" not in result.output


def test_a_ledger_without_its_tables_is_not_taken_for_another_program_s(checked: Folder, tmp_path: Path) -> None:
    connection = apsw.Connection(str(facts(checked)))
    connection.execute("DROP TABLE events; DROP TABLE event_tags; CREATE TABLE t (a)")
    connection.close()
    assert checked.run("verify", "--checkpoint", tmp_path / "kept").exit_code == Exit.NOT_WHOLE


def test_statistics_of_sqlite_are_not_called_foreign(checked: Folder, tmp_path: Path) -> None:
    execute(checked, "ANALYZE")
    body = verdict(checked, tmp_path)
    assert body["whole"]
    assert body["remarks"] == []


def test_a_store_in_a_folder_that_only_its_owner_may_use_is_no_verdict(in_file: Folder) -> None:
    """Exit 2, wrong usage: nothing was found out about the log. As soon as it may be read there is a verdict."""
    with folder_for_everybody() as place:
        put_away = place / "data"
        put_away.mkdir()
        shutil.copy(facts(in_file), put_away)
        in_file.done("checkpoint", "--out", place / "kept")
        arguments = ("verify", "--checkpoint", place / "kept", "--key", in_file.key, "--data", put_away)
        # What is imported on the way is not to be looked for as somebody else.
        in_file.done("verify")
        (put_away / "facts.sqlite").chmod(0)
        put_away.chmod(0o555)
        with somebody_else():
            english, chinese = in_file.run(*arguments), in_file.run(*arguments, chinese=True)
            told = in_file.json(*arguments)
        assert english.exit_code == chinese.exit_code == Exit.MALFORMED
        assert f"may not read the store {put_away / 'facts.sqlite'}" in english.stderr
        assert "Run this as its owner" in english.stderr
        assert "无权读取账本" in chinese.stderr
        assert "whole" not in told
        assert not any(word in english.output for word in ("damaged", "NOT whole", "position"))
        (put_away / "facts.sqlite").chmod(0o444)
        with somebody_else():
            assert in_file.json(*arguments)["whole"]
        assert [path.name for path in put_away.iterdir()] == ["facts.sqlite"], "nothing was written"


# ---- What somebody added to the schema


def execute(folder: Folder, text: str) -> None:
    if folder.url:
        statement(folder.url, text.replace(" events", " ledger.events"))
        return
    connection = apsw.Connection(str(facts(folder)))
    connection.execute(text)
    connection.close()


@pytest.mark.parametrize(
    ("sqlite", "postgres", "name"),
    [
        ("CREATE TABLE mine (x)", "CREATE TABLE ledger.mine (x int)", "table mine"),
        ("CREATE VIEW mine AS SELECT 1", "CREATE VIEW ledger.mine AS SELECT 1", "view mine"),
        ("CREATE TABLE t (x); CREATE INDEX mine ON t (x)", "CREATE TABLE ledger.t (mine int)", None),
    ],
)
def test_what_was_added_beside_our_tables_is_told_and_leaves_the_log_whole(
    folder: Folder, tmp_path: Path, sqlite: str, postgres: str, name: str | None
) -> None:
    folder.done("checkpoint", "--out", tmp_path / "kept")
    execute(folder, postgres if folder.url else sqlite)
    body = verdict(folder, tmp_path)
    assert body["whole"]
    assert (name or "table t") in [remark["object"] for remark in body["remarks"]]
    assert {remark["code"] for remark in body["remarks"]} == {"schema-foreign"}
    shown = folder.done("verify", "--checkpoint", tmp_path / "kept")
    assert "is not ours" in shown.stderr


@pytest.mark.parametrize(
    ("sqlite", "postgres", "named"),
    [
        (
            "CREATE TRIGGER mine AFTER INSERT ON events BEGIN SELECT 1; END",
            "CREATE TRIGGER mine AFTER INSERT ON ledger.events EXECUTE FUNCTION ledger.refuse_tags()",
            "trigger mine",
        ),
        ("CREATE UNIQUE INDEX mine ON events (type, data)", "CREATE INDEX mine ON ledger.events (type)", "index mine"),
    ],
)
def test_what_was_added_to_our_tables_fails_and_no_event_is_accused(
    folder: Folder, tmp_path: Path, sqlite: str, postgres: str, named: str
) -> None:
    folder.done("checkpoint", "--out", tmp_path / "kept")
    if folder.url:
        statement(folder.url, postgres)
    else:
        execute(folder, sqlite)
    body = verdict(folder, tmp_path)
    assert not body["whole"]
    assert body["first_wrong"] is None
    assert named in [finding["object"] for finding in body["findings"]]
    assert {finding["code"] for finding in body["findings"]} == {"schema-changed"}
    result = folder.run("verify", "--checkpoint", tmp_path / "kept")
    assert result.exit_code == Exit.NOT_WHOLE
    assert "The first wrong event" not in result.stdout
    assert f"the {named}" in result.stdout


def test_a_table_that_takes_the_place_of_a_function_of_ours_fails(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("checkpoint", "--out", tmp_path / "kept")
    execute(in_file, "CREATE TABLE json_each (value)")
    assert "table json_each" in [finding.get("object") for finding in verdict(in_file, tmp_path)["findings"]]


def test_a_damaged_backup_is_not_restored(checked: Folder, tmp_path: Path) -> None:
    checked.done("backup", tmp_path / "backup")
    broken = Folder.__new__(Folder)
    broken.path, broken.url = tmp_path / "backup", ""
    wipe(broken, pages(broken)["events"][2])
    shutil.copy(checked.path / "log.pub", tmp_path / "pub")
    result = checked.run("restore", tmp_path / "backup", "--data", tmp_path / "new", "--key", tmp_path / "pub")
    assert result.exit_code in (Exit.FAULT, Exit.NOT_WHOLE)
    assert str(tmp_path / "backup" / "facts.sqlite") in result.output
    assert "unfinished" not in result.output
    assert "another backup" in result.output
    assert not (tmp_path / "new").exists()
