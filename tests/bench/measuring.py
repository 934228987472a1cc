"""What a measurement is: ours and its anchor in turn, many times over, and the ratios of the rounds."""

from __future__ import annotations

import json
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
KEPT: Final = ROOT / ".dev" / "bench"
"""Where logs of a million events are kept between runs, and everything else lies while it is measured: a real disk."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. ``slices`` are the turns of one round; what follows is counted in commands, lines or events.

    ``slower_peers`` is the turn of a peer that would need many times as long for ``many_clients``.

    A machine that others use as well is slow for seconds at a time: many short turns meet the same weather.
    """

    name: str
    rounds: int
    slices: int
    one_client: int
    many_clients: int
    slower_peers: int
    bulk: int
    proofs: int
    big_log: int
    verified: int
    viewed: int
    lines: int
    weighed: int
    questions: int
    commands: int


FULL: Final = Sizes(
    name="full", rounds=5, slices=4, one_client=48, many_clients=640, slower_peers=96, bulk=256, proofs=5, big_log=1_000_000,
    verified=100_000, viewed=50_000, lines=100_000, weighed=4_000, questions=1_000, commands=100,
)  # fmt: skip
QUICK: Final = Sizes(
    name="quick", rounds=5, slices=2, one_client=16, many_clients=320, slower_peers=32, bulk=192, proofs=3, big_log=50_000,
    verified=10_000, viewed=7_000, lines=4_000, weighed=2_000, questions=100, commands=20,
)  # fmt: skip
TINY: Final = Sizes(
    name="tiny", rounds=1, slices=1, one_client=3, many_clients=16, slower_peers=16, bulk=8, proofs=1, big_log=700,
    verified=70, viewed=70, lines=20, weighed=20, questions=5, commands=3,
)  # fmt: skip
"""To see that everything runs; says nothing about speed."""


@dataclass(frozen=True, slots=True)
class Ratio:
    median: float | None
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the ratio: ``at_least`` or at most."""

    bound: float
    at_least: bool

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} ×"

    def met_by(self, ratio: float) -> bool:
        return ratio >= self.bound if self.at_least else ratio <= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``value`` and ``anchor`` are medians, in the unit that ``what`` names; ``quick`` rows come of
    fewer and shorter rounds on smaller logs."""

    id: str
    what: str
    value: float | None
    anchor: float | None
    ratio: Ratio
    goal: str
    met: bool
    quick: bool = False


Pair = tuple[float, float]
"""Ours and the anchor's, in one round."""


def row(id_: str, what: str, pairs: Sequence[Pair], goal: Goal, *, unless: str = "") -> Row:
    """``unless`` says what else must hold and does not: then the goal is not met, whatever the figures."""
    ratios = [ours / anchor for ours, anchor in pairs]
    ratio = Ratio(*(_digits(each) for each in (statistics.median(ratios), min(ratios), max(ratios))))
    return Row(
        id=id_,
        what=f"{what}; {unless}" if unless else what,
        value=_digits(statistics.median(ours for ours, _ in pairs)),
        anchor=_digits(statistics.median(anchor for _, anchor in pairs)),
        ratio=ratio,
        goal=str(goal),
        met=not unless and goal.met_by(statistics.median(ratios)),
    )


def unmeasured(id_: str, what: str, why: str, goal: Goal, value: float | None = None) -> Row:
    nothing = Ratio(None, None, None)
    return Row(id_, f"{what}; not measured: {why}", value and _digits(value), None, nothing, str(goal), False)


def _digits(number: float) -> float:
    """Four significant digits: more would be noise."""
    return round(number, 3 - math.floor(math.log10(abs(number)))) if number else 0.0


def clock(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


Work = Callable[[int], object]
"""Does something so many times."""


def rates(sizes: Sizes, count: int, ours: Work, anchor: Work, *, anchor_count: int | None = None) -> list[Pair]:
    """Per second, in rounds of short turns of ``count`` each; whose turn is first changes from slice to slice."""
    others = anchor_count or count
    both = interleaved(
        sizes.rounds, sizes.slices, lambda: clock(lambda: ours(count)), lambda: clock(lambda: anchor(others))
    )
    return [(count * sizes.slices / one, others * sizes.slices / other) for one, other in both]


def interleaved(rounds: int, slices: int, ours: Callable[[], float], anchor: Callable[[], float]) -> list[Pair]:
    """The sums of what the turns of each round came to."""
    pairs = []
    for _ in range(rounds):
        sums = [0.0, 0.0]
        for turn in range(slices):
            for which in (0, 1) if turn % 2 else (1, 0):
                sums[which] += (ours, anchor)[which]()
        pairs.append((sums[0], sums[1]))
    return pairs


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class Bench:
    """What subjects measure with: sizes, a folder on a real disk, a PostgreSQL server."""

    sizes: Sizes
    folder: Path
    kept: Path

    def place(self, name: str) -> Path:
        place = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        if place.stat().st_uid == 0:
            place.chmod(0o755)
        return place

    @cached_property
    def postgres(self) -> str:
        """The address of a server, as a role that may do anything."""
        from tests import postgres_server

        return postgres_server.address(self.folder)

    def database(self) -> str:
        """The address of a new, empty database."""
        import psycopg
        from psycopg.conninfo import make_conninfo

        name = f"bench_{time.monotonic_ns()}"
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return make_conninfo(self.postgres, dbname=name)


@contextmanager
def bench(sizes: Sizes, kept: Path = KEPT) -> Iterator[Bench]:
    kept.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=kept))
    try:
        yield Bench(sizes, folder, kept)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_json(rows: Iterable[Row]) -> str:
    def plain(each: Row) -> dict[str, Any]:
        ratio = {"median": each.ratio.median, "min": each.ratio.min, "max": each.ratio.max}
        return {
            "id": each.id,
            "what": each.what,
            "value": each.value,
            "anchor": each.anchor,
            "ratio": ratio,
            "goal": each.goal,
            "met": each.met,
            **({"quick": True} if each.quick else {}),
        }

    return json.dumps([plain(each) for each in rows], ensure_ascii=False, indent=2) + "\n"
