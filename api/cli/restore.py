"""``restore``: a backup in the place of the facts, after all of it was checked."""

from __future__ import annotations

from pathlib import Path

import click

from api.backup import Place
from api.backup import restore as restore_backup
from api.cli.auditing import (
    checkpoint_option,
    jobs_for,
    key_option,
    progress_to,
    show_verdict,
    verdict_body,
)
from api.cli.exits import Exit
from api.cli.options import data_option, json_option
from api.cli.screen import Run
from api.cli.speech import Speech
from api.evidence import keys_named
from ledger.policy.registry import PolicyRegistry
from ledger.seal.kept import PUBLIC_KEYS
from ledger.store.sqlite_log import SQLiteLog


def command(speech: Speech) -> click.Command:
    @click.command(
        "restore",
        short_help=speech("从备份恢复账本", "restore the facts from a backup"),
        help=speech(
            "先核验整个备份，再放入数据目录；原有账本改名保留。备份短于、或不同于检查点或目录中现有的账本时拒绝恢复。"
            "请先停止服务。\n\n"
            "例：\n\n\b\n  funding-ledger restore /backup/2026-03-31 --data data --checkpoint 2026-03-31.checkpoint",
            "Check the whole backup, then put it into the data folder; the log that was there is kept under another name. "
            "Refuses a backup that is shorter than, or different from, a kept checkpoint or the log that lies there. Stop "
            "the service first.\n\n"
            "Example:\n\n\b\n  funding-ledger restore /backup/2026-03-31 --data data --checkpoint 2026-03-31.checkpoint",
        ),
    )
    @click.argument("backup", type=click.Path(exists=True, path_type=Path))
    @checkpoint_option(speech, "保存在别处的检查点，可重复", "a checkpoint kept elsewhere, repeatable")
    @key_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_context
    def restore(
        context: click.Context,
        backup: Path,
        kept: tuple[Path, ...],
        named_keys: tuple[str, ...],
        data: Path,
        as_json: bool,
    ) -> None:
        run: Run = context.obj
        screen = run.show(as_json=as_json)
        place = Place.of(backup)
        keys = keys_named(named_keys or _own_keys(place, data), data)
        size = SQLiteLog(place.facts).size
        with progress_to(size, speech("核验", "checking"), quiet=as_json) as progress:
            restored = restore_backup(backup, data, keys, kept, jobs=jobs_for(size, None), progress=progress)
        if screen.as_json:
            aside = None if restored.aside is None else str(restored.aside)
            screen.json({"restored": restored.verdict.whole, "aside": aside, **verdict_body(restored.verdict, speech)})
        else:
            show_verdict(screen, restored.verdict, PolicyRegistry.load())
            screen.line(_outcome(restored.verdict.whole, restored.aside, data, speech))
        context.exit(Exit.DONE if restored.verdict.whole else Exit.NOT_WHOLE)

    return restore


def _own_keys(place: Place, data: Path) -> tuple[str, ...]:
    """The folder's public keys; those of the backup where the folder is new."""
    if (data / PUBLIC_KEYS).is_file() or not place.public_keys.is_file():
        return ()
    return (str(place.public_keys),)


def _outcome(whole: bool, aside: Path | None, data: Path, say: Speech) -> str:
    if not whole:
        return say("未恢复，数据目录未作改动。", "Nothing was restored or changed.")
    if aside is None:
        return say(f"已恢复到 {data}。", f"Restored to {data}.")
    return say(
        f"已恢复到 {data}；原账本保留为 {aside}。", f"Restored to {data}; the log that was there is now {aside}."
    )
