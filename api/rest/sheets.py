"""The calculation sheet (核算表) of an application's amount: as data, or as a page to print."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.exceptions import NotAcceptable

from api.auth import STAFF, service
from api.rest.addresses import case_at
from api.rest.awards_shown import award_body
from api.rest.blueprint import Blueprint, reads
from api.rest.moments import MomentSchema, moment_of
from api.rest.sheets_shown import SheetSchema, sheet_body
from api.sheet_page import sheet_page, sheet_page_policy
from projections.sheet import Sheet

blueprint = Blueprint("sheets", __name__, description="核算表 / Calculation sheets")

Body = dict[str, Any]
PAGE = {"responses": {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}}
"""In the document: the same answer as a page, for ``Accept: text/html``."""


@blueprint.route("/applications/<string:application_id>/sheet")
@reads(STAFF, errors=(406,))
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, SheetSchema)
@blueprint.doc(**PAGE)
def application_sheet(query: Body, application_id: str) -> Body | Response:
    """最近一次核定的核算表 / The calculation sheet of the last determination

    With `Accept: text/html` a page to print, with its style in it: keep it as a file and open it anywhere.
    """
    return _answer(service().reader.sheet(case_at(application_id), moment_of(query)))


@blueprint.route("/applications/<string:application_id>/determinations/<number:number>/sheet")
@reads(STAFF, errors=(406,))
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, SheetSchema)
@blueprint.doc(**PAGE)
def determination_sheet(query: Body, application_id: str, number: int) -> Body | Response:
    """某一次核定的核算表 / The calculation sheet of one determination, counted from 1

    With `Accept: text/html` a page to print.
    """
    return _answer(service().reader.sheet(case_at(application_id), moment_of(query), number))


@blueprint.route("/awards/<string:award_id>/sheet")
@reads(STAFF, errors=(406,))
@blueprint.arguments(MomentSchema, location="query")
@blueprint.response(200, SheetSchema)
@blueprint.doc(**PAGE)
def award_sheet(query: Body, award_id: str) -> Body | Response:
    """资助项目的核算表 / The calculation sheet that an award was approved on

    With `Accept: text/html` a page to print.
    """
    number, moment = case_at(award_id), moment_of(query)
    # 404 where there was no award yet at that moment, as for the award itself.
    award_body(service().reader.case(number, moment))
    return _answer(service().reader.sheet(number, moment))


def _answer(sheet: Sheet) -> Body | Response:
    accepted = request.accept_mimetypes
    kind = accepted.best_match(["application/json", "text/html"]) if accepted else "application/json"
    if kind is None:
        raise NotAcceptable
    if kind == "application/json":
        return sheet_body(sheet)
    page = Response(sheet_page(sheet), mimetype="text/html")
    page.headers["Content-Security-Policy"] = sheet_page_policy()
    page.headers["Content-Language"] = "zh-CN"
    return page
