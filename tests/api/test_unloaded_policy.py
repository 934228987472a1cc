"""A case whose policy was not loaded again: nothing starts on it, nothing is decided on it, nothing is left out of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.policies import load_policies
from api.service import VIEWS, Service, open_service
from ledger.commands.accept_application import AcceptApplication
from ledger.commands.approve_award import ApproveAward
from ledger.commands.command import Command
from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.grant_role import GrantRole
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import PolicyNotLoaded
from ledger.roles import SYSTEM, Role
from tests.api.http_office import V1, HttpOffice, SetClock, opened
from tests.office import ENTERPRISE

DISTRICT = "qinghe-meddev-2025"
EXAMPLE = Path(__file__).parents[1] / "ledger" / "policy" / "example_district.toml"


@pytest.fixture
def district(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / DISTRICT).mkdir(parents=True)
    shutil.copy(EXAMPLE, folder / DISTRICT / "1.toml")
    return folder


@pytest.fixture
def award(tmp_path: Path, district: Path, clock: SetClock) -> str:
    """The case of an award under the district's policy, on a ledger whose views hold it."""
    with open_service(tmp_path / "data", clock=clock, policies=load_policies([district])) as service:
        case = _approved(service)
        service.views.catch_up()
    return case


@pytest.fixture
def without(tmp_path: Path, award: str, clock: SetClock) -> Iterator[HttpOffice]:
    """The same ledger without ``--policies``, started before its views knew: they were dropped."""
    for file in (tmp_path / "data").glob(f"{VIEWS}*"):
        file.unlink()
    with opened(tmp_path / "data", clock) as service:
        yield HttpOffice.over(service, clock)


def _approved(service: Service) -> str:
    for person, role in {"i": Role.INTAKE, "r": Role.REVIEWER, "a": Role.APPROVER}.items():
        service.ledger.execute(GrantRole(person=person, role=role), actor=SYSTEM, key=person)
    claim = SubmitApplication(
        policy=DISTRICT,
        rule="1.1",
        enterprise=ENTERPRISE,
        enterprise_name="示例医疗科技有限公司",
        item="甲",
        particulars={"equipment_cost": "4000000.00", "second_hand": False},
    )
    case = service.ledger.execute(claim, actor="i", key="1").case
    assert case is not None
    steps: list[tuple[str, Command]] = [
        ("i", AcceptApplication(case=case, acceptance_number="受理1")),
        ("r", DetermineAmount(case=case)),
        ("a", ApproveAward(case=case, amount_fen=50_000_000)),
    ]
    for number, (person, step) in enumerate(steps):
        service.ledger.execute(step, actor=person, key=f"step-{number}")
    return case


def test_a_service_does_not_start_without_the_policy_of_a_case(tmp_path: Path, award: str, district: Path) -> None:
    with pytest.raises(PolicyNotLoaded) as fault:
        open_service(tmp_path / "data")
    for said in (fault.value.text.zh, fault.value.text.en):
        assert all(word in said for word in (DISTRICT, "--policies", "LEDGER_POLICIES"))
    open_service(tmp_path / "data", policies=load_policies([district])).close()


def test_no_step_is_recorded_on_a_case_whose_policy_is_not_loaded(without: HttpOffice, award: str) -> None:
    before = without.head
    answer = without.post("finance", f"{V1}/awards/awd-{award}/disbursements", {"amount": "100000.00"})
    assert (answer.status_code, answer.json["code"]) == (503, "policy-not-loaded")
    assert DISTRICT in answer.json["detail"]
    assert "--policies" in answer.json["detail"]
    assert without.head == before


@pytest.mark.parametrize("path", ["enterprises/{enterprise}/limits?year=2026", "awards/awd-{award}/sheet"])
def test_what_takes_the_policy_to_tell_is_not_told_without_it(without: HttpOffice, award: str, path: str) -> None:
    answer = without.get("auditor", f"{V1}/{path.format(enterprise=ENTERPRISE, award=award)}")
    assert (answer.status_code, answer.json["code"]) == (503, "policy-not-loaded")


def test_other_policies_go_on_being_carried_out(without: HttpOffice) -> None:
    assert without.approved()
