"""Backup, restore and the start of a service, on both stores and between them."""

from __future__ import annotations

import os
import sqlite3
from datetime import date
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from api import restore as restoring
from api.cli.exits import Exit
from api.service import open_service
from ledger.errors import StoreFault, Text
from ledger.seal.kept import LogNotContinued
from ledger.store import carrying
from ledger.store.sealing import Sealer
from tests.cli.audited_folder import (  # noqa: F401
    Folder,
    NewDatabase,
    NewUrl,
    folder,
    in_database,
    in_file,
    new_database,
    new_url,
    numbers,
    postgres_server_url,
)
from tests.fixtures.postgres import statement
from tests.office import Office
from tests.reliability.tampering import TamperedPostgres, TamperedSQLite, reseal

# ruff: noqa: F811


@pytest.fixture(params=["folder", "one file"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / ("backup" if request.param == "folder" else "backup.sqlite")


def test_a_backup_taken_while_others_write_is_not_torn_and_comes_back_whole(
    folder: Folder, tmp_path: Path, target: Path, new_url: NewUrl
) -> None:
    office = folder.another_office()
    office.submit("国械注准20263010005")
    made = folder.json("backup", target)
    with office.store.transaction():
        folder.done("backup", tmp_path / "another")
    office.close()
    assert made["events"] == folder.head()
    assert not list(tmp_path.glob(".*.unfinished")), "nothing half-done stays"
    fresh, url = tmp_path / "fresh", new_url()
    folder.done("restore", target, data=fresh, url=url)
    assert folder.json("verify", data=fresh, url=url)["events"] == made["events"]
    with open_service(fresh, database_url=url or None) as service:
        assert service.reader.case(folder.case).settled_fen == 2_000_000_00
    assert folder.run("backup", target).exit_code == Exit.MALFORMED, "a backup is never overwritten"


@pytest.mark.parametrize("part", ["checkpoint", "pub", "credentials"])
def test_what_lies_beside_a_backup_of_one_file_is_not_written_over(in_file: Folder, tmp_path: Path, part: str) -> None:
    with in_file.service() as service:
        service.credentials.add_user("wanglan", "secret")
    beside = tmp_path / f"x.sqlite.{part}"
    beside.write_text("the kept one", encoding="utf-8")
    result = in_file.run("backup", tmp_path / "x.sqlite", "--credentials")
    assert result.exit_code == Exit.MALFORMED
    assert str(beside) in result.stderr
    assert beside.read_text("utf-8") == "the kept one"
    assert not (tmp_path / "x.sqlite").exists()


def test_credentials_are_not_in_a_backup_unless_asked_for(folder: Folder, tmp_path: Path) -> None:
    with folder.service() as service:
        service.credentials.add_user("wanglan", "secret")
    folder.done("backup", tmp_path / "without")
    folder.done("backup", tmp_path / "with", "--credentials")
    assert not (tmp_path / "without" / "credentials.sqlite").exists()
    copied = sqlite3.connect(tmp_path / "with" / "credentials.sqlite")
    assert copied.execute("SELECT username FROM users").fetchall() == [("wanglan",)]
    copied.close()
    for path in (tmp_path / "with").iterdir():
        assert "key" not in path.name, "the signing key is in no backup"


def test_a_log_that_is_replaced_is_not_lost(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("backup", tmp_path / "backup")
    before = (in_file.path / "facts.sqlite").read_bytes()
    body = in_file.json("restore", tmp_path / "backup")
    assert body["restored"]
    assert Path(body["aside"]).read_bytes()[100:] == before[100:]
    in_file.done("verify")


def test_a_backup_behind_the_log_that_lies_there_is_not_restored(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("backup", tmp_path / "backup")
    (in_file.path / "checkpoint").unlink()
    in_file.grow()
    result = in_file.run("restore", tmp_path / "backup")
    assert result.exit_code == Exit.REFUSED
    assert "facts would be lost" in result.stderr


def test_a_backup_behind_a_kept_checkpoint_is_not_restored(folder: Folder, tmp_path: Path, new_url: NewUrl) -> None:
    folder.done("backup", tmp_path / "backup")
    folder.grow()
    folder.done("checkpoint", "--out", tmp_path / "kept")
    fresh, url = tmp_path / "fresh", new_url()
    result = folder.run("restore", tmp_path / "backup", "--checkpoint", tmp_path / "kept", data=fresh, url=url)
    assert result.exit_code == Exit.NOT_WHOLE
    assert_nothing_came(fresh, url)
    here = folder.run("restore", tmp_path / "backup", url=url)
    assert here.exit_code == Exit.NOT_WHOLE, "the folder's own kept checkpoint is heeded too"
    if url:
        assert_nothing_came(fresh, url)


def assert_nothing_came(data: Path, url: str) -> None:
    assert not data.exists() or not list(data.iterdir())
    if url:
        assert statement(url, "SELECT to_regclass('ledger.events')") == [(None,)]


def test_a_tampered_or_forked_backup_is_not_restored(folder: Folder, tmp_path: Path, new_url: NewUrl) -> None:
    folder.done("backup", tmp_path / "backup")
    copy, url = TamperedSQLite(tmp_path / "backup" / "facts.sqlite"), new_url()
    event = copy.row(14)["data"]
    copy.update(14, data=b'{"envelope":{},"payload":{}}')
    result = folder.run("restore", tmp_path / "backup", data=tmp_path / "fresh", url=url)
    assert result.exit_code == Exit.NOT_WHOLE
    assert "position 14" in result.stdout
    assert_nothing_came(tmp_path / "fresh", url)
    copy.update(14, data=event.replace(b'"2026-03-02T', b'"2026-03-01T', 1))
    copy.rewrite(reseal)
    result = folder.run("restore", tmp_path / "backup", data=tmp_path / "fresh", url=url)
    assert result.exit_code == Exit.NOT_WHOLE, "all hashes agree, and the checkpoint does not"
    assert_nothing_came(tmp_path / "fresh", url)


def test_a_store_in_use_is_not_replaced(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("backup", tmp_path / "backup")
    office = in_file.office()
    result = in_file.run("restore", tmp_path / "backup")
    office.close()
    assert result.exit_code == Exit.FAULT
    assert "stop the service" in result.stderr
    assert not list(in_file.path.glob("*before-restore*"))


def test_a_log_that_can_no_longer_be_read_does_not_stop_a_restore_that_is_vouched_for(
    in_file: Folder, tmp_path: Path
) -> None:
    in_file.done("backup", tmp_path / "backup")
    (in_file.path / "facts.sqlite").write_bytes(b"rubbish" * 1000)
    kept = in_file.path / "checkpoint"
    moved = kept.rename(tmp_path / "kept")
    refused = in_file.run("restore", tmp_path / "backup")
    assert refused.exit_code == Exit.REFUSED
    assert "--checkpoint" in refused.stderr
    in_file.done("restore", tmp_path / "backup", "--checkpoint", moved)
    in_file.done("verify")
    aside = in_file.path / "facts.sqlite.before-restore-1"
    assert aside.read_bytes().startswith(b"rubbish")


def test_something_else_is_not_taken_for_a_backup(in_file: Folder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert in_file.run("restore", tmp_path / "empty").exit_code == Exit.NOT_FOUND
    (tmp_path / "x.sqlite").write_bytes(b"rubbish" * 1000)
    assert in_file.run("restore", tmp_path / "x.sqlite", data=tmp_path / "fresh").exit_code == Exit.FAULT
    (tmp_path / "x.dump").write_bytes(b"PGDMP\0" * 1000)
    other = in_file.run("restore", tmp_path / "x.dump", data=tmp_path / "fresh")
    assert other.exit_code == Exit.NOT_WHOLE
    assert "x.dump is not a whole export" in other.stderr


@pytest.mark.parametrize("form", ["backup", "export"])
@pytest.mark.parametrize("there", ["sqlite", "postgres"])
def test_neither_store_is_closed_to_what_was_taken_from_the_other(
    folder: Folder, tmp_path: Path, new_database: NewDatabase, form: str, there: str
) -> None:
    """One way in each direction, by a backup or an export, and what arrives is the same log to its last hash."""
    taken = tmp_path / form
    folder.done("backup", taken) if form == "backup" else folder.done("export", "-o", taken)
    fresh, url = tmp_path / "fresh", new_database() if there == "postgres" else ""
    key = ("--key", folder.key)
    folder.done("restore", taken, *key, data=fresh, url=url)
    assert not list(fresh.glob(".*")), "nothing half-done stays"
    arrived = folder.json("verify", *key, data=fresh, url=url)
    assert arrived["whole"]
    assert arrived["root"] == folder.json("checkpoint")["root"]
    tampered = TamperedPostgres(url) if url else TamperedSQLite(fresh / "facts.sqlite")
    assert tampered.rows() == folder.tampered().rows()
    store = tampered.open()
    office = Office(fresh, store=store, today=date(2027, 1, 1))
    assert office.submit("国械注准20263010009"), "it goes on from there"
    office.close()
    assert folder.json("verify", *key, data=fresh, url=url)["whole"]


def test_a_backup_is_not_closed_to_a_check_where_it_lies(folder: Folder, tmp_path: Path) -> None:
    folder.done("backup", tmp_path / "backup")
    before = {path.name: path.read_bytes() for path in (tmp_path / "backup").iterdir()}
    assert set(before) == {"facts.sqlite", "checkpoint", "log.pub"}
    folder.done("verify", "--key", folder.key, data=tmp_path / "backup", url="")
    assert {path.name: path.read_bytes() for path in (tmp_path / "backup").iterdir()} == before


def test_a_folder_whose_facts_move_to_another_store_does_not_lose_its_checkpoint(
    folder: Folder, tmp_path: Path, new_database: NewDatabase
) -> None:
    folder.done("backup", tmp_path / "backup")
    folder.url, root = "" if folder.url else new_database(), folder.json("checkpoint")["root"]
    folder.done("restore", tmp_path / "backup")
    assert folder.json("checkpoint")["root"] == root
    folder.grow()
    folder.done("verify")
    with folder.service() as service:
        assert service.reader.case(folder.case).settled_fen == 2_000_000_00


def test_a_database_that_holds_facts_is_not_restored_over(in_database: Folder, tmp_path: Path) -> None:
    in_database.done("backup", tmp_path / "backup")
    in_database.grow()
    before = in_database.tampered().rows()
    result = in_database.run("restore", tmp_path / "backup", data=tmp_path / "fresh")
    assert result.exit_code == Exit.REFUSED
    assert f"holds {len(before)} events already" in result.stderr
    assert "LEDGER_DATABASE_URL" in result.stderr
    assert in_database.tampered().rows() == before
    assert not (tmp_path / "fresh").exists()


@pytest.mark.parametrize("other", ["longer", "changed"])
def test_a_restore_that_failed_after_its_commit_is_not_for_ever_half_done(
    in_database: Folder, tmp_path: Path, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """The database has everything, the folder neither key nor checkpoint: restoring again ends it; another log does not."""
    in_database.done("backup", tmp_path / "backup")
    fresh, url = tmp_path / "fresh", new_database()

    def fails(*arguments: object, **more: object) -> None:
        raise StoreFault(Text("没有空间", "no space"))

    monkeypatch.setattr(restoring, "_keep", fails)
    assert in_database.run("restore", tmp_path / "backup", data=fresh, url=url).exit_code == Exit.FAULT
    assert not (fresh / "checkpoint").exists()
    monkeypatch.undo()
    in_database.done("restore", tmp_path / "backup", data=fresh, url=url)
    assert (fresh / "checkpoint").is_file()
    in_database.done("verify", data=fresh, url=url)
    if other == "changed":
        TamperedPostgres(url).update(14, data=b'{"envelope":{},"payload":{}}')
    else:
        office = Office(fresh, store=TamperedPostgres(url).open(), today=date(2027, 1, 1))
        office.submit("国械注准20263010009")
        office.close()
    before = TamperedPostgres(url).rows()
    assert in_database.run("restore", tmp_path / "backup", data=fresh, url=url).exit_code == Exit.REFUSED
    assert TamperedPostgres(url).rows() == before


def test_a_database_that_stores_other_hashes_is_left_empty(
    in_database: Folder, tmp_path: Path, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_database.done("backup", tmp_path / "backup")
    url = new_database()
    seal = Sealer.seal
    monkeypatch.setattr(Sealer, "seal", lambda *of: [bytes(len(run)) for run in seal(*of)])
    result = in_database.run("restore", tmp_path / "backup", data=tmp_path / "fresh", url=url)
    assert result.exit_code == Exit.FAULT
    assert statement(url, "SELECT count(*) FROM ledger.events") == [(0,)]
    monkeypatch.undo()
    in_database.done("restore", tmp_path / "backup", data=tmp_path / "fresh", url=url)


def test_a_restore_that_fails_half_way_leaves_no_event_behind(
    in_database: Folder, tmp_path: Path, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_database.done("backup", tmp_path / "backup")
    monkeypatch.setattr(carrying, "SPAN", 8)
    monkeypatch.setattr(carrying, "leaf_hash", lambda leaf: bytes(32))
    url = new_database()
    result = in_database.run("restore", tmp_path / "backup", data=tmp_path / "fresh", url=url)
    assert result.exit_code == Exit.FAULT
    assert statement(url, "SELECT count(*) FROM ledger.events") == [(0,)]
    monkeypatch.undo()
    in_database.done("restore", tmp_path / "backup", data=tmp_path / "fresh", url=url)


def test_a_changed_store_is_not_backed_up_as_if_it_were_whole(folder: Folder, tmp_path: Path) -> None:
    folder.tampered().update(14, data=b'{"envelope":{},"payload":{}}')
    result = folder.run("backup", tmp_path / "backup")
    assert result.exit_code == Exit.FAULT
    assert "funding-ledger verify" in result.stderr
    assert not (tmp_path / "backup").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_role_that_may_only_read_is_enough_to_check_and_to_back_up(
    in_database: Folder, tmp_path: Path, postgres_server_url: str
) -> None:
    name = f"reader_{os.getpid()}_{next(numbers)}"
    statement(postgres_server_url, sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'test'").format(sql.Identifier(name)))
    try:
        for text in ("GRANT USAGE ON SCHEMA ledger TO {}", "GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO {}"):
            statement(in_database.url, sql.SQL(text).format(sql.Identifier(name)))  # type: ignore[arg-type]
        url = make_conninfo(in_database.url, user=name, password="test")
        in_database.done("checkpoint", url=url)
        in_database.done("verify", url=url)
        in_database.done("backup", tmp_path / "backup", url=url)
    finally:
        statement(in_database.url, sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        statement(postgres_server_url, sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_service_does_not_start_on_a_shorter_or_another_log(folder: Folder, tmp_path: Path, new_url: NewUrl) -> None:
    """R14."""
    older = folder.tampered().rows()
    with folder.service() as service:
        service.credentials.add_user("x", "y")
    assert (folder.path / "checkpoint").is_file(), "kept when it was closed"
    folder.grow()
    folder.done("checkpoint")
    folder.tampered().write_all(older)
    with pytest.raises(LogNotContinued, match="restore the newest backup"):
        folder.service()
    result = folder.run("limits", "91440300MA5FX3K72N")
    assert result.exit_code == Exit.FAULT
    other = Folder(tmp_path / "other", new_url())
    other.grow()
    other.grow()
    folder.tampered().write_all(other.tampered().rows())
    with pytest.raises(LogNotContinued):
        folder.service()
    folder.tampered().write_all([])
    with pytest.raises(LogNotContinued):
        folder.service()


def test_a_service_does_not_start_where_its_facts_are_gone(folder: Folder, tmp_path: Path, new_url: NewUrl) -> None:
    """R14: an empty store is as wrong as a shorter one."""
    folder.done("checkpoint")
    (folder.path / "facts.sqlite").unlink(missing_ok=True)
    elsewhere = new_url()
    for _ in range(2):
        with pytest.raises(LogNotContinued, match="has 0 events"):
            open_service(folder.path, database_url=elsewhere or None)
        # Nothing was made in its place, which somebody could take for the log later.
        assert folder.run("verify", url=elsewhere).exit_code == Exit.NOT_FOUND


def test_a_service_without_a_key_is_not_kept_from_starting(tmp_path: Path) -> None:
    for _ in range(2):
        with open_service(tmp_path / "data"):
            pass
    assert not (tmp_path / "data" / "checkpoint").exists()
