"""From when a question is asked, and until when it waits for an answer."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, current_app, request

from api.auth import service
from api.rest import fields
from api.rest.problems import RETRY_AFTER_SECONDS, Problem
from api.rest.schema import Schema
from ledger.errors import FieldError, Malformed, Text
from projections.reader import Moment

POSITION_HEADER: Final = "Ledger-Position"
WAIT_SECONDS: Final = 2.0
"""How long a GET waits for a position: far longer than the views ever lag, and short enough to hold a thread for."""


class MomentSchema(Schema):
    as_of = fields.Instant(metadata={"description": "截至此刻已记录的 / what had been recorded by then"})
    effective = fields.Day(metadata={"description": "截至此日已生效的 / what had taken effect by then"})


def moment_of(query: dict[str, Any]) -> Moment:
    return Moment(as_of=query.get("as_of"), effective=query.get("effective"))


def wait_for_positions(app: Flask) -> None:
    """Let every GET that declares to read wait for the position it is sent."""
    app.before_request(_wait)


def _wait() -> None:
    waits_for = getattr(current_app.view_functions.get(request.endpoint or ""), "waits_for", None)
    if waits_for is None or POSITION_HEADER not in request.headers:
        return
    position = _asked_position()
    if waits_for == "log" and service().reader.holds(position):
        return
    if not service().views.wait_for(position, WAIT_SECONDS):
        raise Problem(
            503,
            "position-not-reached",
            Text("数据尚未就绪", "Not there yet"),
            Text(f"尚未读到第{position}号记录，请稍后重试", f"position {position} is not visible yet; try again soon"),
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )


def _asked_position() -> int:
    text = request.headers[POSITION_HEADER]
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise Malformed(
            [FieldError(POSITION_HEADER, "invalid-number", Text("应为非负整数", "this should be a whole number"))]
        )
    return int(text)
