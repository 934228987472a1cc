"""R5, one key: fifty copies at once (tests/ledger/test_door.py), and here across a crash between commit and answer."""

from __future__ import annotations

import pytest

from ledger.attempt import Attempt
from tests.reliability.crashes import crash_often
from tests.reliability.soak_figures import SHORT
from tests.reliability.stores import EmptyStores, empty_sqlite, empty_stores, postgres_server_url  # noqa: F401


@pytest.mark.slow
def test_no_fact_is_lost_or_doubled_by_a_crash_between_commit_and_answer(
    empty_stores: EmptyStores,  # noqa: F811
) -> None:
    tally = crash_often(empty_stores, SHORT.crashes, seed=5)
    assert tally.problems == []
    assert tally.crashes >= SHORT.crashes * 2 // 3
    assert tally.survived > 0, "no process died after its commit"
    assert tally.recorded_later > 0, "no process died before its commit"


@pytest.mark.beside_the_door
def test_a_door_that_forgets_its_keys_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Attempt, "_answered_before", lambda self: None)
    assert any("answered" in problem for problem in crash_often(empty_sqlite, 6, seed=6).problems)
