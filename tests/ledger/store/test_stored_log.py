"""A SQLite store read as evidence, copied, and put in another's place."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from ledger.errors import FieldError, LedgerError, Malformed, NotFound, Refusal, StoreFault, Text, Unavailable
from ledger.seal.durable import NameUnusable
from ledger.store.sqlite import SQLiteDCBRecorder
from ledger.store.sqlite_backup import copy_store, put_in_place
from ledger.store.sqlite_damage import StoreDamaged
from ledger.store.sqlite_log import SQLiteLog
from projections.verification import verify
from tests.fixtures.somebody_else import folder_for_everybody, somebody_else
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


@pytest.fixture
def put_away(path: Path) -> Iterator[Path]:
    """A store in a folder that everybody may read and nobody write to; the test is somebody else than its owner."""
    with folder_for_everybody() as folder:
        facts = folder / "facts.sqlite"
        shutil.copy(path, facts)
        facts.chmod(0o444)
        folder.chmod(0o555)
        yield facts


def test_a_store_in_a_folder_that_cannot_be_written_to_is_not_called_damaged(put_away: Path) -> None:
    with somebody_else():
        log = SQLiteLog(put_away)
        assert verify(log, []).whole
        log.close()


def test_a_log_that_cannot_be_taken_part_in_is_told_and_not_called_damage(put_away: Path) -> None:
    put_away.parent.chmod(0o755)
    put_away.chmod(0o644)
    store = SQLiteDCBRecorder(put_away)
    store.append([next(iter(store.read(limit=1))).event])
    log_bytes = put_away.with_name("facts.sqlite-wal").read_bytes()
    store.close()
    put_away.with_name("facts.sqlite-wal").write_bytes(log_bytes)
    put_away.chmod(0o444)
    put_away.parent.chmod(0o555)
    with somebody_else(), pytest.raises(NameUnusable, match="may not read") as told:
        SQLiteLog(put_away)
    assert "damaged" not in str(told.value)
    put_away.chmod(0)
    with somebody_else(), pytest.raises(NameUnusable, match="may not read"):
        SQLiteLog(put_away)


def test_what_was_written_while_nobody_was_thought_to_write_is_not_mixed_into_a_verdict(put_away: Path) -> None:
    with somebody_else():
        log = SQLiteLog(put_away)
    put_away.parent.chmod(0o755)
    put_away.with_name("facts.sqlite-wal").write_bytes(b"a service has started")
    with pytest.raises(Unavailable, match="try again"):
        verify(log, [])
    log.close()


@pytest.mark.parametrize(
    "error",
    [
        Unavailable(Text("甲", "a")),
        StoreDamaged(Text("乙", "b"), "page 5"),
        Malformed([FieldError("x", "missing", Text("丙", "c"))]),
        Refusal("no", Text("丁", "d")),
    ],
)
def test_an_error_told_by_another_process_is_the_same(error: LedgerError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.__dict__, str(again)) == (type(error), error.__dict__, str(error))
