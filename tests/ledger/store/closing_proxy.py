"""A way to PostgreSQL that breaks where a test says so: before, or after, a certain message is passed on."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo


class ClosingProxy:
    """Passes connections on from a port of its own. ``url`` is the way through it to what ``target`` names."""

    def __init__(self, target: str) -> None:
        with psycopg.connect(target) as connection:
            self._host, self._port = connection.info.host, connection.info.port
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        given = {
            key: value for key, value in conninfo_to_dict(target).items() if key not in ("host", "port", "hostaddr")
        }
        self.url = make_conninfo(**given, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._before: bytes | None = None
        self._after: bytes | None = None
        self._closed = False
        self.accepted = 0
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_before(self, words: bytes) -> None:
        """Break the next connection that sends these words, before the server sees them."""
        self._before = words

    def cut_after(self, words: bytes) -> None:
        """Break the next connection that sends these words, when the server has answered, before the client hears it."""
        self._after = words

    def cut_all(self) -> None:
        """Break every connection now."""
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def refuse(self) -> None:
        """Break every connection, and accept no new one."""
        self._closed = True
        # Only this ends a wait in accept().
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut_all()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = self._server()
        with self._lock:
            self._open += [client, server]
        with client, server, contextlib.suppress(OSError):
            deaf = False
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is server:
                        if deaf:
                            return
                        client.sendall(data)
                        continue
                    if self._before is not None and self._before in data:
                        self._before = None
                        self.cuts += 1
                        return
                    if self._after is not None and self._after in data:
                        self._after = None
                        self.cuts += 1
                        deaf = True
                    server.sendall(data)

    def _server(self) -> socket.socket:
        if self._host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{self._host}/.s.PGSQL.{self._port}")
            return server
        return socket.create_connection((self._host, self._port))


@contextlib.contextmanager
def closing_proxy(target: str) -> Iterator[ClosingProxy]:
    proxy = ClosingProxy(target)
    try:
        yield proxy
    finally:
        proxy.refuse()
