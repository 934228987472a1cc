"""The long forms of the reliability checks: ``python3 dev.py soak [--only R2,R3] [--quick] [--json FILE]``.

Each check is the one that the tests run, with larger numbers (:mod:`tests.reliability.soak_figures`). A row is met where
nothing bad was found and at least as much was tried as the goal asks; what is not run here says so, and is not met. Checks
whose engine is a test are run as that test. Seeds follow from ``--seed`` (printed; another one each time): a problem is
reported with what makes it again.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests import postgres_server
from tests.office import Office
from tests.reliability import test_races
from tests.reliability.cold_start import start_on_a_log_left_behind, start_services, start_stores
from tests.reliability.crashes import crash_often
from tests.reliability.faults import tell_on_failing_disks
from tests.reliability.kills import kill_often
from tests.reliability.money_machine import play
from tests.reliability.offspring import offspring
from tests.reliability.power_loss import fail_the_power
from tests.reliability.soak_figures import LONG, QUICK, Figures
from tests.reliability.stores import EmptyStores, empty_postgres_on, empty_sqlite
from tests.reliability.subscriptions import follow
from tests.results_file import results_file

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    what: str
    value: str
    goal: str
    met: bool
    quick: bool


@dataclass(frozen=True, slots=True)
class Run:
    """What every check is given."""

    figures: Figures
    seed: int
    quick: bool


@dataclass(frozen=True, slots=True)
class Found:
    """``bad`` is what was found wrong; ``enough`` whether as much was tried as the goal asks, in a long run; ``whole``
    whether a quick run tried just as much."""

    value: str
    bad: Sequence[str] = ()
    enough: bool = True
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    id: str
    what: str
    goal: str
    run: Callable[[Run], Found]


class NotRun(Exception):
    """This check cannot be run here, and why."""


# --- the checks -----------------------------------------------------------------------------------


def http_kills(store: str) -> Callable[[Run], Found]:
    def check(run: Run) -> Found:
        with scratch() as folder, empty(store)() as opener:
            if store == "sqlite":
                killed, asked = kill_often(folder, run.figures.http_kills), 500
            else:
                killed, asked = kill_often(folder, run.figures.http_kills_postgres, database_url=opener.address), 100
        value = f"0 lost, 0 doubled in {killed.kills:,} kills; {killed.answered:,} facts were answered"
        return Found(value, enough=killed.kills >= asked)

    return check


def power_loss(*, flushes_fail: bool = False, restarts: bool = True) -> Callable[[Run], Found]:
    def check(run: Run) -> Found:
        images = run.figures.power_loss_images // (5 if flushes_fail else 1)
        tally = fail_the_power(images, run.seed, flushes_fail=flushes_fail, restarts=restarts)
        value = f"{len(tally.losses)} bad in {tally.distinct:,} distinct images of {tally.lives} lives"
        return Found(value, [line for _, line in tally.losses], enough=tally.distinct >= 10_000)

    return check


def power_loss_without_flush(run: Run) -> Found:
    tally = fail_the_power(min(1_000, run.figures.power_loss_images), run.seed, synchronous="normal", store_only=True)
    lost = sum(kind == "lost" for kind, _ in tally.losses)
    return Found(f"{lost:,} of {tally.images:,} images lack what was acknowledged", enough=lost > 0)


def money(store: str) -> Callable[[Run], Found]:
    def check(run: Run) -> Found:
        sequences = run.figures.money_sequences if store == "sqlite" else run.figures.money_sequences_postgres
        played = play(empty(store), sequences, seed=run.seed)
        commands = sum(played.answers.values())
        value = (
            f"0 differ in {played.sequences:,} sequences, {played.steps:,} steps, {commands:,} commands, "
            f"{len(played.reasons)} kinds of refusal"
        )
        return Found(value, enough=played.sequences >= 1_000 and played.steps >= 50_000)

    return check


def races(run: Run) -> Found:
    for _ in range(run.figures.races):
        with office() as (threads_office, _):
            test_races.race_fifty_threads(threads_office)
        with office() as (processes_office, folder):
            test_races.test_four_processes_overshoot_a_limit_or_leave_room_unused(processes_office, folder)
    return Found(f"overshoot 0, exactly ten of fifty, in {2 * run.figures.races} races")


def races_postgres(run: Run) -> Found:
    for _ in range(run.figures.races):
        with empty("postgres")() as open_store, scratch() as folder:
            office = Office(folder, store=open_store())
            test_races.race_fifty_threads(office)
            office.close()
    return Found(f"overshoot 0, exactly ten of fifty, in {run.figures.races} races")


def crashes(store: str) -> Callable[[Run], Found]:
    def check(run: Run) -> Found:
        tally = crash_often(empty(store), run.figures.crashes, run.seed)
        value = (
            f"{len(tally.problems)} lost or doubled when {tally.crashes:,} processes were killed near their commit; "
            f"{tally.survived:,} facts survived unanswered, {tally.recorded_later:,} were recorded later"
        )
        return Found(value, tally.problems, enough=tally.survived > 0 and tally.recorded_later > 0)

    return check


def cold_starts(store: str) -> Callable[[Run], Found]:
    def check(run: Run) -> Found:
        with offspring() as processes:
            starts = [start_stores(processes, empty(store)) for _ in range(run.figures.cold_starts)]
            if store == "sqlite":
                starts += [start_services(processes) for _ in range(run.figures.cold_starts)]
                starts += [start_on_a_log_left_behind(processes) for _ in range(run.figures.cold_starts)]
        problems = [problem for start in starts for problem in start]
        return Found(f"{len(problems)} errors in {len(starts)} starts of 16 processes", problems)

    return check


def subscriptions(store: str) -> Callable[[Run], Found]:
    def check(run: Run) -> Found:
        followed = follow(empty(store), run.figures.subscription_events, run.seed)
        value = (
            f"{len(followed.missed)} of {followed.subscribers} followers missed anything in {followed.events:,} events"
        )
        return Found(value, followed.missed)

    return check


def faults(run: Run) -> Found:
    tally = tell_on_failing_disks(run.figures.fault_points, run.seed)
    value = (
        f"{len(tally.problems)} wrong logs after {tally.points_met:,} faults; of unknown fate: "
        f"{tally.came_back:,} had been recorded, {tally.recorded_later:,} had not"
    )
    return Found(value, tally.problems, enough=tally.came_back > 0 and tally.recorded_later > 0)


def as_tests(*patterns: str, names: str = "", least: int = 1, fewer: str = "they moved") -> Callable[[Run], Found]:
    """Run test files, and count. None may be missing, skipped or failed; that there are fewer than ``least`` means what
    ``fewer`` says."""

    def check(run: Run) -> Found:
        files = [str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(ROOT.glob(pattern))]
        if not files:
            raise NotRun(f"there is no {' or '.join(patterns)}")
        with scratch() as folder:
            report = folder / "report.xml"
            command = [sys.executable, "-m", "pytest", "-q", "-n", "0", f"--junitxml={report}", *files]
            done = subprocess.run(
                [*command, *(["-k", names] if names else [])], cwd=ROOT, capture_output=True, text=True, check=False
            )
            if not report.exists():
                return Found("the tests did not run", [done.stdout[-2000:] + done.stderr[-2000:]])
            (suite,) = ET.parse(report).getroot().iter("testsuite")
        ran, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
        failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        value = f"{ran - failed - skipped} of {ran} tests passed" + (f", {skipped} skipped" if skipped else "")
        if ran < least:
            value += f" of at least {least}: {fewer}"
        bad = [done.stdout[-2000:]] if failed else []
        return Found(value, bad, enough=ran >= least and not skipped, whole=True)

    return check


CHECKS: Final = (
    Check("R1", "answered = durable: kill -9 of the server under load, SQLite", "0 in ≥ 500 kills",
          http_kills("sqlite")),
    Check("R1", "answered = durable: kill -9 of the server under load, PostgreSQL", "0 in ≥ 100 kills",
          http_kills("postgres")),
    Check("R2", "power loss: images of a failed disk", "0 bad in ≥ 10,000", power_loss()),
    Check("R2", "power loss, after flushes that failed, in the process that met them", "0 bad in ≥ 10,000",
          power_loss(flushes_fail=True, restarts=False)),
    Check("R2", "power loss, after flushes that failed, and restarts", "0 bad in ≥ 10,000",
          power_loss(flushes_fail=True)),
    Check("R2", "power loss: the same with synchronous=NORMAL", "found out", power_loss_without_flush),
    Check("R3", "money against plain integers, SQLite", "0 in ≥ 1,000 × 50", money("sqlite")),
    Check("R3", "money against plain integers, PostgreSQL", "0 in ≥ 1,000 × 50", money("postgres")),
    Check("R4", "limits under races: fifty threads, four processes, SQLite", "overshoot 0, exactly ten", races),
    Check("R4", "limits under races: fifty threads, PostgreSQL", "overshoot 0, exactly ten", races_postgres),
    Check("R4", "limits under races: four processes, PostgreSQL", "overshoot 0, exactly ten",
          as_tests("tests/ledger/store/test_postgres_concurrency.py", names="raced")),
    Check("R5", "one key, fifty copies at once", "exactly one event",
          as_tests("tests/ledger/test_door.py", names="copies or key")),
    Check("R5", "one key, across a crash between commit and answer, SQLite", "exactly one event", crashes("sqlite")),
    Check("R5", "one key, across a crash between commit and answer, PostgreSQL", "exactly one event",
          crashes("postgres")),
    Check("R6", "tampering", "all detected", as_tests("tests/reliability/test_tampering.py", least=100)),
    Check("R7", "proofs: RFC 6962 vectors", "all", as_tests("tests/ledger/seal/test_official_proofs.py", least=196,
                   fewer="the official vectors do not lie beside the checkout")),
    Check("R11", "cold start of sixteen processes, SQLite", "0 errors", cold_starts("sqlite")),
    Check("R11", "cold start of sixteen processes, PostgreSQL", "0 errors", cold_starts("postgres")),
    Check("R12", "subscriptions under random commit delays, SQLite", "every event once, in order", subscriptions("sqlite")),
    Check("R12", "subscriptions under random commit delays, PostgreSQL", "every event once, in order",
          subscriptions("postgres")),
    Check("R13", "faults of the disk under the door, SQLite", "nothing lost, doubled or half-written", faults),
    Check("R13", "lock timeout, clock set back", "nothing lost, doubled or half-written",
          as_tests("tests/reliability/test_faults.py", names="lock or clock")),
    Check("R13", "dropped connections and other faults, PostgreSQL", "nothing lost, doubled or half-written",
          as_tests("tests/ledger/store/test_postgres_faults.py")),
    Check("R14", "backup, restore, and a start on another log", "refuses a shorter or different log",
          as_tests("tests/cli/test_backup.py", least=20)),
)  # fmt: skip


# --- running them ---------------------------------------------------------------------------------


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on a real disk: what kills and races over whole services are about."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        yield Path(folder)


@contextmanager
def office() -> Iterator[tuple[Office, Path]]:
    with scratch() as folder:
        office = Office(folder)
        yield office, folder
        office.close()


def empty(store: str) -> EmptyStores:
    if store == "sqlite":
        return empty_sqlite
    meeting_place = Path(tempfile.gettempdir()) / f"soak-postgres-{os.getpid()}"
    if not meeting_place.exists():
        meeting_place.mkdir()
        atexit.register(shutil.rmtree, meeting_place, ignore_errors=True)
    try:
        return empty_postgres_on(postgres_server.address(meeting_place))
    except postgres_server.NoServer as failure:
        raise NotRun(str(failure)) from failure


def carried_out(check: Check, run: Run) -> tuple[Row, list[str]]:
    """The check's row, and what was found bad."""

    def told(value: str, *, met: bool) -> Row:
        return Row(check.id, check.what, value, check.goal, met, run.quick)

    try:
        found = check.run(run)
    except NotRun as reason:
        return told(f"not run here: {reason}", met=False), []
    except Exception:  # noqa: BLE001 - a check that fails in any way is a row, not the end of the others
        return told("failed, see below", met=False), [traceback.format_exc()]
    tried = found.enough and (found.whole or not run.quick)
    return told(found.value, met=tried and not found.bad), list(found.bad)


def main(arguments: Sequence[str] | None = None) -> int:
    known = list(dict.fromkeys(check.id for check in CHECKS))
    parser = argparse.ArgumentParser(prog="dev.py soak", description="The long forms of the reliability checks.")
    parser.add_argument("--only", metavar="R2,R3", help=f"some of: {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="small numbers: to see that all runs, not to meet goals")
    parser.add_argument("--json", metavar="FILE", type=results_file, help="also write the rows here")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000, help="play the same again")
    options = parser.parse_args(arguments)
    wanted = options.only.upper().replace(" ", "").split(",") if options.only else known
    if unknown := [each for each in wanted if each not in known]:
        parser.error(f"no check named {', '.join(unknown)}; there are: {', '.join(known)}")
    run = Run(figures=QUICK if options.quick else LONG, seed=options.seed, quick=options.quick)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"soak: seed {run.seed}")
    rows, bad, faulty = [], list[str](), set[Row]()
    for check in CHECKS:
        if check.id not in wanted:
            continue
        begun = time.monotonic()
        row, problems = carried_out(check, run)
        rows.append(row)
        faulty |= {row} if problems else set()
        bad += [f"{row.id} {row.what}: {problem}" for problem in problems]
        console.print(f"{row.id:4} {time.monotonic() - begun:6.0f} s  {row.what}: {row.value}")
    report(rows, bad, faulty)
    if options.json:
        # A row of a quick run says so; one of a long run has nothing to say about it.
        told = [{key: value for key, value in asdict(row).items() if key != "quick" or value} for row in rows]
        options.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    # A quick run cannot meet a goal that is a number: there, only what is bad counts.
    return int(bool(bad) or (not options.quick and not all(row.met for row in rows)))


def report(rows: Sequence[Row], bad: Sequence[str], faulty: Container[Row]) -> None:
    """A row that is not met because a quick run tried too little says ``quick``: neither yes nor no."""
    table = Table("id", "what", "value", "goal", "met")
    for row in rows:
        unmet = "quick" if row.quick and row not in faulty else "NO"
        table.add_row(row.id, row.what, row.value, row.goal, "yes" if row.met else unmet)
    # Wide where nobody looks at a terminal, so that a log keeps each row on a line.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 260)
    console.print(table)
    for problem in bad[:50]:
        console.print(problem, markup=False)


if __name__ == "__main__":
    sys.exit(main())
