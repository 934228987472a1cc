"""The promises of test_sealing.py, kept by the PostgreSQL store."""

from __future__ import annotations

import pytest

from ledger.store.postgres import PostgresDCBRecorder
from tests.fixtures.postgres import postgres_server_url, postgres_url  # noqa: F401
from tests.ledger.store import test_sealing as promised
from tests.ledger.store.test_sealing import (  # noqa: F401 - the same promises
    test_an_event_proves_that_it_is_in_the_log,
    test_the_stored_tree_is_the_tree_of_the_stored_events,
    test_two_openers_of_one_file_continue_each_others_tree,
    test_what_was_rolled_back_is_not_in_the_tree_even_where_others_took_its_places,
)


@pytest.fixture(autouse=True)
def on_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promised, "SQLiteDCBRecorder", PostgresDCBRecorder)


@pytest.fixture
def path(postgres_url: str) -> str:  # noqa: F811
    return postgres_url
