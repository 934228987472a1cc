"""``serve``: the product, for an office."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from api.cli.beginning import is_new, tell_beginning
from api.cli.options import data_option, policies_named
from api.cli.screen import Run
from api.cli.speech import Speech
from api.database import database_url
from api.service import Service, open_service
from ledger.errors import Text, Unavailable

C = TypeVar("C", bound=Callable[..., Any])

HOST_DEFAULT: Final = "127.0.0.1"
PORT_DEFAULT: Final = 8000


def command(speech: Speech) -> click.Command:
    @click.command(
        "serve",
        short_help=speech("启动服务", "serve the product"),
        help=speech(
            "启动服务，直到 Ctrl-C。数据目录不存在时新建一个空账本；不自动建立任何用户，"
            "请先用 funding-ledger users add 建立。本局自己的政策用 --policies 加载，文件有误则不启动，并逐项说明。\n\n"
            "例：\n\n\b\n"
            "  funding-ledger users add admin --role admin --data data\n"
            "  funding-ledger serve --port 8000 --data data",
            "Serve until Ctrl-C. A folder without a ledger gets an empty one, and no user: add the first with "
            "funding-ledger users add. Policies of your own are loaded with --policies; a faulty file stops the start, and "
            "every fault is told.\n\n"
            "Example:\n\n\b\n"
            "  funding-ledger users add admin --role admin --data data\n"
            "  funding-ledger serve --port 8000 --data data",
        ),
    )
    @host_option(speech)
    @port_option(speech)
    @data_option(speech)
    @click.pass_obj
    def serve(run: Run, host: str, port: int, data: Path) -> None:
        screen = run.show(as_json=False)
        require_free(host, port)
        if is_new(data):
            tell_beginning(screen, data)

        def tell(address: str) -> None:
            screen.note(speech(f"{address}（数据目录 {data}），按 Ctrl-C 停止", f"{data} at {address}; Ctrl-C stops"))

        serve_folder(data, host, port, demo=False, on_ready=tell)

    return serve


def host_option(speech: Speech) -> Callable[[C], C]:
    return click.option(
        "--host",
        default=HOST_DEFAULT,
        help=speech(f"监听地址（默认 {HOST_DEFAULT}，只限本机）", f"address to serve at (default: {HOST_DEFAULT})"),
    )


def port_option(speech: Speech) -> Callable[[C], C]:
    return click.option(
        "--port",
        type=click.IntRange(1, 65535),
        default=PORT_DEFAULT,
        help=speech(f"端口（默认 {PORT_DEFAULT}）", f"port to serve on (default: {PORT_DEFAULT})"),
    )


def serve_folder(data: Path, host: str, port: int, *, demo: bool, on_ready: Callable[[str], None]) -> None:
    """Serve what is recorded in a folder, until the process is told to stop; ``on_ready`` is told the address."""
    # Only here: no other command needs the web framework, and loading it takes longer than most of them run.
    from api.logs import log_to_stderr
    from api.server import serve

    log_to_stderr(logging.WARNING if demo else logging.INFO)
    try:
        # The demo is for trying things out: whatever the environment says, it stays in its folder.
        with _opened(data, demo=demo) as service:
            serve(service, host=host, port=port, demo=demo, on_ready=on_ready)
    except OSError as error:
        raise _not_free(host, port, error) from error


def _opened(data: Path, *, demo: bool) -> Service:
    return open_service(data) if demo else open_service(data, database_url=database_url(), policies=policies_named())


def require_free(host: str, port: int) -> None:
    """Raises :class:`~ledger.errors.Unavailable` where nobody can listen there: told before any work is done."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise _not_free(host, port, error) from error


def _not_free(host: str, port: int, error: OSError) -> Unavailable:
    return Unavailable(
        Text(
            f"无法在{host}:{port}提供服务（{error.strerror}）；请用 --port 另选一个端口",
            f"cannot serve at {host}:{port} ({error.strerror}); choose another port with --port",
        )
    )
