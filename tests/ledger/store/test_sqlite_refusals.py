"""What a store refuses to open, with the reason and the remedy, and what it says when the disk fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem

from ledger.errors import StoreFault, Unavailable
from ledger.seal.durable import FileFault
from ledger.store import sqlite_backup, sqlite_schema
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_log import SQLiteLog


def make(path: str, *statements: str) -> bytes:
    connection = apsw.Connection(path)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return Path(path).read_bytes()


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.9.100"])
def test_a_sqlite_library_with_the_wal_reset_bug_is_refused_by_version(version: str) -> None:
    with pytest.raises(StoreFault, match=f"{version}.*3.51.3 or later.*Upgrade"):
        sqlite_schema.require_library(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0.0"])
def test_a_sqlite_library_without_the_bug_is_accepted(version: str) -> None:
    sqlite_schema.require_library(version)


def test_a_store_is_not_opened_with_a_library_that_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(StoreFault, match=r"3\.51\.2"):
        SQLiteDCBRecorder(path)
    assert not Path(path).exists()


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE accounts (id)"],
        ["PRAGMA application_id = 7"],
        ["PRAGMA user_version = 1"],
        ["CREATE TABLE events (id)", "PRAGMA user_version = 1"],
    ],
)
def test_a_database_of_another_program_is_refused_and_left_as_it_was(path: str, statements: list[str]) -> None:
    before = make(path, *statements)
    with pytest.raises(StoreFault, match=r"not an event store of this program.*Name another file"):
        SQLiteDCBRecorder(path)
    assert Path(path).read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(path: str) -> None:
    Path(path).write_bytes(b"%PDF-1.7 " * 1000)
    with pytest.raises(StoreFault, match="not a SQLite database"):
        SQLiteDCBRecorder(path)
    assert Path(path).read_bytes() == b"%PDF-1.7 " * 1000


@pytest.mark.parametrize(
    ("version", "remedy"),
    [(sqlite_schema.SCHEMA_VERSION + 1, "upgrade"), (sqlite_schema.SCHEMA_VERSION - 1, "restore"), (-1, "restore")],
)
def test_a_store_of_another_schema_version_is_refused_with_what_to_do(path: str, version: int, remedy: str) -> None:
    SQLiteDCBRecorder(path).close()
    before = make(path, f"PRAGMA user_version = {version}")
    with pytest.raises(StoreFault, match=f"schema version {version}.*{remedy}"):
        SQLiteDCBRecorder(path)
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DROP TRIGGER events_are_never_updated", "events_are_never_updated"),
        ("DROP TRIGGER event_tags_come_with_their_event", "event_tags_come_with_their_event"),
        ("DROP TABLE event_tags", "event_tags"),
        ("ALTER TABLE events ADD COLUMN note TEXT", "events"),
        ("CREATE TRIGGER second_thoughts AFTER INSERT ON events BEGIN SELECT 1; END", "second_thoughts"),
        ("CREATE UNIQUE INDEX one_of_each ON events (type)", "one_of_each"),
    ],
)
def test_a_store_whose_protection_was_taken_away_is_refused(path: str, statement: str, named: str) -> None:
    SQLiteDCBRecorder(path).close()
    make(path, statement)
    with pytest.raises(StoreFault, match=f"changed.*{named}"):
        SQLiteDCBRecorder(path)


def test_a_store_with_something_else_beside_it_is_opened(path: str) -> None:
    SQLiteDCBRecorder(path).close()
    make(path, "CREATE TABLE notes (note TEXT)")
    SQLiteDCBRecorder(path).close()


def test_a_place_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="directory must exist"):
        SQLiteDCBRecorder(tmp_path / "missing" / "facts.db")


@pytest.mark.parametrize("path", [":memory:", ""])
def test_a_store_that_would_vanish_with_the_process_is_refused(path: str) -> None:
    with pytest.raises(StoreFault, match="kept in a file"):
        SQLiteDCBRecorder(path)


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_a_file_left_empty_by_an_interrupted_start_becomes_a_store(path: str, journal_mode: str) -> None:
    make(path, f"PRAGMA journal_mode = {journal_mode}", "CREATE TABLE t (x)", "DROP TABLE t")
    recorder = SQLiteDCBRecorder(path)
    assert recorder.append([DCBEvent("noted", b"")]) == 1
    recorder.close()


class FailingDisk(apsw.VFS):
    """The machine's disk, until ``failure`` is set: then the named operation fails with that error."""

    def __init__(self) -> None:
        self.failure: tuple[str, type[apsw.Error]] | None = None
        self.usual = apsw.vfs_names()[0]
        super().__init__("failing-disk", self.usual, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return FailingFile(self, name, flags)

    def meet(self, operation: str) -> None:
        if self.failure and self.failure[0] == operation:
            raise self.failure[1]


class FailingFile(apsw.VFSFile):
    def __init__(self, disk: FailingDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__(disk.usual, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.meet("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.meet("sync")
        super().xSync(flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.meet("read")
        return super().xRead(amount, offset)


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    disk = FailingDisk()
    yield disk
    apsw.set_default_vfs(disk.usual)
    disk.unregister()


@pytest.mark.parametrize(
    ("operation", "error", "said"),
    [
        ("write", apsw.FullError, "disk .* is full. Nothing was recorded"),
        ("write", apsw.IOError, "not known whether anything was recorded"),
        ("sync", apsw.IOError, "not known whether anything was recorded"),
    ],
)
def test_a_failing_disk_gives_unavailable_and_nothing_half_written(
    disk: FailingDisk, path: str, operation: str, error: type[apsw.Error], said: str
) -> None:
    recorder = SQLiteDCBRecorder(path)
    recorder.append([DCBEvent("before", b"", ["a"])])
    for _ in range(3):
        disk.failure = (operation, error)
        with pytest.raises(Unavailable, match=f"{said}.*same key"):
            recorder.append([DCBEvent("during", b"", ["a", "b"]), DCBEvent("during", b"", ["a"])])
        disk.failure = None
        assert [found.event.type for found in recorder.read()] == ["before"]
    assert recorder.append([DCBEvent("after", b"", ["a"])]) == 2
    recorder.close()
    again = SQLiteDCBRecorder(path)
    assert [found.event.type for found in again.read()] == ["before", "after"]
    again.close()


def test_a_commit_of_unknown_fate_is_found_whole_or_not_at_all_by_the_next_start(disk: FailingDisk, path: str) -> None:
    recorder = SQLiteDCBRecorder(path)
    recorder.append([DCBEvent("before", b"")])
    disk.failure = ("sync", apsw.IOError)
    with pytest.raises(Unavailable, match="not known"):
        recorder.append([DCBEvent("during", b"", ["a"]), DCBEvent("during", b"", ["a"])])
    recorder.close()
    disk.failure = None
    again = SQLiteDCBRecorder(path)
    assert [found.event.type for found in again.read()] in (["before"], ["before", "during", "during"])
    assert len(list(again.read(DCBQuery([DCBQueryItem(tags=["a"])])))) == again.head() - 1
    again.close()


def test_reading_from_a_failing_disk_gives_unavailable_and_recovers(disk: FailingDisk, path: str) -> None:
    recorder = SQLiteDCBRecorder(path)
    recorder.append([DCBEvent("noted", b"")])
    disk.failure = ("read", apsw.IOError)
    with pytest.raises(Unavailable, match="same key"):
        recorder.read()
    disk.failure = None
    assert len(list(recorder.read())) == 1
    recorder.close()


def test_pages_overwritten_from_outside_are_a_fault_not_an_answer(path: str) -> None:
    recorder = SQLiteDCBRecorder(path)
    recorder.append([DCBEvent("noted", b"x" * 200, [f"tag-{n}"]) for n in range(200)])
    recorder.close()
    with Path(path).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (Path(path).stat().st_size - 4096))
    recorder = SQLiteDCBRecorder(path)
    use: Callable[[], object]
    for use in (recorder.read, lambda: recorder.append([DCBEvent("noted", b"")])):
        with pytest.raises(StoreFault, match="damaged"):
            use()
    recorder.close()


@pytest.mark.parametrize("written", [b"noted-plainly", b'["plain-tag"]'], ids=["type", "tags"])
def test_a_damaged_text_is_a_fault_to_who_reads_and_a_finding_to_who_checks(path: str, written: bytes) -> None:
    recorder = SQLiteDCBRecorder(path)
    recorder.append([DCBEvent("noted-plainly", b"{}", ["plain-tag"])])
    recorder.close()
    content = Path(path).read_bytes()
    assert content.count(written) == 1
    Path(path).write_bytes(content.replace(written, written[:4] + b"\xff\xfe" + written[6:]))
    recorder = SQLiteDCBRecorder(path)
    with pytest.raises(StoreFault, match="damaged"):
        list(recorder.read())
    with pytest.raises(StoreFault, match="damaged"), recorder.transaction() as transaction:
        transaction.histories(["plain-tag"])
    recorder.close()
    log = SQLiteLog(Path(path))
    (row,) = log.rows(1, 1)
    assert "\N{REPLACEMENT CHARACTER}" in row.type_name or b"\xff" in row.tags
    assert [*log.findings(1, 1), *log.closing_findings()] != [] or written == b"noted-plainly"
    log.close()


def test_a_text_where_bytes_belong_is_a_fault_and_not_taken_for_them(path: str) -> None:
    recorder = SQLiteDCBRecorder(path)
    recorder.append([DCBEvent("noted", b"the data of it", [])])
    recorder.close()
    content = Path(path).read_bytes()
    at = content.index(b"noted[]") - 6
    # The record's header: one number for each column, of which the last says that 14 bytes are a blob (12 + 2 * 14).
    header = content[at : at + 6]
    assert header[-1] == 12 + 2 * 14, header
    Path(path).write_bytes(content[: at + 5] + bytes([header[-1] + 1]) + content[at + 6 :])
    recorder = SQLiteDCBRecorder(path)
    with pytest.raises(StoreFault, match="damaged"):
        list(recorder.read())
    recorder.close()


def test_a_full_disk_of_a_copy_is_not_blamed_on_the_store(
    recorder: SQLiteDCBRecorder, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(sqlite_backup, "_copy", full)
    with pytest.raises(FileFault) as refused:
        sqlite_backup.copy_store(Path(path), tmp_path / "copy.sqlite")
    assert str(tmp_path / "copy.sqlite") in refused.value.text.en
    assert "No space left" in refused.value.text.en
