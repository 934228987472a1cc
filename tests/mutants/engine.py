"""Runs the features against every mutant: imports and collects once, and gives each mutant a process of its own by fork.

The parent runs no scenario itself. First every scenario runs once, unchanged, noting the statements it reaches; then, for
each mutant, the scenarios that reach its statement, until one fails.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol

from ledger.policy.registry import built_in_policies
from tests.mutants.asking import Asking, Statement
from tests.mutants.graft import graft, keep_the_ruler
from tests.mutants.mutation import Mutant, Name
from tests.mutants.reach import mark, watched

ROOT: Final = Path(__file__).resolve().parents[2]
FEATURES: Final = "tests/features/test_features.py"
OPTIONS: Final = (
    *("-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--timeout=0"),
    *("-q", "--no-header", "--no-summary", "-m", "not http"),
)
CPU_SECONDS_MOST: Final = 20
"""A scenario takes some hundredths of a second; what takes this long does not come to an end."""
MEMORY_BYTES_MOST: Final = 4 * 2**30
MEMORY: Final = Path("/dev/shm")
"""Where it is there, a disk in memory: thousands of ledgers are written, and none is kept."""
MONEY: Final = "ledger.money"


class Verdict(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    UNREACHED = "unreached"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mutant, and the scenario that killed it."""

    mutant: Mutant
    verdict: Verdict
    by: str = ""


class Broken(Exception):
    """The features cannot judge: they cannot be collected, or fail without any change."""


@dataclass(slots=True)
class Engine:
    """A plugin of pytest that takes the place of its loop. ``fates`` holds the outcome.

    ``quick`` looks for the statements that a scenario reaches in the first row of each outline only. A mutant that these
    rows and their neighbours do not kill is then shown all scenarios, unless it is one of those ``expected`` to survive.
    """

    mutants: Sequence[Mutant]
    processes: int = 1
    told: Callable[[int, Fate], None] = lambda done, fate: None
    quick: bool = False
    expected: Container[Name] = ()
    fates: list[Fate] = field(default_factory=list)
    _items: list[pytest.Item] = field(default_factory=list)
    _asking: Asking = field(default_factory=lambda: Asking([]))
    _folder: Path = Path()
    _broken: Broken | None = None

    def run(self) -> list[Fate]:
        """Raises ``Broken``."""
        self._folder = Path(tempfile.mkdtemp(prefix="mutants-", dir=MEMORY if MEMORY.is_dir() else None))
        try:
            status = pytest.main([*OPTIONS, f"--rootdir={ROOT}", str(ROOT / FEATURES)], plugins=[self])
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._broken is not None:
            raise self._broken
        if status != 0 and not self.fates:
            raise Broken(f"the features cannot be run (pytest ended with {status})")
        return self.fates

    @pytest.fixture
    def tmp_path(self) -> Iterator[Path]:
        """Takes the place of pytest's own, which looks through all the folders there are to number the next."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            yield Path(folder)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            self._judge_all(session)
        except Broken as broken:
            self._broken = broken
        return True

    def _judge_all(self, session: pytest.Session) -> None:
        if session.testsfailed or not session.items:
            raise Broken("the features cannot be collected")
        self._items = session.items
        self._asking = Asking([item.name for item in session.items])
        keep_the_ruler(sys.modules[MONEY])
        gc.freeze()
        self._asking.learn(self._reach())
        for done, fate in enumerate(self._in_processes(), start=1):
            self.fates.append(fate)
            self.told(done, fate)
        place = {mutant: position for position, mutant in enumerate(self.mutants)}
        self.fates.sort(key=lambda fate: place[fate.mutant])

    # --- which scenarios are asked ---------------------------------------------------------------------

    def _reach(self) -> dict[Statement, list[int]]:
        """Statement → the scenarios, by position, that run it. Raises ``Broken`` where one fails."""
        watched_items = self._asking.first_rows if self.quick else range(len(self._items))
        parts = [tuple(watched_items[part :: self.processes]) for part in range(self.processes)]
        reach: dict[Statement, list[int]] = defaultdict(list)
        for _, told in self._forked((part, partial(self._watch, part)) for part in parts):
            if told is None or told.get("failed"):
                raise Broken(f"fails without any change: {told and told['failed']}")
            for module, lines in told["reached"].items():
                for line, positions in lines.items():
                    reach[module, int(line)] += positions
        return reach

    def _watch(self, positions: Iterable[int]) -> dict[str, Any]:
        modules = {module_of(mutant) for mutant in self.mutants}
        for_all = {its for module in modules for its in mark(sys.modules[module])}
        with watched() as reading:
            built_in_policies()  # what the scenarios read once for all of them, and each of them goes by
        for_all |= reading
        reached: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for position in positions:
            with watched() as statements:
                passed = self._passes(position)
            if not passed:
                return {"failed": self._items[position].name}
            for module, line in statements | for_all:
                reached[module][line].append(position)
        return {"reached": reached}

    def _asked(self, mutant: Mutant) -> list[int]:
        """Positions of the scenarios that a mutant is shown, in this order."""
        where = None if mutant.statement is None else (module_of(mutant), mutant.statement)
        asked = self._asking.asked(where, _places(mutant))
        if not self.quick:
            return asked
        asked += self._asking.neighbours(asked)
        return asked if mutant.name in self.expected else asked + self._asking.others(asked)

    # --- one mutant ------------------------------------------------------------------------------------

    def _in_processes(self) -> Iterator[Fate]:
        for mutant in self.mutants:
            if not self._asked(mutant):
                yield Fate(mutant, Verdict.UNREACHED)
        for mutant, told in self._forked(self._work()):
            if told is None:
                yield Fate(mutant, Verdict.KILLED, "does not come to an end")
            elif "broken" in told:
                raise Broken(f"{mutant.name}\n{told['broken']}")
            else:
                if told["killer"] is not None:
                    self._asking.remember(_places(mutant), told["killer"])
                yield Fate(mutant, Verdict(told["verdict"]), told["by"])

    def _work(self) -> Iterator[tuple[Mutant, Callable[[], Any]]]:
        """One mutant after the other, each asked for when its turn has come: by then it is known what killed others."""
        for mutant in self.mutants:
            if asked := self._asked(mutant):
                yield mutant, partial(self._judge, mutant, asked)

    def _judge(self, mutant: Mutant, asked: Sequence[int]) -> dict[str, Any]:
        module = module_of(mutant)
        tree = mutant.make()
        try:
            graft(sys.modules[module], tree)
            if module == MONEY:
                _forget_policies()
        except Exception as error:  # noqa: BLE001  a mutant may raise anything when it is imported
            return {"verdict": Verdict.KILLED, "by": f"cannot be imported: {error!r}", "killer": None}
        for position in asked:
            if not self._passes(position):
                return {"verdict": Verdict.KILLED, "by": self._items[position].name, "killer": position}
        return {"verdict": Verdict.SURVIVED, "by": "", "killer": None}

    def _passes(self, position: int) -> bool:
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS_MOST
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        reports = runtestprotocol(self._items[position], log=False, nextitem=None)
        return all(report.passed for report in reports)

    # --- processes -------------------------------------------------------------------------------------

    def _forked(self, jobs: Iterable[tuple[Any, Callable[[], Any]]]) -> Iterator[tuple[Any, Any]]:
        """Each job in a process of its own: its key and what it tells; None where the process was ended by the system."""
        waiting, running = enumerate(jobs), dict[int, tuple[Any, Path]]()
        try:
            while True:
                for number, (key, job) in waiting:
                    answer = self._folder / f"answer-{number}"
                    running[_fork(job, answer)] = (key, answer)
                    if len(running) >= self.processes:
                        break
                if not running:
                    return
                pid, _ = os.waitpid(-1, 0)
                key, answer = running.pop(pid)
                told = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else None
                answer.unlink(missing_ok=True)
                yield key, told
        finally:
            for pid in running:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _places(mutant: Mutant) -> tuple[str, str]:
    return f"{mutant.name.file} {mutant.name.function}", mutant.name.file


def module_of(mutant: Mutant) -> str:
    return mutant.name.file.removesuffix(".py").replace("/", ".")


def _fork(job: Callable[[], Any], answer: Path) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    try:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MOST, resource.getrlimit(resource.RLIMIT_AS)[1]))
        try:
            told = job()
        except BaseException:  # noqa: BLE001  the process ends here, whatever happened
            told = {"broken": traceback.format_exc(), "failed": traceback.format_exc()}
        unfinished = answer.with_suffix(".part")
        unfinished.write_text(json.dumps(told), encoding="utf-8")
        unfinished.rename(answer)
    finally:
        os._exit(0)


def _forget_policies() -> None:
    """Let the policies be read again: their amounts are read with what was changed."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tests.features."):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
