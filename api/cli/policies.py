"""``policies check``: whether the policy files that somebody writes are sound, before anything is started on them."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.exits import Exit, exit_of
from api.cli.options import json_option
from api.cli.screen import Run
from api.cli.speech import Speech
from api.policies import load_policies
from ledger.errors import PolicyFault
from ledger.policy.findings import UNSOUND
from ledger.policy.model import Policy
from ledger.policy.registry import PolicyRegistry, read_policy


def command(speech: Speech) -> click.Group:
    group = click.Group(
        "policies",
        short_help=speech("检查自己写的政策文件", "check policy files of your own"),
        help=speech(
            "本局自己的政策文件。\n\n例：\n\n\b\n  funding-ledger policies check /etc/funding-ledger/policies",
            "Policy files of your own.\n\nExample:\n\n\b\n  funding-ledger policies check /etc/funding-ledger/policies",
        ),
    )
    group.add_command(_check(speech))
    return group


def _check(speech: Speech) -> click.Command:
    @click.command(
        "check",
        short_help=speech("逐项列出政策文件的错误", "tell every fault of policy files"),
        help=speech(
            "检查政策目录（内有 政策编号/版本.toml，连同内置政策一起检查）或单个文件，每个错误一行：文件、键、条、原因。"
            "没有错误时列出各个版本。什么也不启动、不记录。\n\n"
            "例：\n\n\b\n  funding-ledger policies check /etc/funding-ledger/policies",
            "Check a folder of policies (ID/VERSION.toml, together with the built-in ones), or one file. A line for each "
            "fault: file, key, article, reason; the versions where there is none. Nothing is started or recorded.\n\n"
            "Example:\n\n\b\n  funding-ledger policies check /etc/funding-ledger/policies",
        ),
    )
    @click.argument("path", type=click.Path(path_type=Path), metavar="DIR")
    @json_option(speech)
    @click.pass_obj
    def check(run: Run, path: Path, as_json: bool) -> int:
        screen = run.show(as_json=as_json)
        policies: list[Policy] = []
        faults: list[str] = []
        status = Exit.DONE
        try:
            policies = _read(path)
        except PolicyFault as fault:
            status = exit_of(fault)
            faults = [line for line in screen.speech.said(fault.text).splitlines() if line != speech.said(UNSOUND)]
        if screen.as_json:
            sound = [{"policy": each.id, "version": each.version, "sha256": each.sha256} for each in policies]
            screen.json({"policies": sound, "faults": faults})
        for line in () if screen.as_json else faults:
            screen.line(line)
        for each in () if screen.as_json else policies:
            number, title = speech.named(each.number), speech.named(each.title)
            screen.line(f"{each.id}/{each.version}.toml  {number}  {title}")
        return status

    return check


def _read(path: Path) -> list[Policy]:
    """What a file or a folder holds. Raises ``PolicyFault``."""
    if path.is_file():
        return [read_policy(path).as_read_on(None)]
    load_policies([path])
    own = PolicyRegistry.load([path])
    return [own.get(policy_id, version) for policy_id in own.ids for version in own.versions(policy_id)]
