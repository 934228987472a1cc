"""Runs the features: their steps, their tags as marks, and the feature line of whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ledger.policy.registry import PolicyRegistry, built_in_policies
from tests.features.desk import Desk
from tests.features.driver import Driver
from tests.features.http_driver import HttpDriver
from tests.features.in_process_driver import InProcessDriver
from tests.features.office import Office

# pytest-bdd finds step definitions as fixtures of this module.
from tests.features.steps_acts import *  # noqa: F403
from tests.features.steps_answers import *  # noqa: F403
from tests.features.steps_facts import *  # noqa: F403

TAGS = ("policy", "clause")
DRIVERS: dict[str, Callable[[Path, PolicyRegistry, str], Driver]] = {"in-process": InProcessDriver, "http": HttpDriver}


@cache
def policies() -> PolicyRegistry:
    return built_in_policies()


@pytest.fixture(params=["in-process", pytest.param("http", marks=pytest.mark.http)])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Driver]:
    """A product of its own for every scenario, under the policy that the feature's tag names: asked directly, and asked
    over HTTP.
    """
    policy = request.node.get_closest_marker("policy")
    assert policy is not None, "the feature carries no @policy tag"
    product = DRIVERS[request.param](tmp_path, policies(), policy.args[0])
    yield product
    product.close()


@pytest.fixture
def office(driver: Driver) -> Office:
    desk = Desk(driver)
    desk.staff()
    return Office(desk)


def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool:
    """``@clause:5.2`` becomes ``pytest.mark.clause("5.2")``; a tag of another kind is a mistake."""
    kind, colon, value = tag.partition(":")
    if kind not in TAGS or not colon or not value:
        raise pytest.UsageError(f"@{tag} is not one of {', '.join(f'@{kind}:…' for kind in TAGS)}")
    getattr(pytest.mark, kind)(value)(function)
    return True


def pytest_bdd_step_error(feature: Any, step: Any, exception: BaseException) -> None:
    """A failing step names its line: pytest-bdd by itself shows only the step function."""
    exception.add_note(f"features/{Path(feature.filename).name}:{step.line_number}: {step.keyword}{step.name}")
