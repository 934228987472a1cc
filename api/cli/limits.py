"""``limits``: every limit that an enterprise draws on in a year, and what is left."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli.options import data_option, json_option, open_existing
from api.cli.screen import Run, Screen, headroom_body, yuan
from api.cli.speech import Speech
from ledger.calendar import Window, add_days, business_date
from ledger.errors import FieldError, Malformed, Text
from ledger.uscc import parse_uscc
from projections.reader import LimitUse


def command(speech: Speech) -> click.Command:
    @click.command(
        "limits",
        short_help=speech("额度台账：一家企业一年的各项限额", "the limits of an enterprise in a year"),
        help=speech(
            "额度台账：一家企业在某一年使用的各项限额，上限、已用、尚余，以及资助期的止日。"
            "拒绝超额的与这里显示的是同一个计算。\n\n"
            "例：\n\n\b\n  funding-ledger limits 91440300MA5FX3K72N --year 2026",
            "Every limit an enterprise draws on in a year: ceiling, used, left, and the day a window ends. The very "
            "computation that refuses what would exceed it.\n\n"
            "Example:\n\n\b\n  funding-ledger limits 91440300MA5FX3K72N --year 2026",
        ),
    )
    @click.argument("uscc")
    @click.option(
        "--year", type=click.IntRange(2000, 2100), help=speech("年度（默认今年）", "the year (default: this one)")
    )
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def limits(run: Run, uscc: str, year: int | None, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        code = _code(uscc)
        with open_existing(data) as service:
            year = year or business_date(service.clock()).year
            found = service.reader.limits(code, year)
        _show(screen, code, year, found)

    return limits


def _code(text: str) -> str:
    try:
        return parse_uscc(text)
    except ValueError:
        told = Text(
            "不是有效的统一社会信用代码（18位，含校验码）",
            "not a valid unified social credit code (“统一社会信用代码”: 18 characters with a check character)",
        )
        raise Malformed([FieldError("USCC", "invalid-uscc", told)]) from None


def _show(screen: Screen, uscc: str, year: int, found: list[LimitUse]) -> None:
    say = screen.speech
    if screen.as_json:
        screen.json({"enterprise": uscc, "year": year, "limits": [_body(use) for use in found]})
        return
    headings = [
        say("限额", "limit"),
        say("条款", "clause"),
        say("期间或对象", "period or item"),
        say("上限", "ceiling"),
        say("已用", "used"),
        say("尚余", "left"),
        say("资助期至", "window ends"),
    ]
    rows = [
        [
            use.limit.limit,
            use.limit.clause,
            _period(use),
            *(yuan(fen) for fen in (use.headroom.ceiling_fen, use.headroom.used_fen, use.headroom.left_fen)),
            _last_day(use.limit.window),
        ]
        for use in found
    ]
    screen.table(f"{uscc} · {year}", headings, rows, right=(3, 4, 5))


def _body(use: LimitUse) -> dict[str, Any]:
    return {
        "name": use.limit.limit,
        "clause": use.limit.clause,
        **{name: value for name, value in headroom_body(use.headroom).items() if name != "limit"},
        "events": list(use.counted),
        "window_ends_on": _last_day(use.limit.window) or None,
    }


def _period(use: LimitUse) -> str:
    """A calendar or benefit year; for an item, its name, which is the scope's third part."""
    period = use.limit.period
    if period is None:
        return use.limit.scope.split("/", 2)[2].rpartition("/")[0]
    first: date = period.start
    return f"{first} – {_last_day(period)}"


def _last_day(window: Window | None) -> str:
    return "" if window is None else add_days(window.end, -1).isoformat()
