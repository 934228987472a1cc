"""A backup is refused for what its seal shows, and not for what a rule has against an event that was sealed with others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from eventsourcing.dcb.api import DCBEvent

from api.cli.exits import Exit
from ledger.roles import Role
from tests.cli.audited_folder import (  # noqa: F401
    Folder,
    NewDatabase,
    NewUrl,
    folder,
    in_database,
    in_file,
    new_database,
    new_url,
    postgres_server_url,
)
from tests.reliability.tampering import Tampered, TamperedSQLite, role_never_given

# ruff: noqa: F811

pytestmark = pytest.mark.beside_the_door


def record_beside_the_door(store: Tampered) -> None:
    """A fact that every hash agrees with and no rule allows: a cashier makes somebody an administrator."""
    row = role_never_given("mallory", Role.ADMIN, datetime(2026, 12, 1, tzinfo=UTC))
    opened = store.open()
    opened.append([DCBEvent(type=row["type"], data=row["data"].replace(b'"system"', b'"cashier"'), tags=row["tags"])])
    opened.close()


def test_a_fact_that_breaks_a_rule_does_not_make_a_backup_unusable(
    folder: Folder, tmp_path: Path, new_url: NewUrl
) -> None:
    record_beside_the_door(folder.tampered())
    size, fresh, url = folder.head(), tmp_path / "fresh", new_url()
    made = folder.done("backup", tmp_path / "backup")
    assert "some of its facts break the rules" in made.stderr
    assert folder.json("backup", tmp_path / "another")["whole"] is False
    result = folder.done("restore", tmp_path / "backup", data=fresh, url=url)
    assert f"position {size} role-granted: cashier did not hold the role admin" in result.stdout
    assert "Restored to" in result.stdout
    assert "NOT whole" not in result.stdout
    there = folder.json("verify", data=fresh, url=url)
    assert (there["whole"], there["as_sealed"], there["events"]) == (False, True, size), "an audit goes on telling it"
    assert folder.run("verify", data=fresh, url=url).exit_code == Exit.NOT_WHOLE


def test_an_export_and_a_second_restore_are_not_stopped_either(in_file: Folder, tmp_path: Path) -> None:
    record_beside_the_door(in_file.tampered())
    in_file.done("export", "-o", tmp_path / "export.jsonl")
    for _ in range(2):
        body = in_file.json("restore", tmp_path / "export.jsonl", "--key", in_file.key, data=tmp_path / "fresh")
        assert (body["restored"], body["whole"]) == (True, False)
        assert [each["code"] for each in body["findings"]] == ["role-not-held"]
    told = in_file.run("restore", tmp_path / "export.jsonl", "--key", in_file.key, data=tmp_path / "more", chinese=True)
    assert "账本与检查点一致，但其中有不合规则的事实" in told.stdout


def change_history(copy: TamperedSQLite) -> None:
    copy.update(14, data=copy.row(14)["data"].replace(b'"2026-03-02T', b'"2026-03-01T', 1))


def cut_off(copy: TamperedSQLite) -> None:
    copy.delete(len(copy.rows()))


def add_an_index(store: TamperedSQLite) -> None:
    with store.unguarded() as connection:
        connection.execute("CREATE INDEX somebody_s ON events (type)")


SPOILT: dict[str, tuple[Callable[[TamperedSQLite], None], str]] = {
    "changed": (change_history, "not-as-sealed"),
    "cut": (cut_off, "shorter-than-checkpoint"),
    "with a foreign index entry": (lambda copy: copy.slip_in(14, "person=mallory"), "index-foreign"),
    "with somebody's index": (add_an_index, "schema-changed"),
    "with its triggers gone": (lambda copy: copy.unguard(), "schema-changed"),
    "with events that nothing vouches for": (record_beside_the_door, "beyond-checkpoint"),
}


@pytest.mark.parametrize(("spoil", "code"), SPOILT.values(), ids=SPOILT)
def test_what_the_seal_shows_still_stops_a_restore(
    in_file: Folder, tmp_path: Path, spoil: Callable[[TamperedSQLite], None], code: str
) -> None:
    if code != "beyond-checkpoint":
        record_beside_the_door(in_file.tampered())
    in_file.done("backup", tmp_path / "backup")
    spoil(TamperedSQLite(tmp_path / "backup" / "facts.sqlite"))
    body = in_file.json("restore", tmp_path / "backup", data=tmp_path / "fresh")
    assert (body["restored"], body["as_sealed"]) == (False, False)
    assert code in [each["code"] for each in body["findings"]]
    assert not (tmp_path / "fresh").exists()


WHAT_RESTORE_REFUSES: dict[str, Callable[[TamperedSQLite], None]] = {
    "a foreign index entry": lambda store: store.slip_in(14, "person=mallory"),
    "an event that the index does not find": lambda store: store.hide(14, "case="),
    "somebody's index on our table": add_an_index,
    "triggers that are gone": lambda store: store.unguard(),
    "a changed event": change_history,
}


@pytest.mark.parametrize("spoil", WHAT_RESTORE_REFUSES.values(), ids=WHAT_RESTORE_REFUSES)
def test_what_a_restore_would_refuse_is_not_backed_up(
    in_file: Folder, tmp_path: Path, spoil: Callable[[TamperedSQLite], None]
) -> None:
    spoil(TamperedSQLite(in_file.path / "facts.sqlite"))
    result = in_file.run("backup", tmp_path / "backup")
    assert result.exit_code == Exit.FAULT
    assert "no copy was kept, find out with funding-ledger verify" in result.stderr
    assert not (tmp_path / "backup").exists()
    assert not list(tmp_path.glob(".*")), "nothing half-done stays"


def test_what_is_wrong_with_a_database_s_index_does_not_come_into_a_backup(
    in_database: Folder, tmp_path: Path, new_url: NewUrl
) -> None:
    """A copy from PostgreSQL has an index of its own, made from the events."""
    in_database.tampered().slip_in(14, "person=mallory")
    in_database.done("backup", tmp_path / "backup")
    in_database.done("restore", tmp_path / "backup", data=tmp_path / "fresh", url=new_url())
