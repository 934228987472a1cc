"""What every run of the tests does beside them: it follows the features from clause to number to result, derives
again every store that is closed, and sees to it that no test changes for the next one what the whole process shares."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests import derived_stores
from tests.trace import plugin as traceability
from tests.trace.plugin import (  # noqa: F401
    pytest_addoption,
    pytest_bdd_after_scenario,
    pytest_bdd_after_step,
    pytest_bdd_before_scenario,
    pytest_bdd_before_step_call,
)


def pytest_configure(config: pytest.Config) -> None:
    traceability.pytest_configure(config)
    derived_stores.pytest_configure(config)


def _disabled_loggers() -> set[str]:
    return {name for name, logger in logging.root.manager.loggerDict.items() if getattr(logger, "disabled", False)}


@pytest.fixture(autouse=True)
def logging_is_left_as_it_was_found() -> Iterator[None]:
    """Programs of ours send all logging to standard error, as a process may; a process of tests goes on afterwards."""
    handlers, level, disabled = logging.root.handlers[:], logging.root.level, _disabled_loggers()
    yield
    logging.root.handlers[:] = [handler for handler in logging.root.handlers if handler in handlers]
    logging.root.setLevel(level)
    assert _disabled_loggers() <= disabled, "this test silences loggers for all tests after it"
