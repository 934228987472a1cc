"""The promises of tests/ledger/test_door.py, with the facts in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.store.postgres import PostgresDCBRecorder
from tests.fixtures.postgres import postgres_server_url, postgres_url, recorder  # noqa: F401
from tests.ledger.test_door import *  # noqa: F403 - every promise of the door, also those to come
from tests.office import Office


@pytest.fixture
def office(tmp_path: Path, recorder: PostgresDCBRecorder) -> Office:  # noqa: F811
    return Office(tmp_path, store=recorder)
