"""The guards have the last word: a command that miscalculates is stopped by the projections it did not ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.commands.command import Command, Decision, Facts
from ledger.errors import Outdated
from ledger.events import AwardApproved
from ledger.roles import Role
from ledger.rules import Draw
from ledger.scopes import budget_of_year, enterprise_year
from tests.office import ENTERPRISE, POLICY, Office

CEILING_FEN = 1_000_000_000


class CarelessApproval(Command, frozen=True, kw_only=True):
    """Approves whatever it is told, without computing anything."""

    name: ClassVar[str] = "careless-approval"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})

    case: str
    amount_fen: int

    def decide(self, facts: Facts) -> Decision:
        case = facts.case(self.case)
        scope = enterprise_year(POLICY, "C5", ENTERPRISE, "2026").key
        approved = AwardApproved(
            case=case.number,
            enterprise=case.enterprise,
            rule=case.rule,
            item=case.item,
            amount_fen=self.amount_fen,
            determined_fen=self.amount_fen,
            cap_year=2026,
            bound_by=None,
            draws=(Draw("C5", "五", scope, CEILING_FEN, self.amount_fen),),
            budget_scope=budget_of_year(POLICY, 2026).key,
        )
        return Decision(approved, case.policy)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.mark.beside_the_door
def test_one_fen_above_a_limit_is_vetoed_by_the_fold_that_shows_it(office: Office) -> None:
    office.approved("甲")
    second = office.determined("乙")
    with pytest.raises(Outdated) as raised:
        office.give(CarelessApproval(case=second, amount_fen=400_000_001), "approver")
    assert raised.value.code == "limit-exceeded"
    assert raised.value.limit is not None
    assert raised.value.limit.left_fen == 400_000_000
    office.give(CarelessApproval(case=second, amount_fen=400_000_000), "approver")


@pytest.mark.beside_the_door
def test_one_fen_above_the_budget_is_vetoed(office: Office) -> None:
    office.give(AppropriateBudget(policy=POLICY, year=2026, amount_fen=100), "finance")
    case = office.determined("甲")
    with pytest.raises(Outdated) as raised:
        office.give(CarelessApproval(case=case, amount_fen=101), "approver")
    assert raised.value.code == "budget-exceeded"
    office.give(CarelessApproval(case=case, amount_fen=100), "approver")
