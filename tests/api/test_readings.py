"""Readings over HTTP: the office interprets an open question, and everybody sees how it is read, since when and by whom."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.http_office import POLICY, V1, HttpOffice, SetClock

TEXT = f"{V1}/policies/{POLICY}/1"
SWITCH = {
    "reading": "B13",
    "value": "benchmark",
    "decided_by": "市发展和改革委员会",
    "effective_from": "2026-07-01",
    "reference": "会议纪要〔2026〕7号",
    "reason": "统一口径",
}


def reading(office: HttpOffice, query: str = "", name: str = "B13") -> dict[str, Any]:
    answer = office.get("auditor", f"{TEXT}/readings/{name}{query}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json
    return shown


def test_an_interpretation_counts_from_its_day_and_its_ground_is_shown(office: HttpOffice, clock: SetClock) -> None:
    before = quote(clock.now.isoformat())
    clock.advance(minutes=1)
    recorded = office.post("approver", f"{TEXT}/interpretations", SWITCH)
    assert recorded.status_code == 201, recorded.text
    assert recorded.headers["Location"] == f"{TEXT}/readings/B13"
    assert recorded.json == {
        **SWITCH,
        "policy": POLICY,
        "version": 1,
        "answer": "一律按基准价",
        "position": office.head,
        "recorded_at": recorded.json["recorded_at"],
        "recorded_by": "approver",
    }
    assert recorded.headers["Ledger-Position"] == str(office.head)

    now = reading(office)
    assert (now["value"], now["switchable"]) == ("lower", True)
    assert [(entry["value"], entry["in_force"]) for entry in now["history"]] == [("lower", True), ("benchmark", False)]
    then = reading(office, "?effective=2026-07-01")
    assert [(entry["value"], entry["in_force"]) for entry in then["history"]] == [("lower", False), ("benchmark", True)]
    assert {
        name: then[name] for name in ("value", "answer", "decided_by", "effective_from", "reference", "reason")
    } == {
        "value": "benchmark",
        "answer": "一律按基准价",
        "decided_by": "市发展和改革委员会",
        "effective_from": "2026-07-01",
        "reference": "会议纪要〔2026〕7号",
        "reason": "统一口径",
    }
    assert reading(office, "?effective=2026-06-30")["value"] == "lower"
    assert len(reading(office, f"?as_of={before}")["history"]) == 1
    clock.advance(days=30)
    office.sign_in_all()
    assert reading(office)["value"] == "benchmark"


def test_a_quote_follows_the_reading_from_its_day(office: HttpOffice, clock: SetClock) -> None:
    claim = {
        "policy": POLICY, "rule": "5.1", "enterprise": "91440300MA5FX3K72N", "item": "甲",
        "particulars": {"rd_cost": "99.99", "special_approval": False},
    }  # fmt: skip
    office.does("approver", f"{TEXT}/interpretations", {**SWITCH, "reading": "B27", "value": "fen"})
    assert office.post("intake", f"{V1}/quotes", claim, key=None).json["amount"] == "39.00"
    clock.advance(days=30)
    office.sign_in_all()
    assert office.post("intake", f"{V1}/quotes", claim, key=None).json["amount"] == "39.99"


def test_every_open_question_is_listed_with_what_else_it_could_mean_and_who_decides(office: HttpOffice) -> None:
    listed = office.get("publisher", f"{TEXT}/readings").json["readings"]
    assert {f"B{number}" for number in range(1, 44)} <= {each["id"] for each in listed}
    for each in listed:
        assert each["question"], each["id"]
        assert each["decided_by"], each["id"]
        (in_force,) = [entry for entry in each["history"] if entry["in_force"]]
        assert (in_force["value"], in_force["answer"]) == (each["value"], each["answer"]), each["id"]
        assert each["alternatives"] == [] or each["switchable"] or each["fixed"], each["id"]
    (b13,) = [each for each in listed if each["id"] == "B13"]
    assert [option["value"] for option in b13["options"]] == ["lower", "benchmark"]
    assert b13["history"][0]["position"] is None


def test_the_same_key_gives_the_same_interpretation_again(office: HttpOffice, clock: SetClock) -> None:
    first = office.post("approver", f"{TEXT}/interpretations", SWITCH, key="k")
    clock.advance(hours=1)
    again = office.post("approver", f"{TEXT}/interpretations", SWITCH, key="k")
    assert (again.status_code, again.json, again.headers["Idempotency-Replayed"]) == (201, first.json, "true")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"value": "highest"}, "value"),
        ({"reading": "B99"}, "reading"),
        ({"effective_from": "2026-05-31"}, "effective_from"),
        ({"effective_from": "soon"}, "effective_from"),
        ({"reference": None}, "reference"),
        ({"reason": " "}, "reason"),
        ({"decided_by": ""}, "decided_by"),
        ({"version": 1}, "version"),
    ],
)
def test_an_interpretation_without_its_ground_is_not_recorded(
    office: HttpOffice, changes: dict[str, Any], field: str
) -> None:
    before = office.head
    answer = office.post("approver", f"{TEXT}/interpretations", {**SWITCH, **changes})
    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json["errors"]}
    assert office.head == before


@pytest.mark.parametrize("day", ["9999-01-01", "2030-01-01", "2016-01-01"])
def test_a_first_day_that_would_put_the_policy_out_of_force_is_a_slip(office: HttpOffice, day: str) -> None:
    answer = office.post("approver", f"{TEXT}/interpretations", {**SWITCH, "reading": "V1", "value": day})
    assert (answer.status_code, [error["field"] for error in answer.json["errors"]]) == (422, ["value"]), answer.text


def test_what_the_reviewer_goes_by_is_switched_and_shown(office: HttpOffice) -> None:
    assert reading(office)["followed_by"] is None
    office.does("approver", f"{TEXT}/interpretations", {**SWITCH, "reading": "B16", "value": "built-area"})
    until, then = (reading(office, f"?effective={day}", "B16") for day in ("2026-06-30", "2026-07-01"))
    assert (until["followed_by"], until["switchable"], until["fixed"]) == ("reviewer", True, None)
    assert (until["value"], then["value"]) == ("licensed-gmp-area", "built-area")
    text = office.get("auditor", f"{TEXT}?effective=2026-07-01").json
    (shown,) = [each for each in text["readings"] if each["id"] == "B16"]
    assert (shown["value"], shown["answer"], shown["followed_by"]) == ("built-area", "按厂房的建筑面积", "reviewer")


def test_a_question_that_this_version_settles_is_not_switched(office: HttpOffice) -> None:
    answer = office.post("approver", f"{TEXT}/interpretations", {**SWITCH, "reading": "B7", "value": "separately"})
    assert (answer.status_code, answer.json["code"], answer.json["clause"]) == (422, "reading-not-switchable", "五")


@pytest.mark.parametrize(
    ("address", "named"),
    [
        (f"{V1}/policies/{POLICY}/7/readings", "现有第1版"),
        (f"{V1}/policies/nowhere/1/readings", POLICY),
        (f"{TEXT}/readings/B99", "B13"),
    ],
)
def test_what_does_not_exist_is_404_and_what_does_is_named(office: HttpOffice, address: str, named: str) -> None:
    answer = office.get("auditor", address)
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert named in answer.json["detail"]


@pytest.mark.parametrize("address", [f"{V1}/policies/{POLICY}/7", f"{V1}/policies/nowhere/1"])
def test_a_text_that_does_not_exist_is_not_interpreted(office: HttpOffice, address: str) -> None:
    assert office.post("approver", f"{address}/interpretations", SWITCH).status_code == 404
