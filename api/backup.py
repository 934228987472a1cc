"""Backups: the facts as one SQLite store, wherever they lie, with a checkpoint of exactly these. See docs/adr/0010."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.database import CREDENTIALS, FACTS, database_url
from api.evidence import open_log
from ledger.errors import NotFound, StoreFault, Text
from ledger.seal.durable import failed, new_file, require_free_name, sync_folder, unfinished_beside
from ledger.seal.kept import CHECKPOINT, PUBLIC_KEYS, Keeper
from ledger.seal.note import Checkpoint, Note
from ledger.store.carrying import carry_into_file
from ledger.store.sqlite_backup import copy_store
from ledger.store.sqlite_log import SQLiteLog
from ledger.store.stored_log import StoredLog
from projections.verification import Verdict, verify

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
    """What was written, with the checkpoint of exactly these events; and what came of its check, which found no more than
    facts that break a rule."""

    place: Place
    verdict: Verdict
    with_credentials: bool

    @property
    def size(self) -> int:
        return self.verdict.size


def back_up(
    data: Path,
    target: Path,
    keeper: Keeper,
    *,
    credentials: bool,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Backup:
    """Copy the facts of a data folder, or of its database, while they are in use, with a checkpoint of what was copied.

    The views are not copied: they are made from the facts. ``progress`` is told what is done, and of how much. Raises
    ``LedgerError``; then nothing of that name is there.
    """
    log = open_log(data)
    require_free_name(target)
    place = Place.of(target)
    if place.facts == target:
        for part in (place.checkpoint, place.public_keys, place.credentials):
            require_free_name(part)
    folder = unfinished_beside(target)
    try:
        folder.mkdir()
        work = Place.of(folder)
        copy = _copy_file if database_url() is None else _copy_events
        signed, verdict = copy(log, data, work.facts, keeper, progress)
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
    return Backup(place, verdict, credentials)


def _copy_file(
    log: StoredLog, data: Path, facts: Path, keeper: Keeper, progress: Callable[[int, int], None]
) -> tuple[bytes, Verdict]:
    """Page by page. What is copied may be more than ``log`` had: it is signed afterwards."""
    copy_store(data / FACTS, facts, progress)
    verdict = _checked(facts, data / FACTS)
    now = SQLiteLog(data / FACTS)
    signed = keeper.sign(now, size=verdict.size)
    now.close()
    if verdict.root != _stated(signed).root:
        raise StoreFault(Text("副本与账本不符，未保留", "the copy is not what the store holds; it was not kept"))
    return signed, verdict


def _copy_events(
    log: StoredLog, data: Path, facts: Path, keeper: Keeper, progress: Callable[[int, int], None]
) -> tuple[bytes, Verdict]:
    """Event by event, and each of them hashed: the copy is what was signed, or it is not kept."""
    signed = keeper.sign(log, size=log.size)
    carry_into_file(log, facts, _stated(signed).root, lambda position: progress(position, log.size))
    return signed, _checked(facts, facts)


def _checked(facts: Path, told_as: Path) -> Verdict:
    """A copy that ``restore`` will take: the same check as there, of every event, the index, the schema and the pages. A
    page that rotted, or that somebody changed, agrees with the stored hashes beside it."""
    copied = SQLiteLog(facts, told_as=told_as)
    try:
        verdict = verify(copied, [])
    finally:
        copied.close()
    if verdict.as_sealed:
        return verdict
    wrong = next(finding for finding in verdict.findings if not finding.of_rules)
    zh, en = ("", "") if wrong.position is None else (f"第{wrong.position}号事件：", f"position {wrong.position}: ")
    raise StoreFault(
        Text(
            f"{zh}{wrong.text.zh}；副本未保留，请运行 funding-ledger verify 查明",
            f"{en}{wrong.text.en}; no copy was kept, find out with funding-ledger verify",
        )
    )


def _stated(signed: bytes) -> Checkpoint:
    return Checkpoint.parse(Note.parse(signed).text)


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
