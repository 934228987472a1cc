"""A second event under the number of one that is sealed, which SQLite itself would never write: no command carries it on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cli.exits import Exit
from tests.cli.audited_folder import Folder, in_file, new_database, postgres_server_url  # noqa: F401
from tests.reliability.tampering import TamperedSQLite, role_never_given

# ruff: noqa: F811


@pytest.fixture
def forged(in_file: Folder, tmp_path: Path) -> Folder:
    """A role of which nothing is recorded, in a store of which a checkpoint was kept before."""
    in_file.done("checkpoint", "--out", tmp_path / "kept")
    store = in_file.tampered()
    assert isinstance(store, TamperedSQLite)
    store.add_twin(role_never_given("mallory", "admin", datetime(2027, 1, 1, tzinfo=UTC)))
    return in_file


def test_a_forged_role_does_not_verify_against_the_kept_checkpoint(forged: Folder, tmp_path: Path) -> None:
    result = forged.run("verify", "--checkpoint", tmp_path / "kept")
    assert result.exit_code == Exit.NOT_WHOLE
    assert "more than one event lies at position" in result.stdout
    body = forged.json("verify", "--checkpoint", tmp_path / "kept", "--jobs", "2")
    assert body["first_wrong"]["code"] == "duplicate"
    assert body["findings"][-1]["code"] == "store-damaged"


def test_a_forged_role_is_neither_backed_up_nor_exported(forged: Folder, tmp_path: Path) -> None:
    for arguments in (("backup", tmp_path / "backup"), ("export", "-o", tmp_path / "export.jsonl")):
        result = forged.run(*arguments)
        assert result.exit_code == Exit.FAULT, result.output
        assert "funding-ledger verify" in result.stderr
        assert not (tmp_path / "backup").exists()
        assert not (tmp_path / "export.jsonl").exists()


def test_a_backup_with_a_forged_role_is_not_restored(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("backup", tmp_path / "backup")
    TamperedSQLite(tmp_path / "backup" / "facts.sqlite").add_twin(
        role_never_given("mallory", "admin", datetime(2027, 1, 1, tzinfo=UTC))
    )
    result = in_file.run("restore", tmp_path / "backup", "--data", tmp_path / "new", "--key", in_file.key)
    assert result.exit_code == Exit.NOT_WHOLE, result.output
    assert not (tmp_path / "new" / "facts.sqlite").exists()


def test_lists_are_not_filled_from_a_forged_log(forged: Folder) -> None:
    for views in forged.path.glob("views.sqlite*"):
        views.unlink()
    result = forged.run("users", "list")
    assert result.exit_code == Exit.FAULT, result.output
    assert "The store is damaged or was changed from outside" in result.stderr
    assert "mallory" not in result.output
