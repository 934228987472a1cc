"""A log of a million events, made once and kept: matters that are done, and an enterprise with ten thousand of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from ledger.store.sqlite import SQLiteDCBRecorder
from tests.bench.measuring import Bench
from tests.bench.staging import SETTLED, STEPS, Matter, Names, Stage, template

BUSY_EVENTS: Final = 10_000
"""Of the busiest enterprise, in a log of a million; in a shorter log a hundredth of it."""

_FORMAT: Final = 2
"""Raised with every change to what is staged: an older log is then made anew."""


@dataclass(frozen=True, slots=True)
class BigLog:
    path: Path
    head: int
    busy: str
    matters: tuple[Matter, ...]


class _Note(msgspec.Struct):
    format: int


def big_log(bench: Bench) -> BigLog:
    """The log of ``bench.sizes.big_log`` events, a little longer for every run that recorded something in it."""
    size = bench.sizes.big_log
    folder = bench.kept / f"log-{size}"
    path, note = folder / "facts.sqlite", folder / "note.json"
    if not _usable(path, note, size):
        for old in (note, *folder.glob("facts.sqlite*")):
            old.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)
        _make(path, size)
        note.write_bytes(msgspec.json.encode(_Note(_FORMAT)))
    busy, matters = _names(size)
    store = SQLiteDCBRecorder(path)
    head = store.head()
    store.close()
    return BigLog(path, head, busy, matters)


def _usable(path: Path, note: Path, size: int) -> bool:
    if not (path.exists() and note.exists()):
        return False
    if msgspec.json.decode(note.read_bytes(), type=_Note).format != _FORMAT:
        return False
    store = SQLiteDCBRecorder(path)
    try:
        stored = next(iter(store.read(after=len(template().grants), limit=1)))
        # Made under another text of the policy, its cases could not be gone on with.
        pin = msgspec.json.decode(stored.event.data)["envelope"]["policy"]["sha256"]
        expected = template().steps[0].envelope.policy
        return expected is not None and pin == expected.sha256 and store.head() <= size * 1.1
    finally:
        store.close()


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
