"""Both stores, counting their transactions: import the fixtures into a module whose tests shall run on either."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.store.contract import LedgerStore, WriteTransaction
from ledger.store.postgres import PostgresDCBRecorder
from ledger.store.sqlite import SQLiteDCBRecorder
from tests.fixtures.postgres import postgres_server_url, postgres_url
from tests.office import Office

__all__ = ["CountingStore", "counted", "office", "postgres_server_url", "postgres_url", "store"]


class CountingStore(LedgerStore):
    """Counts transactions, and fails their commit where it is told to: each, or the one of a number."""

    transactions = 0
    fail: Exception | None = None
    fail_in: int | None = None

    @contextmanager
    def transaction(self, foreseen: Sequence[str] = ()) -> Iterator[WriteTransaction]:
        self.transactions += 1
        with super().transaction(foreseen) as transaction:  # type: ignore[safe-super]
            yield transaction
            if self.fail is not None and self.fail_in in (None, self.transactions):
                raise self.fail


class CountingSQLite(CountingStore, SQLiteDCBRecorder):
    pass


class CountingPostgres(CountingStore, PostgresDCBRecorder):
    pass


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CountingStore]:
    store: CountingStore = (
        CountingSQLite(tmp_path / "facts.sqlite")
        if request.param == "sqlite"
        else CountingPostgres(request.getfixturevalue("postgres_url"))
    )
    yield store
    store.close()


@pytest.fixture
def office(store: CountingStore, tmp_path: Path) -> Office:
    return Office(tmp_path, store=store)


def counted(office: Office) -> CountingStore:
    assert isinstance(office.store, CountingStore)
    return office.store
