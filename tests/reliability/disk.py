"""A disk that remembers what it was asked for, and what of it may be there after the power failed.

Between SQLite and the real disk stands :class:`RecordingDisk`. It notes every file created, written, truncated, flushed and
unlinked; :class:`PowerLoss` replays the notes and stops where it is told. What had been flushed is then there; of the rest
any part may be there, in any order, cut at any sector or inside one. The model is stricter than disks are, but for two
assumptions that SQLite makes as well: a flush that returned is true, and a write touches no byte outside its range
(``SQLITE_POWERSAFE_OVERWRITE``). The ``-shm`` file is memory shared by processes: it is written through a mapping, never
flushed, and rebuilt by the first who opens the store, so after a power failure it holds anything at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch

import apsw

from ledger.store import sqlite_log_rewrite

SECTOR: Final = 512

_FLUSHES_NAMES: Final = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
"""SQLite's Unix VFS flushes the folder with the first flush of such a file: its name is then as lasting as its data. It
does so to make a new file lasting and hides it where that fails; so nothing is counted upon for a file that was renamed."""


@dataclass(frozen=True, slots=True)
class Created:
    name: str
    file: int


@dataclass(frozen=True, slots=True)
class Unlinked:
    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """A file that was there got this name, in the place of whichever had it."""

    name: str
    file: int


@dataclass(frozen=True, slots=True)
class Wrote:
    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Flushed:
    """``failed``: the disk reported an error, and nobody knows what it kept; it will not try again by itself."""

    file: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class NamesFlushed:
    pass


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody was told that everything up to this position is recorded."""

    position: int


Note = Created | Unlinked | Named | Wrote | Truncated | Flushed | NamesFlushed | Acknowledged


class RecordingDisk(apsw.VFS):
    """The machine's disk, with a record; the default for connections that are opened while :meth:`in_use`. What the store
    asks of the system itself, because SQLite's interface to a disk has no renaming, is recorded call by call.

    ``notes`` may be appended to, to tell what else happened in between. ``fail_flush`` makes the next flush fail;
    ``miss_flush`` makes it never happen, as when the process dies just before.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.usual = apsw.vfs_names()[0]
        self.notes: list[Note] = []
        self.fail_flush = False
        self.miss_flush = False
        self._folder = str(folder)
        self._files: dict[str, int] = {}
        self._renamed: set[int] = set()
        self._created = 0
        self.initial = {path.name: (self._enter(path.name), path.read_bytes()) for path in folder.iterdir()}
        super().__init__(name, self.usual, makedefault=True)

    @contextmanager
    def in_use(self) -> Iterator[RecordingDisk]:
        with ExitStack() as ended:
            ended.callback(self.unregister)
            ended.callback(apsw.set_default_vfs, self.usual)
            ended.enter_context(patch("os.replace", self._replacing(os.replace)))
            ended.enter_context(
                patch.object(sqlite_log_rewrite, "sync_folder", self._flushing_names(sqlite_log_rewrite.sync_folder))
            )
            ended.enter_context(patch.object(sqlite_log_rewrite, "remove", self.remove))
            yield self

    def _enter(self, name: str) -> int:
        self._created += 1
        self._files[name] = self._created
        return self._created

    def file_of(self, path: str) -> int:
        """The number of the file under a name, which is noted as created where there is none."""
        name = os.path.basename(path)
        assert os.path.dirname(path) == self._folder, path
        if name not in self._files:
            self.notes.append(Created(name, self._enter(name)))
        return self._files[name]

    def _replacing(self, replace: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def noted(old: Any, new: Any) -> None:
            replace(old, new)
            # Others rename files too, in folders and of names that are not the store's.
            if os.path.dirname(old) == self._folder and os.path.basename(old) in self._files:
                file = self._files.pop(os.path.basename(old))
                self._files[os.path.basename(new)] = file
                self._renamed.add(file)
                self.notes += [Named(os.path.basename(new), file), Unlinked(os.path.basename(old))]

        return noted

    def _flushing_names(self, sync_folder: Callable[[Path], None]) -> Callable[[Path], None]:
        def noted(folder: Path) -> None:
            sync_folder(folder)
            if str(folder) == self._folder:
                self.notes.append(NamesFlushed())

        return noted

    def is_renamed(self, file: int) -> bool:
        return file in self._renamed

    def remove(self, name: str) -> None:
        if os.path.basename(name) in self._files:
            self.xDelete(name, False)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _RecordingFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        name = os.path.basename(filename)
        del self._files[name]
        self.notes.append(Unlinked(name))
        if syncdir:
            self.notes.append(NamesFlushed())


class _RecordingFile(apsw.VFSFile):
    def __init__(self, disk: RecordingDisk, name: Any, flags: list[int]) -> None:
        super().__init__(disk.usual, name, flags)
        self._disk = disk
        self._file = disk.file_of(name.filename() if isinstance(name, apsw.URIFilename) else name)
        self._flushes_names = bool(
            flags[0] & _FLUSHES_NAMES and flags[0] & apsw.SQLITE_OPEN_CREATE and not disk.is_renamed(self._file)
        )

    def xWrite(self, data: Any, offset: int) -> None:
        super().xWrite(data, offset)
        self._disk.notes.append(Wrote(self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._disk.notes.append(Truncated(self._file, newsize))

    def xSync(self, flags: int) -> None:
        if self._disk.miss_flush:
            raise apsw.IOError("nobody is there to flush")
        if self._disk.fail_flush:
            self._disk.fail_flush = False
            self._disk.notes.append(Flushed(self._file, failed=True))
            raise apsw.IOError("the disk did not flush")
        # Noted before it is done: a write that comes meanwhile is not covered by it.
        self._disk.notes.append(Flushed(self._file))
        if self._flushes_names:
            self._disk.notes.append(NamesFlushed())
            self._flushes_names = False
        super().xSync(flags)


@dataclass(slots=True)
class _Content:
    """A file: what is certainly on the disk, then what was asked of it since, each with whether it is certain too.

    Up to ``doubtful`` a flush failed: what of it was not kept is never tried again, though what follows may be flushed.
    """

    certain: bytearray = field(default_factory=bytearray)
    since: list[tuple[Wrote | Truncated, bool]] = field(default_factory=list)
    doubtful: int = 0

    def flush(self, *, failed: bool) -> None:
        if failed:
            self.doubtful = len(self.since)
        elif self.doubtful:
            self.since[self.doubtful :] = [(note, True) for note, _ in self.since[self.doubtful :]]
        else:
            for note, _ in self.since:
                _apply(self.certain, note)
            self.since.clear()


class _Fate(Enum):
    STAYS = auto()
    GOES = auto()
    TORN = auto()


@dataclass(frozen=True, slots=True)
class Mood:
    """What a failing disk does to the pieces that were not flushed: how likely one is torn, else how likely it stays.

    ``whole`` writes are one piece each, others are cut at every sector. ``in_order`` everything stays up to some piece,
    which is torn or goes, and nothing after it stays.
    """

    stays: float
    torn: float = 0.0
    whole: bool = False
    in_order: bool = False

    def fate(self, number: int, cut: int, chance: Random) -> _Fate:
        if self.in_order and number != cut:
            return _Fate.STAYS if number < cut else _Fate.GOES
        if self.torn and chance.random() < self.torn:
            return _Fate.TORN
        return _Fate.STAYS if not self.in_order and chance.random() < self.stays else _Fate.GOES


MOODS: Final = (
    Mood(stays=0.0),
    Mood(stays=1.0),
    Mood(stays=0.5, whole=True),
    Mood(stays=0.9, whole=True),
    Mood(stays=0.5),
    Mood(stays=0.95),
    Mood(stays=0.1, torn=0.1),
    Mood(stays=0.5, torn=0.3),
    Mood(stays=0.95, torn=0.02),
    Mood(stays=1.0, torn=0.5, in_order=True),
    Mood(stays=1.0, in_order=True),
)


@dataclass(frozen=True, slots=True)
class Image:
    """What is found when the power is back, after note ``at``; ``acknowledged`` is the last position promised by then."""

    files: dict[str, bytes]
    at: int
    acknowledged: int


class PowerLoss:
    """Replays a disk's notes, and cuts the power wherever :meth:`images` is told."""

    def __init__(self, disk: RecordingDisk, *, acknowledged: int = 0) -> None:
        self._notes = disk.notes
        self._content = {file: _Content(bytearray(data)) for file, data in disk.initial.values()}
        self._names = {name: file for name, (file, _) in disk.initial.items()}
        self._names_since: list[Created | Named | Unlinked] = []
        self._acknowledged = acknowledged

    def images(self, count: int, chance: Random) -> Iterator[Image]:
        """``count`` images, each of the disk after a note chosen by chance, in the order of time."""
        points = sorted(chance.randrange(len(self._notes) + 1) for _ in range(count))
        done = 0
        for point in points:
            for note in self._notes[done:point]:
                self._follow(note)
            done = point
            yield Image(self._survivors(chance.choice(MOODS), chance), point, self._acknowledged)

    def _follow(self, note: Note) -> None:
        match note:
            case Wrote(file=file) | Truncated(file=file):
                self._content[file].since.append((note, False))
            case Flushed(file=file, failed=failed):
                self._content[file].flush(failed=failed)
            case Created(file=file):
                self._content[file] = _Content()
                self._names_since.append(note)
            case Unlinked() | Named():
                self._names_since.append(note)
            case NamesFlushed():
                for change in self._names_since:
                    _rename(self._names, change)
                self._names_since.clear()
            case Acknowledged(position=position):
                self._acknowledged = max(self._acknowledged, position)

    def _survivors(self, mood: Mood, chance: Random) -> dict[str, bytes]:
        names = dict(self._names)
        # The names are kept apart from each other, each in its own order: less than any file system keeps.
        for name in {change.name for change in self._names_since}:
            changes = [change for change in self._names_since if change.name == name]
            for change in changes[: _how_many(len(changes), mood, chance)]:
                _rename(names, change)
        return {name: _after(self._content[file], mood, chance) for name, file in names.items()}


def _rename(names: dict[str, int], change: Created | Named | Unlinked) -> None:
    if isinstance(change, Unlinked):
        names.pop(change.name, None)
    else:
        names[change.name] = change.file


def _how_many(most: int, mood: Mood, chance: Random) -> int:
    if mood.stays in (0.0, 1.0) and not mood.in_order:
        return most if mood.stays else 0
    return chance.randint(0, most)


def _after(content: _Content, mood: Mood, chance: Random) -> bytes:
    data = bytearray(content.certain)
    pieces = [piece for note, certain in content.since for piece in _pieces(note, certain, mood)]
    cut = chance.randint(0, len(pieces))
    fill = bytes if chance.random() < 0.7 else chance.randbytes
    for number, (piece, certain) in enumerate(pieces):
        fate = _Fate.STAYS if certain else mood.fate(number, cut, chance)
        if fate is _Fate.STAYS or (fate is _Fate.TORN and isinstance(piece, Truncated)):
            _apply(data, piece, fill)
        elif isinstance(piece, Truncated):
            continue
        elif fate is _Fate.TORN:
            _apply(data, _torn(piece, chance), fill)
        elif chance.random() < 0.3:
            # The file's new length stays without the data that made it so long.
            _grow(data, piece.offset + len(piece.data), fill)
    return bytes(data)


def _pieces(note: Wrote | Truncated, certain: bool, mood: Mood) -> Iterator[tuple[Wrote | Truncated, bool]]:
    if certain or mood.whole or isinstance(note, Truncated):
        yield note, certain
        return
    start, end = note.offset, note.offset + len(note.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Wrote(note.file, start, note.data[start - note.offset : stop - note.offset]), False
        start = stop


def _apply(data: bytearray, note: Wrote | Truncated, fill: Callable[[int], bytes] = bytes) -> None:
    if isinstance(note, Truncated):
        del data[note.size :]
        return
    _grow(data, note.offset, fill)
    data[note.offset : note.offset + len(note.data)] = note.data


def _torn(note: Wrote, chance: Random) -> Wrote:
    """Inside one piece the new bytes end, or begin, somewhere; now and then what is there is neither new nor old."""
    size = len(note.data)
    kind, where = chance.randrange(3), chance.randint(0, size)
    if kind == 0:
        return Wrote(note.file, note.offset, note.data[:where])
    if kind == 1:
        return Wrote(note.file, note.offset + where, note.data[where:])
    return Wrote(note.file, note.offset, chance.randbytes(size))


def _grow(data: bytearray, size: int, fill: Callable[[int], bytes]) -> None:
    if size > len(data):
        data += fill(size - len(data))
