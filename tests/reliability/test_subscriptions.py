"""R12: however long each commit takes, whoever follows sees every event once and in order."""

from __future__ import annotations

import pytest

from ledger.store.sqlite_subscription import SQLiteSubscription
from tests.reliability.soak_figures import SHORT
from tests.reliability.stores import EmptyStores, empty_sqlite, empty_stores, postgres_server_url  # noqa: F401
from tests.reliability.subscriptions import follow


def test_no_event_is_missed_doubled_or_out_of_order(empty_stores: EmptyStores) -> None:  # noqa: F811
    followed = follow(empty_stores, SHORT.subscription_events, seed=12)
    assert followed.missed == []
    assert followed.events > SHORT.subscription_events * 0.9


def test_a_subscription_that_takes_the_head_after_reading_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(self: SQLiteSubscription) -> None:
        found = list(self._recorder.read(self._query, after=self._last_position, limit=5))
        self._fetched.extend(found)
        self._last_position = max(self._recorder.head(), self._last_position)

    monkeypatch.setattr(SQLiteSubscription, "_fetch", careless)
    monkeypatch.setattr("tests.reliability.subscriptions.PATIENCE_S", 1)
    assert follow(empty_sqlite, 300, seed=12).missed != []
