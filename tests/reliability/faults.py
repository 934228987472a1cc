"""R13: a disk that fails at one operation of one command, while a whole case is taken through the door.

The same short story, two cases from application to recovery, is told again and again; each time the disk fails at another
place. Whoever gave a command is told "repeat with the same key", and does: to the same process, to another one beside it, to
one that starts on what a crash left, or to the same one while the disk goes on failing for a while. In the end the log must
tell the same story as without any fault, every fact once.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import apsw

from ledger.application import FundingLedger
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.approve_award import ApproveAward
from ledger.commands.command import Command
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.order_disbursement import OrderDisbursement
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.receive_recovery import ReceiveRecovery
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import LedgerError, Refusal, StoreFault, Unavailable
from ledger.mapper import Recorded, from_stored
from ledger.policy.registry import PolicyRegistry
from ledger.seal.leaf import leaf_bytes
from ledger.seal.merkle import Frontier, frontier_at, leaf_hash
from ledger.store import sqlite_connections
from ledger.store.sqlite import SQLiteDCBRecorder
from projections.compose import compose
from tests.office import ENTERPRISE, POLICY, STAFF, Office, SteppingClock
from tests.reliability.money_audit import Audit
from tests.reliability.workplace import workplace

FACTS: Final = "facts.sqlite"
TODAY: Final = date(2026, 3, 2)
POLICIES: Final = PolicyRegistry.load()

FAULTS: Final[tuple[tuple[str, type[apsw.Error]], ...]] = (
    ("write", apsw.FullError),
    ("write", apsw.IOError),
    ("flush", apsw.IOError),
    ("read", apsw.IOError),
    ("truncate", apsw.IOError),
    ("size", apsw.IOError),
    ("open", apsw.CantOpenError),
)
Story = list[tuple[str, int | None]]
"""What a log says, without what differs each time: types and amounts, in order."""


class FaultyDisk(apsw.VFS):
    """The machine's disk; once armed, the nth operation of a kind fails, and ``lasting - 1`` after it."""

    def __init__(self) -> None:
        self.usual = apsw.vfs_names()[0]
        self.operation, self.left, self.lasting, self.failed = "", 0, 0, 0
        self.error: type[apsw.Error] = apsw.IOError
        self.seen: Counter[str] = Counter()
        super().__init__("faulty", self.usual, makedefault=True)

    @contextmanager
    def in_use(self) -> Iterator[FaultyDisk]:
        try:
            yield self
        finally:
            apsw.set_default_vfs(self.usual)
            self.unregister()

    def arm(self, operation: str, error: type[apsw.Error], nth: int, lasting: int) -> None:
        self.operation, self.error, self.left, self.lasting, self.failed = operation, error, nth, lasting, 0

    def recover(self) -> None:
        self.operation = ""

    def meet(self, operation: str) -> None:
        self.seen[operation] += 1
        if operation != self.operation:
            return
        self.left -= 1
        if self.left < 1:
            if self.left <= -self.lasting:
                self.recover()
                return
            self.failed += 1
            raise self.error(f"injected: {operation}")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        self.meet("open")
        return _FaultyFile(self, name, flags)


class _FaultyFile(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__(disk.usual, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        try:
            self._disk.meet("write")
        except apsw.Error:
            # A full disk takes what still fits.
            super().xWrite(bytes(data)[: len(data) // 2], offset)
            raise
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.meet("flush")
        super().xSync(flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.meet("read")
        return super().xRead(amount, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.meet("truncate")
        super().xTruncate(newsize)

    def xFileSize(self) -> int:
        self._disk.meet("size")
        return super().xFileSize()


# --- the story ------------------------------------------------------------------------------------


def steps() -> list[Callable[[list[str]], tuple[Command, str]]]:
    """Two cases that fill the yearly limit to the fen: the second only fits where the first is remembered rightly."""

    def submit(item: str) -> Callable[[list[str]], tuple[Command, str]]:
        command = SubmitApplication(
            policy=POLICY,
            rule="5.2",
            enterprise=ENTERPRISE,
            enterprise_name="示例医疗科技有限公司",
            item=item,
            particulars={"rd_cost": "16000000.00", "special_approval": True},
        )
        return lambda cases: (command, "intake")

    def about(
        which: int, actor: str, command: Callable[..., Command], **says: Any
    ) -> Callable[[list[str]], tuple[Command, str]]:
        return lambda cases: (command(case=cases[which], **says), actor)

    return [
        submit("国械注准1"),
        submit("国械注准2"),
        about(0, "intake", AcceptApplication, acceptance_number="受理1"),
        about(1, "intake", AcceptApplication, acceptance_number="受理2"),
        about(0, "reviewer", DetermineAmount),
        about(0, "approver", ApproveAward, amount_fen=600_000_000),
        about(1, "reviewer", DetermineAmount),
        about(1, "approver", ApproveAward, amount_fen=400_000_001),
        about(1, "approver", ApproveAward, amount_fen=400_000_000),
        about(0, "finance", RequestDisbursement, amount_fen=600_000_001),
        about(0, "finance", RequestDisbursement, amount_fen=250_000_000),
        about(0, "finance", RequestDisbursement, amount_fen=350_000_000),
        about(0, "finance", RequestDisbursement, amount_fen=1),
        about(0, "finance2", OrderDisbursement, disbursement=1),
        about(0, "cashier", SettleDisbursement, disbursement=1, amount_fen=250_000_000, bank_serial="流水1"),
        about(0, "supervisor", FindViolation, reason="虚报研发费用"),
        about(0, "finance2", OrderDisbursement, disbursement=2),
        about(0, "supervisor2", OrderRecovery, amount_fen=250_000_000, cause="violation"),
        about(0, "cashier", ReceiveRecovery, recovery=1, amount_fen=250_000_001, bank_serial="流水2"),
        about(0, "cashier", ReceiveRecovery, recovery=1, amount_fen=250_000_000, bank_serial="流水2"),
    ]


def told_by(log: list[Recorded]) -> Story:
    return [
        (recorded.event.type_name, getattr(recorded.event, "amount_fen", getattr(recorded.event, "asked_fen", None)))
        for recorded in log
    ]


# --- telling it on a faulty disk ------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """``points_met`` counts the faults that happened, ``met`` those that somebody heard of. Of commands that were said to be
    of unknown fate, ``came_back`` counts those that had been recorded, ``recorded_later`` those that had not.
    """

    points: int = 0
    points_met: int = 0
    met: Counter[str] = field(default_factory=Counter)
    came_back: int = 0
    recorded_later: int = 0
    problems: list[str] = field(default_factory=list)


class Teller:
    """Gives the commands of the story, and repeats them where the answer was that nobody knows."""

    def __init__(self, folder: Path, disk: FaultyDisk, chance: random.Random, tally: Tally) -> None:
        self._folder, self._disk, self._chance, self._tally = folder, disk, chance, tally
        self._clock = SteppingClock(TODAY)
        self._clock.now += timedelta(seconds=2 * len(STAFF))
        self._entropy = random.Random(1)
        self.stores = [self._open() for _ in range(2)]
        self.ledgers = [self._door(store) for store in self.stores]
        self._lives = 0

    def _door(self, store: SQLiteDCBRecorder) -> FundingLedger:
        return FundingLedger(store, POLICIES, compose(), self._clock, self._entropy.randbytes)

    def tell(self) -> list[Recorded]:
        cases: list[str] = []
        for number, step in enumerate(steps()):
            command, actor = step(cases)
            case = self._insist(command, actor, f"step-{number}")
            if isinstance(command, SubmitApplication):
                assert case is not None
                cases.append(case)
        self._disk.recover()
        return self.log()

    def log(self) -> list[Recorded]:
        return [from_stored(stored) for stored in self.stores[0].read()]

    def _insist(self, command: Command, actor: str, key: str) -> str | None:
        """Give a command until it is answered; the case that it is about."""
        unknown = False
        while True:
            try:
                outcome = self.ledgers[0].execute(command, actor=actor, key=key)
            except Unavailable:
                self._tally.met[self._disk.operation or "over"] += 1
                unknown = True
                self._continue_somewhere()
                continue
            except Refusal as refusal:
                if unknown:
                    self._count(refusal.replayed)
                return None
            if unknown:
                self._count(outcome.replayed)
            return outcome.case

    def _count(self, replayed: bool) -> None:
        self._tally.came_back += replayed
        self._tally.recorded_later += not replayed

    def _continue_somewhere(self) -> None:
        roll = self._chance.random()
        if roll < 0.4:
            return
        self._disk.recover()
        if roll < 0.6:
            self.stores.reverse()
            self.ledgers.reverse()
        elif roll < 0.8:
            self.stores[0].close()
            self._restart(0)
        else:
            self._restart_after_a_crash()

    def _open(self) -> SQLiteDCBRecorder:
        """Start until it starts: a store that cannot be opened says so, and is none the worse for it."""
        while True:
            try:
                return SQLiteDCBRecorder(self._folder / FACTS)
            except (Unavailable, StoreFault):
                self._tally.met["at the start"] += 1

    def _restart(self, which: int) -> None:
        self.stores[which] = self._open()
        self.ledgers[which] = self._door(self.stores[which])

    def _restart_after_a_crash(self) -> None:
        """All processes are gone; the files are as they left them, with what was written and never flushed."""
        self._lives += 1
        folder = self._folder / str(self._lives)
        folder.mkdir()
        for name in (FACTS, f"{FACTS}-wal"):
            if (self._folder / name).exists():
                shutil.copy(self._folder / name, folder / name)
        self.close()
        self._folder = folder
        for which in range(2):
            self._restart(which)

    def close(self) -> None:
        for store in self.stores:
            store.close()


def tell_on_failing_disks(points: int, seed: int) -> Tally:
    """Tell the story ``points`` times, with a fault in another place each time."""
    chance, tally = random.Random(seed), Tally()
    with workplace("faults") as place, patch.object(PolicyRegistry, "load", lambda: POLICIES):
        (place / "office").mkdir()
        Office(place / "office").close()
        disk = FaultyDisk()
        with disk.in_use():
            expected = _tell(place, disk, chance, tally, checkpoint_pages=5)
            most = Counter(disk.seen)
            for point in range(points):
                operation, error = FAULTS[point % len(FAULTS)]
                tally.points += 1
                disk.arm(operation, error, nth=chance.randint(1, most[operation]), lasting=chance.choice((1, 1, 3)))
                try:
                    # Small, so that the log is written back in the middle of the story.
                    told = _tell(place, disk, chance, tally, checkpoint_pages=chance.choice((5, 25, 4000)))
                    assert told == expected, "another story"
                except (LedgerError, AssertionError) as problem:
                    tally.problems.append(f"point {point}: {operation} {error.__name__}: {problem!r}"[:500])
                tally.points_met += disk.failed > 0
                disk.recover()
    return tally


def _tell(place: Path, disk: FaultyDisk, chance: random.Random, tally: Tally, *, checkpoint_pages: int) -> Story:
    """Tell the story once, on a store of its own, and check what was recorded."""
    folder = place / "told"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(place / "office", folder)
    with patch.object(sqlite_connections, "CHECKPOINT_PAGES", checkpoint_pages):
        teller = Teller(folder, disk, chance, tally)
        try:
            log = teller.tell()
            audit = Audit()
            for recorded in log:
                audit.follow(recorded)
            _check_whole(teller.stores[0])
            return told_by(log)
        finally:
            disk.recover()
            teller.close()


def _check_whole(store: SQLiteDCBRecorder) -> None:
    with store._readers.lend() as connection:
        assert connection.pragma("integrity_check") == "ok"
    leaves = [leaf_hash(leaf_bytes(each.event.type, each.event.tags, each.event.data)) for each in store.read()]
    assert frontier_at(len(leaves), store.nodes()).root == Frontier(0, ()).append(leaves)[0].root, "the seal is broken"
