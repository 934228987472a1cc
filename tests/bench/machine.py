"""What a run was measured on: ratios carry over to other machines, and this says how far that may be trusted."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import apsw

from tests.bench.measuring import clock, percentile

FLUSHES: Final = 200
PAGE_BYTES: Final = 4096


def described(folder: Path) -> str:
    """One line, in words. ``folder`` lies on the disk that is measured; how busy it is shows in the spread of its flush."""
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    seconds = sorted(_flushes(folder))
    flush = f"{statistics.median(seconds) * 1e3:.2f} ms (p90 {percentile(seconds, 0.9) * 1e3:.2f} ms)"
    busy = " / ".join(f"{load:.1f}" for load in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB of memory, one flush of {PAGE_BYTES} appended bytes {flush}, "
        f"load {busy} at the start; {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}, psycopg {_version('psycopg')}"
    )


def _flushes(folder: Path) -> Iterator[float]:
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(FLUSHES):
            file.write(b"x" * PAGE_BYTES)
            file.flush()
            yield clock(lambda: os.fdatasync(file.fileno()))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "–"
