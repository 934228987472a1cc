"""Same matter, once, over HTTP: evidence that was used before, and other public money for the same matter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.http_office import CLAIM, V1, HttpOffice

INVOICE = {"kind": "invoice", "key": "04403190-0001"}
DISTRICT = {"level": "district", "amount": "1000000.00", "document": "青禾财〔2026〕8号"}


def submission(**claim: Any) -> dict[str, Any]:
    return {"enterprise_name": "深圳示例医疗有限公司", **CLAIM, **claim}


def test_an_application_shows_the_evidence_and_the_other_funding_it_was_submitted_with(office: HttpOffice) -> None:
    evidence = [INVOICE, {"kind": "certificate", "key": "国械注准20263010001"}]
    answer = office.post("intake", f"{V1}/applications", submission(evidence=evidence, other_funding=[DISTRICT]))
    assert answer.status_code == 201, answer.text
    shown = office.get("reviewer", answer.headers["Location"]).json
    assert shown["evidence"] == [
        {"kind": "invoice", "key": "04403190-0001", "stage": "registration", "use": "once", "again": False},
        {
            "kind": "certificate", "key": "国械注准20263010001", "stage": "registration",
            "use": "once-per-stage", "again": False,
        },
    ]  # fmt: skip
    assert (shown["other_funding"], shown["way_out"]) == ([DISTRICT], None)
    assert {name: answer.json[name] for name in ("evidence", "other_funding", "way_out")} == {
        name: shown[name] for name in ("evidence", "other_funding", "way_out")
    }


def test_an_application_without_evidence_says_so(office: HttpOffice) -> None:
    shown = office.get("reviewer", office.submitted()).json
    assert (shown["evidence"], shown["other_funding"], shown["way_out"]) == ([], [], None)


@pytest.mark.parametrize(
    ("claim", "field", "code"),
    [
        ({"evidence": [INVOICE, {"kind": "invoice"}]}, "evidence[1].key", "missing"),
        ({"evidence": [{"kind": "invoice", "key": ""}]}, "evidence[0].key", "invalid"),
        ({"evidence": [{"kind": "invoice", "key": 7}]}, "evidence[0].key", "invalid-text"),
        ({"evidence": [{"kind": "receipt", "key": "1"}]}, "evidence[0].kind", "unknown"),
        ({"evidence": [{**INVOICE, "stage": "registration"}]}, "evidence[0].stage", "unknown"),
        ({"evidence": [{**INVOICE, "date": "2026-01-01"}]}, "evidence[0].date", "unknown"),
        ({"evidence": [INVOICE, INVOICE]}, "evidence[1].key", "duplicate"),
        ({"evidence": ["1"]}, "evidence[0]", "not-an-object"),
        ({"evidence": "1"}, "evidence", "not-a-list"),
        ({"evidence": None}, "evidence", "missing"),
        ({"evidence": [{"kind": "invoice", "key": str(n)} for n in range(501)]}, "evidence", "too-many"),
        ({"other_funding": [{**DISTRICT, "level": "village"}]}, "other_funding[0].level", "unknown"),
        ({"other_funding": [DISTRICT, {**DISTRICT, "amount": 5}]}, "other_funding[1].amount", "invalid-money"),
        ({"other_funding": [{**DISTRICT, "amount": "0.00"}]}, "other_funding[0].amount", "not-positive"),
        ({"other_funding": [{**DISTRICT, "document": " "}]}, "other_funding[0].document", "missing"),
        ({"other_funding": {}}, "other_funding", "not-a-list"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_nothing_is_recorded(
    office: HttpOffice, claim: dict[str, Any], field: str, code: str
) -> None:
    before = office.head
    answer = office.post("intake", f"{V1}/applications", submission(**claim))
    assert answer.status_code == 422, answer.text
    assert (field, code) in {(error["field"], error["code"]) for error in answer.json["errors"]}
    assert all(error["message"] for error in answer.json["errors"])
    assert office.head == before


def test_evidence_used_before_is_refused_and_the_earlier_application_named(office: HttpOffice) -> None:
    first = office.submitted(evidence=[INVOICE]).rpartition("/")[2]
    again = submission(item="另一张证", evidence=[{"kind": "invoice", "key": "04403190－０００１"}])
    refused = office.post("intake", f"{V1}/applications", again, key="again")
    assert refused.status_code == 422
    assert (refused.json["code"], refused.json["clause"]) == ("evidence-used", "附则")
    assert refused.json["earlier_application"] == first
    assert first in refused.json["detail"]
    assert "04403190-0001" in refused.json["detail"]

    repeated = office.post("intake", f"{V1}/applications", again, key="again", Accept_Language="en")
    assert repeated.headers["Idempotency-Replayed"] == "true"
    assert repeated.json["earlier_application"] == first
    assert first in repeated.json["detail"]
    (listed,) = office.get("auditor", f"{V1}/refusals").json["refusals"]
    assert (listed["code"], listed["earlier_application"]) == ("evidence-used", first)


def test_other_refusals_name_no_earlier_application(office: HttpOffice) -> None:
    answer = office.post("intake", f"{V1}/applications", submission(rule="6"))
    assert answer.json["code"] == "no-money-rule"
    assert "earlier_application" not in answer.json


def test_evidence_is_free_again_when_its_application_has_ended(office: HttpOffice) -> None:
    first = office.submitted(evidence=[INVOICE])
    office.does("intake", f"{first}/withdrawal")
    office.submitted(item="另一张证", evidence=[INVOICE])


def test_other_public_money_blocks_the_amount_and_the_two_ways_out_are_told(office: HttpOffice) -> None:
    application = office.submitted(other_funding=[DISTRICT])
    office.does("intake", f"{application}/acceptance", {"acceptance_number": "SL-1"})
    blocked = office.post("reviewer", f"{application}/determination")
    assert (blocked.status_code, blocked.json["code"], blocked.json["clause"]) == (422, "other-funding", "附则")
    assert "退回后申领" in blocked.json["detail"]
    assert "补足差额" in blocked.json["detail"]


@pytest.mark.parametrize(
    ("way_out", "amount"), [("return-then-claim", "6000000.00"), ("top-up-difference", "5000000.00")]
)
def test_either_way_out_lets_the_claim_go_on(office: HttpOffice, way_out: str, amount: str) -> None:
    application = office.submitted(other_funding=[DISTRICT])
    office.does("intake", f"{application}/acceptance", {"acceptance_number": "SL-1"})
    decision = {"way_out": way_out, "reference": "会议纪要〔2026〕7号", "reason": "就高不就低"}
    decided = office.does("approver", f"{application}/other-funding-decision", decision)
    assert decided["way_out"] == way_out
    determined = office.does("reviewer", f"{application}/determination")
    assert determined["determination"]["amount"] == amount
    assert office.get("auditor", application).json["way_out"] == way_out


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"way_out": "ignore"}, "way_out"), ({"reference": None}, "reference"), ({"reason": ""}, "reason")],
)
def test_a_way_out_needs_its_document_and_its_reason(office: HttpOffice, changes: dict[str, Any], field: str) -> None:
    application = office.submitted(other_funding=[DISTRICT])
    decision = {"way_out": "return-then-claim", "reference": "纪要1号", "reason": "已退回", **changes}
    answer = office.post("approver", f"{application}/other-funding-decision", decision)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)


def test_there_is_nothing_to_decide_where_no_other_funding_was_declared(office: HttpOffice) -> None:
    decision = {"way_out": "return-then-claim", "reference": "纪要1号", "reason": "已退回"}
    answer = office.post("approver", f"{office.submitted()}/other-funding-decision", decision)
    assert (answer.status_code, answer.json["code"]) == (409, "no-other-funding")


def test_other_funding_may_name_an_award_of_this_ledger(office: HttpOffice) -> None:
    award = office.approved(item="甲").rpartition("/")[2]
    declared = {"level": "city", "amount": "6000000.00", "document": award}
    assert office.get("intake", office.submitted(item="乙", other_funding=[declared])).json["other_funding"] == [
        declared
    ]


@pytest.mark.parametrize(
    ("document", "code"), [("awd-0000000000", "unknown-award"), ("awd-7Q2M", "unknown-award"), (" ", "missing")]
)
def test_an_award_that_nobody_knows_is_no_other_funding(office: HttpOffice, document: str, code: str) -> None:
    before = office.head
    declared = {"level": "city", "amount": "6000000.00", "document": document}
    answer = office.post("intake", f"{V1}/applications", submission(other_funding=[declared]))
    assert answer.status_code == 422, answer.text
    assert [(its["field"], its["code"]) for its in answer.json["errors"]] == [("other_funding[0].document", code)]
    assert office.head == before


def test_an_award_of_this_ledger_counts_as_recorded_and_is_returned_only_when_it_was(office: HttpOffice) -> None:
    award = office.approved(item="甲").rpartition("/")[2]
    declared = {"level": "city", "amount": "0.01", "document": award}
    application = office.submitted(item="乙", other_funding=[declared])
    office.does("intake", f"{application}/acceptance", {"acceptance_number": "SL-7"})
    decision = {"reference": "会议纪要〔2026〕7号", "reason": "就高不就低"}
    path = f"{application}/other-funding-decision"
    refused = office.post("approver", path, {"way_out": "return-then-claim", **decision})
    assert (refused.status_code, refused.json["code"]) == (422, "other-funding-not-returned")
    assert award in refused.json["detail"]
    office.does("approver", path, {"way_out": "top-up-difference", **decision})
    nothing_left = office.post("reviewer", f"{application}/determination")
    assert (nothing_left.status_code, nothing_left.json["code"]) == (422, "other-funding-not-less")


def test_an_award_of_another_enterprise_is_not_declared(office: HttpOffice) -> None:
    award = office.approved(item="甲").rpartition("/")[2]
    declared = {"level": "city", "amount": "6000000.00", "document": award}
    claim = submission(enterprise="91440300MA5EYR2P9G", item="乙", other_funding=[declared])
    answer = office.post("intake", f"{V1}/applications", claim)
    assert (answer.status_code, answer.json["code"]) == (422, "award-of-another-enterprise")
