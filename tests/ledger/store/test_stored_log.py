"""A SQLite store read as evidence, copied, and put in another's place."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import apsw
import pytest

from ledger.errors import NotFound, StoreFault, Unavailable
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_backup import copy_store, put_in_place
from ledger.store.sqlite_log import SQLiteLog
from projections.verification import verify
from tests.office import Office


@pytest.fixture
def path(tmp_path: Path) -> Path:
    office = Office(tmp_path)
    office.pay(office.approved("国械注准20263010001"), 1_000_000_00, "流水1")
    office.close()
    return tmp_path / "facts.sqlite"


def test_a_log_handed_to_another_process_is_not_another(path: Path) -> None:
    log = SQLiteLog(path)
    other = pickle.loads(pickle.dumps(log))
    assert (other.size, other.rows(1, 5)) == (log.size, log.rows(1, 5))
    log.close()
    other.close()


def test_what_came_after_it_was_opened_is_not_in_it(path: Path) -> None:
    log = SQLiteLog(path)
    store = SQLiteDCBRecorder(path)
    event = next(iter(store.read(limit=1))).event
    store.append([event])
    assert log.size == store.head() - 1
    assert verify(log, []).whole
    store.close()
    log.close()


def test_a_missing_file_or_another_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        SQLiteLog(tmp_path / "none")
    (tmp_path / "x").write_bytes(b"rubbish" * 1000)
    with pytest.raises(StoreFault):
        SQLiteLog(tmp_path / "x")
    apsw.Connection(str(tmp_path / "y")).execute("CREATE TABLE t (x)")
    with pytest.raises(StoreFault):
        SQLiteLog(tmp_path / "y")


def test_a_file_that_may_only_be_read_is_not_refused(path: Path, tmp_path: Path) -> None:
    copy_store(path, tmp_path / "copy")
    (tmp_path / "copy").chmod(0o400)
    log = SQLiteLog(tmp_path / "copy")
    assert verify(log, []).whole
    log.close()


def test_a_copy_is_not_without_what_was_committed_before_it(path: Path, tmp_path: Path) -> None:
    store = SQLiteDCBRecorder(path)
    event = next(iter(store.read(limit=1))).event
    store.append([event])
    done: list[tuple[int, int]] = []
    with store.transaction() as transaction:
        transaction.append([event])
        copy_store(path, tmp_path / "copy", lambda at, of: done.append((at, of)))
    assert done[-1][0] == done[-1][1]
    copied = SQLiteLog(tmp_path / "copy")
    assert copied.size == store.head() - 1, "what was not committed yet is not copied"
    assert not (tmp_path / "copy-wal").exists()
    copied.close()
    store.close()


def test_no_log_of_the_old_store_is_played_into_the_new_one(path: Path, tmp_path: Path) -> None:
    copy_store(path, tmp_path / "new")
    size = SQLiteLog(path).size
    # As after a crash: a log with a commit in it, and nobody connected.
    store = SQLiteDCBRecorder(path)
    store.append([next(iter(store.read(limit=1))).event])
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", tmp_path / f"crashed{suffix}")
    store.close()
    crashed = tmp_path / "crashed"
    aside = put_in_place(tmp_path / "new", crashed)
    assert SQLiteLog(crashed).size == size
    assert aside is not None
    assert SQLiteLog(aside).size == size + 1, "what lay there is kept whole"


def test_a_store_that_is_open_is_not_replaced(path: Path, tmp_path: Path) -> None:
    copy_store(path, tmp_path / "new")
    store = SQLiteDCBRecorder(path)
    with pytest.raises(Unavailable):
        put_in_place(tmp_path / "new", path)
    store.append([next(iter(store.read(limit=1))).event])
    store.close()
    assert (tmp_path / "new").exists()
