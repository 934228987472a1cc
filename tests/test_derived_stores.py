"""That a store is derived again when a test closes it, and that the test then fails: also in a worker, and in any order."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from eventsourcing.dcb.api import DCBEvent

from ledger.roles import Role
from tests.derived_stores import StoresDerived
from tests.office import Office
from tests.reliability.tampering import role_never_given


@pytest.fixture
def watching(pytestconfig: pytest.Config) -> StoresDerived:
    found = pytestconfig.pluginmanager.get_plugin(StoresDerived.name)
    assert isinstance(found, StoresDerived)
    return found


def close_with_a_fact_beside_the_door(folder: Path) -> None:
    office = Office(folder)
    row = role_never_given("mallory", Role.ADMIN, datetime(2026, 12, 1, tzinfo=UTC))
    data = row["data"].replace(b'"system"', b'"cashier"')
    office.store.append([DCBEvent(type=row["type"], data=data, tags=row["tags"])])
    office.close()


def test_a_test_that_closes_a_store_which_is_not_whole_fails(watching: StoresDerived, tmp_path: Path) -> None:
    close_with_a_fact_beside_the_door(tmp_path)
    with pytest.raises(pytest.fail.Exception, match="role-granted: role-not-held: cashier did not hold the role admin"):
        watching.tell()
    watching.tell()


@pytest.mark.beside_the_door
def test_a_test_that_means_it_does_not(watching: StoresDerived, tmp_path: Path) -> None:
    close_with_a_fact_beside_the_door(tmp_path)
    watching.tell()
