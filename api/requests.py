"""Around every request: its id, its line in the log, and the headers that keep a browser out of trouble."""

from __future__ import annotations

import re
import time
from typing import Final
from uuid import uuid4

from flask import Flask, Response, g, request

from api.logs import log
from api.metrics import route

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CSP_OF_DATA: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
CSP_OF_PAGES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""For pages: all from here, nothing inline."""
_HEADERS: Final = {
    "Content-Security-Policy": _CSP_OF_DATA,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def wrap_requests(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    g.began = time.monotonic()


def _end(response: Response) -> Response:
    # What was read may be kept by the one who asked, to be asked about again with its tag; a token by nobody.
    kept = "private, no-cache" if request.method in ("GET", "HEAD") else "no-store"
    response.headers.setdefault("Cache-Control", kept)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.request_id
    response.vary.update(["Accept", "Accept-Language", "Authorization"])
    # The route, not the address: an address names enterprises and cases.
    log.info(
        "request",
        request_id=g.request_id,
        method=request.method if request.url_rule is not None else "other",
        route=route(),
        status=response.status_code,
        milliseconds=round((time.monotonic() - g.began) * 1000, 1),
    )
    return response
