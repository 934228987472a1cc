"""A log of a million events, made once and kept: matters that are done, and an enterprise with ten thousand of them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import apsw
import msgspec

from ledger.store.sqlite import SQLiteDCBRecorder
from tests.bench.measuring import Bench
from tests.bench.staging import SETTLED, STEPS, Matter, Names, Stage, template

BUSY_EVENTS: Final = 10_000
"""Of the busiest enterprise, in a log of a million; in a shorter log a hundredth of it."""

_FORMAT: Final = 3
"""Raised with every change to what is staged: an older log is then made anew."""

GROWTH_MOST: Final = 1.1
"""How much longer than it was made a log may have become by the runs that recorded something in it."""


@dataclass(frozen=True, slots=True)
class BigLog:
    path: Path
    head: int
    busy: str
    matters: tuple[Matter, ...]


class _Note(msgspec.Struct):
    """``made_for`` is what the log's contents depend on: see :func:`_fingerprint`."""

    made_for: str


def big_log(bench: Bench) -> BigLog:
    """The log of ``bench.sizes.big_log`` events, a little longer for every run that recorded something in it."""
    size = bench.sizes.big_log
    folder = bench.kept / f"log-{size}"
    path, note = folder / "facts.sqlite", folder / "note.json"
    made_for = _fingerprint()
    if not _usable(path, note, made_for, size):
        for old in (note, *folder.glob("facts.sqlite*")):
            old.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        _make(path, size)
        note.write_bytes(msgspec.json.encode(_Note(made_for)))
    busy, matters = _names(size)
    return BigLog(path, _head(path), busy, matters)


def _usable(path: Path, note: Path, made_for: str, size: int) -> bool:
    if not (path.exists() and note.exists()):
        return False
    try:
        noted = msgspec.json.decode(note.read_bytes(), type=_Note)
    except msgspec.DecodeError:
        return False
    return noted.made_for == made_for and _head(path) <= size * GROWTH_MOST


def _head(path: Path) -> int:
    store = SQLiteDCBRecorder(path)
    try:
        return store.head()
    finally:
        store.close()


def _fingerprint() -> str:
    """Of what is staged, of the policy's text (cases begun under another could not be gone on with), and of the tables."""
    pin = template().steps[0].envelope.policy
    assert pin is not None, "every case is made under a policy"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.sqlite"
        SQLiteDCBRecorder(path).close()
        empty = apsw.Connection(str(path))
        tables = empty.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
        empty.close()
    return sha256(repr((_FORMAT, pin.sha256, tables)).encode()).hexdigest()


def _names(size: int) -> tuple[str, tuple[Matter, ...]]:
    names = Names(f"big-{size}")
    busy = names.enterprise()
    of_busy = names.matters(SETTLED, max(1, BUSY_EVENTS * size // 1_000_000 // len(STEPS)), busy)
    others = names.matters(SETTLED, max(1, size // len(STEPS) - len(of_busy)))
    names.random.shuffle(of_busy)
    return busy, (*others[: len(others) // 2], *of_busy, *others[len(others) // 2 :])


def _make(path: Path, size: int) -> None:
    store = SQLiteDCBRecorder(path)
    try:
        stage = Stage(store, f"big-{size}")
        stage.staff()
        stage.matters(_names(size)[1])
    finally:
        store.close()
