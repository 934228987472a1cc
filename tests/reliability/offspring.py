"""Processes that are born quickly and die on command. Run as a program: each line of its input is a job in JSON.

Starting Python and importing the ledger takes a second; a fork of a process that has done so, and has opened nothing yet,
takes a few milliseconds. A job is carried out by forks; the answer is a line of JSON with how each of them ended.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw

from api.service import open_service
from ledger.application import FundingLedger
from ledger.commands.grant_role import GrantRole
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import LedgerError
from ledger.policy.registry import PolicyRegistry
from ledger.roles import SYSTEM
from projections.compose import compose
from tests.office import ENTERPRISE, POLICY
from tests.reliability.stores import STORES, Opener

ROOT = Path(__file__).resolve().parents[2]
POLICIES = PolicyRegistry.load()


class Offspring:
    """The parent of the forks, as its user sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, **job: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def offspring() -> Iterator[Offspring]:
    command = [sys.executable, "-m", "tests.reliability.offspring"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Offspring(process)
        finally:
            process.kill()


def claim(key: str) -> SubmitApplication:
    return SubmitApplication(
        policy=POLICY,
        rule="5.2",
        enterprise=ENTERPRISE,
        enterprise_name="示例医疗科技有限公司",
        item=f"产品{key}",
        particulars={"rd_cost": "100.00", "special_approval": False},
    )


# --- in the forks ---------------------------------------------------------------------------------


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Doomed:
    """A store that dies in its first transaction that appends something: before COMMIT, or after COMMIT has returned."""

    moment = ""

    @contextmanager
    def transaction(self, *foreseen: Any) -> Iterator[Any]:
        with super().transaction(*foreseen) as transaction:  # type: ignore[misc]
            before = transaction.head
            yield transaction
            if self.moment == "before-commit" and transaction.head > before:
                die()
        if self.moment == "after-commit" and transaction.head > before:
            die()


class DoomedDisk(apsw.VFS):
    """Dies at the nth write or flush once it is armed, in the middle of what it writes."""

    def __init__(self, operation: str, nth: int) -> None:
        self.operation, self.left, self.armed = operation, nth, False
        self.usual = apsw.vfs_names()[0]
        super().__init__("doomed", self.usual, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _DoomedFile(self, name, flags)

    def is_over(self, operation: str) -> bool:
        if self.armed and operation == self.operation:
            self.left -= 1
        return self.armed and self.left < 1


class _DoomedFile(apsw.VFSFile):
    def __init__(self, disk: DoomedDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__(disk.usual, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        if self._disk.is_over("write"):
            super().xWrite(bytes(data)[: len(data) // 2], offset)
            die()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._disk.is_over("flush"):
            die()
        super().xSync(flags)


def crash(job: dict[str, Any]) -> None:
    """Several clients give commands, each twice at once, and the process dies at its moment."""
    moment, now = job["moment"], datetime.fromisoformat(job["now"])
    disk = DoomedDisk(moment, job["nth"]) if moment in ("write", "flush") else None
    store = type("DoomedStore", (Doomed, STORES[job["kind"]]), {"moment": moment})(job["address"])
    chance = random.Random(job["seed"])
    ledger = FundingLedger(store, POLICIES, compose(), lambda: now, chance.randbytes)

    def give(key: str) -> None:
        with suppress(LedgerError):
            ledger.execute(claim(key), actor="intake", key=key)
        if moment == "before-answer":
            die()

    clients = [threading.Thread(target=give, args=(key,)) for key in job["keys"] for _ in range(2)]
    if disk is not None:
        disk.armed = True
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def start_service(job: dict[str, Any], number: int) -> None:
    """Open the whole service, perhaps as the first to do so, and record something of one's own and something of all's."""
    with open_service(Path(job["folder"])) as service:
        _start_working(service.ledger, number)


def start_store(job: dict[str, Any], number: int) -> None:
    """The same on a bare store."""
    store = Opener(job["kind"], job["address"])()
    now = datetime.fromisoformat(job["now"])
    _start_working(FundingLedger(store, POLICIES, compose(), lambda: now, os.urandom), number)
    store.close()


def _start_working(ledger: FundingLedger, number: int) -> None:
    ledger.execute(GrantRole(person=f"person-{number}", role="intake"), actor=SYSTEM, key=f"own-{number}")
    ledger.execute(GrantRole(person="all", role="intake"), actor=SYSTEM, key="common")


# --- in their parent ------------------------------------------------------------------------------


def fork(act: Any, *arguments: Any) -> int:
    child = os.fork()
    if child:
        return child
    try:
        act(*arguments)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a fork that failed must not go on as its parent
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def carry_out(job: dict[str, Any]) -> list[int]:
    """How each fork ended: 0, its exit status, or the negative number of the signal that ended it."""
    if job["job"] == "crash":
        children = [fork(crash, job)]
    else:
        act = start_service if job["job"] == "start-service" else start_store
        children = [fork(act, job, number) for number in range(job["count"])]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(carry_out(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
