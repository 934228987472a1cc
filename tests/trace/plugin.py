"""The traceability as part of every whole run of the features: no second run, and no result that was not seen.

Scenarios report what they touched to the process that pytest was started in, also from the workers of pytest-xdist. When
all have reported, the books are compared with what is committed (or written, for ``dev.py trace``), and every gap makes the
run fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from tests.trace import run
from tests.trace.command import Outcome, Wanted, finish
from tests.trace.run import Run

FEATURES: Final = "tests/features/test_features.py"
MARKS_OF_ALL: Final = ("", "not http", "not slow", "not house")
"""Selections by mark that leave out no scenario: each is also run in-process."""


class Gathering:
    """Reports of the features as they arrive."""

    name = "traceability-gathering"

    def __init__(self, wanted: Wanted, *, whole: bool) -> None:
        self.wanted = wanted
        self.whole = whole
        self.run = Run()
        self.outcome = Outcome()
        self._reports: dict[str, list[pytest.TestReport]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.nodeid.startswith(FEATURES):
            return
        self._reports.setdefault(report.nodeid, []).append(report)
        if report.when == "teardown":
            run.gather(self.run, self._reports.pop(report.nodeid))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.whole and self.run.played:
            self.outcome = finish(self.run, self.wanted)
            if self.outcome.faults and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.outcome.faults or self.outcome.written:
            terminalreporter.section("traceability", red=bool(self.outcome.faults))
        for fault in self.outcome.faults:
            terminalreporter.write_line(fault)
        for path in self.outcome.written:
            terminalreporter.write_line(f"written: {path}")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("traceability")
    group.addoption(
        "--traceability", choices=("check", "write", "off"), default="check", help="what to do with the books"
    )
    group.addoption("--traceability-html", type=Path, metavar="FILE", help="where to write the officer's book")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.option.traceability == "off":
        return
    wanted = Wanted(write=config.option.traceability == "write", html=config.option.traceability_html)
    config.pluginmanager.register(Gathering(wanted, whole=is_whole(config)), Gathering.name)


def is_whole(config: pytest.Config) -> bool:
    """Whether this run was asked for all features, so that a scenario without a report is a finding."""
    option = config.option
    narrowed = option.keyword or option.deselect or option.ignore or option.ignore_glob or option.collectonly
    narrowed = narrowed or option.maxfail or getattr(option, "lf", False) or option.markexpr not in MARKS_OF_ALL
    asked = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    features = (config.rootpath / FEATURES).resolve()
    selected = any("::" in argument for argument in config.args)
    return not narrowed and not selected and any(features == its or its in features.parents for its in asked)


pytest_bdd_before_scenario = run.begin_scenario
pytest_bdd_before_step_call = run.begin_step
pytest_bdd_after_step = run.end_step
pytest_bdd_after_scenario = run.end_scenario
