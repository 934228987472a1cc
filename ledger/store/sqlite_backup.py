"""Copies of a SQLite store: taken while others write to it, and put in the place of one that nobody has open."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import apsw

from ledger.errors import Text, Unavailable
from ledger.seal.durable import failed, sync_folder
from ledger.store.sqlite_connections import explained
from ledger.store.sqlite_log_rewrite import alone_with, remove, sole_turn
from ledger.store.sqlite_reading import open_for_reading

_PAGES_AT_A_TIME: Final = 4096
_BESIDE: Final = ("-wal", "-shm")
_TURN_SECONDS: Final = 10
_MAGIC: Final = b"SQLite format 3\0"


def copy_store(source: Path, target: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> None:
    """Copy a store as it stands at one instant into a new file, and flush it. Writers are not held up.

    ``progress`` is told pages done and pages in all. Raises ``StoreFault``, ``Unavailable`` or ``FileFault``.
    """
    assert not target.exists(), "a copy is a new file"
    try:
        reading = open_for_reading(source)
        try:
            writing = apsw.Connection(str(target))
            try:
                _copy(reading, writing, progress)
                # One file and no more: what is carried away must not need a log beside it.
                writing.pragma("journal_mode", "delete")
            finally:
                writing.close()
        finally:
            reading.close()
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except apsw.FullError as error:
        # Nothing is written to the source.
        raise failed(target, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) from error
    except apsw.Error as error:
        raise explained(error, str(source)) from error
    except OSError as error:
        raise failed(target, error) from error


def _copy(reading: apsw.Connection, writing: apsw.Connection, progress: Callable[[int, int], None]) -> None:
    # The read transaction holds the snapshot: without it, every commit of others would begin the copy anew.
    with reading:
        reading.execute("SELECT count(*) FROM sqlite_schema").get  # noqa: B018 - reading is what begins the snapshot
        with writing.backup("main", reading, "main") as backup:
            while not backup.done:
                backup.step(_PAGES_AT_A_TIME)
                progress(backup.page_count - backup.remaining, backup.page_count)


def put_in_place(new: Path, path: Path) -> Path | None:
    """Give a finished copy the name of the store, at once. The store that was there is kept beside; its new name is told.

    No program of ours opens a store of the folder meanwhile, and no other can write to this one. Where a step fails, what
    was done before it is undone. Raises ``Unavailable`` where somebody has the store open, or where its disk is full,
    ``StoreFault`` where it cannot be closed off, and ``FileFault``.
    """
    try:
        with sole_turn(str(path), timeout_s=_TURN_SECONDS):
            if not path.exists():
                _exchange(new, path, None)
                return None
            aside = _free_name(path)
            with _alone(path):
                _exchange(new, path, aside)
            return aside
    except apsw.BusyError as error:
        raise _in_use(path) from error
    except apsw.Error as error:
        raise explained(error, str(path)) from error
    except OSError as error:
        raise failed(path, error) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else has the store open, or can open it before the block ends, and its log is written back into it.

    A damaged file is left as it is. Raises errors of SQLite: a log that a full disk does not take back holds facts.
    """
    with _closed_off(path) as whole:
        if whole:
            yield
    if whole:
        return
    # What is damaged is what is being replaced; who still works with what is left of it holds a lock.
    with alone_with(os.path.realpath(path)) as alone:
        if not alone:
            raise apsw.BusyError("another process has the store open")
        yield


@contextmanager
def _closed_off(path: Path) -> Iterator[bool]:
    """Whether the file could be taken for oneself, as it then is; False for one that is damaged."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            # Not opened at all: SQLite would take it for a new file, and delete the log beside it.
            yield False
            return
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        try:
            # Leaving the write-ahead log takes the file for oneself, and is refused while anyone else is connected.
            connection.pragma("journal_mode", "delete")
            connection.execute("BEGIN EXCLUSIVE")
        except (apsw.NotADBError, apsw.CorruptError):
            whole = False
        else:
            whole = True
        yield whole
    finally:
        connection.close()


def _exchange(new: Path, path: Path, aside: Path | None) -> None:
    """Two names for the old file, then the new file under the old name: at no instant is there no store."""
    kept = aside or _free_name(path)
    with ExitStack() as undo:
        try:
            if aside is not None:
                os.link(path, aside)
                undo.callback(remove, str(aside))
            # A log that stayed would be played into the file that takes the name.
            for suffix in _BESIDE:
                beside, moved = path.with_name(path.name + suffix), kept.with_name(kept.name + suffix)
                if beside.exists():
                    os.replace(beside, moved)
                    undo.callback(_move_back, moved, beside)
            os.replace(new, path)
            undo.pop_all()
            sync_folder(path.parent)
        except OSError as error:
            raise failed(path, error) from error


def _move_back(moved: Path, beside: Path) -> None:
    with suppress(OSError):
        os.replace(moved, beside)


def _in_use(path: Path) -> Unavailable:
    return Unavailable(
        Text(
            f"账本{path}正在使用中，未作改动；请先停止服务，再恢复",
            f"the store {path} is in use and was left as it is; stop the service first, then restore",
        )
    )


def _free_name(path: Path) -> Path:
    """A name that neither a store nor a log beside one has."""
    number = 1
    while any(_beside(path, number, suffix).exists() for suffix in ("", *_BESIDE)):
        number += 1
    return _beside(path, number, "")


def _beside(path: Path, number: int, suffix: str) -> Path:
    return path.with_name(f"{path.name}.before-restore-{number}{suffix}")
