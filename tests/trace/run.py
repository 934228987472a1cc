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
from tests.trace.recording import Record, Touch, recording, watch_the_ledger

PROPERTY: Final = "traceability"
_RECORD: Final = pytest.StashKey[Record]()
_ACTING: Final = pytest.StashKey[ExitStack]()

Row = tuple[tuple[str, str], ...]
"""The cells of an example by column, sorted; empty for a scenario without examples."""


@dataclass(slots=True)
class Played:
    """A scenario, or a row of its examples, as it was run: once, or once by each driver."""

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


def begin_step(request: pytest.FixtureRequest, step: Any) -> None:
    """What is decided while the 当 runs is what the scenario is about."""
    record = request.node.stash.get(_RECORD, None)
    # Over HTTP the result counts; what is touched must not depend on which drivers a run has.
    if record is not None and step.type == "when" and request.node.get_closest_marker("http") is None:
        request.node.stash[_ACTING] = stack = ExitStack()
        stack.enter_context(recording(record))


def end_step(request: pytest.FixtureRequest, step: Any, step_func_args: Mapping[str, Any]) -> None:
    if (acting := request.node.stash.get(_ACTING, None)) is None:
        return
    acting.close()
    if step.type == "when" and (office := step_func_args.get("office")) is not None:
        answers = [office.answer, *(answer for _, answer in office.answers)]
        refused = {(its.denial.code, its.denial.clause or "") for its in answers if its.denial}
        request.node.stash[_RECORD].refused |= refused


def end_scenario(request: pytest.FixtureRequest, feature: Any, scenario: Any) -> None:
    if (acting := request.node.stash.get(_ACTING, None)) is not None:
        acting.close()
    if (record := request.node.stash.get(_RECORD, None)) is not None:
        parameters = getattr(request.node, "callspec", None)
        said = {
            "file": Path(feature.filename).name,
            "scene": scenario.name,
            "row": dict(parameters.params.get("_pytest_bdd_example", {})) if parameters else {},
            "touched": record.as_data(),
        }
        request.node.user_properties.append((PROPERTY, said))


# --- where the reports arrive ---------------------------------------------------------------------


def gather(run: Run, reports: Sequence[pytest.TestReport]) -> None:
    """What one test reported in its phases; a scenario that failed before its first step said nothing."""
    said = [value for report in reports for name, value in report.user_properties if name == PROPERTY]
    if said:
        run.add(said[0], passed=all(report.passed for report in reports))
