"""What the one door promises of every command, whatever it is about."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from ledger.commands.accept_application import AcceptApplication
from ledger.commands.approve_award import ApproveAward
from ledger.commands.grant_role import GrantRole
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.revoke_role import RevokeRole
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import (
    IdempotencyConflict,
    Malformed,
    NotFound,
    NotPermitted,
    OutOfOrder,
    PreconditionFailed,
    Refusal,
    Unavailable,
)
from ledger.events import CommandRefused
from ledger.roles import SYSTEM
from tests.office import ENTERPRISE, POLICY, Office


def application(**changes: Any) -> SubmitApplication:
    stated: dict[str, Any] = {
        "policy": POLICY,
        "rule": "5.2",
        "enterprise": ENTERPRISE,
        "enterprise_name": "示例医疗科技有限公司",
        "item": "国械注准20263010001",
        "particulars": {"rd_cost": "100.00", "special_approval": False},
    }
    return SubmitApplication(**(stated | changes))


def test_the_same_key_and_command_give_the_same_fact_again(office: Office) -> None:
    first = office.give(application(), "intake", key="k")
    again = office.give(application(), "intake", key="k")
    assert (again.recorded, again.replayed) == (first.recorded, True)
    assert office.head() == first.position


def test_a_key_outlives_the_process_that_answered_it(office: Office) -> None:
    first = office.give(application(), "intake", key="k")
    again = office.reopen().execute(application(), actor="intake", key="k")
    assert again.replayed
    assert again.recorded == first.recorded


def test_another_command_under_a_used_key_is_a_conflict_and_records_nothing(office: Office) -> None:
    first = office.give(application(), "intake", key="k")
    with pytest.raises(IdempotencyConflict):
        office.give(application(item="国械注准20263010002"), "intake", key="k")
    assert office.head() == first.position


def test_two_people_may_use_one_key(office: Office) -> None:
    office.give(GrantRole(person="intake2", role="intake"), SYSTEM)
    first = office.give(application(), "intake", key="k")
    second = office.give(application(), "intake2", key="k")
    assert first.case != second.case


def test_fifty_copies_of_one_request_record_one_fact(office: Office) -> None:
    before = office.head()
    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(lambda _: office.give(application(), "intake", key="k"), range(50)))
    assert office.head() == before + 1
    assert len({outcome.position for outcome in outcomes}) == 1
    assert [outcome.replayed for outcome in outcomes].count(False) == 1


@pytest.mark.parametrize("key", ["", " k", "k ", "a\nb", "x" * 201])
def test_a_key_that_could_be_mistyped_is_refused(office: Office, key: str) -> None:
    with pytest.raises(Malformed, match="Idempotency-Key"):
        office.ledger.execute(application(), actor="intake", key=key)


def test_every_malformed_field_is_named_and_nothing_is_recorded(office: Office) -> None:
    before = office.head()
    command = application(enterprise="91440300MA5FX3K72X", enterprise_name=" ", item="", effective_on=date(2027, 1, 1))
    with pytest.raises(Malformed) as raised:
        office.give(command, "intake")
    assert {error.field for error in raised.value.errors} == {"enterprise", "enterprise_name", "item", "effective_on"}
    assert office.head() == before


def test_a_person_without_the_role_records_nothing(office: Office) -> None:
    before = office.head()
    with pytest.raises(NotPermitted):
        office.give(application(), "auditor")
    with pytest.raises(NotPermitted):
        office.give(application(), "nobody")
    assert office.head() == before


def test_a_revoked_role_counts_at_once(office: Office) -> None:
    office.give(application(), "intake")
    office.give(RevokeRole(person="intake", role="intake"), "admin")
    with pytest.raises(NotPermitted):
        office.give(application(item="国械注准20263010002"), "intake")


def test_the_system_may_grant_roles_and_nothing_else(office: Office) -> None:
    with pytest.raises(NotPermitted):
        office.give(application(), SYSTEM)


def test_nobody_grants_a_role_to_themselves(office: Office) -> None:
    with pytest.raises(Refusal) as raised:
        office.give(GrantRole(person="admin", role="auditor"), "admin")
    assert raised.value.code == "own-role"


@pytest.mark.parametrize(("person", "role"), [("approver", "admin"), ("admin", "approver")])
def test_an_administrator_holds_no_business_role(office: Office, person: str, role: str) -> None:
    office.give(GrantRole(person="admin2", role="admin"), SYSTEM)
    with pytest.raises(Refusal) as raised:
        office.give(GrantRole(person=person, role=role), "admin2")
    assert raised.value.code == "administrator-in-business"


def test_a_command_about_an_unknown_case_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        office.give(AcceptApplication(case="0000000000", acceptance_number="1"), "intake")


def test_a_case_that_moved_since_it_was_seen_is_left_alone(office: Office) -> None:
    case = office.submit("国械注准20263010001")
    seen = office.reader.case(case).position
    office.give(AcceptApplication(case=case, acceptance_number="1"), "intake", expected_position=seen)
    with pytest.raises(PreconditionFailed):
        office.give(AcceptApplication(case=case, acceptance_number="2"), "intake", expected_position=seen)


def test_a_step_cannot_take_effect_before_the_one_it_follows(office: Office) -> None:
    case = office.submit("国械注准20263010001")
    with pytest.raises(OutOfOrder) as raised:
        office.give(AcceptApplication(case=case, acceptance_number="1", effective_on=date(2026, 3, 1)), "intake")
    assert raised.value.code == "effective-before-last-step"


def test_a_refused_payment_is_a_fact_that_counts_toward_nothing(office: Office) -> None:
    case = office.approved("国械注准20263010001")
    with pytest.raises(Refusal) as raised:
        office.give(RequestDisbursement(case=case, amount_fen=600_000_001), "finance", key="k")
    recorded = office.reader.history(case)[-1]
    assert isinstance(recorded.event, CommandRefused)
    assert (recorded.event.code, recorded.event.asked_fen) == ("above-award", 600_000_001)
    assert recorded.position == raised.value.recorded_at
    assert office.reader.case(case).uncommitted_fen == 600_000_000


def test_a_recorded_refusal_is_given_again_under_its_key(office: Office) -> None:
    case = office.approved("国械注准20263010001")
    refusals = []
    for _ in range(2):
        with pytest.raises(Refusal) as raised:
            office.give(RequestDisbursement(case=case, amount_fen=600_000_001), "finance", key="k")
        refusals.append(raised.value)
    first, again = refusals
    assert (again.code, again.text, again.recorded_at) == (first.code, first.text, first.recorded_at)
    assert (first.replayed, again.replayed) == (False, True)


def test_a_refused_step_out_of_order_that_asks_for_money_is_recorded_with_its_kind(office: Office) -> None:
    case = office.submit("国械注准20263010001")
    for _ in range(2):
        with pytest.raises(OutOfOrder):
            office.give(ApproveAward(case=case, amount_fen=100), "approver", key="k")
    assert [recorded.type_name for recorded in office.reader.history(case)] == [
        "application-submitted",
        "command-refused",
    ]


def test_a_refusal_that_asked_for_no_money_leaves_no_trace(office: Office) -> None:
    case = office.accepted("国械注准20263010001")
    before = office.head()
    with pytest.raises(OutOfOrder):
        office.give(AcceptApplication(case=case, acceptance_number="2"), "intake")
    assert office.head() == before


def test_facts_of_a_case_belong_together_and_each_names_what_led_to_it(office: Office) -> None:
    history = office.reader.history(office.approved("国械注准20263010001"))
    ids = [recorded.envelope.event_id for recorded in history]
    assert {recorded.envelope.correlation_id for recorded in history} == {ids[0]}
    assert [recorded.envelope.causation_id for recorded in history] == [None, *ids[:-1]]


def test_a_clock_set_back_records_nothing_and_says_so(office: Office) -> None:
    office.submit("国械注准20263010001")
    before = office.head()
    office.clock.set(date(2026, 3, 1))
    with pytest.raises(Unavailable, match="clock"):
        office.give(application(), "intake")
    assert office.head() == before


def test_time_in_the_log_never_runs_backwards(office: Office) -> None:
    office.submit("国械注准20263010001")
    office.clock.now -= office.clock.now - office.reader.events(0, 100)[-1].envelope.recorded_at
    office.submit("国械注准20263010002")
    instants = [recorded.envelope.recorded_at for recorded in office.reader.events(0, 100)]
    assert instants == sorted(instants)
