"""The way back from a backup or an export: into either store, never in place, never to a log that is shorter or another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.backup import FILE_SUFFIX, Place
from api.database import FACTS, database_url, require_driver
from api.occupancy import make_folder, sole_use
from ledger.counted import counted
from ledger.errors import LedgerError, NotFound, Refusal, StoreFault, Text
from ledger.seal import SealError
from ledger.seal.durable import new_file, unfinished_beside
from ledger.seal.export import ExportLog
from ledger.seal.kept import CHECKPOINT, PUBLIC_KEYS, Keeper, open_kept, read_note, require_continues
from ledger.seal.merkle import frontier_at
from ledger.seal.note import Checkpoint, VerifierKey, open_checkpoint
from ledger.seal.sealed_log import SealedLog
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

    def is_vouched_for(self, data: Path, kept: Sequence[Path]) -> bool:
        """Whether any checkpoint tells what it should be: its own, a kept one, or the folder's."""
        return bool(self.checkpoint is not None or kept or (data / CHECKPOINT).is_file())

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
    """What was put in place, where the log is ``verdict.as_sealed``; else nothing was. ``database`` names it where that is a
    database; ``aside`` is where the log that lay in the folder lies now."""

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
    keys_named: bool = True,
    jobs: int = 1,
    progress: Progress = lambda position: None,
) -> Restored:
    """Put the log of a backup in the place of a data folder's, or into its empty database, after checking all of it.

    ``kept`` are checkpoints that the restored log must continue, beside the folder's own, the backup's own, and the log
    that lies in the folder; there is one at least. What stands after the backup's own, or where it has none after the last
    of the others, is not taken. ``keys_named``: somebody named ``keys``, and the folder is to know all of them; else it only
    comes to know those that signed one of these checkpoints. What only the rules have against an event stops nothing: a
    checkpoint vouches that the log had it, and every other backup has it too. Raises ``LedgerError`` and leaves everything
    as it was where any of it fails; what fails once a database holds the log is done by restoring again.
    """
    assert source.is_vouched_for(data, kept), "nothing unsigned is restored"
    folder_kept = data / CHECKPOINT
    checkpoints = [open_kept(path, keys) for path in (*kept, *([folder_kept] if folder_kept.is_file() else []))]
    if (stated := source.stated(keys)) is not None:
        checkpoints.append(stated)
    closing = stated or max(checkpoints, key=lambda one: one.size)
    check = _Check(source, checkpoints, closing, jobs, progress)
    signers = keys if keys_named else _signers(source, [*kept, folder_kept], keys)
    own = [key for key in signers if key.name == closing.origin]
    if (url := database_url()) is not None:
        return _into_database(check, url, data, lambda: _keep(source, data, keys, own))
    known = bool(kept) or folder_kept.is_file()
    with _made_where_missing(data):
        return _into_folder(check, data, lambda: _keep(source, data, keys, own), known=known)


@contextmanager
def _made_where_missing(data: Path) -> Iterator[None]:
    """The data folder; what was made for it is gone again where nothing came to lie in it."""
    missing = [folder for folder in (data, *data.parents) if not folder.exists()]
    make_folder(data)
    try:
        yield
    finally:
        for folder in missing:
            with suppress(OSError):  # it is not empty, and is to stay
                folder.rmdir()


def _signers(source: Source, kept: Sequence[Path], keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    notes = [read_note(path) for path in kept if path.is_file()] + ([source.checkpoint] if source.checkpoint else [])
    signed = {key for note in notes for key in open_checkpoint(note, keys).signed_by}
    return tuple(key for key in keys if key in signed)


@dataclass(frozen=True, slots=True)
class _Check:
    source: Source
    checkpoints: Sequence[Checkpoint]
    closing: Checkpoint
    jobs: int
    progress: Progress

    def of(self, log: SealedLog) -> Verdict:
        return verify(log, self.checkpoints, closing=self.closing, jobs=self.jobs, progress=self.progress)


def _into_database(check: _Check, url: str, data: Path, keep: Callable[[], None]) -> Restored:
    require_driver()
    from ledger.store.postgres_log import PostgresLog

    holds_it = _require_room(PostgresLog, url, check.source.log)
    verdict = check.of(check.source.log)
    if not verdict.as_sealed:
        return Restored(verdict)
    with _made_where_missing(data), sole_use(data):
        name = _require_same(PostgresLog, url, check, verdict) if holds_it else _carry_into(url, check, verdict)
        keep()
    return Restored(verdict, database=name)


def _carry_into(url: str, check: _Check, verdict: Verdict) -> str:
    """The name of the database, which holds the log now."""
    from ledger.store.configured import LOCK_TIMEOUT_S
    from ledger.store.postgres import PostgresDCBRecorder
    from ledger.store.postgres_connections import Address

    assert verdict.root is not None, "a whole log has a root"
    store = PostgresDCBRecorder(url)
    try:
        carry(check.source.log, store, verdict.root, check.progress)
    except NotEmpty as error:
        raise _refused(error) from error
    finally:
        store.close()
    return Address(url, LOCK_TIMEOUT_S).name


def _require_room(open_log: type[PostgresLog], url: str, source: SealedLog) -> bool:
    """Told before a check that may take minutes; it is looked at again under the write lock. Whether the database may hold
    this very log already: a restore that lost its connection during the commit, or failed after it, is then done again."""
    try:
        log = open_log(url)
    except NotFound:
        return False
    log.close()
    if log.size not in (0, source.size):
        raise _holds_another(log)
    return log.size > 0


def _require_same(open_log: type[PostgresLog], url: str, check: _Check, verdict: Verdict) -> str:
    """The name of the database, which holds the log already: every event of it was read."""
    log = open_log(url)
    try:
        there = check.of(log)
    finally:
        log.close()
    if not there.as_sealed or there.root != verdict.root:
        raise _holds_another(log)
    return log.name


def _holds_another(log: PostgresLog) -> RestoreRefused:
    return _refused(
        NotEmpty(
            Text(
                f"数据库{log.name}中已有{log.size}个事件，未作改动；请新建空数据库，并由 LEDGER_DATABASE_URL 指明",
                f"the database {log.name} holds {counted(log.size, 'event')} already and was left as it is; make a "
                "new, empty one and name it in LEDGER_DATABASE_URL",
            )
        )
    )


def _refused(error: NotEmpty) -> RestoreRefused:
    return RestoreRefused("database-not-empty", error.text)


def _into_folder(check: _Check, data: Path, keep: Callable[[], None], *, known: bool) -> Restored:
    beside = unfinished_beside(data / FACTS)
    try:
        if check.source.facts is not None:
            copy_store(check.source.facts, beside)
            log: SealedLog = SQLiteLog(beside, told_as=check.source.facts)
        else:
            log = check.source.log
        try:
            verdict = check.of(log)
        finally:
            log.close()
        if not verdict.as_sealed:
            return Restored(verdict)
        if check.source.facts is None:
            assert verdict.root is not None, "a whole log has a root"
            carry_into_file(check.source.log, beside, verdict.root, check.progress)
        # A service that starts meanwhile waits: what it answered would be in the log that is moved aside.
        with sole_use(data):
            _require_ahead(beside, data / FACTS, known=known)
            aside = put_in_place(beside, data / FACTS)
            keep()
        return Restored(verdict, aside=aside)
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
                f"the backup, of {counted(log.size, 'event')}, does not continue the log that lies in the folder, of "
                f"{size}: facts would be lost, and nothing was changed. If that log is to be given up, move its file "
                "away yourself",
            ),
        ) from fault
    finally:
        log.close()


def _keep(source: Source, data: Path, keys: Sequence[VerifierKey], own: Sequence[VerifierKey]) -> None:
    """The folder keeps the later of two checkpoints, and knows the log's ``own`` public keys.

    What else a backup calls a public key is not taken over: it signed nothing that was checked here.
    """
    if own and not (data / PUBLIC_KEYS).is_file():
        _write(data / PUBLIC_KEYS, "".join(f"{key.encode()}\n" for key in own).encode())
    stated, known = source.stated(keys), Keeper(data).kept()
    if source.checkpoint is None or stated is None:
        return
    if known is None or known.size < stated.size:
        _write(data / CHECKPOINT, source.checkpoint, replace=True)


def _write(path: Path, content: bytes, *, replace: bool = False) -> None:
    with new_file(path, replace=replace) as file:
        file.write(content)
