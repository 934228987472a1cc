"""From a command to the answer: through the one door, then the case as it stood right after the fact.

An answer shows no more than the log up to the fact's own position, so a repetition of the request gives the same answer.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, current_app, request

from api.auth import caller, service
from api.metrics import count_command
from api.rest.etags import case_etag, expected_position
from api.rest.moments import POSITION_HEADER
from api.rest.problems import Problem
from ledger.application import Outcome
from ledger.casefile import CaseFile
from ledger.commands.command import Command
from ledger.errors import LedgerError, Text
from projections.reader import Moment

KEY_HEADER: Final = "Idempotency-Key"

Headers = dict[str, str]


def require_keys(app: Flask) -> None:
    """Refuse what would record a fact without an idempotency key, before its body is read."""
    app.before_request(_require_key)


def _require_key() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "needs_key", False) and not request.headers.get(KEY_HEADER):
        raise Problem(
            428,
            "idempotency-key-required",
            Text("缺少幂等键", "Idempotency key required"),
            Text(
                "请附上Idempotency-Key，并在重试时使用同一个键",
                "send an Idempotency-Key, the same one when you repeat the request",
            ),
        )


def record(command: Command) -> Outcome:
    """Give a command in the caller's name. Raises what the door raises."""
    case: str | None = getattr(command, "case", None)
    expected = None if case is None else expected_position(case)
    try:
        outcome = service().ledger.execute(
            command, actor=caller(), key=request.headers[KEY_HEADER], expected_position=expected
        )
    except LedgerError as error:
        count_command(command.name, error.code)
        raise
    count_command(command.name, "replayed" if outcome.replayed else "recorded")
    return outcome


def record_on_case(command: Command, location: str | None = None) -> tuple[CaseFile, Headers]:
    """Give a command about a case; the case as it stood then, and the headers of the answer."""
    outcome = record(command)
    assert outcome.case is not None, "a command about a case leads to a fact of the case"
    case = service().reader.case(outcome.case, Moment(up_to=outcome.position))
    headers = {**headers_of(outcome), "ETag": case_etag(case)}
    if location is not None:
        headers["Location"] = location
    return case, headers


def headers_of(outcome: Outcome) -> Headers:
    headers = {POSITION_HEADER: str(outcome.position)}
    if outcome.replayed:
        headers["Idempotency-Replayed"] = "true"
    return headers
