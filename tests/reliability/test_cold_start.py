"""R11: a database that does not exist yet is made once, however many come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.reliability.cold_start import start_on_a_log_left_behind, start_services, start_stores
from tests.reliability.offspring import Offspring, offspring
from tests.reliability.soak_figures import SHORT
from tests.reliability.stores import EmptyStores, empty_stores, postgres_server_url  # noqa: F401


@pytest.fixture(scope="module")
def processes() -> Iterator[Offspring]:
    with offspring() as processes:
        yield processes


def test_sixteen_services_started_at_once_fail_or_lose_nothing(processes: Offspring) -> None:
    assert [start_services(processes) for _ in range(SHORT.cold_starts)] == [[]] * SHORT.cold_starts


def test_sixteen_openers_of_one_empty_store_fail_or_lose_nothing(
    processes: Offspring,
    empty_stores: EmptyStores,  # noqa: F811
) -> None:
    assert [start_stores(processes, empty_stores) for _ in range(SHORT.cold_starts)] == [[]] * SHORT.cold_starts


def test_sixteen_openers_of_a_log_left_behind_fail_or_lose_nothing(processes: Offspring) -> None:
    assert [start_on_a_log_left_behind(processes) for _ in range(SHORT.cold_starts)] == [[]] * SHORT.cold_starts


def test_a_worker_that_fails_is_found_out(processes: Offspring, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_one(**job: Any) -> Any:
        return do(**{**job, "count": job["count"] - 1})

    do = processes.do
    monkeypatch.setattr(processes, "do", without_one)
    (problem,) = start_services(processes)
    assert problem.startswith("recorded")
