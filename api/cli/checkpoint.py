"""``checkpoint``: what the log states of itself today, signed."""

from __future__ import annotations

import base64
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote, urlsplit

import click

from api.cli.auditing import signing_key_option
from api.cli.exits import Exit, exit_of
from api.cli.options import data_option, json_option
from api.cli.screen import Run, Screen
from api.cli.speech import Speech
from api.evidence import keeper_of, open_log
from ledger.counted import counted
from ledger.errors import Text, Unavailable
from ledger.seal import SealError
from ledger.seal.durable import new_file, require_free_name
from ledger.seal.kept import Keeper, LogNotContinued, opened_as, read_note, require_continues
from ledger.seal.note import Checkpoint, Note
from ledger.store.stored_log import StoredLog

TIMEOUT_SECONDS_DEFAULT: Final = 10

_USER_INFO: Final = re.compile(r"^([^/]*//)[^/?#]*@")
_BEFORE_LAST_AT: Final = re.compile(r"^([a-z]+://)?.*@")


def command(speech: Speech) -> click.Command:
    @click.command(
        "checkpoint",
        short_help=speech("签署检查点", "sign a checkpoint of the log"),
        help=speech(
            "签署账本当前的检查点（事件个数与根哈希）并打印。交给账本之外的人保存：日后用 funding-ledger verify 可证明账本"
            "没有被缩短或改动。--post 同时送交见证方；对方未接受时，以同一命令再送。可在服务运行时执行。\n\n"
            "例：\n\n\b\n  funding-ledger checkpoint --out 2026-03-31.checkpoint",
            "Sign and print a checkpoint: how many events the log has, and its root. Give it to people outside: with "
            "funding-ledger verify it shows later that the log was neither shortened nor changed. --post sends it to a "
            "witness too; where that did not take it, the same line sends the same again. Works while the service "
            "runs.\n\n"
            "Example:\n\n\b\n  funding-ledger checkpoint --out 2026-03-31.checkpoint",
        ),
    )
    @click.option(
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help=speech("写入新文件，而不是打印", "write a new file instead of printing"),
    )
    @click.option(
        "--post",
        metavar="URL",
        callback=_witness(speech),
        help=speech("以 HTTP POST 送交见证方", "also POST it to a witness"),
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(0.1, 600),
        default=TIMEOUT_SECONDS_DEFAULT,
        metavar="SECONDS",
        help=speech(f"等待见证方的秒数（默认 {TIMEOUT_SECONDS_DEFAULT}）", f"(default: {TIMEOUT_SECONDS_DEFAULT})"),
    )
    @signing_key_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_context
    def checkpoint(
        context: click.Context,
        out: Path | None,
        post: str | None,
        timeout: float,
        signing_key: Path | None,
        data: Path,
        as_json: bool,
    ) -> None:
        run: Run = context.obj
        screen = run.show(as_json=as_json)
        # The same line again, after a witness did not take it: what was signed then is what it is to have.
        again = out is not None and post is not None and out.is_file()
        if out is not None and not again:
            require_free_name(out)
        log = open_log(data)
        try:
            keeper = keeper_of(data, signing_key)
            signed = _signed_before(out, keeper, log) if again and out is not None else keeper.sign(log)
        finally:
            log.close()
        if out is not None and not again:
            with new_file(out) as file:
                file.write(signed)
        stated = Checkpoint.parse(Note.parse(signed).text)
        if not screen.as_json:
            _show(screen, signed, stated, out, again=again)
        answer, failure = None, None
        if post is not None:
            try:
                answer = post_note(post, signed, timeout_seconds=timeout)
            except Unavailable as error:
                if not screen.as_json:
                    raise
                failure = error
        if screen.as_json:
            body = {"origin": stated.origin, "size": stated.size, "root": stated.root.hex(), "note": signed.decode()}
            told = {} if failure is None else screen.problem(failure)
            screen.json({**body, "file": None if out is None else str(out), "witness": answer, **told})
            context.exit(Exit.DONE if failure is None else exit_of(failure))
        if answer is not None:
            screen.note(speech(f"见证方已接受：{answer}", f"the witness took it: {answer}"))

    return checkpoint


def _signed_before(out: Path, keeper: Keeper, log: StoredLog) -> bytes:
    """What lies in the file that was to be written, where it is a checkpoint of this very log. Raises ``NameUnusable``
    otherwise: another file stays as it is."""
    note = read_note(out)
    try:
        before = opened_as(out, note, keeper.public_keys()).checkpoint
        require_continues(before, log.head(), log.nodes(), f"{out}")
    except (SealError, LogNotContinued):
        require_free_name(out)
    return note


def _show(screen: Screen, signed: bytes, stated: Checkpoint, out: Path | None, *, again: bool) -> None:
    """Before it is sent: a witness that does not take it takes nothing away."""
    if out is None:
        click.echo(signed.decode(), nl=False)
        return
    events = screen.speech(f"{stated.size}个事件", counted(stated.size, "event"))
    if again:
        screen.note(
            screen.speech(
                f"{out}：已存在，是本账本的检查点（{events}），原样送交",
                f"{out}: there already, a checkpoint of this log ({events}); it is sent as it is",
            )
        )
        return
    screen.note(screen.speech(f"{out}：{events}", f"{out}: {events}"))


def _witness(speech: Speech) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Looks at the address of a witness before anything is signed. Raises ``click.BadParameter``."""

    def look(context: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
        if url is None or _is_web_address(url):
            return url
        # No address, so nobody knows where in it a password ends.
        told = _BEFORE_LAST_AT.sub(r"\1", url)
        raise click.BadParameter(
            speech(
                f"{told} 不是网址；应为 http://主机/… 或 https://主机/…",
                f"{told} is no address of a witness: it is http://HOST/… or https://HOST/…",
            ),
            context,
            parameter,
        )

    return look


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # As a request line and DNS take it: anything else could never be sent.
        (parts.hostname or "").encode("idna")
        sendable = url.isascii() and url.isprintable() and " " not in url
        return sendable and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _told(url: str) -> str:
    """The address as it may be shown and logged: without what stands before an @, which is a password."""
    return _USER_INFO.sub(r"\1", url)


def _request(url: str, note: bytes) -> urllib.request.Request:
    """Who is named in the address is told to the server as HTTP has it (RFC 7617)."""
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    parts = urlsplit(url)
    if parts.username is not None:
        named = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(named).decode()
    return urllib.request.Request(_told(url), data=note, headers=headers, method="POST")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is sent elsewhere becomes a GET, and nothing would have been handed over."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message[str, str], newurl: str
    ) -> None:
        return None


def post_note(url: str, note: bytes, *, timeout_seconds: float) -> str:
    """Hand a note to a witness, at an address of the web; gives its status line. Raises ``Unavailable`` where it did not
    take it."""
    try:
        with urllib.request.build_opener(_NoRedirect).open(_request(url, note), timeout=timeout_seconds) as answer:
            return f"{answer.status} {answer.reason}"
    except urllib.error.HTTPError as error:
        raise _not_taken(
            url, f"对方答复 {error.code} {error.reason}", f"it answered {error.code} {error.reason}"
        ) from error
    except TimeoutError as error:
        raise _late(url, timeout_seconds) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _late(url, timeout_seconds) from error
        raise _not_taken(url, f"无法连接（{error.reason}）", f"it cannot be reached ({error.reason})") from error
    except (OSError, HTTPException, ValueError) as error:
        raise _not_taken(url, f"连接出错（{error}）", f"the connection failed ({error})") from error


def _late(url: str, timeout_seconds: float) -> Unavailable:
    return _not_taken(url, f"{timeout_seconds:g}秒内没有答复", f"no answer within {timeout_seconds:g} seconds")


def _not_taken(url: str, zh: str, en: str) -> Unavailable:
    told = _told(url)
    return Unavailable(
        Text(
            f"检查点已签署，但未能送交见证方{told}：{zh}。可稍后以同一命令重试，重复送交无妨。",
            f"The checkpoint was signed, but {told} did not take it: {en}. Try the same line again later; sending it twice "
            "does no harm.",
        )
    )
