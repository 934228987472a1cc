"""A row counts for a number only where moving the number by one step would change what the row is answered."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger import application
from ledger.policy.registry import built_in_policies
from ledger.rules import Claim, ItemAward, RecognisedWindow, read_particulars
from ledger.scopes import Scope
from tests.features.answers import Part
from tests.trace.numbers import HIGHER, LOWER
from tests.trace.recording import Record, recording, watch_the_ledger

CAP, RATE, YEARLY = 'rules."5.1".item_cap', 'rules."5.1".rate', "limits.C5.ceiling"


class Nobody:
    """An enterprise that was granted ``used_fen`` this year, and nothing for the item."""

    def __init__(self, used_fen: int) -> None:
        self._used_fen = used_fen

    def used_fen(self, scope: Scope) -> int:
        return self._used_fen if scope.limit == "C5" else 0

    def item_awards(self, scope: Scope) -> list[ItemAward]:
        return []

    def window(self, scope: Scope) -> RecognisedWindow | None:
        return None


@pytest.fixture(autouse=True)
def _watched() -> None:
    watch_the_ledger()


def touched(cost: str, used_fen: int = 0) -> set[tuple[str, str]]:
    policy = built_in_policies().get("shenzhen-meddev-2022")
    rule = policy.rules["5.1"]
    stated: dict[str, Any] = {"rd_cost": cost, "special_approval": False}
    claim = Claim(policy, rule, "91440300", "证", 2026, read_particulars(rule, stated), date(2026, 3, 2))
    record = Record()
    with recording(record):
        application.determine(claim, Nobody(used_fen))
    return record.held("numbers", {Part.RESULT, Part.REASON}) & {
        (key, way) for key in (CAP, RATE, YEARLY) for way in (LOWER, HIGHER)
    }


RATED = {(RATE, LOWER), (RATE, HIGHER)}


@pytest.mark.parametrize(
    ("cost", "numbers"),
    [
        ("1000000.00", RATED),
        ("7499990.00", RATED),
        ("7499999.99", RATED | {(CAP, LOWER)}),
        ("7500000.00", {(RATE, LOWER), (RATE, HIGHER), (CAP, LOWER)}),
        ("7500000.01", {(RATE, LOWER), (CAP, LOWER), (CAP, HIGHER)}),
        ("20000000.00", {(CAP, LOWER), (CAP, HIGHER)}),
    ],
    ids=["far below", "below", "just below", "at", "just above", "far above"],
)
def test_a_row_away_from_the_boundary_does_not_count(cost: str, numbers: set[tuple[str, str]]) -> None:
    assert touched(cost) == numbers


@pytest.mark.parametrize(
    ("used_fen", "ways"),
    [(0, set()), (700_000_000, {LOWER}), (700_000_001, {HIGHER})],
    ids=["room", "just room", "one fen short"],
)
def test_a_yearly_ceiling_counts_where_it_binds(used_fen: int, ways: set[str]) -> None:
    assert {way for key, way in touched("7500000.00", used_fen) if key == YEARLY} == ways


def test_nothing_is_recorded_outside_the_act() -> None:
    record = Record()
    with recording(record):
        pass
    touched("7500000.01")
    assert record == Record()
