"""Resources carry versions: a reader is spared what it has, and a step on an outdated view is refused."""

from __future__ import annotations

import pytest

from tests.api.http_office import ENTERPRISE, V1, HttpOffice


def test_what_the_caller_has_already_is_304(office: HttpOffice) -> None:
    application = office.submitted()
    tag = office.get("intake", application).headers["ETag"]
    assert not tag.startswith("W/")
    unchanged = office.get("intake", application, If_None_Match=tag)
    assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", tag)

    office.does("intake", f"{application}/acceptance", {"acceptance_number": "SL-1"})
    assert office.get("intake", application, If_None_Match=tag).status_code == 200


def test_the_two_languages_are_two_representations(office: HttpOffice) -> None:
    application = office.submitted()
    tag = office.get("intake", application).headers["ETag"]
    english = office.get("intake", application, If_None_Match=tag, Accept_Language="en")
    assert (english.status_code, english.json["state_name"]) == (200, "submitted")


def test_a_tag_of_a_list_changes_with_it(office: HttpOffice) -> None:
    path = f"{V1}/enterprises/{ENTERPRISE}/limits?year=2026"
    tag = office.get("intake", path).headers["ETag"]
    assert office.get("intake", path, If_None_Match=tag).status_code == 304
    office.approved()
    assert office.get("intake", path, If_None_Match=tag).status_code == 200


def test_a_step_answers_with_the_tag_that_a_reader_gets(office: HttpOffice) -> None:
    award = office.approved()
    answer = office.post("finance", f"{award}/disbursements", {"amount": "1.00"})
    assert answer.headers["ETag"] == office.get("finance", award).headers["ETag"]


def test_a_step_on_an_outdated_view_is_412_and_changes_nothing(office: HttpOffice) -> None:
    award = office.approved()
    seen = office.get("finance", award).headers["ETag"]
    current = office.post("finance", f"{award}/disbursements", {"amount": "1.00"}, If_Match=seen)
    assert current.status_code == 201
    before = office.head
    stale = office.post("finance", f"{award}/disbursements", {"amount": "1.00"}, If_Match=seen)
    assert (stale.status_code, stale.json["code"], office.head) == (412, "precondition-failed", before)


@pytest.mark.parametrize("tag", ['"something"', 'W/"1.zh-CN"', '"999999.zh-CN"', "nonsense"])
def test_a_tag_that_no_case_has_now_is_412(office: HttpOffice, tag: str) -> None:
    award = office.approved()
    answer = office.post("finance", f"{award}/disbursements", {"amount": "1.00"}, If_Match=tag)
    assert answer.status_code == 412


def test_any_of_several_tags_and_a_star_will_do(office: HttpOffice) -> None:
    award = office.approved()
    seen = office.get("finance", award).headers["ETag"]
    for tags in (f'"1.zh-CN", {seen}', "*"):
        assert office.post("finance", f"{award}/disbursements", {"amount": "1.00"}, If_Match=tags).status_code == 201


@pytest.mark.parametrize("others", ['"1.zh-CN"', '"1.zh-CN", "2.zh-CN"', '"something"'])
def test_a_repetition_is_answered_whatever_several_preconditions_say(office: HttpOffice, others: str) -> None:
    award = office.approved()
    tags = f"{others}, {office.get('finance', award).headers['ETag']}"
    path, body = f"{award}/disbursements", {"amount": "1.00"}
    first, again = [office.post("finance", path, body, key="k-1", If_Match=tags) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert office.post("finance", path, body, key="k-2", If_Match=tags).status_code == 412


def test_a_repetition_is_answered_whatever_its_precondition(office: HttpOffice) -> None:
    award = office.approved()
    seen = office.get("finance", award).headers["ETag"]
    answers = [
        office.post("finance", f"{award}/disbursements", {"amount": "1.00"}, key="k-1", If_Match=seen) for _ in range(2)
    ]
    assert answers[0].data == answers[1].data
    assert answers[1].headers["Idempotency-Replayed"] == "true"
