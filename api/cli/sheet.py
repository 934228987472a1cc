"""``sheet``: the calculation sheet (核算表) of an award, on the screen or as a page to print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.cli.calculation import show_steps, step_body
from api.cli.case_named import case_named
from api.cli.options import data_option, json_option, open_existing
from api.cli.screen import Run, Screen, headroom_body, yuan
from api.cli.speech import Speech
from ledger.money import format_yuan
from ledger.seal.durable import new_file, require_free_name
from projections.sheet import Sheet, SheetLimit, Stated


def command(speech: Speech) -> click.Command:
    @click.command(
        "sheet",
        short_help=speech("核算表：金额怎样算出，可打印", "how an amount was computed, to print"),
        help=speech(
            "核算表：一次核定的依据、每一步、每个上限、此前占用该上限的各项资助，以及大写金额。"
            "加 -o 写成一个网页文件，双击即可在浏览器中打开、打印（A4），不需要联网，也不需要登录。"
            "编号可写 awd-…、app-… 或案卷号。\n\n"
            "例：\n\n\b\n  funding-ledger sheet awd-7Q2M4X9KDB -o 核算表.html",
            "How the amount of an award or application was computed: basis, every step, every limit and the awards that had "
            "used it, and the amount in capitals. With -o a single page of HTML, to open and print (A4) without a network "
            "and without signing in. AWARD is awd-…, app-… or the bare case number.\n\n"
            "Example:\n\n\b\n  funding-ledger sheet awd-7Q2M4X9KDB -o sheet.html",
        ),
    )
    @click.argument("award")
    @click.option(
        "-o",
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help=speech("写成网页的新文件，如 核算表.html", "a new file for the page, such as sheet.html"),
    )
    @click.option(
        "--determination",
        type=click.IntRange(min=1),
        metavar="N",
        help=speech("第几次核定（默认最近一次）", "which determination, from 1 (default: the last)"),
    )
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def sheet(run: Run, award: str, out: Path | None, determination: int | None, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        number = case_named(award)
        if out is not None:
            require_free_name(out)
        with open_existing(data) as service:
            found = service.reader.sheet(number, determination=determination)
        if out is not None:
            _write(out, found)
        if screen.as_json:
            screen.json({**({} if out is None else {"file": str(out)}), **_body(found, screen.speech)})
        elif out is not None:
            screen.line(f"{found.application_id} {yuan(found.amount_fen)} {found.capitals}")
            screen.note(str(out))
        else:
            _show(screen, found)

    return sheet


def _write(out: Path, sheet: Sheet) -> None:
    # Only here: nothing else at the command line needs templates, and every command waits for what is imported above.
    from api.sheet_page import sheet_page

    with new_file(out) as file:
        file.write(sheet_page(sheet).encode())


def _show(screen: Screen, sheet: Sheet) -> None:
    say = screen.speech
    screen.line(f"{sheet.application_id} · {sheet.enterprise_name} · {sheet.item}", style="bold")
    screen.line(f"{say.named(sheet.policy_number)} · {sheet.rule.id} {say.named(sheet.rule.name)}")
    screen.table(
        say("核实的申报事项", "particulars as verified"),
        [say("事项", "particular"), say("内容", "as stated")],
        ([_particular(stated, say), say.said(stated.text)] for stated in sheet.particulars),
    )
    show_steps(screen, sheet.steps)
    screen.table(
        say("上限与此前占用", "limits, and what had been used of them"),
        [
            say("上限", "limit"),
            say("上限额", "ceiling"),
            say("此前已用", "used before"),
            say("尚余", "left"),
            say("本次核减", "cut"),
            say("已用各项", "used by"),
        ],
        (_limit_row(limit, say) for limit in sheet.limits),
        right=(1, 2, 3, 4),
    )
    screen.line(say("核定金额 ", "determined ") + yuan(sheet.amount_fen) + f"  {sheet.capitals}", style="bold")


def _particular(stated: Stated, say: Speech) -> str:
    """As the steps below call it: by its label in Chinese, by its name in English."""
    return say(stated.label.zh, f"{stated.name} {say.named(stated.label.zh)}")


def _limit_row(limit: SheetLimit, say: Speech) -> list[str]:
    head = limit.headroom
    return [
        f"{say.said(limit.label)} {limit.period or ''}".rstrip(),
        *(yuan(fen) for fen in (head.ceiling_fen, head.used_fen, head.left_fen, limit.cut_fen)),
        "\n".join(f"{award.award_id} {yuan(award.amount_fen)}" for award in limit.counted),
    ]


def _body(sheet: Sheet, speech: Speech) -> dict[str, Any]:
    bound = sheet.bound_by
    return {
        "application_id": sheet.application_id,
        "award_id": sheet.award_id,
        "determination": sheet.number,
        "superseded": sheet.superseded,
        "rule": sheet.rule.id,
        "enterprise": sheet.enterprise,
        "item": sheet.item,
        "particulars": [_stated_body(stated, speech) for stated in sheet.particulars],
        "basis": None if sheet.basis is None else _stated_body(sheet.basis, speech),
        "rate": sheet.rate,
        "steps": [
            {
                **step_body(step, speech),
                "cut": None if step.cut_fen is None else format_yuan(step.cut_fen),
                "scope": step.scope,
            }
            for step in sheet.steps
        ],
        "limits": [_limit_body(limit) for limit in sheet.limits],
        "bound_by": None if bound is None else {"clause": bound.clause, "limit": bound.limit},
        "amount": format_yuan(sheet.amount_fen),
        "capitals": sheet.capitals,
        "cap_year": sheet.cap_year,
        "determined_on": sheet.determined_on.isoformat(),
        "determined_by": sheet.determined_by,
    }


def _stated_body(stated: Stated, speech: Speech) -> dict[str, Any]:
    said = speech.said
    return {"name": stated.name, "label": said(stated.label), "value": stated.value, "text": said(stated.text)}


def _limit_body(limit: SheetLimit) -> dict[str, Any]:
    return {
        **headroom_body(limit.headroom),
        "clause": limit.headroom.clause,
        "cut": format_yuan(limit.cut_fen),
        "counted": [{"award_id": award.award_id, "amount": format_yuan(award.amount_fen)} for award in limit.counted],
    }
