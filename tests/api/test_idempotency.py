"""The same key and body give the first answer again: at once, after a restart, and to fifty copies at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.http_office import CLAIM, V1, HttpOffice, SetClock, opened

SUBMISSION = {**CLAIM, "enterprise_name": "深圳示例医疗有限公司"}
SAME_HEADERS = ("Location", "ETag", "Ledger-Position")


def test_a_repetition_gets_the_first_answer_even_when_the_case_has_moved_on(office: HttpOffice) -> None:
    first = office.post("intake", f"{V1}/applications", SUBMISSION, key="k-1")
    office.does("intake", f"{first.headers['Location']}/acceptance", {"acceptance_number": "SL-1"})
    before = office.head
    again = office.post("intake", f"{V1}/applications", SUBMISSION, key="k-1")

    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert [again.headers[name] for name in SAME_HEADERS] == [first.headers[name] for name in SAME_HEADERS]
    assert office.head == before


def test_a_refused_request_for_money_is_refused_alike_again(office: HttpOffice) -> None:
    award = office.approved()
    answers = [office.post("finance", f"{award}/disbursements", {"amount": "9000000.00"}, key="k-1") for _ in range(2)]
    assert answers[0].data == answers[1].data
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
    assert answers[0].headers["Ledger-Position"] == answers[1].headers["Ledger-Position"] == str(office.head)


def test_another_body_under_the_same_key_is_a_conflict(office: HttpOffice) -> None:
    office.post("intake", f"{V1}/applications", SUBMISSION, key="k-1")
    before = office.head
    other = office.post("intake", f"{V1}/applications", {**SUBMISSION, "item": "另一产品"}, key="k-1")
    assert (other.status_code, other.json["code"]) == (409, "idempotency-conflict")
    assert office.head == before


def test_one_key_of_two_people_stands_for_two_requests(office: HttpOffice) -> None:
    award = office.approved()
    for user in ("finance", "finance2"):
        answer = office.post(user, f"{award}/disbursements", {"amount": "1.00"}, key="k-1")
        assert answer.status_code == 201
        assert "Idempotency-Replayed" not in answer.headers


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_nothing_is_recorded(office: HttpOffice, key: str | None) -> None:
    before = office.head
    headers = {} if key is None else {"Idempotency_Key": key}
    answer = office.post("intake", f"{V1}/applications", SUBMISSION, key=None, **headers)
    assert (answer.status_code, answer.json["code"]) == (428, "idempotency-key-required")
    assert office.head == before


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
def test_a_key_that_is_none_is_refused_by_name(office: HttpOffice, key: str) -> None:
    answer = office.post("intake", f"{V1}/applications", SUBMISSION, key=key)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_fifty_copies_at_once_record_one_event(office: HttpOffice) -> None:
    before = office.head
    with ThreadPoolExecutor(50) as copies:
        answers = list(
            copies.map(lambda _: office.post("intake", f"{V1}/applications", SUBMISSION, key="k-1"), range(50))
        )
    assert office.head == before + 1
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1


def test_keys_survive_a_restart(tmp_path: Path, clock: SetClock) -> None:
    with opened(tmp_path, clock) as service:
        first = HttpOffice.over(service, clock).post("intake", f"{V1}/applications", SUBMISSION, key="k-1")
    clock.advance(hours=1)
    with opened(tmp_path, clock) as service:
        office = HttpOffice.over(service, clock)
        again = office.post("intake", f"{V1}/applications", SUBMISSION, key="k-1")
        assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
        assert office.get("intake", first.headers["Location"]).json == first.json
