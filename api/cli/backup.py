"""``backup``: a copy of the facts, taken while the service runs."""

from __future__ import annotations

from pathlib import Path

import click

from api.backup import back_up
from api.cli.auditing import progress_of, signing_key_option
from api.cli.options import data_option, json_option
from api.cli.screen import Run
from api.cli.speech import Speech
from api.database import DATABASE_VARIABLE
from api.evidence import keeper_of
from ledger.counted import counted


def command(speech: Speech) -> click.Command:
    @click.command(
        "backup",
        short_help=speech("备份账本", "back up the facts"),
        help=speech(
            "备份全部事实，附带副本的签名检查点与公钥；服务运行时也可执行。目标为新目录；以 .sqlite 结尾时为单个文件，"
            "检查点存于其旁。不含视图（可重建）与签名私钥（请另行保管）；--credentials 另含用户密码散列。"
            f"事实在 PostgreSQL（{DATABASE_VARIABLE}）时逐个事件读出并核对哈希，备份的形式相同，可恢复到任一种存储。\n\n"
            "例：\n\n\b\n  funding-ledger backup /backup/2026-03-31",
            "Copy all facts, with a signed checkpoint of what was copied and the public key, while the service runs. The "
            "target is a new folder; a name ending in .sqlite is one file with its checkpoint beside it. Views are not "
            "copied, they are made from the facts; nor is the signing key, keep that elsewhere; --credentials adds the "
            f"password hashes. From PostgreSQL ({DATABASE_VARIABLE}) every event is read and its hash checked; the backup "
            "is of the same form, and can be restored into either store.\n\n"
            "Example:\n\n\b\n  funding-ledger backup /backup/2026-03-31",
        ),
    )
    @click.argument("target", type=click.Path(path_type=Path))
    @click.option("--credentials", is_flag=True, help=speech("一并备份用户密码散列", "password hashes too"))
    @signing_key_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def backup(run: Run, target: Path, credentials: bool, signing_key: Path | None, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        with progress_of(speech("备份", "copying"), quiet=as_json) as progress:
            made = back_up(data, target, keeper_of(data, signing_key), credentials=credentials, progress=progress)
        if screen.as_json:
            places = {"facts": str(made.place.facts), "checkpoint": str(made.place.checkpoint)}
            screen.json({**places, "events": made.size, "whole": made.verdict.whole})
            return
        if not made.verdict.whole:
            screen.note(
                speech(
                    "注意：封存无误，备份可以恢复，但其中有不合规则的事实；请运行 funding-ledger verify 查看并报告。",
                    "Note: the log is as it was sealed, and this can be restored, but some of its facts break the rules; "
                    "see funding-ledger verify, and report them.",
                )
            )
        screen.line(speech(f"{target}：{made.size}个事件", f"{target}: {counted(made.size, 'event')}"))
        screen.note(
            speech(
                f"请把检查点 {made.place.checkpoint} 另存一份在别处：恢复时用它核对备份。",
                f"keep a copy of the checkpoint {made.place.checkpoint} elsewhere: a restore is checked against it.",
            )
        )

    return backup
