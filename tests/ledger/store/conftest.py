from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ledger
from ledger.store.sqlite import SQLiteDCBRecorder

WORKER = Path(__file__).with_name("sqlite_worker.py")

Worker = subprocess.Popen[str]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "facts.db")


@pytest.fixture
def recorder(path: str) -> Iterator[SQLiteDCBRecorder]:
    recorder = SQLiteDCBRecorder(path)
    yield recorder
    recorder.close()


@pytest.fixture
def start_worker() -> Iterator[Callable[..., Worker]]:
    """Starts a role of sqlite_worker.py in another process; :func:`go` lets it begin."""
    started: list[Worker] = []

    def start(role: str, *arguments: object) -> Worker:
        root = str(Path(ledger.__file__).parents[1])
        worker = subprocess.Popen(
            [sys.executable, str(WORKER), role, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": root},
        )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


@pytest.fixture
def go() -> Callable[..., None]:
    """Waits until every worker is ready, then lets all begin at once."""

    def go(*workers: Worker) -> None:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()

    return go
