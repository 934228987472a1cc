"""R3, money: whatever people ask for, in whatever order, at whichever door, the sums are those of plain integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger import memory
from ledger.casefile import CaseFile
from projections.budget import BudgetGuard
from projections.duties import DutiesGuard
from projections.limits import LimitsGuard
from projections.registers import RegistersGuard
from tests.reliability.money_machine import play
from tests.reliability.soak_figures import SHORT
from tests.reliability.stores import STORES, EmptyStores, empty_sqlite, empty_stores, postgres_server_url  # noqa: F401

REASONS = {
    "above-award",
    "above-outstanding-amount",
    "above-paid-amount",
    "budget-exceeded",
    "item-already-awarded",
    "limit-exhausted",
    "nothing-paid",
    "role-required",
    "same-person",
    "stage-not-reached",
    "step-out-of-order",
}
"""What the short run must at least have met; the long one meets more."""


@pytest.mark.slow
def test_sums_and_refusals_are_those_of_plain_integers(empty_stores: EmptyStores) -> None:  # noqa: F811
    sequences = SHORT.money_sequences if empty_stores is empty_sqlite else SHORT.money_sequences_postgres
    played = play(empty_stores, sequences)
    assert played.sequences >= sequences
    assert played.steps >= played.sequences * 25, "sequences end before their time"
    if empty_stores is empty_sqlite:
        assert played.reasons >= REASONS


def allow(self: Any, event: Any, envelope: Any, look: Any) -> None:
    """A guard that has fallen asleep."""


def not_told(self: memory.Memory, recorded: Any) -> None:
    """A memory that does not follow what is recorded."""


BROKEN: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the budget is not guarded": lambda patch: patch.setattr(BudgetGuard, "permits", allow),
    "nobody keeps duties apart": lambda patch: patch.setattr(DutiesGuard, "permits", allow),
    "numbers are used twice": lambda patch: patch.setattr(RegistersGuard, "permits", allow),
    "memory is not kept current": lambda patch: patch.setattr(memory.Memory, "advance", not_told),
    "usage is not given back": lambda patch: patch.setattr(
        LimitsGuard, "apply", lambda self, usage, recorded: _apply_without_returns(self, usage, recorded)
    ),
    "a fen too much is paid": lambda patch: patch.setattr(
        CaseFile, "uncommitted_fen", property(lambda case: case.awarded_fen - case.committed_fen + 1)
    ),
    "a stage is paid before it is reached": lambda patch: patch.setattr(
        CaseFile, "requestable_fen", property(lambda case: case.uncommitted_fen)
    ),
}

_apply = LimitsGuard.apply


def _apply_without_returns(guard: LimitsGuard, usage: Any, recorded: Any) -> Any:
    before_fen = usage.used_fen
    usage = _apply(guard, usage, recorded)
    usage.used_fen = max(before_fen, usage.used_fen)
    return usage


@pytest.mark.beside_the_door
@pytest.mark.parametrize("fault", BROKEN)
def test_a_ledger_that_is_broken_is_found_out(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BROKEN[fault](monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        play(empty_sqlite, 150, shrink=False)
