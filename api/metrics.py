"""Counters and gauges for Prometheus. Labels name routes, commands and codes, never people, enterprises or cases.

So the page is public: Prometheus asks it on the machine itself, and a proxy need not pass it on (docs/runbook.md).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from api.auth import PUBLIC, access
from api.service import Service

blueprint = Blueprint("metrics", __name__)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The application's own collectors, in a registry of its own: one process may hold several applications."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    commands: Counter


def measure(app: Flask, service: Service) -> None:
    registry = CollectorRegistry()
    app.extensions["funding-ledger-metrics"] = Metrics(
        registry,
        Counter("funding_http_requests", "Requests answered", ["method", "route", "status"], registry=registry),
        Histogram("funding_http_request_seconds", "Time to answer", ["method", "route"], registry=registry),
        Counter("funding_commands", "Commands given, by outcome", ["command", "outcome"], registry=registry),
    )
    Gauge("funding_views_position", "The last position of the log that the lists hold", registry=registry).set_function(
        lambda: service.views.position
    )
    app.before_request(_start)
    app.after_request(_count)
    app.register_blueprint(blueprint)


def count_command(name: str, outcome: str) -> None:
    """``outcome`` is ``recorded``, ``replayed`` or the code of the error."""
    _metrics().commands.labels(name, outcome).inc()


def route() -> str:
    """The pattern of the address, which names no case or enterprise."""
    return "unmatched" if request.url_rule is None else request.url_rule.rule


@blueprint.get("/metrics")
@access(PUBLIC)
def metrics() -> Response:
    return Response(generate_latest(_metrics().registry), content_type=CONTENT_TYPE_LATEST)


def _metrics() -> Metrics:
    found: Metrics = current_app.extensions["funding-ledger-metrics"]
    return found


def _start() -> None:
    g.started = time.monotonic()


def _count(response: Response) -> Response:
    seconds = time.monotonic() - g.get("started", time.monotonic())
    # A method is the caller's own word: an unknown one must not become a new time series.
    method = request.method if request.url_rule is not None else "other"
    _metrics().requests.labels(method, route(), response.status_code).inc()
    _metrics().seconds.labels(method, route()).observe(seconds)
    return response
