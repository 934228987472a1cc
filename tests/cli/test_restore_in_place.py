"""A restore takes the place of a store in one step: nobody's fact goes into the one that is moved away, nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import apsw
import pytest

from api import restore as restoring
from api.cli.exits import Exit
from api.service import Service
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import StoreFault, Unavailable
from ledger.seal.durable import FileFault
from ledger.store import sqlite_backup
from ledger.store.sqlite import SQLiteDCBRecorder
from tests.cli.audited_folder import Folder, in_file  # noqa: F401
from tests.office import ENTERPRISE, POLICY

# ruff: noqa: F811


def submitted(service: Service, key: str) -> int | None:
    command = SubmitApplication(
        policy=POLICY,
        rule="5.2",
        enterprise=ENTERPRISE,
        enterprise_name="示例",
        item=key,
        particulars={"rd_cost": "1000000.00", "special_approval": False},
    )
    return service.ledger.execute(command, actor="intake", key=key).position


@pytest.mark.parametrize("step", ["_require_ahead", "put_in_place", "_keep"])
def test_a_service_that_starts_during_a_restore_does_not_answer_before_its_end(
    in_file: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whatever it answers is in the restored store: at no instant could it have opened the one that was moved away."""
    in_file.done("backup", tmp_path / "backup")
    real, before = getattr(restoring, step), in_file.head()
    answered: list[int | None] = []
    began = threading.Event()

    def start() -> None:
        began.set()
        with in_file.service() as service:
            answered.append(submitted(service, "answered"))

    starting = threading.Thread(target=start)

    def and_a_service_starts(*arguments: Any, **more: Any) -> Any:
        starting.start()
        began.wait(30)
        # Long enough to be answered, were it not held up; that it is held up does not depend on how long this waits.
        starting.join(0.5)
        assert not answered
        return real(*arguments, **more)

    monkeypatch.setattr(restoring, step, and_a_service_starts)
    in_file.done("restore", tmp_path / "backup", "--key", in_file.key)
    starting.join(30)
    assert answered == [before + 1]
    assert in_file.head() == before + 1


def test_a_folder_that_a_service_has_open_is_not_restored_into(in_file: Folder, tmp_path: Path) -> None:
    in_file.done("backup", tmp_path / "backup")
    with in_file.service():
        result = in_file.run("restore", tmp_path / "backup", "--key", in_file.key)
    assert result.exit_code == Exit.REFUSED
    assert "stop that first" in result.stderr
    assert not list(in_file.path.glob("*before-restore*"))
    in_file.done("restore", tmp_path / "backup", "--key", in_file.key)


def test_nobody_opens_the_store_while_it_is_replaced(
    in_file: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the service alone: any program of ours takes the folder's turn, any other SQLite meets the file's lock."""
    in_file.done("backup", tmp_path / "backup")
    path, link, met = in_file.path / "facts.sqlite", os.link, list[str]()

    def others_try(*arguments: Any) -> None:
        with pytest.raises(Unavailable):
            SQLiteDCBRecorder(path, lock_timeout_s=0).transaction().__enter__()
        stranger = apsw.Connection(str(path))
        with pytest.raises(apsw.BusyError):
            stranger.execute("SELECT count(*) FROM events").get  # noqa: B018
        stranger.close()
        met.append("both")
        link(*arguments)

    monkeypatch.setattr(os, "link", others_try)
    in_file.done("restore", tmp_path / "backup", "--key", in_file.key)
    assert met == ["both"]


# ---- What fails leaves everything as it was


def crashed_copy(folder: Folder, tmp_path: Path) -> Path:
    """The store as a killed process leaves it: its last event is in the log beside the file alone."""
    copy = tmp_path / "crashed"
    copy.mkdir()
    office = folder.another_office()
    office.submit("国械注准20263010077")
    for name in ("facts.sqlite", "facts.sqlite-wal"):
        shutil.copy(folder.path / name, copy)
    office.close()
    return copy / "facts.sqlite"


def events_in(path: Path) -> int:
    connection = apsw.Connection(str(path))
    try:
        return int(connection.execute("SELECT max(position) FROM events").get)
    finally:
        connection.close()


@pytest.fixture
def new_store(in_file: Folder, tmp_path: Path) -> Path:
    sqlite_backup.copy_store(in_file.path / "facts.sqlite", tmp_path / "new")
    return tmp_path / "new"


def refused(*arguments: Any) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("broken", ["link", "replace"])
def test_a_step_that_fails_does_not_part_a_store_from_its_log(
    in_file: Folder, tmp_path: Path, new_store: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = crashed_copy(in_file, tmp_path)
    log = path.with_name("facts.sqlite-wal")
    # Damaged to SQLite, so that its log cannot be written back; what is done with the files is the same.
    first = path.read_bytes()[:16]
    with path.open("r+b") as file:
        file.write(b"not a database!!")
    before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    real, done = os.replace, list[str]()

    def fails_at_the_store(source: Any, target: Any) -> None:
        if Path(target) == path:
            refused()
        done.append(Path(target).name)
        real(source, target)

    monkeypatch.setattr(os, broken, refused if broken == "link" else fails_at_the_store)
    with pytest.raises(FileFault):
        sqlite_backup.put_in_place(new_store, path)
    monkeypatch.undo()
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == before
    if broken == "replace":
        assert len(done) == 2, "the log was moved, and moved back"
    with path.open("r+b") as file:
        file.write(first)
    assert log.stat().st_size
    assert events_in(path) == in_file.head()


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
def test_a_disk_that_takes_no_more_is_not_mistaken_for_a_damaged_store(
    in_file: Folder, tmp_path: Path, new_store: Path, monkeypatch: pytest.MonkeyPatch, error: type[apsw.Error]
) -> None:
    path = crashed_copy(in_file, tmp_path)

    class FullDisk(apsw.Connection):
        def pragma(self, name: str, *value: Any, **more: Any) -> Any:
            if name == "journal_mode":
                raise error("the disk takes no more")
            return super().pragma(name, *value, **more)

    monkeypatch.setattr(apsw, "Connection", FullDisk)
    with pytest.raises((StoreFault, Unavailable)):
        sqlite_backup.put_in_place(new_store, path)
    monkeypatch.undo()
    assert not list(path.parent.glob("*before-restore*"))
    assert events_in(path) == in_file.head()


def test_a_log_without_its_store_that_cannot_be_moved_is_told(
    in_file: Folder, tmp_path: Path, new_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = crashed_copy(in_file, tmp_path)
    path.unlink()
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(FileFault):
        sqlite_backup.put_in_place(new_store, path)
    assert path.with_name("facts.sqlite-wal").is_file()
