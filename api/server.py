"""The embedded server: waitress over the application, ended cleanly by SIGTERM and SIGINT."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from api.app import create_app
from api.logs import log
from api.request_size import SERVER_BYTES_MOST
from api.service import Service

THREADS: Final = 8
"""Commands take turns anyway; the rest is for reads, some of which wait for a position."""


def serve(
    service: Service,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    demo: bool = False,
    on_ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered. Closes neither the service nor its stores.

    ``port`` 0 takes a free one; ``on_ready`` is told the address when the server listens. Raises ``OSError`` where the
    port is taken. Call in the main thread.
    """
    assert threading.current_thread() is threading.main_thread(), "only the main thread is sent signals"
    server = create_server(
        create_app(service, demo=demo),
        host=host,
        port=port,
        threads=THREADS,
        ident=None,
        max_request_body_size=SERVER_BYTES_MOST,
        clear_untrusted_proxy_headers=True,
    )
    # Requests that wait for a thread are business as usual, not a warning each.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    service.views.start()
    handlers = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        on_ready(f"http://{host}:{_port(server)}")
        log.info("listening", host=host, port=_port(server))
        # Ends by SystemExit, which waitress takes as the sign to let its threads finish what they are at.
        server.run()
        log.info("stopped")
    finally:
        server.close()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _port(server: BaseWSGIServer | MultiSocketServer) -> int:
    """A name such as ``localhost`` may stand for two addresses, and then for two sockets."""
    if isinstance(server, MultiSocketServer):
        return server.effective_listen[0][1]
    assert server.socket is not None, "it listens"
    port: int = server.socket.getsockname()[1]
    return port


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
