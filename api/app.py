"""The web application: a service with routes around it."""

from __future__ import annotations

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from api import front, health
from api.auth import guard_routes
from api.metrics import measure
from api.request_size import limit_requests
from api.requests import wrap_requests
from api.rest import (
    applications,
    awards,
    budgets,
    disbursements,
    enterprises,
    feeds,
    policies,
    quotes,
    readings,
    recoveries,
    sheets,
    stages,
    tokens,
    violations,
)
from api.rest.etags import tag_answers
from api.rest.moments import wait_for_positions
from api.rest.openapi import PREFIX, open_api
from api.rest.problems import register_problems
from api.rest.recording import require_keys
from api.service import Service

_RESOURCES = (
    tokens,
    quotes,
    applications,
    awards,
    stages,
    disbursements,
    violations,
    recoveries,
    sheets,
    enterprises,
    budgets,
    policies,
    readings,
    feeds,
)


def create_app(service: Service, *, demo: bool = False) -> Flask:
    """The application over an open service, whose views the caller starts. ``demo`` names the demo's users on its page."""
    app = Flask(__name__, static_folder=None)
    app.config["DEMO"] = demo
    app.extensions["funding-ledger"] = service
    # Chinese is shown as it is written, and members in the order of their importance.
    assert isinstance(app.json, DefaultJSONProvider)
    app.json.ensure_ascii, app.json.sort_keys = False, False
    # What is registered first sees a request first, and its answer last.
    wrap_requests(app)
    measure(app, service)
    limit_requests(app)
    api = open_api(app)
    for resource in _RESOURCES:
        api.register_blueprint(resource.blueprint, url_prefix=PREFIX)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(front.blueprint)
    guard_routes(app)
    require_keys(app)
    wait_for_positions(app)
    tag_answers(app)
    register_problems(app)
    return app
