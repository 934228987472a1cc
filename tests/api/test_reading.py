"""Reading: one's own writes, the past by what was recorded and by what had taken effect, lists and feeds."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from api.rest import lists, moments
from tests.api.http_office import ENTERPRISE, V1, HttpOffice, SetClock

LISTS = ("applications", "awards", "enterprises")


@pytest.mark.parametrize("path", [f"{V1}/{name}" for name in LISTS])
def test_a_list_shows_what_the_reader_has_just_written(office: HttpOffice, path: str) -> None:
    award = office.approved()
    position = office.get("finance", award).json["position"]
    seen = office.get("finance", path, Ledger_Position=str(position))
    assert (seen.status_code, seen.json["total"]) == (200, 1)


@pytest.mark.parametrize("path", [f"{V1}/applications", f"{V1}/enterprises/{ENTERPRISE}/limits"])
def test_a_position_that_does_not_come_is_503_after_a_bounded_wait(
    office: HttpOffice, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "WAIT_SECONDS", 0.05)
    late = office.get("finance", path, Ledger_Position="999999")
    assert (late.status_code, late.json["code"], late.headers["Retry-After"]) == (503, "position-not-reached", "1")


@pytest.mark.parametrize("position", ["-1", "x", "1.0", "９", "9" * 30])
def test_a_position_is_a_whole_number(office: HttpOffice, position: str) -> None:
    answer = office.get("finance", f"{V1}/me", Ledger_Position=position)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "Ledger-Position")


def test_every_resource_can_be_asked_as_of_an_instant(office: HttpOffice, clock: SetClock) -> None:
    application = office.determined()
    clock.advance(minutes=1)
    before_approval = clock.now
    clock.advance(minutes=1)
    body = {"policy": "shenzhen-meddev-2022", "year": 2026, "amount": "9000000.00"}
    office.does("finance", f"{V1}/budgets", body)
    approval = office.post("approver", f"{application}/approval", {"amount": "6000000.00"})
    award, now = approval.headers["Location"], str(office.head)
    then = f"as_of={quote(before_approval.isoformat())}"

    assert office.get("finance", f"{application}?{then}").json["state"] == "determined"
    assert office.get("finance", f"{award}?{then}").status_code == 404
    assert office.get("finance", f"{award}/history?{then}").status_code == 404
    limits = f"{V1}/enterprises/{ENTERPRISE}/limits?year=2026"
    assert office.get("finance", f"{limits}&{then}").json["limits"][0]["used"] == "0.00"
    assert office.get("finance", limits).json["limits"][0]["used"] == "6000000.00"
    budget = f"{V1}/budgets/shenzhen-meddev-2022/2026"
    assert office.get("finance", f"{budget}?{then}").json["appropriated"] is None
    assert office.get("finance", budget).json["approved"] == "6000000.00"
    summary = f"{V1}/enterprises/{ENTERPRISE}"
    assert office.get("finance", f"{summary}?{then}").json["awarded"] == "0.00"
    assert office.get("finance", summary).json["awarded"] == "6000000.00"
    listed = office.get("finance", f"{V1}/applications?{then}", Ledger_Position=now).json["applications"]
    assert [row["state"] for row in listed] == ["determined"]
    assert office.get("finance", f"{V1}/awards?{then}").json["awards"] == []


def test_every_resource_can_be_asked_by_business_date(office: HttpOffice, clock: SetClock) -> None:
    application = office.determined(effective_on="2026-05-01")
    clock.advance(days=10)
    office.sign_in_all()
    award = office.post("approver", f"{application}/approval", {"amount": "6000000.00"}).headers["Location"]
    clock.advance(days=10)
    office.sign_in_all()
    office.paid(award, "6000000.00")
    now = str(office.head)

    assert office.get("finance", f"{award}?effective=2026-06-11").json["settled"] == "0.00"
    assert office.get("finance", f"{award}?effective=2026-06-21").json["settled"] == "6000000.00"
    assert office.get("finance", f"{award}?effective=2026-06-10").status_code == 404
    assert office.get("finance", f"{application}?effective=2026-05-31").json["state"] == "submitted"
    rows = office.get("finance", f"{V1}/awards?effective=2026-06-11", Ledger_Position=now).json
    assert [(row["state"], row["settled"]) for row in rows["awards"]] == [("approved", "0.00")]
    assert office.get("finance", f"{V1}/awards?effective=2026-06-10").json["total"] == 0
    assert office.get("finance", f"{V1}/applications?effective=2026-04-30").json["total"] == 0
    (row,) = office.get("finance", f"{V1}/enterprises?effective=2026-06-11").json["enterprises"]
    assert (row["awarded"], row["settled"], row["cases"]) == ("6000000.00", "0.00", 1)


def test_a_list_by_business_date_is_true_of_one_position(office: HttpOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    applications = [office.submitted(item=f"产品{number}") for number in range(4)]
    position, views = office.head, office.service.views
    assert views.wait_for(position, 10)
    read = type(views).cases

    def moving(runner: object, *sought: object, **page: object) -> object:
        found = read(runner, *sought, **page)
        if page["page"] == 1:
            office.does("intake", f"{applications[0]}/acceptance", {"acceptance_number": "SL-1"})
            assert views.wait_for(office.head, 10)
        return found

    monkeypatch.setattr(lists, "_BATCH", 2)
    monkeypatch.setattr(type(views), "cases", moving)
    listed = office.get("intake", f"{V1}/applications?effective=2026-06-01").json
    assert [row["item"] for row in listed["applications"]] == ["产品3", "产品2", "产品1", "产品0"]
    assert {row["state"] for row in listed["applications"]} == {"submitted"}
    assert listed["position"] == position


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("as_of=2026-06-01T09:00:00", "as_of"),
        ("as_of=2026-06-01", "as_of"),
        ("as_of=0001-01-01T00:00:00%2B14:00", "as_of"),
        ("effective=yesterday", "effective"),
        ("asof=2026-06-01T09:00:00Z", "asof"),
        ("page=0", "page"),
        ("page_size=201", "page_size"),
        ("page=１", "page"),
        ("page=" + "9" * 40, "page"),
        ("state=gone", "state[0]"),
        ("enterprise=1", "enterprise"),
        ("text=" + "x" * 201, "text"),
        ("text=" + "x" * 60_000, "text"),
        ("text=%00", "text"),
        ("text=%E2%80%8B", "text"),
        ("rule=" + "5" * 201, "rule"),
        ("policy=%00", "policy"),
    ],
)
def test_a_misspelt_question_is_refused_by_name(office: HttpOffice, query: str, field: str) -> None:
    answer = office.get("finance", f"{V1}/applications?{query}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field), answer.text


def test_a_plus_sign_that_became_a_blank_is_understood(office: HttpOffice) -> None:
    assert office.get("finance", f"{V1}/applications?as_of=2026-06-01T09:00:00+08:00").status_code == 200


def test_lists_are_paged_filtered_and_searched(office: HttpOffice) -> None:
    for number in range(5):
        office.submitted(item=f"产品{number}")
    office.approved(item="已批产品")
    now = str(office.head)

    page = office.get("finance", f"{V1}/applications?page=2&page_size=4", Ledger_Position=now).json
    assert (page["total"], page["page"], len(page["applications"])) == (6, 2, 2)
    assert office.get("finance", f"{V1}/applications?state=approved&state=accepted").json["total"] == 1
    assert office.get("finance", f"{V1}/applications?text={quote('产品3')}").json["total"] == 1
    assert office.get("finance", f"{V1}/applications?enterprise={ENTERPRISE}&rule=5.1").json["total"] == 0
    (award,) = office.get("finance", f"{V1}/awards").json["awards"]
    assert (award["awarded"], award["item"]) == ("6000000.00", "已批产品")
    (enterprise,) = office.get("finance", f"{V1}/enterprises").json["enterprises"]
    assert (enterprise["cases"], enterprise["awarded"]) == (6, "6000000.00")
    (detail,) = [office.get("finance", f"{V1}/enterprises/{ENTERPRISE}").json]
    assert len(detail["cases"]) == 6


@pytest.mark.parametrize("text", ["%", "_", "\\", "/", "%产%", "_" * 200])
def test_a_wildcard_in_a_search_is_a_character_like_any_other(office: HttpOffice, text: str) -> None:
    office.submitted(item="产品")
    now = str(office.head)
    for name in ("applications", "enterprises"):
        found = office.get("finance", f"{V1}/{name}?text={quote(text, safe='')}", Ledger_Position=now)
        assert (found.status_code, found.json["total"]) == (200, 0)


def test_a_state_may_be_named_any_number_of_times(office: HttpOffice) -> None:
    office.submitted()
    listed = f"{V1}/applications?" + "&".join(["state=submitted"] * 40_000)
    assert office.get("finance", listed, Ledger_Position=str(office.head)).json["total"] == 1


def test_the_feed_can_be_resumed_at_any_position(office: HttpOffice) -> None:
    office.approved()
    whole = office.get("auditor", f"{V1}/events?limit=1000").json["events"]
    assert [event["position"] for event in whole] == list(range(1, office.head + 1))

    pieces, after = [], 0
    while events := (page := office.get("admin", f"{V1}/events?after={after}&limit=3").json)["events"]:
        pieces += events
        after = page["next"]
    assert pieces == whole
    assert page["next"] == office.head


def test_policies_tell_what_a_claim_must_state(office: HttpOffice) -> None:
    (listed,) = office.get("publisher", f"{V1}/policies").json["policies"]
    policy = office.get("publisher", f"{V1}/policies/{listed['id']}").json
    (rule,) = [rule for rule in policy["rules"] if rule["id"] == "5.2"]
    asked = {particular["name"] for particular in rule["particulars"] if particular["required"]}
    assert asked == {"rd_cost", "special_approval"}
    assert rule["limit"] == "C5"
    assert office.get("publisher", f"{V1}/policies/none").status_code == 404
    assert office.get("publisher", f"{V1}/budgets/none/2026").status_code == 404
    assert office.get("publisher", f"{V1}/budgets/{listed['id']}/1999").status_code == 404
