"""What every resource shares: strict reading of requests, and conventions that are documented by being declared."""

from __future__ import annotations

import http
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final, NoReturn, TypeVar

import marshmallow as ma
from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.core import missing
from webargs.flaskparser import FlaskParser, is_json_request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from api.auth import Access, F, access, held_by
from api.rest.problems import Problem
from api.rest.schema import field_errors
from ledger.commands.command import Command
from ledger.errors import FieldError, Malformed, Text
from ledger.roles import Role

T = TypeVar("T")

_NAME_SHOWN_MAX: Final = 64

READ_ERRORS: Final = (401, 403, 404, 422, 503)
COMMAND_ERRORS: Final = (400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 503)
ASK_ERRORS: Final = (400, 401, 403, 404, 409, 413, 415, 422, 503)
SIGN_IN_ERRORS: Final = (400, 401, 413, 415, 422, 429, 503)


class StrictParser(FlaskParser):
    """Reads a request's body or query; refuses what is not JSON, what no reader reads alike, and what it does not know."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        # A misspelt as_of that is overlooked would answer with today's figures.
        "query": ma.RAISE,
    }

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data(cache=True)
        if not body:
            return missing
        if not is_json_request(req):
            raise UnsupportedMediaType
        try:
            said = json.loads(body, object_pairs_hook=_without_doubles)
            if b"\\u" in body:
                # Half of a surrogate pair is no character: it could be read, but never be written again.
                json.dumps(said, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise BadRequest from error
        return said

    def handle_error(self, error: ma.ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        # One location at a time is read; its name is webargs' own and no part of a field's path.
        messages: dict[str, Any] = error.messages  # type: ignore[assignment]  # webargs puts them under the location
        ((_, messages),) = messages.items()
        raise Malformed(field_errors(messages)) from error


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in pairs:
        if name in said:
            # Which of two amounts was meant? Readers differ, and so do auditors.
            raise _given_twice(name)
        said[name] = value
    return said


def _given_twice(name: str) -> Problem:
    shown = name[:_NAME_SHOWN_MAX].encode(errors="replace").decode()
    told = Text(f"“{shown}”写了两次，请只写一次", f"“{shown}” is given twice; give it once")
    error = FieldError(shown, "given-twice", told)
    return Problem(400, "bad-request", Text("请求无法读取", "Bad request"), told, errors=(error,))


class Blueprint(SmorestBlueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A resource's routes, with their conventions in the OpenAPI document."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, **kwargs: Any) -> None:
        super().__init__(name, import_name, **kwargs)
        self._prepare_doc_cbks.append(_conventions_doc)


def reads(rule: Access, *, views: bool = False, errors: tuple[int, ...] = ()) -> Callable[[F], F]:
    """Declare a GET: who may call it, and that it waits for ``Ledger-Position``; ``views`` where a list answers it.

    ``errors`` are those that it has beside the usual.
    """

    def declare(view: F) -> F:
        view.__dict__["waits_for"] = "views" if views else "log"
        return _noted(
            access(rule)(view),
            rule,
            errors=(*READ_ERRORS, *errors),
            parameters=["LEDGER_POSITION", "IF_NONE_MATCH"],
            headers={"ETag": "ETAG"},
        )

    return declare


def records(command: type[Command]) -> Callable[[F], F]:
    """Declare a POST that gives a command: its roles, its idempotency key and, about a case, its precondition."""
    about_case = "case" in command.__struct_fields__

    def declare(view: F) -> F:
        rule = held_by(*command.roles)
        view.__dict__["needs_key"] = True
        return _noted(
            access(rule)(view),
            rule,
            errors=COMMAND_ERRORS,
            parameters=["IDEMPOTENCY_KEY", *(["IF_MATCH_CASE"] if about_case else [])],
            headers={
                "Ledger-Position": "LEDGER_POSITION",
                "Idempotency-Replayed": "IDEMPOTENCY_REPLAYED",
                **({"ETag": "ETAG"} if about_case else {}),
            },
        )

    return declare


def asks(rule: Access, *, errors: tuple[int, ...] = ASK_ERRORS) -> Callable[[F], F]:
    """Declare a POST that records nothing."""

    def declare(view: F) -> F:
        return _noted(access(rule)(view), rule, errors=errors)

    return declare


def _noted(
    view: F,
    rule: Access,
    *,
    errors: tuple[int, ...],
    parameters: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> F:
    view._apidoc = deepcopy(getattr(view, "_apidoc", {}))  # type: ignore[attr-defined]
    view._apidoc["conventions"] = {  # type: ignore[attr-defined]
        "rule": rule,
        "errors": errors,
        "parameters": parameters or [],
        "headers": dict(headers or {}),
    }
    return view


def _conventions_doc(doc: dict[str, Any], doc_info: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    said = doc_info.get("conventions")
    assert said is not None, f"a route declares nothing: {doc_info['docstring']}"
    rule: Access = said["rule"]
    responses = doc.setdefault("responses", {})
    for status in said["errors"]:
        responses[status] = http.HTTPStatus(status).name
    for status, response in responses.items():
        if isinstance(response, dict) and 200 <= int(status) < 300 and said["headers"]:
            response.setdefault("headers", {}).update(said["headers"])
    if said["parameters"]:
        doc["parameters"] = [*doc.get("parameters", []), *said["parameters"]]
    doc["security"] = [{"bearer": []}] if rule.signed_in else []
    doc["x-roles"] = _roles(rule)
    return doc


def _roles(rule: Access) -> list[str]:
    if not rule.signed_in:
        return ["anyone"]
    return ["signed-in"] if rule.roles is None else sorted(role.value for role in rule.roles or set[Role]())
