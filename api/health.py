"""Whether the process lives, and whether it can do its work: for supervisors and load balancers."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, json

from api.auth import PUBLIC, access, service
from api.rest.problems import RETRY_AFTER_SECONDS, Problem
from ledger.errors import Text

LAG_MOST: Final = 1_000
"""How many positions the lists may stand behind the log before the process says it is not ready."""

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@access(PUBLIC)
def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return _answer({"status": "ok"})


@blueprint.get("/readyz")
@access(PUBLIC)
def readyz() -> Response:
    """The stores answer, and the lists follow the log closely. A store of another schema would have stopped the start."""
    it = service()
    position = it.views.position
    lag = len(it.reader.events(position, LAG_MOST + 1))
    it.credentials.check()
    if not it.views.following:
        raise _not_ready(
            "views-stopped",
            Text("列表已停止更新，请重启服务", "the lists no longer follow the log; restart the service"),
        )
    if lag > LAG_MOST:
        raise _not_ready(
            "views-behind",
            Text(f"列表落后于账本超过{LAG_MOST}条记录", f"the lists are more than {LAG_MOST} events behind the log"),
        )
    return _answer({"status": "ready", "views": {"position": position, "lag": lag}})


def _not_ready(code: str, detail: Text) -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, code, Text("尚未就绪", "Not ready"), detail, headers=headers)


def _answer(said: dict[str, object]) -> Response:
    return Response(json.dumps(said), mimetype="application/json", headers={"Cache-Control": "no-store"})
