"""``export``: the whole log in one file that an auditor can read, hash and keep."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.auditing import progress_to, signing_key_option
from api.cli.options import data_option, json_option, policies_named
from api.cli.screen import Run
from api.cli.speech import Speech
from api.evidence import keeper_of, open_log
from ledger.counted import counted
from ledger.policy.model import Pin
from ledger.policy.registry import PolicyRegistry
from ledger.seal.durable import new_file
from ledger.seal.export import FORMAT, VERSION, ExportHeader, export_lines
from ledger.seal.note import Checkpoint, Note


def command(speech: Speech) -> click.Command:
    @click.command(
        "export",
        short_help=speech("导出全部事件", "export every event"),
        help=speech(
            "把全部事件导出为一个文件（JSON Lines）：表头一行，每个事件一行（就是被封存的原文），最后是签名的检查点。"
            "审计人员用 funding-ledger verify 文件 --key 公钥 核验。可在服务运行时执行。\n\n"
            "例：\n\n\b\n  funding-ledger export -o 2026.jsonl",
            "Write every event to one file of JSON Lines: a header, a line for each event which is exactly what was sealed, "
            "and the signed checkpoint. An auditor checks it with funding-ledger verify FILE --key PUBLIC. Works while the "
            "service runs.\n\n"
            "Example:\n\n\b\n  funding-ledger export -o 2026.jsonl",
        ),
    )
    @click.option(
        "-o",
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        required=True,
        metavar="FILE",
        help=speech("新文件", "a new file"),
    )
    @signing_key_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def export(run: Run, out: Path, signing_key: Path | None, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        log = open_log(data)
        try:
            with new_file(out) as file:
                signed = keeper_of(data, signing_key).sign(log, size=log.size)
                stated = Checkpoint.parse(Note.parse(signed).text)
                header = ExportHeader(
                    format=FORMAT,
                    version=VERSION,
                    origin=stated.origin,
                    size=stated.size,
                    policies=_policies(policies_named()),
                )
                with progress_to(log.size, speech("导出", "exporting"), quiet=as_json) as progress:
                    for position, line in enumerate(export_lines(log, header, signed)):
                        file.write(line)
                        if position % 1000 == 0:
                            progress(position)
        finally:
            log.close()
        if screen.as_json:
            screen.json({"file": str(out), "events": stated.size, "origin": stated.origin, "root": stated.root.hex()})
        else:
            screen.note(speech(f"{out}：{stated.size}个事件", f"{out}: {counted(stated.size, 'event')}"))

    return export


def _policies(known: PolicyRegistry) -> tuple[Pin, ...]:
    return tuple(known.get(policy, version).pin for policy in known.ids for version in known.versions(policy))
