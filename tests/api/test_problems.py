"""Problems: one shape for all of them, in the caller's language, and no word too much."""

from __future__ import annotations

import logging

import pytest

from projections.reader import Reader
from tests.api.http_office import V1, HttpOffice


@pytest.mark.parametrize(
    ("language", "content_language", "title"),
    [
        (None, "zh-CN", "不存在"),
        ("zh-CN", "zh-CN", "不存在"),
        ("zh", "zh-CN", "不存在"),
        ("en", "en", "Not found"),
        ("en-GB;q=0.9, zh;q=0.1", "en", "Not found"),
        ("fr", "zh-CN", "不存在"),
        ("*", "zh-CN", "不存在"),
    ],
)
def test_texts_follow_the_language_asked_for(
    office: HttpOffice, language: str | None, content_language: str, title: str
) -> None:
    headers = {} if language is None else {"Accept_Language": language}
    answer = office.get("intake", f"{V1}/applications/app-0000000000", **headers)
    assert (answer.headers["Content-Language"], answer.json["title"]) == (content_language, title)
    assert answer.json["type"] == "urn:funding-ledger:problem:not-found"
    assert answer.json["status"] == answer.status_code == 404
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_refusal_is_told_in_the_language_of_the_one_who_asks(office: HttpOffice) -> None:
    award = office.approved()
    body = {"amount": "9000000.00"}
    chinese = office.post("finance", f"{award}/disbursements", body, key="k").json
    english = office.post("finance", f"{award}/disbursements", body, key="k", Accept_Language="en").json
    assert chinese["code"] == english["code"] == "above-award"
    assert chinese["detail"].startswith("申请拨付9000000.00元")
    assert english["detail"].startswith("9000000.00 yuan")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", f"{V1}/nothing", 404, "not-found"),
        ("DELETE", f"{V1}/quotes", 405, "method-not-allowed"),
        ("BREW", f"{V1}/quotes", 405, "method-not-allowed"),
        ("GET", "/assets/../credentials.py", 404, "not-found"),
        ("GET", "/assets/swagger-ui-standalone-preset.js", 404, "not-found"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    office: HttpOffice, method: str, path: str, status: int, code: str
) -> None:
    answer = office.app.test_client().open(path, method=method)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["code"] == code
    if status == 405:
        assert "POST" in answer.headers["Allow"]


def test_a_mistake_of_ours_tells_the_log_everything_and_the_caller_a_number(
    office: HttpOffice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(Reader, "case", fail)
    with caplog.at_level(logging.ERROR, "funding_ledger"):
        answer = office.get("intake", f"{V1}/applications/app-0000000000", X_Request_Id="abc-1", Accept_Language="en")

    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "abc-1" in answer.json["detail"]
    assert answer.headers["X-Request-Id"] == "abc-1"
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.msg["request_id"] == "abc-1"


def test_the_log_names_no_person_no_enterprise_and_no_case(
    office: HttpOffice, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        application = office.submitted()
        office.get("reviewer", application)
        office.post(None, f"{V1}/tokens", {"username": "reviewer", "password": "nope"}, key=None)
        metrics = office.get(None, "/metrics").text
    told = "\n".join(str(record.msg) for record in caplog.records if record.name == "funding_ledger") + metrics
    assert "/api/v1/applications/<string:application_id>" in told
    for private in ("reviewer", "nope", "91440300MA5FX3K72N", "深圳示例", application.rpartition("-")[2]):
        assert private not in told


def test_a_request_id_of_ill_will_is_replaced(office: HttpOffice) -> None:
    answer = office.get(None, "/healthz", X_Request_Id='x" evil')
    assert answer.headers["X-Request-Id"].isalnum()
