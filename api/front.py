"""The page at the root, and the API's documentation: plain, offline, without a line of inline script."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import flask_openapi3_swagger
from flask import Blueprint, Response, current_app, render_template, send_from_directory
from werkzeug.exceptions import NotFound

from api.auth import PUBLIC, access
from api.demo.staff import PASSWORD, STAFF
from api.requests import CSP_OF_PAGES
from api.rest.openapi import PREFIX
from ledger.roles import ROLE_NAMES

blueprint = Blueprint("front", __name__)

# Only the files of Swagger UI itself: the package's own pages would load scripts in line.
_SWAGGER: Final = Path(flask_openapi3_swagger.__file__).parent / "templates" / "swagger"
_OWN: Final = Path(__file__).parent / "static"
_ASSETS: Final = {
    "swagger-ui.css": _SWAGGER / "css",
    "swagger-ui-bundle.js": _SWAGGER / "js",
    "swagger.svg": _SWAGGER / "images",
    "docs.js": _OWN,
    "front.css": _OWN,
}


@blueprint.get("/")
@access(PUBLIC)
def front() -> Response:
    users = STAFF if current_app.config["DEMO"] else {}
    return _page("front.html", users=users, role_names=ROLE_NAMES, password=PASSWORD)


@blueprint.get("/docs")
@access(PUBLIC)
def docs() -> Response:
    return _page("docs.html")


@blueprint.get("/assets/<string:name>")
@access(PUBLIC)
def asset(name: str) -> Response:
    if name not in _ASSETS:
        raise NotFound
    return send_from_directory(_ASSETS[name], name, max_age=3600)


def _page(template: str, **said: object) -> Response:
    page = Response(render_template(template, openapi=f"{PREFIX}/openapi.json", **said), mimetype="text/html")
    page.headers["Content-Security-Policy"] = CSP_OF_PAGES
    return page
