"""What nothing vouches for is neither called whole nor restored: forged exports, forged backups, keys and checkpoints."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.cli.exits import Exit
from ledger.seal.keys import make_key
from ledger.seal.leaf import leaf_bytes
from tests.cli.audited_folder import (  # noqa: F401
    Folder,
    NewDatabase,
    NewUrl,
    folder,
    in_file,
    new_database,
    new_url,
    postgres_server_url,
)
from tests.reliability.tampering import TamperedSQLite, reseal

# ruff: noqa: F811

FORGED = "伪造流水"


def append_payments(folder: Folder, store: Path) -> None:
    """What anybody can do to a copy, without any key: every hash is right, and nothing vouches for it."""
    forged = Folder.__new__(Folder)
    forged.path, forged.url = store.parent, ""
    office = forged.another_office()
    office.pay(folder.case, 3_000_000_00, FORGED)
    office.close()


def appended_export(folder: Folder, tmp_path: Path) -> Path:
    whole, forged, work = tmp_path / "whole.jsonl", tmp_path / "forged.jsonl", tmp_path / "work"
    folder.done("export", "-o", whole)
    work.mkdir()
    shutil.copy(folder.path / "facts.sqlite", work)
    before = folder.head()
    append_payments(folder, work / "facts.sqlite")
    rows = TamperedSQLite(work / "facts.sqlite").rows()
    header, *events, closing = whole.read_bytes().splitlines()
    more = [leaf_bytes(row["type"], row["tags"], row["data"]) for row in rows[before:]]
    longer = header.replace(b'"size":%d' % before, b'"size":%d' % len(rows))
    forged.write_bytes(b"\n".join((longer, *events, *more, closing)) + b"\n")
    return forged


def appended_backup(folder: Folder, tmp_path: Path) -> Path:
    folder.done("backup", tmp_path / "backup")
    append_payments(folder, tmp_path / "backup" / "facts.sqlite")
    return tmp_path / "backup"


def test_events_after_the_checkpoint_of_an_export_are_not_called_whole(in_file: Folder, tmp_path: Path) -> None:
    forged, size = appended_export(in_file, tmp_path), in_file.head()
    body = in_file.json("verify", forged, "--key", in_file.key)
    assert not body["whole"]
    assert body["first_wrong"]["code"] == "beyond-checkpoint"
    assert (body["first_wrong"]["position"], body["first_wrong"]["through"]) == (size + 1, size + 3)
    assert in_file.run("verify", forged, "--key", in_file.key).exit_code == Exit.NOT_WHOLE


@pytest.mark.parametrize("forge", [appended_export, appended_backup])
def test_events_after_the_checkpoint_of_what_is_restored_do_not_come_in(
    in_file: Folder, tmp_path: Path, forge: Callable[[Folder, Path], Path]
) -> None:
    forged, before = forge(in_file, tmp_path), in_file.tampered().rows()
    for target in (in_file.path, tmp_path / "fresh"):
        result = in_file.run("restore", forged, "--key", in_file.key, data=target)
        assert result.exit_code == Exit.NOT_WHOLE
        assert "beyond" in result.stdout or "after" in result.stdout
    assert in_file.tampered().rows() == before
    assert not (tmp_path / "fresh").exists()


def test_an_export_does_not_pass_under_the_name_of_another_log(in_file: Folder, tmp_path: Path) -> None:
    export = tmp_path / "all.jsonl"
    in_file.done("export", "-o", export)
    export.write_bytes(
        export.read_bytes().replace(b'"origin":"example.gov.cn/funding"', b'"origin":"other.example"', 1)
    )
    body = in_file.json("verify", export, "--key", in_file.key)
    assert body["first_wrong"]["code"] == "another-origin"
    assert in_file.run("restore", export, "--key", in_file.key, data=tmp_path / "n").exit_code == Exit.NOT_WHOLE
    assert not (tmp_path / "n" / "facts.sqlite").exists()


def test_a_checkpoint_of_another_log_does_not_vouch_for_this_one(in_file: Folder, tmp_path: Path) -> None:
    """Two names for the same events, both keys known: one of the two is not what it says."""
    in_file.done("backup", tmp_path / "backup")
    other = tmp_path / "other"
    shutil.copytree(in_file.path, other)
    for name in ("log.key", "log.pub", "checkpoint"):
        (other / name).unlink(missing_ok=True)
    stranger = in_file.done("keys", "--origin", "other.example", data=other).stdout.strip()
    in_file.done("checkpoint", data=other)
    shutil.copy(other / "checkpoint", tmp_path / "kept")
    arguments = ("--key", in_file.key, "--key", stranger, "--checkpoint", tmp_path / "kept")
    assert in_file.run("verify", *arguments).exit_code == Exit.NOT_WHOLE
    assert in_file.run("restore", tmp_path / "backup", *arguments).exit_code == Exit.NOT_WHOLE


def test_how_many_events_nothing_vouches_for_is_told(folder: Folder, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    folder.done("checkpoint", "--out", kept)
    assert folder.json("verify", "--checkpoint", kept)["events_after_last_checkpoint"] == 0
    assert "after the last checkpoint" not in folder.run("verify", "--checkpoint", kept).output
    folder.grow()
    body = folder.json("verify", "--checkpoint", kept)
    assert body["whole"]
    assert body["events_after_last_checkpoint"] == 1
    shown = folder.run("verify", "--checkpoint", kept)
    assert "1 event after the last checkpoint" in shown.stdout, shown.stdout
    assert "最后一个检查点之后的1个事件" in folder.run("verify", "--checkpoint", kept, chinese=True).stdout


# ---- A backup without its checkpoint, and its keys


def rewritten_backup(folder: Folder, tmp_path: Path) -> Path:
    folder.done("backup", tmp_path / "backup")
    store = TamperedSQLite(tmp_path / "backup" / "facts.sqlite")

    def forge(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["type"] == "disbursement-settled":
                row["data"] = row["data"].replace("流水1".encode(), "流水9".encode())
                row["tags"] = [tag.replace("流水1", "流水9") for tag in row["tags"]]
        reseal(rows)

    store.rewrite(forge)
    (tmp_path / "backup" / "checkpoint").unlink()
    return tmp_path / "backup"


def test_a_backup_without_any_checkpoint_is_not_restored(folder: Folder, tmp_path: Path, new_url: NewUrl) -> None:
    backup, fresh, url = rewritten_backup(folder, tmp_path), tmp_path / "fresh", new_url()
    result = folder.run("restore", backup, "--key", folder.key, data=fresh, url=url)
    assert result.exit_code == Exit.MALFORMED
    assert "--checkpoint" in result.stderr
    assert not fresh.exists()


def test_a_backup_without_its_checkpoint_is_not_restored_further_than_another_vouches(
    in_file: Folder, tmp_path: Path
) -> None:
    in_file.done("checkpoint", "--out", tmp_path / "kept")
    in_file.grow()
    in_file.done("backup", tmp_path / "backup")
    (tmp_path / "backup" / "checkpoint").rename(tmp_path / "later")
    arguments = ("restore", tmp_path / "backup", "--key", in_file.key, "--checkpoint")
    assert in_file.run(*arguments, tmp_path / "kept", data=tmp_path / "n").exit_code == Exit.NOT_WHOLE
    in_file.done(*arguments, tmp_path / "later", data=tmp_path / "n")


def test_it_is_told_when_the_key_came_with_the_backup(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("backup", tmp_path / "backup")
    unnamed = in_file.run("restore", tmp_path / "backup", data=tmp_path / "a")
    assert unnamed.exit_code == Exit.DONE
    assert "came with the backup" in unnamed.stderr
    named = in_file.run("restore", tmp_path / "backup", "--key", in_file.key, data=tmp_path / "b")
    assert "came with the backup" not in named.stderr
    assert "came with the backup" not in in_file.run("restore", tmp_path / "backup").stderr, "the folder has its own"


def test_a_key_that_signed_nothing_is_not_taken_over(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("backup", tmp_path / "backup")
    theirs = tmp_path / "backup" / "log.pub"
    stranger = make_key("example.gov.cn/funding", os.urandom).verifier.encode()
    theirs.write_text(f"{stranger}\n", encoding="utf-8")
    in_file.done("restore", tmp_path / "backup", "--key", in_file.key, data=tmp_path / "named")
    assert (tmp_path / "named" / "log.pub").read_text("utf-8").splitlines() == [in_file.key]
    theirs.write_text(f"{stranger}\n{in_file.key}\n", encoding="utf-8")
    in_file.done("restore", tmp_path / "backup", data=tmp_path / "unnamed")
    assert (tmp_path / "unnamed" / "log.pub").read_text("utf-8").splitlines() == [in_file.key]
    in_file.done("checkpoint", "--signing-key", in_file.path / "log.key", data=tmp_path / "unnamed")


def test_the_key_that_was_named_is_not_forgotten_with_an_export(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("export", "-o", tmp_path / "all.jsonl")
    in_file.done("restore", tmp_path / "all.jsonl", "--key", in_file.key, data=tmp_path / "new")
    assert (tmp_path / "new" / "log.pub").read_text("utf-8").splitlines() == [in_file.key]
    assert json.loads(in_file.done("verify", "--json", data=tmp_path / "new").stdout)["whole"]


# ---- who can sign in afterwards


def test_who_restores_without_passwords_is_told_that_nobody_can_sign_in(in_file: Folder, tmp_path: Path) -> None:
    new = tmp_path / "new"
    in_file.done("users", "add", "wang", "--role", "finance", "--password-stdin", typed="secret\n")
    in_file.done("backup", tmp_path / "without")
    for chinese, said in ((False, "Nobody can sign in yet"), (True, "还没有人能登录")):
        result = in_file.run("restore", tmp_path / "without", "--key", in_file.key, chinese=chinese, data=new)
        assert result.exit_code == Exit.DONE, result.output
        assert said in result.stderr
        assert f"funding-ledger users password {'用户名' if chinese else 'NAME'} --data {new}" in result.stderr
    in_file.done("users", "password", "wang", "--password-stdin", data=new, typed="new\n")
    listed = in_file.json("users", "list", data=new)
    assert [user["user"] for user in listed if user["can_sign_in"]] == ["wang"]
    again = in_file.run("restore", tmp_path / "without", "--key", in_file.key, data=new)
    assert "sign in" not in again.stderr, "somebody can"
    nobody = in_file.run("users", "password", "nobody", "--password-stdin", data=new, typed="x\n")
    assert nobody.exit_code == Exit.NOT_FOUND


def test_passwords_that_a_backup_has_are_pointed_to(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("users", "add", "wang", "--role", "finance", "--password-stdin", typed="secret\n")
    in_file.done("backup", tmp_path / "with", "--credentials")
    new = tmp_path / "new"
    result = in_file.run("restore", tmp_path / "with", "--key", in_file.key, data=new)
    assert str(tmp_path / "with" / "credentials.sqlite") in result.stderr
    shutil.copy(tmp_path / "with" / "credentials.sqlite", new / "credentials.sqlite")
    assert [user["user"] for user in in_file.json("users", "list", data=new) if user["can_sign_in"]] == ["wang"]
