"""One office for each test: its own folder, its own clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.http_office import HttpOffice, SetClock, opened


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def office(tmp_path: Path, clock: SetClock) -> Iterator[HttpOffice]:
    with opened(tmp_path, clock) as service:
        yield HttpOffice.over(service, clock)
