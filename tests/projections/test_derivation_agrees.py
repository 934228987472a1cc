"""What the door lets pass is not called wrong by the second reading: where they once disagreed, and whether roles agree."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger import commands
from ledger.calendar import add_days, add_months
from ledger.causes import Cause
from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.commands.command import Command
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.release_award import ReleaseAward
from ledger.commands.revoke_role import RevokeRole
from ledger.errors import NotPermitted
from ledger.events import EVENT_TYPES, AwardApproved
from ledger.roles import SYSTEM, Role
from projections.derivation.allowed_roles import CAUSES, OF_SYSTEM, allowed
from tests.derived_stores import findings_of
from tests.office import POLICY, Office

REFUSED = "command-refused"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def rent(office: Office, since: date, until: date, anchor: date) -> str:
    """A determined claim for one lease, of more than a year's ceiling in each whole year of its window."""
    return office.determined(
        "租约甲",
        rule="22.2",
        benchmark_rent="60.00",
        area_m2="20000",
        tenancy_from=anchor.isoformat(),
        claim_from=since.isoformat(),
        claim_until=until.isoformat(),
    )


def test_a_role_taken_back_at_the_server_is_whole(office: Office) -> None:
    office.give(RevokeRole(person="auditor", role=Role.AUDITOR), SYSTEM)
    assert findings_of(office.store) == []


@pytest.mark.parametrize("rule", ["19.1", "19.2"])
def test_an_award_under_a_tier_is_whole(office: Office, rule: str) -> None:
    case = office.accepted("市一医院2025年度", rule=rule, project_count=30, proposed="100000.00", service_year=2025)
    office.give(DetermineAmount(case=case, reason="集体审议"), "reviewer")
    office.approve(case)
    assert findings_of(office.store) == []


def test_a_year_that_less_was_approved_for_is_whole_with_nothing_drawn_on_it(office: Office) -> None:
    case = rent(office, date(2024, 1, 1), date(2025, 12, 31), date(2024, 1, 1))
    approved = office.approve(case, 5_000_000_00, reason="集体审议核减").recorded.event
    assert isinstance(approved, AwardApproved)
    assert [draw.amount_fen for draw in approved.draws] == [5_000_000_00, 0]
    assert findings_of(office.store) == []


@pytest.mark.parametrize("anchor", [date(2023, 7, 1), date(2024, 7, 1)], ids=["earlier", "later"])
def test_a_window_is_whole_that_begins_another_day_once_all_of_it_was_given_back(office: Office, anchor: date) -> None:
    first = rent(office, date(2024, 1, 1), date(2024, 12, 31), date(2024, 1, 1))
    office.approve(first)
    office.give(ReleaseAward(case=first, amount_fen=5_000_000_00, cause=Cause.ARITHMETIC_ERROR), "approver")
    again = rent(office, anchor, add_days(add_months(anchor, 6), -1), anchor)
    office.approve(again)
    assert findings_of(office.store) == []


# Roles


def given() -> dict[str, type[Command]]:
    """Every command of the product by its name."""
    names = [f"{commands.__name__}.{each.name}" for each in pkgutil.iter_modules(commands.__path__)]
    modules = [importlib.import_module(name) for name in names]
    classes = [each for module in modules for each in vars(module).values() if isinstance(each, type)]
    return {each.name: each for each in classes if issubclass(each, Command) and each is not Command}


def test_every_command_and_every_event_is_in_the_table_of_roles() -> None:
    assert CAUSES.keys() == given().keys()
    assert {*CAUSES.values(), REFUSED} == EVENT_TYPES.keys()
    assert len(set(CAUSES.values())) == len(CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_the_table_lets_each_role_cause_what_the_door_lets_it_do(name: str) -> None:
    roles = given()[name].roles
    assert set(allowed(CAUSES[name], "")) == roles
    assert set(allowed(REFUSED, name)) == roles


def test_who_sits_at_the_server_may_grant_and_revoke_and_nothing_else(office: Office) -> None:
    assert {CAUSES[each] for each in ("grant-role", "revoke-role")} == OF_SYSTEM
    with pytest.raises(NotPermitted):
        office.give(AppropriateBudget(policy=POLICY, year=2026, amount_fen=1), SYSTEM)
