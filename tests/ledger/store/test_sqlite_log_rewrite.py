"""A log that another process left behind: written again before anybody goes on behind it, once, and never written over."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.errors import Unavailable
from ledger.store import sqlite_log_rewrite
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_log import SQLiteLog

BIG_BYTES = 1 << 21
"""More than SQLite writes at once."""


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """A store with two events in its log, as a process that was killed leaves it."""
    (tmp_path / "there").mkdir()
    recorder = SQLiteDCBRecorder(tmp_path / "there" / "facts.db")
    recorder.append([DCBEvent("small", b"", ["a"])])
    recorder.append([DCBEvent("big", os.urandom(BIG_BYTES), ["b"])])
    (tmp_path / "here").mkdir()
    for name in ("facts.db", "facts.db-wal"):
        shutil.copy(tmp_path / "there" / name, tmp_path / "here" / name)
    recorder.close()
    return tmp_path / "here" / "facts.db"


@pytest.fixture
def rewritten(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The logs that were written again."""
    logs: list[str] = []
    rewrite = sqlite_log_rewrite._rewrite

    def counted(log: str) -> None:
        logs.append(log)
        rewrite(log)

    monkeypatch.setattr(sqlite_log_rewrite, "_rewrite", counted)
    return logs


def log_of(store: Path) -> Path:
    return store.with_name(store.name + "-wal")


def names_beside(store: Path) -> set[str]:
    return {path.name for path in store.parent.iterdir()}


def test_a_log_left_behind_is_not_gone_on_with_where_it_lies(left_behind: Path) -> None:
    # A second name keeps the old file, so that its number is not given to the new one.
    os.link(log_of(left_behind), old := left_behind.with_name("old"))
    before = old.read_bytes()
    recorder = SQLiteDCBRecorder(left_behind)
    assert not log_of(left_behind).samefile(old)
    assert log_of(left_behind).read_bytes() == before
    assert recorder.head() == 2
    assert recorder.append([DCBEvent("third", b"", [])]) == 3
    assert old.read_bytes() == before
    assert names_beside(left_behind) == {"facts.db", "facts.db-wal", "facts.db-shm", "old"}
    recorder.close()


def test_a_log_in_use_is_not_taken_away_from_who_uses_it(path: str, rewritten: list[str]) -> None:
    first = SQLiteDCBRecorder(path)
    first.append([DCBEvent("one", b"", [])])
    second = SQLiteDCBRecorder(path)
    second.append([DCBEvent("two", b"", [])])
    assert SQLiteLog(Path(path)).size == first.head() == 2
    assert rewritten == []
    first.close()
    second.close()


def test_a_log_is_not_written_again_by_each_of_many_who_start_at_once(left_behind: Path, rewritten: list[str]) -> None:
    with ThreadPoolExecutor(16) as threads:
        recorders = list(threads.map(lambda _: SQLiteDCBRecorder(left_behind), range(16)))
    assert len(rewritten) == 1
    assert {recorder.head() for recorder in recorders} == {2}
    for recorder in recorders:
        recorder.close()


def test_an_auditor_who_comes_first_does_not_leave_it_to_the_service(left_behind: Path, rewritten: list[str]) -> None:
    before = log_of(left_behind).read_bytes()
    log = SQLiteLog(left_behind)
    assert log.size == 2
    assert len(rewritten) == 1
    log.close()
    assert log_of(left_behind).read_bytes() == before, "what was looked at was changed"


def test_a_disk_that_is_full_at_the_start_costs_nothing_that_was_recorded(
    left_behind: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = log_of(left_behind).read_bytes()

    def full(new: str, name: str) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_log_rewrite, "take_name", full)
        with pytest.raises(Unavailable, match=r"full.*free some space"):
            SQLiteDCBRecorder(left_behind)
    assert log_of(left_behind).read_bytes() == before
    assert names_beside(left_behind) == {"facts.db", "facts.db-wal"}
    recorder = SQLiteDCBRecorder(left_behind)
    assert recorder.head() == 2
    recorder.close()


def test_a_copy_that_was_never_finished_is_not_taken_for_the_log(left_behind: Path) -> None:
    left_behind.with_name("facts.db-wal-again").write_bytes(os.urandom(3 * BIG_BYTES))
    recorder = SQLiteDCBRecorder(left_behind)
    assert recorder.head() == 2
    assert names_beside(left_behind) == {"facts.db", "facts.db-wal", "facts.db-shm"}
    recorder.close()


def test_somebody_who_opens_a_store_for_ever_is_not_waited_for_so_long(left_behind: Path) -> None:
    folder = os.open(left_behind.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="locked for too long"):
            SQLiteDCBRecorder(left_behind, lock_timeout_s=0)
    finally:
        os.close(folder)
