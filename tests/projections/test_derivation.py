"""What a second reading of the facts finds wrong, where they were sealed as they are: a fault in a guard would show so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.causes import Cause
from ledger.commands.appropriate_budget import AppropriateBudget
from ledger.commands.cancel_disbursement import CancelDisbursement
from ledger.commands.cancel_recovery import CancelRecovery
from ledger.commands.find_violation import FindViolation
from ledger.commands.release_award import ReleaseAward
from ledger.commands.request_disbursement import RequestDisbursement
from ledger.commands.withdraw_violation import WithdrawViolation
from ledger.errors import Refusal
from ledger.seal.leaf import leaf_bytes
from ledger.seal.sealed_log import Row
from ledger.store.sqlite_log import SQLiteLog
from projections.derivation import Derivation
from projections.verification import verify
from tests.office import POLICY, STAFF, Office

Content = dict[str, Any]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    folder = tmp_path_factory.mktemp("derived")
    office = Office(folder)
    budget_officer = next(name for name, role in STAFF.items() if role in AppropriateBudget.roles)
    office.give(AppropriateBudget(policy=POLICY, year=2026, amount_fen=8_000_000_00), budget_officer)
    case = office.approved("国械注准20263010001")
    office.pay(case, 2_000_000_00, "流水1")
    office.give(RequestDisbursement(case=case, amount_fen=1_000_000_00), "finance")
    office.give(CancelDisbursement(case=case, disbursement=2, reason="填错"), "finance")
    office.give(ReleaseAward(case=case, amount_fen=500_000_00, cause=Cause.WITHDRAWAL), "approver")
    with pytest.raises(Refusal):
        office.pay(case, 9_000_000_00, "流水2")
    office.claw_back(case, 1_500_000_00)
    office.receive(case, 1_000_000_00, "流水3")
    office.give(CancelRecovery(case=case, recovery=1, reason="减免"), "legal")
    office.submit("国械注准20263010009")
    office.close()
    log = SQLiteLog(folder / "facts.sqlite")
    rows = log.rows(1, log.size)
    log.close()
    return rows


def said_of(rows: list[Row]) -> list[tuple[int, str]]:
    return [(finding.position, finding.code) for finding in Derivation().apply(rows)]


def first_of(rows: list[Row], type_name: str) -> Row:
    return next(row for row in rows if row.type_name == type_name)


def changed(rows: list[Row], type_name: str, change: Callable[[Content, Content], object]) -> list[Row]:
    """The first event of a type with its envelope and payload changed."""
    row = first_of(rows, type_name)
    content = json.loads(row.data)
    change(content["envelope"], content["payload"])
    data = json.dumps(content, ensure_ascii=False).encode()
    forged = row._replace(data=data, leaf=leaf_bytes(type_name, json.loads(row.tags), data))
    return [forged if one is row else one for one in rows]


def test_what_the_door_recorded_is_not_called_wrong(history: list[Row]) -> None:
    assert said_of(history) == []


def test_money_released_for_a_violation_is_not_kept_from_the_budget(tmp_path: Path) -> None:
    """The limits get nothing back, the office's budget does (reading B5): what it grants again is whole."""
    office = Office(tmp_path)
    budget_officer = next(name for name, role in STAFF.items() if role in AppropriateBudget.roles)
    office.give(AppropriateBudget(policy=POLICY, year=2026, amount_fen=6_000_000_00), budget_officer)
    case = office.approved("国械注准1")
    office.give(FindViolation(case=case, reason="虚报"), "supervisor")
    office.give(ReleaseAward(case=case, amount_fen=6_000_000_00, cause=Cause.VIOLATION), "approver")
    office.approve(office.determined("国械注准2", enterprise="91440300708461136T"))
    office.close()
    log = SQLiteLog(tmp_path / "facts.sqlite")
    verdict = verify(log, [])
    rows = log.rows(1, log.size)
    log.close()
    assert verdict.whole, verdict.findings
    forged = changed(rows, "award-released", lambda e, p: p.update(amount_fen=6_000_000_00 - 1))
    assert "budget-exceeded" in {code for _, code in said_of(forged)}, "but only what was released"


def test_an_award_that_draws_on_nothing_does_not_go_unseen(history: list[Row]) -> None:
    empty = changed(history, "award-approved", lambda e, p: p.update(draws=[]))
    assert "draws-nothing" in {code for _, code in said_of(empty)}
    over = changed(empty, "budget-appropriated", lambda e, p: p.update(amount_fen=6_000_000_00 - 1))
    assert "budget-exceeded" in {code for _, code in said_of(over)}


def test_a_limit_that_was_computed_with_is_not_left_out(history: list[Row]) -> None:
    less = changed(history, "award-approved", lambda e, p: p["draws"].pop())
    assert "draws-nothing" in {code for _, code in said_of(less)}
    without = changed(less, "amount-determined", lambda e, p: p.update(headroom=[]))
    assert "draws-nothing" not in {code for _, code in said_of(without)}, "a rule may have no limits"


def test_the_totals_are_not_other_than_those_of_the_case(history: list[Row]) -> None:
    derivation = Derivation()
    assert list(derivation.apply(history)) == []
    totals = derivation.totals()
    assert (totals.cases, totals.awards) == (2, 1)
    assert (totals.awarded_fen, totals.paid_fen, totals.recovered_fen) == (5_500_000_00, 2_000_000_00, 1_000_000_00)


WRONG: dict[str, tuple[str, Callable[[Content, Content], object], str]] = {
    "limit passed": (
        "award-approved",
        lambda e, p: [draw.update(ceiling_fen=draw["amount_fen"] - 1) for draw in p["draws"]],
        "limit-exceeded",
    ),
    "drawn on another's scope": (
        "award-approved",
        lambda e, p: p["draws"][0].update(scope=p["draws"][0]["scope"].replace("91440300", "91440301")),
        "wrong-scope",
    ),
    "drawn on another item": (
        "award-approved",
        lambda e, p: [draw.update(scope=draw["scope"].replace("国械注准", "国械注进")) for draw in p["draws"]],
        "wrong-scope",
    ),
    "draws less than nothing": (
        "award-approved",
        lambda e, p: p["draws"][0].update(amount_fen=-1),
        "negative",
    ),
    "drawn on another year's budget": (
        "award-approved",
        lambda e, p: p.update(budget_scope=p["budget_scope"].replace("2026", "2027")),
        "wrong-scope",
    ),
    "draws less than the award": (
        "award-approved",
        lambda e, p: p["draws"][0].update(amount_fen=1),
        "draws-differ",
    ),
    "more approved than determined": (
        "award-approved",
        lambda e, p: (p.update(amount_fen=p["amount_fen"] + 1), p["draws"][0].update(ceiling_fen=10**12)),
        "sum-exceeded",
    ),
    "another item approved": ("award-approved", lambda e, p: p.update(item="other"), "another-matter"),
    "budget too small": ("budget-appropriated", lambda e, p: p.update(amount_fen=1), "budget-exceeded"),
    "paid more than requested": (
        "disbursement-settled",
        lambda e, p: p.update(amount_fen=p["amount_fen"] + 1),
        "amount-differs",
    ),
    "requested more than is left": (
        "disbursement-requested",
        lambda e, p: p.update(amount_fen=10**12),
        "sum-exceeded",
    ),
    "nothing requested": ("disbursement-requested", lambda e, p: p.update(amount_fen=0), "not-positive"),
    "disbursement out of number": ("disbursement-requested", lambda e, p: p.update(disbursement=7), "out-of-order"),
    "ordered what was not requested": ("disbursement-ordered", lambda e, p: p.update(disbursement=9), "out-of-order"),
    "released more than is left": (
        "award-released",
        lambda e, p: p.update(amount_fen=10**12),
        "sum-exceeded",
    ),
    "gives a limit back too much": (
        "award-released",
        lambda e, p: p["draws"][0].update(amount_fen=p["draws"][0]["amount_fen"] + 1),
        "gives-back-wrong",
    ),
    "recovered more than was paid": ("recovery-ordered", lambda e, p: p.update(amount_fen=10**12), "sum-exceeded"),
    "received more than is outstanding": (
        "recovery-received",
        lambda e, p: p.update(amount_fen=10**12),
        "sum-exceeded",
    ),
    "recovery of a violation gives room": (
        "recovery-ordered",
        lambda e, p: p.update(restores_headroom=True),
        "gives-back-wrong",
    ),
    "cancelled another sum": ("recovery-cancelled", lambda e, p: p.update(amount_fen=1), "amount-differs"),
    "a bank's number twice": ("recovery-received", lambda e, p: p.update(bank_serial="流水1"), "number-twice"),
    "same person": ("award-approved", lambda e, p: e.update(actor="reviewer", role="reviewer"), "same-person"),
    "same person in one payment": (
        "disbursement-ordered",
        lambda e, p: e.update(actor="finance", role="finance"),
        "same-person",
    ),
    "a role not held": ("award-approved", lambda e, p: e.update(role="finance"), "role-not-held"),
    "a step that the role may not take": (
        "budget-appropriated",
        lambda e, p: e.update(actor="cashier", role="cashier"),
        "step-not-of-role",
    ),
    "a step refused to a role that may not ask for it": (
        "command-refused",
        lambda e, p: e.update(actor="cashier", role="cashier"),
        "step-not-of-role",
    ),
    "more than the operator may do": (
        "budget-appropriated",
        lambda e, p: e.update(actor="system", role="finance"),
        "role-not-held",
    ),
    "a role granted by no administrator": ("role-granted", lambda e, p: e.update(role="auditor"), "step-not-of-role"),
    "a stranger": ("award-approved", lambda e, p: e.update(actor="stranger"), "role-not-held"),
    "a role for oneself": ("role-granted", lambda e, p: p.update(person="system"), "own-role"),
    "recorded before": (
        "award-approved",
        lambda e, p: e.update(recorded_at="2025-03-02T01:00:00Z"),
        "recorded-backwards",
    ),
    "effective before": ("award-approved", lambda e, p: e.update(effective_on="2025-03-02"), "effective-backwards"),
    "chain broken": (
        "award-approved",
        lambda e, p: e.update(causation_id="00000000-0000-7000-8000-000000000000"),
        "chain-broken",
    ),
    "a refusal that hangs on nothing": ("command-refused", lambda e, p: e.update(causation_id=None), "chain-broken"),
    "a grant with a predecessor": (
        "role-granted",
        lambda e, p: e.update(causation_id="00000000-0000-7000-8000-000000000000"),
        "chain-broken",
    ),
    "another enterprise": ("award-approved", lambda e, p: p.update(enterprise="914403000000000000"), "another-matter"),
    "another policy": ("award-approved", lambda e, p: e["policy"].update(version=9), "another-matter"),
    "an unknown case": ("award-approved", lambda e, p: p.update(case="0000000000"), "no-such-case"),
    "an idempotency key twice": (
        "disbursement-cancelled",
        lambda e, p: e.update(key="grant-finance", actor="system"),
        "key-twice",
    ),
}


@pytest.mark.parametrize(("type_name", "change", "code"), WRONG.values(), ids=WRONG)
def test_a_fact_that_must_not_be_is_not_passed_over(
    history: list[Row], type_name: str, change: Callable[[Content, Content], object], code: str
) -> None:
    found = said_of(changed(history, type_name, change))
    assert code in [said for _, said in found]
    assert found[0][0] >= first_of(history, type_name).position


def test_a_step_left_out_of_a_case_is_not_passed_over(history: list[Row]) -> None:
    case = json.loads(first_of(history, "award-approved").data)["payload"]["case"]
    steps = [row for row in history if json.loads(row.data)["payload"].get("case") == case]
    # Of the last step nothing later tells: that is what a checkpoint is for.
    for row in (step for step in steps[:-1] if step.type_name != "command-refused"):
        assert said_of([one for one in history if one is not row]), row.type_name


def test_a_payment_while_a_violation_stands_is_not_passed_over(tmp_path: Path) -> None:
    office = Office(tmp_path)
    case = office.approved("国械注准20263010001")
    office.pay(case, 1_000_000_00, "流水1")
    office.claw_back(case, 1_000_000_00)
    office.give(CancelRecovery(case=case, recovery=1, reason="误"), "legal")
    office.give(WithdrawViolation(case=case, violation=1, reason="误"), "supervisor2")
    office.pay(case, 1_000_000_00, "流水2")
    office.close()
    log = SQLiteLog(tmp_path / "facts.sqlite")
    rows = log.rows(1, log.size)
    log.close()
    assert said_of(rows) == []
    standing = [row for row in rows if row.type_name not in ("violation-withdrawn", "recovery-cancelled")]
    assert "paid-while-stopped" in [code for _, code in said_of(standing)]


def test_an_event_that_cannot_be_read_does_not_stop_the_reading(history: list[Row]) -> None:
    spoilt = [row._replace(data=b"{") if row.type_name == "role-granted" else row for row in history[:3]]
    assert said_of(spoilt) == []


def test_a_log_that_is_empty_is_not_wrong(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.close()
    log = SQLiteLog(tmp_path / "facts.sqlite")
    assert verify(log, []).whole
    log.close()
