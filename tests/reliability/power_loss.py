"""R2, power failures of the SQLite store: lives of a ledger on a recorded disk, and what is found after the power failed.

A life is a short, seeded stretch of work through the real store, in some lives through the one door. Its disk is rebuilt
as it may have been left at many moments (:mod:`tests.reliability.disk`); every image is opened by the real store and
examined. Most lives begin on an image of the one before, so that power also fails after the store has recovered.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch

import apsw
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem

from ledger.application import Outcome
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.command import Command
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.errors import Refusal, Unavailable
from ledger.events import case_tag, key_tag
from ledger.policy.registry import PolicyRegistry
from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import Frontier, frontier_at, leaf_hash
from ledger.store import sqlite_connections
from ledger.store.sqlite import SQLiteDCBRecorder, WriteTransaction
from ledger.store.sqlite_log import SQLiteLog
from tests.office import Office
from tests.reliability.disk import Acknowledged, Image, PowerLoss, RecordingDisk
from tests.reliability.workplace import workplace

FACTS: Final = "facts.sqlite"
STEPS: Final = 24
"""Steps in a life through the store, most of them commits."""
HISTORY_MAX: Final = 120
"""Events after which the next life begins on an empty disk: images stay small."""
FIRST_DAY, LAST_DAY = date(2026, 3, 2), date(2027, 6, 30)

Event = tuple[str, tuple[str, ...], bytes]
"""Type, tags and data: what must be found again."""


class Loss(Exception):
    """What is wrong with an image: ``unusable``, ``unsound``, ``tags``, ``lost``, ``not-a-prefix``, ``seal`` or ``door``."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that was answered at the door, and the position of its fact."""

    command: Command
    actor: str
    key: str
    position: int


@dataclass(slots=True)
class Story:
    """What happened in a life. ``boundaries`` are the positions at which commits ended; ``attempts`` each commit's first
    position less one and its events, whatever became of it.
    """

    events: list[Event] = field(default_factory=list)
    boundaries: set[int] = field(default_factory=lambda: {0})
    attempts: list[tuple[int, list[Event]]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    _sealed: dict[int, tuple[bytes, list[bytes]]] = field(default_factory=dict)

    def allows(self, found: Sequence[Event], acknowledged: int) -> str | None:
        """None if this may be found after so much was acknowledged, else the kind of :class:`Loss`."""
        if len(found) in self.boundaries and found == self.events[: len(found)]:
            return None if len(found) >= acknowledged else "lost"
        for before, events in self.attempts:
            # The disk did not say whether it kept this commit: it may be there, but whole.
            if before >= acknowledged and found == self.events[:before] + events:
                return None
        return "not-a-prefix"

    def sealed(self, found: list[Event]) -> tuple[bytes, list[bytes]]:
        """The root over these events and the runs stored with them, computed from the events alone."""
        of_story = found == self.events[: len(found)]
        if of_story and len(found) in self._sealed:
            return self._sealed[len(found)]
        leaves = [leaf_hash(leaf_bytes(*event)) for event in found]
        frontier, runs = Frontier(0, ()).append(leaves)
        if of_story:
            self._sealed[len(found)] = frontier.root, runs
        return frontier.root, runs


class WitnessedStore(SQLiteDCBRecorder):
    """The real store; the disk's record learns what it acknowledged, the story what it attempted."""

    def __init__(self, path: Path, disk: RecordingDisk, story: Story, synchronous: str | None = None) -> None:
        self._disk, self._story, self._synchronous = disk, story, synchronous
        super().__init__(path)

    def _writing_connection(self) -> apsw.Connection:
        connection = super()._writing_connection()
        if self._synchronous is not None:
            connection.pragma("synchronous", self._synchronous)
        return connection

    @contextmanager
    def transaction(self, *foreseen: Any) -> Iterator[WriteTransaction]:
        attempt: list[Event] = []
        with super().transaction(*foreseen) as transaction:
            before, append = transaction.head, transaction.append

            def append_and_tell(events: Sequence[DCBEvent]) -> int:
                attempt.extend((event.type, tuple(event.tags), event.data) for event in events)
                return append(events)

            transaction.append = append_and_tell  # type: ignore[method-assign]
            yield transaction
            self._story.boundaries.add(before)
            self._story.attempts.append((before, attempt))
        self._story.boundaries.add(transaction.head)
        self._disk.notes.append(Acknowledged(transaction.head))


# --- lives ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Life:
    """How a life is led. Where ``flushes_fail``, the disk now and then reports that a flush failed, and does not try again
    what that flush covered. ``synchronous`` is set only to show that a careless store is found out.
    """

    seed: int
    through_the_door: bool = False
    flushes_fail: bool = False
    restarts: bool = True
    synchronous: str | None = None


def live(life: Life, folder: Path) -> tuple[RecordingDisk, Story, list[Event]]:
    """Lead a life on what lies in the folder; the record of its disk, its story, and what it began with."""
    chance = Random(life.seed)
    began = stored(folder / FACTS) if (folder / FACTS).exists() else []
    story = Story(boundaries={len(began)})
    disk = RecordingDisk(f"recorded-{life.seed}", folder)
    # Small, so that the log is written back and begun again several times in a life, and cut back in some.
    pages, kept = chance.choice((6, 15, 40, 4000)), chance.choice((0, 20_000, 64 << 20))
    with (
        disk.in_use(),
        patch.object(sqlite_connections, "CHECKPOINT_PAGES", pages),
        patch.object(sqlite_connections, "LOG_KEPT_BYTES", kept),
    ):
        (_live_at_the_door if life.through_the_door else _live_at_the_store)(life, folder, disk, story, chance)
    return disk, story, began


def stored(path: Path) -> list[Event]:
    store = SQLiteDCBRecorder(path)
    try:
        return all_of(store)
    finally:
        store.close()


def all_of(store: SQLiteDCBRecorder) -> list[Event]:
    return [(each.event.type, tuple(each.event.tags), each.event.data) for each in store.read()]


def _live_at_the_store(life: Life, folder: Path, disk: RecordingDisk, story: Story, chance: Random) -> None:
    def open_store() -> WitnessedStore:
        return WitnessedStore(folder / FACTS, disk, story, life.synchronous)

    # A second opener, as another process would be.
    stores = [open_store() for _ in range(chance.choice((1, 1, 2)))]
    for _ in range(STEPS):
        number = chance.randrange(len(stores))
        store, roll = stores[number], chance.random()
        disk.fail_flush = life.flushes_fail and chance.random() < 0.2
        with suppress(Unavailable):
            if roll < 0.70:
                store.append(_events(chance))
            elif roll < 0.78:
                condition = DCBAppendCondition(DCBQuery([DCBQueryItem(tags=["nobody"])]), store.head())
                store.append(_events(chance), condition)
            elif roll < 0.86:
                with suppress(ZeroDivisionError), store.transaction() as transaction:
                    transaction.append(_events(chance))
                    raise ZeroDivisionError
            elif roll < 0.94:
                list(store.read(after=store.head() // 2))
            elif life.restarts:
                _end(store, disk, chance)
                disk.fail_flush = life.flushes_fail and chance.random() < 0.2
                with _perhaps_looked_at(folder / FACTS, chance):
                    stores[number] = _started(open_store)
        disk.fail_flush = False
    story.events = all_of(stores[0])
    for store in stores:
        store.close()


def kill(store: SQLiteDCBRecorder) -> None:
    """Close it as the kernel would: everything stays as it lies, the log is not written back."""
    for connection in (store._writing_connection(), *store._readers._idle):
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    store.close()


def _end(store: WitnessedStore, disk: RecordingDisk, chance: Random) -> None:
    """Closed, or killed, perhaps in the middle of a commit."""
    roll = chance.random()
    if roll < 0.25:
        disk.miss_flush = True
        with suppress(Unavailable):
            store.append(_events(chance))
        disk.miss_flush = False
    if roll < 0.5:
        kill(store)
    store.close()


@contextmanager
def _perhaps_looked_at(path: Path, chance: Random) -> Iterator[None]:
    """An auditor may have come first, and may still be there when the service starts."""
    log = None
    if chance.random() < 0.3:
        with suppress(Unavailable):
            log = SQLiteLog(path)
    yield
    if log is not None:
        log.close()


def _started(start: Callable[[], WitnessedStore]) -> WitnessedStore:
    """A service that does not start on a failing disk is started again; this one fails once."""
    try:
        return start()
    except Unavailable:
        return start()


def _events(chance: Random) -> list[DCBEvent]:
    """One to four events; now and then one that fills pages of its own."""
    sizes = [chance.choice((0, 40, 400, 1500, 12_000)) for _ in range(chance.choice((1, 1, 2, 4)))]
    return [
        DCBEvent(
            type=f"kind-{chance.randrange(5)}",
            data=chance.randbytes(size),
            tags=[f"tag-{chance.randrange(40)}" for _ in range(chance.randrange(6))],
        )
        for size in sizes
    ]


class TellingOffice(Office):
    """An office whose every answered command is remembered; what was not answered is asked again with the same key."""

    def __init__(self, folder: Path, story: Story, *, store: WitnessedStore, today: date, prefix: str) -> None:
        self._story, self._prefix, self._given = story, prefix, itertools.count(1)
        super().__init__(folder, store=store, today=today)

    def accepted(self, item: str, **stated: Any) -> str:
        case = self.submit(item, **stated)
        self.give(AcceptApplication(case=case, acceptance_number=f"受理{item}"), "intake")
        return case

    def give(self, command: Command, actor: str, *, key: str | None = None, **more: Any) -> Outcome:
        key = key or f"{self._prefix}-{next(self._given)}"
        while True:
            try:
                outcome = super().give(command, actor, key=key, **more)
            except Unavailable:
                continue
            except Refusal as refusal:
                if refusal.recorded_at is not None:
                    self._story.asked.append(Asked(command, actor, key, refusal.recorded_at))
                raise
            self._story.asked.append(Asked(command, actor, key, outcome.position))
            return outcome


def _live_at_the_door(life: Life, folder: Path, disk: RecordingDisk, story: Story, chance: Random) -> None:
    store = WitnessedStore(folder / FACTS, disk, story, life.synchronous)
    # Later lives on one disk are led on later days.
    today = FIRST_DAY + timedelta(days=store.head())
    office = TellingOffice(folder, story, store=store, today=today, prefix=f"life-{life.seed}")
    disk.fail_flush = life.flushes_fail

    def case(number: int) -> None:
        name = f"{life.seed}-{number}"
        matter = office.approved(f"国械注准{name}", rd_cost="100000.00", special_approval=False)
        disk.fail_flush = life.flushes_fail
        with suppress(Refusal):
            office.give(RequestDisbursement(case=matter, amount_fen=4_000_001), "finance")
        office.pay(matter, 1_000_000, f"流水{name}")

    with ThreadPoolExecutor(3) as clerks:
        list(clerks.map(case, range(3)))
    disk.fail_flush = False
    story.events = all_of(store)
    store.close()


# --- what is found --------------------------------------------------------------------------------


def found_in(image: Image, story: Story, folder: Path, chance: Random) -> list[Event]:
    """Open an image in an empty folder and say what it holds. Raises :class:`Loss` where it is not what it must be."""
    for name, content in image.files.items():
        (folder / name).write_bytes(content)
    if chance.random() < 0.25:
        (folder / f"{FACTS}-shm").write_bytes(chance.choice((bytes, chance.randbytes))(32768))
    try:
        store = SQLiteDCBRecorder(folder / FACTS)
        try:
            return _examined(store, image, story, chance)
        finally:
            store.close()
    except Loss:
        raise
    except Exception as error:  # whatever it is, an image that cannot be used is lost
        raise Loss("unusable", repr(error)[:200]) from error


def _examined(store: SQLiteDCBRecorder, image: Image, story: Story, chance: Random) -> list[Event]:
    found = all_of(store)
    with store._readers.lend() as connection:
        verdict = connection.pragma("integrity_check")
        positions = [position for (position,) in connection.execute("SELECT position FROM events ORDER BY position")]
        runs = [run for (run,) in connection.execute("SELECT run FROM events ORDER BY position")]
        tags = set(connection.execute("SELECT tag, position FROM event_tags"))
    if verdict != "ok":
        raise Loss("unsound", str(verdict)[:200])
    if positions != list(range(1, len(found) + 1)):
        raise Loss("unsound", f"positions {positions}")
    if tags != {(tag, position) for position, (_, carried, _) in enumerate(found, start=1) for tag in carried}:
        raise Loss("tags", "the index does not hold exactly the tags of the events")
    if (kind := story.allows(found, image.acknowledged)) is not None:
        raise Loss(kind, f"{len(found)} events where {image.acknowledged} were acknowledged")
    root, expected = story.sealed(found)
    if runs != expected or frontier_at(len(found), store.nodes()).root != root:
        raise Loss("seal", "the stored tree is not the tree of the stored events")
    if chance.random() < 0.2:
        _carry_on(store, found, story)
    return found


def _carry_on(store: SQLiteDCBRecorder, found: list[Event], story: Story) -> None:
    """What survived can be added to, and the seal goes on."""
    event: Event = ("after", ("tag-1",), b"")
    if store.append([DCBEvent(type=event[0], tags=list(event[1]), data=event[2])]) != len(found) + 1:
        raise Loss("unsound", "the next event does not take the next position")
    if frontier_at(len(found) + 1, store.nodes()).root != story.sealed([*found, event])[0]:
        raise Loss("seal", "the tree does not go on from what survived")


def ask_again(image: Image, story: Story, folder: Path) -> None:
    """At the door of an image: what was answered is answered alike, and what is missing is recorded once."""
    for name, content in image.files.items():
        (folder / name).write_bytes(content)
    store = SQLiteDCBRecorder(folder / FACTS)
    try:
        office = Office(folder, store=store, today=LAST_DAY)
        kept = {tag for _, tags, _ in all_of(store) for tag in tags}
        asked = sorted(story.asked, key=lambda each: each.position)
        for each in [each for each in asked if each.position <= image.acknowledged][-3:]:
            if _answer(office, each) != (each.position, True):
                raise Loss("door", f"what was answered at {each.position} is answered otherwise")
        # Only the first, and only about a case that is there: a lost application will now have another number.
        for each in [each for each in asked if key_tag(each.actor, each.key) not in kept][:1]:
            if (case := getattr(each.command, "case", None)) is not None and case_tag(case) not in kept:
                continue
            position, replayed = _answer(office, each)
            if replayed or _answer(office, each) != (position, True):
                raise Loss("door", f"what was lost before {each.position} was answered is not recorded once")
    finally:
        store.close()


def _answer(office: Office, asked: Asked) -> tuple[int | None, bool]:
    try:
        outcome = office.give(asked.command, asked.actor, key=asked.key)
    except Refusal as refusal:
        return refusal.recorded_at, refusal.replayed
    return outcome.position, outcome.replayed


# --- many of them ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What came of many images. ``losses`` holds a line for each bad one, with the life that makes it again;
    ``distinct`` counts images that differ in what they hold or in what had been promised.
    """

    images: int = 0
    distinct: int = 0
    lives: int = 0
    asked_again: int = 0
    losses: list[tuple[str, str]] = field(default_factory=list)

    def kinds(self) -> set[str]:
        return {kind for kind, _ in self.losses}


def fail_the_power(
    count: int,
    seed: int,
    *,
    per_life: int = 100,
    flushes_fail: bool = False,
    restarts: bool = True,
    synchronous: str | None = None,
    store_only: bool = False,
) -> Tally:
    """Make and examine images, in lives of ``per_life`` each, until ``count`` distinct ones were seen."""
    tally, seen = Tally(), set[int]()
    registry = PolicyRegistry.load()
    with workplace("power-loss") as place, patch.object(PolicyRegistry, "load", lambda: registry):
        # By kind of life: at the door, events are commands' and nothing else.
        survivors: dict[bool, dict[str, bytes]] = {True: {}, False: {}}
        while tally.distinct < count:
            number = seed * 1000 + tally.lives
            chance = Random(number)
            life = Life(
                seed=number,
                through_the_door=not store_only and number % 4 == 3,
                flushes_fail=flushes_fail,
                restarts=restarts,
                synchronous=synchronous,
            )
            disk, story, began = live(life, laid_out(place / "life", survivors.pop(life.through_the_door)))
            tally.lives += 1
            survivors[life.through_the_door] = {}
            for image in PowerLoss(disk, acknowledged=len(began)).images(per_life, chance):
                tally.images += 1
                seen.add(hash((image.acknowledged, *sorted(image.files.items()))))
                tally.distinct = len(seen)
                try:
                    found = found_in(image, story, laid_out(place / "image", {}), chance)
                    if story.asked and chance.random() < 0.1:
                        tally.asked_again += 1
                        ask_again(image, story, laid_out(place / "door", {}))
                except Loss as loss:
                    tally.losses.append((loss.kind, f"life {number}, note {image.at}: {loss}"))
                    continue
                if len(found) < HISTORY_MAX and chance.random() < 0.05:
                    survivors[life.through_the_door] = image.files
    return tally


def laid_out(folder: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
