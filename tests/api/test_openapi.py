"""The document says what the application does."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from api.evidence import new_key
from tests.api.http_office import V1, HttpOffice
from tests.api.test_access import ANYONE, TABLE, as_in_table


@pytest.fixture
def document(office: HttpOffice) -> dict[str, Any]:
    said: dict[str, Any] = office.get(None, f"{V1}/openapi.json").json
    return said


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post")
    ]


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    assert document["openapi"].startswith("3.1")
    validator.validate(document)


def test_every_route_under_v1_is_documented(document: dict[str, Any]) -> None:
    said = {f"{method.upper()} {path.replace('{', '<').replace('}', '>')}" for method, path, _ in operations(document)}
    expected = {route for route in TABLE if f" {V1}/" in route and not route.endswith("openapi.json")}
    assert {as_in_table(route) for route in said} == expected


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        errors = {
            status: response
            for status, response in operation["responses"].items()
            if status == "default" or int(status) >= 400
        }
        for status, response in errors.items():
            assert set(resolved(document, response)["content"]) == {"application/problem+json"}, (method, path, status)
        if TABLE.get(f"{method.upper()} {path}") != ANYONE and operation["security"]:
            assert "401" in errors, path
        if method == "post":
            assert {"400", "415", "422"} <= set(errors), path


def test_every_post_that_records_a_fact_documents_its_key(document: dict[str, Any]) -> None:
    silent = {"/api/v1/tokens", "/api/v1/quotes"}
    for method, path, operation in operations(document):
        named = {resolved(document, parameter)["name"] for parameter in operation.get("parameters", [])}
        assert ("Idempotency-Key" in named) == (method == "post" and path not in silent), path
        assert ("Ledger-Position" in named) == (method == "get"), path


def test_money_is_documented_as_a_string_with_its_pattern(document: dict[str, Any]) -> None:
    amount = document["components"]["schemas"]["Amount"]["properties"]["amount"]
    assert amount["type"] == "string"
    assert amount["pattern"] == r"^(0|[1-9][0-9]{0,15})\.[0-9]{2}$"


def test_every_operation_says_what_it_does_in_both_languages(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        chinese, _, english = operation["summary"].partition(" / ")
        assert chinese, (method, path)
        assert english.isascii(), (method, path)
        assert english, (method, path)


def test_answers_are_what_the_document_says(office: HttpOffice, document: dict[str, Any]) -> None:
    validators = pytest.importorskip("openapi_schema_validator")
    new_key(office.service.keeper, "example.cn/ledger", os.urandom)
    declared = {"level": "district", "amount": "1000000.00", "document": "青禾财〔2026〕8号"}
    given = {"evidence": [{"kind": "invoice", "key": "1"}], "other_funding": [declared]}
    application = office.submitted(item="另一产品", **given)
    award = office.approved()
    paid = office.paid(award, "6000000.00")
    text = f"{V1}/policies/shenzhen-meddev-2022/1"
    for address in (
        application, f"{application}/history?proof=true", award, f"{award}/history", f"{award}/history?proof=true",
        f"{award}/sheet", f"{award.replace('awards/awd', 'applications/app')}/determinations/1/sheet", paid,
        text, f"{text}/readings", f"{text}/readings/B13", f"{V1}/policies", f"{V1}/policies/shenzhen-meddev-2022",
    ):  # fmt: skip
        answer = office.get("auditor", address)
        assert answer.status_code == 200, (address, answer.text)
        pattern = as_in_document(office, address)
        schema = document["paths"][pattern]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        assert list(validators.OAS31Validator(whole).iter_errors(answer.json)) == [], address


def as_in_document(office: HttpOffice, address: str) -> str:
    rule, _ = office.app.url_map.bind("localhost").match(address.partition("?")[0], "GET", return_rule=True)
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def test_a_sheet_is_documented_as_data_and_as_a_page(document: dict[str, Any]) -> None:
    sheets = [operation for _, path, operation in operations(document) if path.endswith("/sheet")]
    assert len(sheets) == 3
    for operation in sheets:
        assert set(operation["responses"]["200"]["content"]) == {"application/json", "text/html"}
