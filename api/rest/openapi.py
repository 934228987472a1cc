"""The OpenAPI 3.1 document: problems as problem+json, the shared headers, our kinds of value."""

from __future__ import annotations

import http
from functools import cached_property
from typing import Any, Final

from flask import Flask, Response, json
from flask_smorest import Api as SmorestApi

from api.auth import PUBLIC, access
from api.rest import fields
from api.rest.calculations import LimitSchema
from api.rest.numbers import NumberConverter
from api.rest.problems import MEDIA_TYPE
from api.rest.schema import Schema

PREFIX: Final = "/api/v1"

_DESCRIPTION: Final = """\
政府专项资金账本：申报、审批、拨付与追缴，以不可更改的事件记录，额度由事件推算并据以拒绝。

A ledger of public funding: applications, approvals, disbursements and recoveries as immutable events, under limits that the
same events add up to.

* **金额 / Money** 以元为单位、两位小数的文本：`"3000000.00"`.
  Payloads of events are shown as recorded, in integer fen (`*_fen`).
* **错误 / Errors** are `application/problem+json` (RFC 9457); texts follow `Accept-Language` (`zh-CN`, `en`).
* **幂等 / Idempotency** Every POST that records a fact needs `Idempotency-Key`; without one it is 428. The same key and body
  give the first response again, with `Idempotency-Replayed: true`; another body under the key is 409.
* **并发 / Concurrency** Resources carry an `ETag`; a step accepts `If-Match` and answers 412 when the case has moved.
* **读己之写 / Read your writes** Send the `Ledger-Position` of a command's response with a GET: it waits up to
  two seconds for it, and answers 503 when it is not reached.
* **时间 / Time travel** `as_of` (what had been recorded by an instant) and `effective` (what had taken effect by a date).
* **登录 / Identity** `POST /api/v1/tokens`, then `Authorization: Bearer …`. `x-roles` tells who may call an operation.
"""


class FieldErrorSchema(Schema):
    field = fields.Words(required=True)
    code = fields.Words(required=True)
    message = fields.Words(required=True)


class ProblemSchema(Schema):
    """RFC 9457."""

    type = fields.Words(required=True)
    title = fields.Words(required=True)
    status = fields.Whole(required=True, least=400, most=599)
    detail = fields.Words(required=True)
    code = fields.Words(required=True, metadata={"description": "stable, kebab-case"})
    clause = fields.Words(metadata={"description": "the policy's article, or the rule of the office"})
    limit = fields.Nested(LimitSchema)
    earlier_application = fields.Words(
        metadata={
            "description": "with `evidence-used`: the application that the evidence stands under; with "
            "`funded-elsewhere`: that of the other policy's award"
        }
    )
    errors = fields.Many(fields.Nested(FieldErrorSchema))


_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "IDEMPOTENCY_KEY": {
        "name": "Idempotency-Key",
        "required": True,
        "description": "Stands for this request, at every repetition. 1 to 200 visible characters.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    },
    "IF_MATCH_CASE": {
        "name": "If-Match",
        "description": "The ETag of the application or award as last seen.",
        "schema": {"type": "string"},
    },
    "LEDGER_POSITION": {
        "name": "Ledger-Position",
        "description": "Answer only when this position of the log is visible.",
        "schema": {"type": "integer", "minimum": 0},
    },
}

_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "LEDGER_POSITION": {
        "description": "The position of the fact that was recorded.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "IDEMPOTENCY_REPLAYED": {
        "description": "`true` where the key had been answered before.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


class Api(SmorestApi):  # type: ignore[misc]  # flask-smorest ships no types
    """The document of all resources; made once, served often."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        content = {MEDIA_TYPE: {"schema": ProblemSchema}}
        for status in http.HTTPStatus:
            response: dict[str, Any] = {"description": status.phrase}
            if status >= http.HTTPStatus.BAD_REQUEST:
                response["content"] = content
            if status in (http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.TOO_MANY_REQUESTS):
                response["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 0}}}
            self.spec.components.response(status.name, response, lazy=True)
        default = {"description": "Any other problem", "content": content}
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, default, lazy=True)

    def _register_error_handlers(self) -> None:
        """The application's own handlers answer all errors alike, the API's and others."""

    @access(PUBLIC)
    def _openapi_json(self) -> Response:
        return Response(self._document, mimetype="application/json")

    @cached_property
    def _document(self) -> str:
        return json.dumps(self.spec.to_dict(), indent=1, sort_keys=False)


def open_api(app: Flask) -> Api:
    app.config.update(
        API_TITLE="Funding ledger 专项资金账本",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": _DESCRIPTION}, "servers": [{"url": "/"}]},
    )
    app.url_map.converters["number"] = NumberConverter
    api = Api()
    for field, *kind in (
        (fields.Money, "string", None),
        (fields.Words, "string", None),
        (fields.Whole, "integer", None),
        (fields.Flag, "boolean", None),
        (fields.Day, "string", "date"),
        (fields.Instant, "string", "date-time"),
        (fields.Particulars, "object", None),
        (fields.Payload, "object", None),
    ):
        api.register_field(field, *kind)
    api.register_converter(NumberConverter, NumberConverter.schema)
    api.init_app(app)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for name, parameter in _PARAMETERS.items():
        api.spec.components.parameter(name, "header", parameter, lazy=True)
    for name, header in _HEADERS.items():
        api.spec.components.header(name, header, lazy=True)
    return api
