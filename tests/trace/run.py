"""A real run of the features, as pytest reports it: every scenario and row, its result, and what it touched.

The hooks record where a scenario runs, perhaps in a worker of pytest-xdist, and gather where the reports arrive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.features.book import Scene
from tests.features.office import Office
from tests.trace.recording import Record, Touch, recording, watch_the_ledger

PROPERTY: Final = "traceability"
_RECORD: Final = pytest.StashKey[Record]()
_ACTING: Final = pytest.StashKey[ExitStack]()
_OFFICE: Final = pytest.StashKey[Office]()

Row = tuple[tuple[str, str], ...]
"""The cells of an example by column, sorted; empty for a scenario without examples."""


@dataclass(slots=True)
class Played:
    """A scenario, or a row of its examples, as it was run: once, or once by each driver; with what it would notice, and code
    and clause of the refusals that it looks at.
    """

    passed: bool = True
    numbers: set[Touch] = field(default_factory=set)
    readings: set[Touch] = field(default_factory=set)
    refused: set[Touch] = field(default_factory=set)


@dataclass(slots=True)
class Run:
    """Feature file and scenario name → row → how it went."""

    played: dict[tuple[str, str], dict[Row, Played]] = field(default_factory=dict)

    def of(self, file: str, scene: Scene) -> Iterator[tuple[int, tuple[str, ...], Played | None]]:
        """Line, cells and outcome of each row of a scenario; one without cells where it has no examples."""
        rows = self.played.get((file, scene.name), {})
        if not scene.examples:
            yield scene.number, (), rows.get(())
        for examples in scene.examples:
            for line, cells in zip(examples.lines, examples.rows, strict=True):
                row = row_of(dict(zip(examples.header, cells, strict=True)))
                yield line, tuple(cells), rows.get(row)

    def add(self, said: Mapping[str, Any], *, passed: bool) -> None:
        """One report of a scenario; several of one row count together."""
        row = row_of(said["row"])
        played = self.played.setdefault((said["file"], said["scene"]), {}).setdefault(row, Played())
        played.passed &= passed
        for name in ("numbers", "readings", "refused"):
            getattr(played, name).update((its[0], its[1]) for its in said["touched"][name])


def row_of(cells: Mapping[str, str]) -> Row:
    return tuple(sorted(cells.items()))


# --- where a scenario runs ------------------------------------------------------------------------


def begin_scenario(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("traceability") != "off":
        watch_the_ledger()
        request.node.stash[_RECORD] = Record()


def begin_step(request: pytest.FixtureRequest, step: Any, step_func_args: Mapping[str, Any]) -> None:
    """What is decided while the 当 runs, from the moment that it says is the act itself, is what the scenario is about."""
    record = request.node.stash.get(_RECORD, None)
    # Over HTTP the result counts; what is touched must not depend on which drivers a run has.
    if record is not None and step.type == "when" and request.node.get_closest_marker("http") is None:
        request.node.stash[_ACTING] = stack = ExitStack()
        stack.enter_context(recording(record))
        request.node.stash[_OFFICE] = office = step_func_args["office"]
        office.before_act = record.forget


def end_step(request: pytest.FixtureRequest) -> None:
    if (acting := request.node.stash.get(_ACTING, None)) is not None:
        acting.close()


def end_scenario(request: pytest.FixtureRequest, feature: Any, scenario: Any) -> None:
    end_step(request)
    if (record := request.node.stash.get(_RECORD, None)) is not None:
        parameters = getattr(request.node, "callspec", None)
        said = {
            "file": Path(feature.filename).name,
            "scene": scenario.name,
            "row": dict(parameters.params.get("_pytest_bdd_example", {})) if parameters else {},
            "touched": _noticed(record, request.node.stash.get(_OFFICE, None)),
        }
        request.node.user_properties.append((PROPERTY, said))


def _noticed(record: Record, office: Office | None) -> dict[str, list[list[str]]]:
    """As lists, which pytest-xdist can send. Nothing of a scenario whose act did not run, or whose 那么 look at nothing."""
    read = office.answers.read if office else set()
    noticed = {kind: record.held(kind, read) for kind in record.changes}
    noticed["refused"] = set(office.answers.refusals_read()) if office else set()
    return {kind: sorted(map(list, touches)) for kind, touches in noticed.items()}


# --- where the reports arrive ---------------------------------------------------------------------


def gather(run: Run, reports: Sequence[pytest.TestReport]) -> None:
    """What one test reported in its phases; a scenario that failed before its first step said nothing."""
    said = [value for report in reports for name, value in report.user_properties if name == PROPERTY]
    if said:
        run.add(said[0], passed=all(report.passed for report in reports))
