"""The way back from a backup or an export: into either store, never in place, never to a log that is shorter or another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.backup import FILE_SUFFIX, Place
from api.database import FACTS, database_url, require_driver
from ledger.errors import LedgerError, NotFound, Refusal, StoreFault, Text
from ledger.seal import SealError
from ledger.seal.durable import new_file, unfinished_beside
from ledger.seal.export import ExportLog
from ledger.seal.kept import CHECKPOINT, PUBLIC_KEYS, Keeper, open_kept, require_continues
from ledger.seal.merkle import frontier_at
from ledger.seal.note import Checkpoint, VerifierKey, open_checkpoint
from ledger.seal.verification import SealedLog
from ledger.store.carrying import NotEmpty, carry, carry_into_file
from ledger.store.sqlite_backup import copy_store, put_in_place
from ledger.store.sqlite_log import SQLiteLog
from projections.verification import Verdict, verify

if TYPE_CHECKING:
    from ledger.store.postgres_log import PostgresLog


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be restored, open. ``facts`` is the store of a backup; an export has none, and no public keys."""

    path: Path
    log: SealedLog
    checkpoint: bytes | None
    public_keys: Path | None
    facts: Path | None

    @classmethod
    def open(cls, path: Path) -> Source:
        """A backup, or an export. Raises ``NotFound`` for what is neither, and what opening it raises."""
        if path.is_file() and path.suffix != FILE_SUFFIX:
            export = ExportLog(path)
            return cls(path, export, export.checkpoint, None, None)
        place = Place.of(path)
        if not place.facts.is_file():
            raise NotFound(
                Text(f"{path}不是备份：没有{place.facts}", f"{path} is no backup: there is no {place.facts}")
            )
        log = SQLiteLog(place.facts)
        checkpoint = place.checkpoint.read_bytes() if place.checkpoint.is_file() else None
        public_keys = place.public_keys if place.public_keys.is_file() else None
        return cls(path, log, checkpoint, public_keys, place.facts)

    def stated(self, keys: Sequence[VerifierKey]) -> Checkpoint | None:
        """The checkpoint that comes with it, its signature checked. Raises ``SealError`` that names the backup."""
        if self.checkpoint is None:
            return None
        try:
            return open_checkpoint(self.checkpoint, keys).checkpoint
        except SealError as error:
            raise type(error)(Text(f"{self.path}：{error.text.zh}", f"{self.path}: {error.text.en}")) from error


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place. ``database`` names it where that is a database; ``aside`` is where the log that lay in the
    folder lies now."""

    verdict: Verdict
    database: str | None = None
    aside: Path | None = None


class RestoreRefused(Refusal):
    """A backup that must not take the place of what is there. Nothing was changed."""


Progress = Callable[[int], None]


def restore(
    source: Source,
    data: Path,
    keys: Sequence[VerifierKey],
    kept: Sequence[Path],
    *,
    jobs: int = 1,
    progress: Progress = lambda position: None,
) -> Restored:
    """Put the log of a backup in the place of a data folder's, or into its empty database, after checking all of it.

    ``kept`` are checkpoints that the restored log must continue, beside the folder's own, the backup's own, and the log
    that lies in the folder. Raises ``LedgerError`` and leaves everything as it was where any of it fails.
    """
    folder_kept = data / CHECKPOINT
    checkpoints = [open_kept(path, keys) for path in (*kept, *([folder_kept] if folder_kept.is_file() else []))]
    if (stated := source.stated(keys)) is not None:
        checkpoints.append(stated)
    check = _Check(source, checkpoints, jobs, progress)
    if (url := database_url()) is not None:
        restored = _into_database(check, url)
        if restored.verdict.whole:
            data.mkdir(parents=True, exist_ok=True)
    else:
        data.mkdir(parents=True, exist_ok=True)
        restored = _into_folder(check, data, known=bool(kept) or folder_kept.is_file())
    if restored.verdict.whole:
        _keep(source, data, keys)
    return restored


@dataclass(frozen=True, slots=True)
class _Check:
    source: Source
    checkpoints: Sequence[Checkpoint]
    jobs: int
    progress: Progress

    def of(self, log: SealedLog) -> Verdict:
        return verify(log, self.checkpoints, jobs=self.jobs, progress=self.progress)


def _into_database(check: _Check, url: str) -> Restored:
    require_driver()
    from ledger.store.postgres import LOCK_TIMEOUT_S, PostgresDCBRecorder
    from ledger.store.postgres_connections import Address
    from ledger.store.postgres_log import PostgresLog

    _require_empty(PostgresLog, url)
    verdict = check.of(check.source.log)
    if not verdict.whole:
        return Restored(verdict)
    assert verdict.root is not None, "a whole log has a root"
    store = PostgresDCBRecorder(url)
    try:
        carry(check.source.log, store, verdict.root, check.progress)
        stored = frontier_at(verdict.size, store.nodes()).root
    except NotEmpty as error:
        raise _refused(error) from error
    finally:
        store.close()
    name = Address(url, LOCK_TIMEOUT_S).name
    if stored != verdict.root:
        raise StoreFault(
            Text(
                f"数据库{name}存储的哈希与备份不符；请勿使用，另建数据库重试",
                f"the hashes that the database {name} stored are not the backup's: do not use it, and try another",
            )
        )
    return Restored(verdict, database=name)


def _require_empty(open_log: type[PostgresLog], url: str) -> None:
    """Told before a check that may take minutes; it is looked at again under the write lock."""
    try:
        log = open_log(url)
    except NotFound:
        return
    log.close()
    if log.size:
        raise _refused(
            NotEmpty(
                Text(
                    f"数据库{log.name}中已有{log.size}个事件，未作改动；请新建空数据库，并由 LEDGER_DATABASE_URL 指明",
                    f"the database {log.name} holds {log.size} events already and was left as it is; make a new, empty one "
                    "and name it in LEDGER_DATABASE_URL",
                )
            )
        )


def _refused(error: NotEmpty) -> RestoreRefused:
    return RestoreRefused("database-not-empty", error.text)


def _into_folder(check: _Check, data: Path, *, known: bool) -> Restored:
    beside = unfinished_beside(data / FACTS)
    try:
        if check.source.facts is not None:
            copy_store(check.source.facts, beside)
            log: SealedLog = SQLiteLog(beside)
        else:
            log = check.source.log
        try:
            verdict = check.of(log)
        finally:
            log.close()
        if not verdict.whole:
            return Restored(verdict)
        if check.source.facts is None:
            assert verdict.root is not None, "a whole log has a root"
            carry_into_file(check.source.log, beside, verdict.root, check.progress)
        _require_ahead(beside, data / FACTS, known=known)
        return Restored(verdict, aside=put_in_place(beside, data / FACTS))
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                beside.with_name(beside.name + suffix).unlink(missing_ok=True)


def _require_ahead(new: Path, path: Path, *, known: bool) -> None:
    """The new store continues the one that it is to replace. ``known``: a kept checkpoint tells how long that must be."""
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
    log = SQLiteLog(new)
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
    finally:
        log.close()


def _keep(source: Source, data: Path, keys: Sequence[VerifierKey]) -> None:
    """The folder keeps the later of two checkpoints, and knows the log's public keys."""
    if source.public_keys is not None and not (data / PUBLIC_KEYS).is_file():
        _write(data / PUBLIC_KEYS, source.public_keys.read_bytes())
    stated, known = source.stated(keys), Keeper(data).kept()
    if source.checkpoint is None or stated is None:
        return
    if known is None or known.size < stated.size:
        _write(data / CHECKPOINT, source.checkpoint, replace=True)


def _write(path: Path, content: bytes, *, replace: bool = False) -> None:
    with new_file(path, replace=replace) as file:
        file.write(content)
