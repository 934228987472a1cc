"""Versions of resources: an application's and an award's is the position of the case's last step.

Other resources carry a hash of what they say. Texts are in one of two languages, so a tag names its language too.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Flask, Response, request
from werkzeug.http import parse_etags

from api.auth import service
from api.rest.language import language
from ledger.casefile import CaseFile

_CASE_TAG: Final = re.compile(r"([0-9]{1,16})\.(zh-CN|en)", re.ASCII)

_NEVER: Final = 0
"""The position of no step: positions count from 1."""


def case_etag(case: CaseFile) -> str:
    return f'"{case.position}.{language()}"'


def expected_position(number: str) -> int | None:
    """The position of a case that ``If-Match`` asks for; None where it asks for none.

    Whether it holds is for the door to say: a request that was answered before is answered so again, whatever moved since.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return None
    tags = parse_etags(header)
    if tags.star_tag:
        return None
    positions = [int(tag[1]) for text in tags.as_set() if (tag := _CASE_TAG.fullmatch(text))]
    if len(positions) == 1:
        return positions[0]
    # Of several that would do, the one that holds now; where none does, or should it move meanwhile, the door refuses.
    current = service().reader.case(number).position
    return current if current in positions else max(positions, default=_NEVER)


def tag_answers(app: Flask) -> None:
    """Give every answer to a GET a tag, and answer 304 where the caller has it already."""
    app.after_request(_tag)


def _is_tagged(response: Response) -> bool:
    return response.is_json or response.mimetype == "text/html"


def _tag(response: Response) -> Response:
    if request.method not in ("GET", "HEAD") or response.status_code != 200 or not _is_tagged(response):
        return response
    if response.get_etag()[0] is None:
        response.add_etag()
    response.make_conditional(request)
    return response
