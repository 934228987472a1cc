"""Backups of a data folder, and the way back: never in place, never to a log that is shorter or another."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.evidence import FACTS, database_url, open_log
from ledger.errors import LedgerError, NotFound, Refusal, StoreFault, Text
from ledger.seal.durable import failed, new_file, require_free_name, sync_folder, unfinished_beside
from ledger.seal.kept import CHECKPOINT, PUBLIC_KEYS, Keeper, open_kept, require_continues
from ledger.seal.merkle import frontier_at
from ledger.seal.note import Checkpoint, VerifierKey
from ledger.store.sqlite_backup import copy_store, put_in_place
from ledger.store.sqlite_log import SQLiteLog
from projections.verification import Verdict, verify

CREDENTIALS: Final = "credentials.sqlite"
FILE_SUFFIX: Final = ".sqlite"
"""A backup of this name is one file with its checkpoint beside it; any other name is a folder."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the parts of a backup lie."""

    facts: Path
    checkpoint: Path
    public_keys: Path
    credentials: Path

    @classmethod
    def of(cls, target: Path) -> Place:
        if target.suffix != FILE_SUFFIX or target.is_dir():
            return cls(target / FACTS, target / CHECKPOINT, target / PUBLIC_KEYS, target / CREDENTIALS)
        beside = (target.with_name(f"{target.name}.{name}") for name in ("checkpoint", "pub", "credentials"))
        return cls(target, *beside)


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written: ``size`` events, and the checkpoint of exactly these."""

    place: Place
    size: int
    with_credentials: bool


def back_up(data: Path, target: Path, keeper: Keeper, *, credentials: bool) -> Backup:
    """Copy the facts of a data folder while it is in use, with a checkpoint of exactly what was copied.

    The views are not copied: they are made from the facts. Raises ``LedgerError``; then nothing of that name is there.
    """
    if database_url():
        raise _not_here()
    log = open_log(data)
    require_free_name(target)
    place = Place.of(target)
    folder = unfinished_beside(target)
    try:
        folder.mkdir()
        work = Place.of(folder)
        copy_store(data / FACTS, work.facts)
        copied = SQLiteLog(work.facts)
        size, root = copied.size, frontier_at(copied.size, copied.nodes()).root
        copied.close()
        head = SQLiteLog(data / FACTS)
        signed = keeper.sign(head.size, head.nodes(), size=size)
        head.close()
        if root != frontier_at(size, log.nodes() if size <= log.size else head.nodes()).root:
            raise StoreFault(Text("副本与账本不符，未保留", "the copy is not what the store holds; it was not kept"))
        _write(work.checkpoint, signed)
        if (data / PUBLIC_KEYS).is_file():
            _write(work.public_keys, (data / PUBLIC_KEYS).read_bytes())
        if credentials:
            _copy_credentials(data / CREDENTIALS, work.credentials)
        _name(work, place, folder, target)
    except OSError as error:
        raise failed(target, error) from error
    finally:
        log.close()
        shutil.rmtree(folder, ignore_errors=True)
    return Backup(place, size, credentials)


def _not_here() -> RestoreRefused:
    return RestoreRefused(
        "facts-in-postgres",
        Text(
            "事实存于 PostgreSQL，请用其自身的备份工具（pg_dump 或基础备份），再用 funding-ledger verify 核验，"
            "见 docs/runbook.md",
            "the facts lie in PostgreSQL: back it up with its own tools (pg_dump or a base backup), and check with "
            "funding-ledger verify; see docs/runbook.md",
        ),
    )


def _name(work: Place, place: Place, folder: Path, target: Path) -> None:
    """Give the finished backup its name: the folder at once; of a file, the facts last."""
    if place.facts != target:
        sync_folder(folder)
        os.replace(folder, target)
    else:
        for part in ("checkpoint", "public_keys", "credentials", "facts"):
            if getattr(work, part).exists():
                os.replace(getattr(work, part), getattr(place, part))
    sync_folder(target.parent)


def _write(path: Path, data: bytes) -> None:
    with new_file(path) as file:
        file.write(data)


def _copy_credentials(source: Path, target: Path) -> None:
    """With Python's SQLite, which is the one that writes them."""
    if not source.is_file():
        raise NotFound(Text(f"没有用户数据{source}", f"there are no credentials {source}"))
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
    target.chmod(0o600)


# ---- The way back


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place. ``aside`` is where the log that was there before lies now."""

    verdict: Verdict
    aside: Path | None


class RestoreRefused(Refusal):
    """A backup that must not take the place of what is there. Nothing was changed."""


def restore(
    backup: Path,
    data: Path,
    keys: Sequence[VerifierKey],
    kept: Sequence[Path],
    *,
    jobs: int = 1,
    progress: Callable[[int], None] = lambda position: None,
) -> Restored:
    """Put the log of a backup in the place of a data folder's, after checking all of it.

    ``kept`` are checkpoints that the restored log must continue, beside the folder's own, the backup's own, and the log
    that lies in the folder. Raises ``LedgerError`` and leaves everything as it was where any of it fails.
    """
    if database_url():
        raise _not_here()
    place = Place.of(backup)
    if not place.facts.is_file():
        raise NotFound(
            Text(f"{backup}不是备份：没有{place.facts}", f"{backup} is no backup: there is no {place.facts}")
        )
    own = [path for path in (place.checkpoint, data / CHECKPOINT) if path.is_file()]
    checkpoints = [open_kept(path, keys) for path in (*kept, *own)]
    data.mkdir(parents=True, exist_ok=True)
    beside = unfinished_beside(data / FACTS)
    try:
        copy_store(place.facts, beside)
        log = SQLiteLog(beside)
        try:
            verdict = verify(log, checkpoints, jobs=jobs, progress=progress)
            if not verdict.whole:
                return Restored(verdict, None)
            _require_ahead(log, data / FACTS, known=bool(kept) or (data / CHECKPOINT).is_file())
        finally:
            log.close()
        aside = put_in_place(beside, data / FACTS)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                beside.with_name(beside.name + suffix).unlink(missing_ok=True)
    _keep(place, data, keys)
    return Restored(verdict, aside)


def _require_ahead(log: SQLiteLog, path: Path, *, known: bool) -> None:
    """The backup continues the log that it is to replace. ``known``: a kept checkpoint tells how long that must be."""
    if not path.is_file():
        return
    try:
        there = SQLiteLog(path)
        size, root = there.size, frontier_at(there.size, there.nodes()).root
        there.close()
    except LedgerError as error:
        if known:
            return
        raise RestoreRefused(
            "log-unreadable",
            Text(
                f"目录中现有的账本{path}无法读取，也没有检查点说明它有多长；请用 --checkpoint 给出保存的检查点，"
                "或先自行移走该文件",
                f"the log {path} cannot be read, and no kept checkpoint tells how long it was; name one with "
                "--checkpoint, or move the file away yourself",
            ),
        ) from error
    if size == 0:
        return
    try:
        require_continues(Checkpoint("", size, root), log.size, log.nodes(), str(path))
    except StoreFault as fault:
        raise RestoreRefused(
            "backup-behind",
            Text(
                f"备份（{log.size}个事件）不是目录中现有账本（{size}个事件）的延续，恢复会丢失事实，未作改动。"
                "确需放弃现有账本，请先自行移走该文件",
                f"the backup, of {log.size} events, does not continue the log that lies in the folder, of {size}: facts "
                "would be lost, and nothing was changed. If that log is to be given up, move its file away yourself",
            ),
        ) from fault


def _keep(place: Place, data: Path, keys: Sequence[VerifierKey]) -> None:
    """The folder keeps the later of two checkpoints, and knows the log's public keys."""
    if place.public_keys.is_file() and not (data / PUBLIC_KEYS).is_file():
        _write(data / PUBLIC_KEYS, place.public_keys.read_bytes())
    if not place.checkpoint.is_file():
        return
    keeper = Keeper(data)
    known = keeper.kept()
    if known is None or known.size < open_kept(place.checkpoint, keys).size:
        with new_file(data / CHECKPOINT, replace=True) as file:
            file.write(place.checkpoint.read_bytes())
