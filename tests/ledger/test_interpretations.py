"""Readings switched through the one door: only for decisions to come, and without touching the text they are pinned to."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.commands.determine_amount import DetermineAmount
from ledger.commands.find_violation import FindViolation
from ledger.commands.order_recovery import OrderRecovery
from ledger.commands.record_interpretation import RecordInterpretation
from ledger.commands.release_award import ReleaseAward
from ledger.errors import Malformed, NotPermitted, Refusal
from projections.reader import Moment
from tests.office import ENTERPRISE, POLICY, Office

TODAY = date(2026, 3, 2)
LATER = date(2026, 4, 1)


def switch(to_reading: str, to_value: str, **changes: Any) -> RecordInterpretation:
    stated: dict[str, Any] = {
        "policy": POLICY,
        "reading": to_reading,
        "value": to_value,
        "decided_by": "市发展和改革委员会",
        "effective_from": LATER,
        "reference": "会议纪要〔2026〕7号",
        "reason": "统一口径",
    }
    return RecordInterpretation(**(stated | changes))


def determined_fen(office: Office, case: str) -> int:
    office.give(DetermineAmount(case=case), "reviewer")
    determination = office.reader.case(case).determination
    assert determination is not None
    return determination.amount_fen


def test_a_switch_changes_decisions_from_its_date_and_no_pin(office: Office) -> None:
    case = office.accepted("甲", rule="5.1", rd_cost="99.99", special_approval=False)
    office.give(switch("B27", "fen"), "approver")
    assert determined_fen(office, case) == 3900
    office.clock.set(date(2026, 3, 31))
    assert determined_fen(office, case) == 3900
    office.clock.set(LATER)
    assert determined_fen(office, case) == 3999
    pins = {recorded.envelope.policy for recorded in office.reader.history(case)}
    assert pins == {office.policies.get(POLICY).pin}


def test_a_quote_reads_as_the_decision_does(office: Office) -> None:
    def quoted_fen() -> int:
        stated = {"rd_cost": "99.99", "special_approval": False}
        return office.ledger.quote(POLICY, "5.1", ENTERPRISE, "甲", stated).amount_fen

    office.give(switch("B27", "fen"), "approver")
    assert quoted_fen() == 3900
    office.clock.set(LATER)
    assert quoted_fen() == 3999


def test_a_decision_dated_before_the_switch_is_read_as_then(office: Office) -> None:
    case = office.accepted("甲", rule="5.1", rd_cost="99.99", special_approval=False)
    office.give(switch("B27", "fen"), "approver")
    office.clock.set(date(2026, 4, 2))
    office.give(DetermineAmount(case=case, effective_on=date(2026, 3, 31)), "reviewer")
    determination = office.reader.case(case).determination
    assert determination is not None
    assert determination.amount_fen == 3900


def test_of_two_switches_the_later_day_counts_and_of_one_day_the_later_decision(office: Office) -> None:
    office.give(switch("B21", "70%", effective_from=date(2026, 5, 1)), "approver")
    office.give(switch("B21", "90%"), "approver")
    office.give(switch("B21", "80%"), "approver")
    values = [office.reader.policy(POLICY, moment=Moment(effective=day)).readings["B21"].value for day in (
        date(2026, 3, 31), LATER, date(2026, 4, 30), date(2026, 5, 1))]  # fmt: skip
    assert values == ["100%", "80%", "80%", "70%"]


def test_the_office_sees_who_decided_by_which_document_and_what_it_knew_when(office: Office) -> None:
    before = office.clock()
    office.give(switch("B13", "benchmark"), "approver")
    reading = office.reader.policy(POLICY, moment=Moment(effective=LATER)).readings["B13"]
    assert (reading.answer, reading.document, reading.decided_by, reading.since, reading.why) == (
        "一律按基准价", "会议纪要〔2026〕7号", "市发展和改革委员会", LATER, "统一口径",
    )  # fmt: skip
    assert office.reader.policy(POLICY, moment=Moment(as_of=before)).readings["B13"].value == "lower"
    assert office.reader.policy(POLICY).readings["B13"].value == "lower"
    office.clock.set(LATER)
    assert office.reader.policy(POLICY).readings["B13"].value == "benchmark"


def test_a_reading_that_no_code_takes_can_be_confirmed_and_not_switched(office: Office) -> None:
    office.give(switch("B7", "together"), "approver")
    reading = office.reader.policy(POLICY, moment=Moment(effective=LATER)).readings["B7"]
    assert "待确认" not in reading.decided_by
    with pytest.raises(Refusal) as refused:
        office.give(switch("B7", "separately"), "approver")
    assert (refused.value.code, refused.value.clause) == ("reading-not-switchable", "五")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"value": "highest"}, "value"),
        ({"reading": "B99"}, "reading"),
        ({"effective_from": date(2026, 3, 1)}, "effective_from"),
        ({"reference": None}, "reference"),
        ({"reason": " "}, "reason"),
        ({"decided_by": ""}, "decided_by"),
    ],
)
def test_an_interpretation_without_its_ground_is_not_recorded(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    before = office.head()
    with pytest.raises(Malformed) as malformed:
        office.give(switch("B13", "benchmark", **changes), "approver")
    assert field in {error.field for error in malformed.value.errors}
    assert office.head() == before


@pytest.mark.parametrize(
    ("reading", "value", "allowed"),
    [
        ("B21", "101%", "100%"),
        ("B21", "0%", "大于0"),
        ("B21", "much", "40%"),
        ("B21", "0.0001%", "0.01%"),
        ("B25", "some", "36个月"),
        ("B25", "99年", "最长20年"),
        ("B25.1", "21年", "最长20年"),
        ("B25.2", "9999日", "731日"),
        ("B5", "illness", "withdrawal"),
        ("V1", "2022-02-30", "存在的日期"),
        ("V1", "9999-01-01", "年份"),
        ("V1", "0001-01-01", "年份"),
        ("V1", "2030-01-01", "晚于今天2026-03-02"),
        ("V1", "2026-03-03", "晚于今天2026-03-02"),
        ("V1", "2016-01-01", "即已失效"),
        ("V1", "2021-04-01", "即已失效"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_slip_in_the_field_and_no_fault_of_the_file(
    office: Office, reading: str, value: str, allowed: str
) -> None:
    before = office.head()
    with pytest.raises(Malformed) as malformed:
        office.give(switch(reading, value), "approver")
    (error,) = malformed.value.errors
    assert error.field == "value"
    assert allowed in error.text.zh
    assert not {"政策文件有误", ".toml", "rate", "not"} & set(error.text.zh.split())
    assert any(why in error.text.en for why in ("not", "would be", "at most"))
    assert office.head() == before


@pytest.mark.parametrize("day", ["2026-03-02", "2022-09-01", "2021-04-02"])
def test_a_first_day_by_which_the_policy_stays_in_force_is_taken(office: Office, day: str) -> None:
    office.give(switch("V1", day), "approver")
    assert LATER in office.reader.policy(POLICY, moment=Moment(effective=LATER)).validity


def test_what_is_interpreted_before_a_policy_begins_is_named_by_its_version(tmp_path: Path) -> None:
    office = Office(tmp_path, today=date(2022, 7, 31))
    with pytest.raises(Refusal) as refused:
        office.give(switch("B13", "benchmark"), "approver")
    assert refused.value.code == "policy-not-in-force"
    assert "请写明版本" in refused.value.text.zh
    assert "give the version" in refused.value.text.en
    office.give(switch("B13", "benchmark", version=1), "approver")
    office.close()


FOLLOWED = {
    "B16": "built-area", "B19": "one-contract", "B22": "enterprise", "B23": "generic-name", "B24": "own",
    "B26": "control", "B34": "last-refused", "B36": "included", "B39": "loan-prime-rate",
    "B42": "first-day-not-counted", "B42.1": "7",
}  # fmt: skip


def test_no_reading_that_people_go_by_is_missing(office: Office) -> None:
    readings = office.policies.get(POLICY).readings.values()
    assert {reading.id for reading in readings if reading.followed_by is not None} == set(FOLLOWED)


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_people_go_by_is_switched_from_a_day_on_as_what_the_code_takes(office: Office, name: str) -> None:
    published = office.policies.get(POLICY).readings[name]
    office.give(switch(name, FOLLOWED[name]), "approver")
    before, then = (
        office.reader.policy(POLICY, moment=Moment(effective=day)).readings[name] for day in (date(2026, 3, 31), LATER)
    )
    assert before == published
    assert (then.value, then.answer, then.document) == (
        FOLLOWED[name], published.options[FOLLOWED[name]], "会议纪要〔2026〕7号",
    )  # fmt: skip
    with pytest.raises(Malformed) as malformed:
        office.give(switch(name, "otherwise"), "approver")
    assert [(error.field, error.code) for error in malformed.value.errors] == [("value", "unknown")]


def test_a_reading_from_a_day_after_the_policy_s_end_is_a_slip_unless_windows_run_on(office: Office) -> None:
    end = office.policies.get(POLICY).validity.end
    office.give(switch("B13", "benchmark", effective_from=end), "approver")
    office.give(switch("B33", "end", effective_from=TODAY), "approver")
    office.give(switch("B13", "lower", effective_from=end - timedelta(days=1)), "approver")
    with pytest.raises(Malformed) as malformed:
        office.give(switch("B13", "lower", effective_from=end), "approver")
    assert [error.field for error in malformed.value.errors] == ["effective_from"]


@pytest.mark.parametrize("person", ["admin", "reviewer", "finance"])
def test_only_the_deciding_role_interprets(office: Office, person: str) -> None:
    with pytest.raises(NotPermitted):
        office.give(switch("B13", "benchmark"), person)


def used_fen(office: Office) -> int:
    (use,) = [use for use in office.reader.limits(ENTERPRISE, 2026) if use.headroom.limit == "C5"]
    return use.headroom.used_fen


@pytest.mark.parametrize(("cause", "left_fen"), [("withdrawal", 600_000_000), ("violation", 0)])
def test_the_causes_that_give_a_release_back_are_switched(office: Office, cause: str, left_fen: int) -> None:
    case = office.approved("甲")
    office.give(switch("B5", "violation"), "approver")
    office.clock.set(LATER)
    if cause == "violation":
        office.give(FindViolation(case=case, reason="虚报研发费用"), "supervisor")
    office.give(ReleaseAward(case=case, amount_fen=600_000_000, cause=cause), "approver")
    assert used_fen(office) == left_fen


def test_a_recovery_keeps_the_reading_of_the_day_it_was_ordered(office: Office) -> None:
    case = office.approved("甲")
    office.pay(case, 600_000_000, "银行-1")
    office.give(OrderRecovery(case=case, amount_fen=100, cause="duplicate"), "supervisor2")
    office.give(switch("B5", "none"), "approver")
    office.clock.set(LATER)
    office.give(OrderRecovery(case=case, amount_fen=100, cause="duplicate"), "supervisor2")
    office.receive(case, 100, "银行-2", recovery=1)
    assert used_fen(office) == 599_999_900
    office.receive(case, 100, "银行-3", recovery=2)
    assert used_fen(office) == 599_999_900


def test_a_limit_is_shown_by_the_year_that_it_is_counted_in(office: Office) -> None:
    office.give(switch("B3", "calendar-year", effective_from=TODAY), "approver")
    lease = {"benchmark_rent": "100.00", "area_m2": "100.00", "tenancy_from": "2025-07-01"}
    office.approved("租约", rule="22.2", **lease, claim_from="2025-07-01", claim_until="2026-02-28")
    uses = [use for use in office.reader.limits(ENTERPRISE, 2025) if use.headroom.limit == "C22R"]
    assert [(use.headroom.scope[-5:], use.headroom.used_fen) for use in uses] == [("/2025", 3_000_000)]
