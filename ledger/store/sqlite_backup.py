"""Copies of a SQLite store: taken while others write to it, and put in the place of one that nobody has open."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from ledger.errors import Text, Unavailable
from ledger.seal.durable import failed, sync_folder
from ledger.store.sqlite_connections import explained
from ledger.store.sqlite_log import open_for_reading

_PAGES_AT_A_TIME: Final = 4096
_BESIDE: Final = ("-wal", "-shm")


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

    Raises ``Unavailable`` where somebody has it open, and ``FileFault``.
    """
    if not path.exists():
        _take_logs_away(path, path.with_name(f"{path.name}.stray"))
        _rename(new, path)
        return None
    aside = _free_name(path)
    _require_alone(path)
    try:
        _take_logs_away(path, aside)
        # Two names for the old file, then the new file under the old name: at no instant is there no store.
        os.link(path, aside)
    except OSError as error:
        raise failed(path, error) from error
    _rename(new, path)
    return aside


def _require_alone(path: Path) -> None:
    """Nobody else has the store open, and its log is written back into it. A damaged file is left as it is."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error:
        return
    try:
        # Leaving the write-ahead log takes the file for oneself, and is refused while anyone else is connected.
        connection.pragma("journal_mode", "delete")
    except apsw.BusyError as error:
        raise Unavailable(
            Text(
                f"账本{path}正在使用中，未作改动；请先停止服务，再恢复",
                f"the store {path} is in use and was left as it is; stop the service first, then restore",
            )
        ) from error
    except apsw.Error:
        # Damaged: that is what it is being replaced for.
        pass
    finally:
        with suppress(apsw.Error):
            connection.close()


def _take_logs_away(path: Path, aside: Path) -> None:
    """A log that stayed would be played into the file that takes the name."""
    for suffix in _BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            os.replace(beside, aside.with_name(aside.name + suffix))


def _rename(new: Path, path: Path) -> None:
    try:
        os.replace(new, path)
        sync_folder(path.parent)
    except OSError as error:
        raise failed(path, error) from error


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.before-restore-{number}")).exists():
        number += 1
    return aside
