"""``demo``: the product with invented data, ready to be tried."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

import click

from api.cli.options import data_option
from api.cli.screen import Run, Screen
from api.cli.serve import port_option, require_free, serve_folder
from api.cli.speech import Speech
from api.demo.desks import POLICY
from api.demo.folder import Demo, prepare_demo
from api.demo.plots import CUT_BY_LIMIT, FULL_CLAWBACK, NO_FAULT, REFUSED_STEPS, STAGED
from api.demo.script import EXHAUSTED, LAST_DAY, NEARLY_EXHAUSTED
from api.demo.staff import PASSWORD, STAFF
from ledger.calendar import business_date, system_clock
from ledger.errors import Text
from ledger.identity import award_id
from ledger.roles import ROLE_NAMES

HOST: Final = "127.0.0.1"
"""Everybody knows the demo's passwords: it is served to this machine and no other."""
FOLDER_DEFAULT: Final = "demo-data"
NAME: Final = "funding-ledger"

_SHOWN: Final = {
    FULL_CLAWBACK: Text("违规后全额追回，分三次到账", "all of it clawed back for a violation, in three parts"),
    NO_FAULT: Text("审计核减后退回，额度恢复", "reduced by audit, and its room restored"),
    CUT_BY_LIMIT: Text("被年度限额核减", "cut by the yearly limit"),
    STAGED: Text("分阶段拨付，验收时按审计数结算", "paid in stages, and settled on the audit at acceptance"),
    REFUSED_STEPS: Text("同一人不得兼任两步：被拒绝的操作", "the same person in two steps: refused"),
}


def command(speech: Speech) -> click.Command:
    @click.command(
        "demo",
        short_help=speech("用演示数据试用", "try the product with demo data"),
        help=speech(
            "用虚构的 40 家企业、三个年度 152 项申报启动服务，直到 Ctrl-C。第一次运行时生成数据，以后沿用；"
            "--fresh 重新生成。只动自己生成的演示目录，不碰其他目录。\n\n"
            "例：\n\n\b\n  funding-ledger demo --port 8000",
            "Serve 40 invented enterprises and 152 applications of three years, until Ctrl-C. Data is made at the first "
            "start and reused later; --fresh makes it anew. Touches no folder but one that it made.\n\n"
            "Example:\n\n\b\n  funding-ledger demo --port 8000",
        ),
    )
    @port_option(speech)
    @data_option(speech, default=FOLDER_DEFAULT, policies=False)
    @click.option(
        "--fresh", is_flag=True, help=speech("丢弃已有的演示数据，重新生成", "discard the demo data that is there")
    )
    @click.pass_obj
    def demo(run: Run, port: int, data: Path, fresh: bool) -> None:
        screen = run.show(as_json=False)
        require_free(HOST, port)
        prepared = prepare_demo(data, fresh=fresh, tell=lambda text: screen.note(speech.said(text)))
        serve_folder(data, HOST, port, demo=True, on_ready=lambda address: _welcome(screen, prepared, address))

    return demo


def _welcome(screen: Screen, demo: Demo, address: str) -> None:
    say = screen.speech
    screen.line()
    screen.line(f"  {address}", style="bold")
    screen.line(say(f"  接口说明 {address}/docs", f"  API documentation {address}/docs"))
    state = say("新生成", "made now") if demo.is_new else say("沿用已有", "as it was left")
    screen.line(say(f"  数据目录 {demo.folder}（{state}）", f"  data in {demo.folder} ({state})"))
    screen.line()
    screen.table(
        say(f"演示用户，密码都是 {PASSWORD}", f"users; every password is {PASSWORD}"),
        [say("用户", "user"), say("角色", "role")],
        ([name, say.said(ROLE_NAMES[role])] for name, role in STAFF.items()),
    )
    screen.line(say("可以试试（另开一个终端）：", "try, in another terminal:"), style="bold")
    for line in what_to_try(demo, address, say):
        click.echo(line)
    if business_date(system_clock()) < LAST_DAY:
        screen.note(
            say(
                f"注意：本机日期早于演示数据的最后一天（{LAST_DAY}），只能查询，不能办理新的业务。",
                f"note: this machine's date is before the demo's last day, {LAST_DAY}: nothing new can be recorded.",
            )
        )
    screen.line(say("按 Ctrl-C 停止。", "Ctrl-C stops."))


def _as_called() -> str:
    """How this program is started from here: dev.py installs it where no shell looks for it."""
    program = Path(sys.argv[0])
    if program.name != NAME or shutil.which(NAME) == str(program):
        return NAME
    return os.path.relpath(program)


def what_to_try(demo: Demo, address: str, say: Speech) -> list[str]:
    """Lines for a shell, each of which works as it stands when they are entered in order."""
    api = f"{address}/api/v1"
    claim = (
        f'{{"policy":"{POLICY}","rule":"5.2","enterprise":"{NEARLY_EXHAUSTED.uscc}","item":"国械注准20263010001",'
        '"cap_year":2026,"particulars":{"rd_cost":"16000000.00","special_approval":true}}'
    )
    login = f'{{"username":"auditor","password":"{PASSWORD}"}}'
    read_token = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"token\"])'"
    bearer = '-H "Authorization: Bearer $TOKEN"'
    as_json = "-H 'Content-Type: application/json'"
    lines = [
        say("# 登录，取得令牌", "# sign in for a token"),
        f"TOKEN=$(curl -s {api}/tokens {as_json} -d '{login}' | {read_token})",
        say("# 试算：C5 限额今年所余无几", "# a quote: little is left of the yearly limit C5"),
        f"curl -s {api}/quotes {bearer} {as_json} -d '{claim}'",
        say("# 额度台账：2025 年的 C5 已用完", "# limits: C5 of 2025 is used up"),
        f"curl -s {bearer} '{api}/enterprises/{EXHAUSTED.uscc}/limits?year=2025'",
    ]
    for shown, told in _SHOWN.items():
        lines.append(f"# {say.said(told)}")
        lines.append(f"curl -s {bearer} {api}/awards/{award_id(demo.shown[shown])}/history")
    folder, called = f" --data {demo.folder}", _as_called()
    lines.append(say("# 同样的内容，用命令行", "# the same at the command line"))
    lines.append(f"{called} trace {award_id(demo.shown[FULL_CLAWBACK])}{folder}")
    lines.append(f"{called} limits {EXHAUSTED.uscc} --year 2025{folder}")
    return lines
