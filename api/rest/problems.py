"""What a caller is told when something goes wrong: RFC 9457 problem details, in the caller's language.

``code`` is stable and tells the kind of problem; ``title`` belongs to the kind, ``detail`` to the occurrence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, g, json, request
from werkzeug.exceptions import HTTPException, InternalServerError

from api.credentials import TooManyAttempts
from api.logs import log
from api.request_size import REQUEST_BYTES_MOST
from api.rest.calculations import LimitSchema, room_body
from api.rest.language import language, said
from ledger import errors
from ledger.errors import FieldError, Headroom, Text
from ledger.identity import application_id

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 1
_TYPE_PREFIX: Final = "urn:funding-ledger:problem:"


@dataclass(eq=False)
class Problem(Exception):
    """One problem, ready to be told. Raised by the API itself; errors of the ledger are turned into one."""

    status: int
    code: str
    title: Text
    detail: Text
    clause: str | None = None
    limit: Headroom | None = None
    earlier: str | None = None
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        told: dict[str, object] = {
            "type": _TYPE_PREFIX + self.code,
            "title": said(self.title),
            "status": self.status,
            "detail": said(self.detail),
            "code": self.code,
        }
        if self.clause is not None:
            told["clause"] = self.clause
        if self.limit is not None:
            told["limit"] = LimitSchema().dump({"name": self.limit.limit, **room_body(self.limit)})
        if self.earlier is not None:
            told["earlier_application"] = application_id(self.earlier)
        if self.errors:
            told["errors"] = [
                {"field": error.field, "code": error.code, "message": said(error.text)} for error in self.errors
            ]
        return told

    def response(self) -> Response:
        answer = Response(json.dumps(self.body()), self.status, mimetype=MEDIA_TYPE)
        answer.headers.update(self.headers)
        answer.headers["Content-Language"] = language()
        return answer


_MALFORMED: Final = Text("请求内容有误", "The request is invalid")
_NOT_FOUND: Final = Text("不存在", "Not found")

_STATUSES: Final[dict[type[errors.LedgerError], tuple[int, Text]]] = {
    errors.Malformed: (422, _MALFORMED),
    errors.NotFound: (404, _NOT_FOUND),
    errors.NotPermitted: (403, Text("无权办理", "Not permitted")),
    errors.OutOfOrder: (409, Text("办理次序不符", "Out of order")),
    errors.Outdated: (409, Text("情况已变化", "The facts have moved")),
    errors.Refusal: (422, Text("依规定不予办理", "Refused by rule")),
    errors.IdempotencyConflict: (409, Text("幂等键冲突", "Idempotency key in use")),
    errors.PreconditionFailed: (412, Text("案卷已有更新", "The resource has moved")),
    errors.Unavailable: (503, Text("暂时无法办理", "Temporarily unavailable")),
    errors.PolicyNotLoaded: (503, Text("政策没有载入", "Policy not loaded")),
    TooManyAttempts: (429, Text("尝试次数过多", "Too many attempts")),
}
"""From the most particular: a refusal that is out of order is listed before refusals at large."""

_HTTP: Final[dict[int, tuple[str, Text, Text]]] = {
    400: (
        "bad-request",
        Text("请求无法读取", "Bad request"),
        Text("请求无法读取，请检查其格式", "the request cannot be read; check its form"),
    ),
    404: ("not-found", _NOT_FOUND, Text("没有这个地址", "there is nothing at this address")),
    405: (
        "method-not-allowed",
        Text("方法不允许", "Method not allowed"),
        Text("此地址不支持该方法", "this address does not answer this method"),
    ),
    406: (
        "not-acceptable",
        Text("没有所要的格式", "Not acceptable"),
        Text(
            "此处可给出application/json，有些地址也可给出text/html，请改写Accept",
            "this is given as application/json, at some addresses as text/html too; change the Accept header",
        ),
    ),
    413: (
        "too-large",
        Text("请求过大", "Too large"),
        Text(
            f"请求内容不得超过{REQUEST_BYTES_MOST:,}字节；请分多次提交，文件不经接口上传（批量数据用命令行 import 导入）",
            f"a request holds at most {REQUEST_BYTES_MOST:,} bytes; make several requests of it. Files are not taken here: "
            "many rows are imported at the command line (import)",
        ),
    ),
    415: (
        "unsupported-media-type",
        Text("不支持的内容类型", "Unsupported media type"),
        Text("请以application/json发送请求内容", "send the request as application/json"),
    ),
}


def problem_of(error: errors.LedgerError) -> Problem | None:
    """What to tell of an error of the ledger; None for a fault of ours, of which nothing is told."""
    for kind, (status, title) in _STATUSES.items():
        if isinstance(error, kind):
            return Problem(
                status,
                error.code,
                title,
                error.text,
                clause=getattr(error, "clause", None),
                limit=getattr(error, "limit", None),
                earlier=getattr(error, "earlier", None),
                errors=getattr(error, "errors", ()),
                headers=_headers(error),
            )
    return None


def _headers(error: errors.LedgerError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, errors.Refusal) and error.recorded_at is not None:
        headers["Ledger-Position"] = str(error.recorded_at)
        if error.replayed:
            headers["Idempotency-Replayed"] = "true"
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return headers


def register_problems(app: Flask) -> None:
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(errors.LedgerError, _on_ledger_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_unexpected)


def _on_ledger_error(error: errors.LedgerError) -> Response:
    problem = problem_of(error)
    return _on_unexpected(error) if problem is None else problem.response()


def _on_http_error(error: HTTPException) -> Response:
    status = error.code or InternalServerError.code
    if status < HTTPStatus.BAD_REQUEST:
        # A redirection is an answer, not a problem.
        return Response(error.get_response(request.environ).get_data(), status, dict(error.get_headers()))
    if status in _HTTP:
        code, title, detail = _HTTP[status]
    else:
        phrase = HTTPStatus(status).phrase
        code, title, detail = phrase.lower().replace(" ", "-"), Text(phrase, phrase), Text(phrase, phrase)
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return Problem(status, code, title, detail, headers=headers).response()


def _on_unexpected(error: Exception) -> Response:
    """Our mistake: the log gets all of it, the caller a number to quote."""
    log.error("unexpected", request_id=g.get("request_id"), exc_info=error)
    return Problem(
        500,
        "internal-error",
        Text("系统内部错误", "Internal error"),
        Text(
            f"系统内部错误，已记入日志；请把请求编号{g.get('request_id')}告诉管理员。用同一幂等键重试是安全的",
            f"an error of ours, which is in the log; give the administrator the request id {g.get('request_id')}. "
            "To repeat with the same idempotency key is safe",
        ),
    ).response()
