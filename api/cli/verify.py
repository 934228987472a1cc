"""``verify``: the whole store or an export, checked against kept checkpoints, to the last fen."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.auditing import (
    checkpoint_option,
    jobs_for,
    key_option,
    no_checkpoint,
    progress_to,
    remark_to,
    show_verdict,
    verdict_body,
)
from api.cli.exits import Exit
from api.cli.options import data_option, json_option, policies_named
from api.cli.screen import Run
from api.cli.speech import Speech
from api.evidence import keys_named, open_log
from ledger.seal.export import ExportLog
from ledger.seal.kept import CHECKPOINT, opened_as, read_note
from projections.verification import verify as verify_log


def command(speech: Speech) -> click.Command:
    @click.command(
        "verify",
        short_help=speech("核验账本或导出文件", "check the store or an export"),
        help=speech(
            "核验整个账本，或一个导出文件（EXPORT）：逐个事件重算哈希与整棵树，与保存的检查点和存储的哈希比较，核对签名与顺序，"
            "并从事件重新计算全部限额、预算与余额。指出第一个有问题的事件。完整时退出码为 0，否则为 5。"
            "可给出多个检查点：被改动的位置在最后一个相符与第一个不符的检查点之间。可在服务运行时执行，不写入任何数据。\n\n"
            "例：\n\n\b\n  funding-ledger verify --checkpoint 2026-03-31.checkpoint --key 公钥\n"
            "  funding-ledger verify 2026.jsonl --checkpoint 2026-03-31.checkpoint --key 公钥",
            "Check the whole store, or an export: the hash of every event and the tree over them, against kept checkpoints "
            "and the stored hashes; signatures; the order of time; and every limit, budget and balance added up again from "
            "the events. Names the first wrong event. Exit status 0 only for what is whole, else 5. With several "
            "checkpoints, a change lies between the last that fits and the first that does not. Works while the "
            "service runs, and writes nothing.\n\n"
            "Example:\n\n\b\n  funding-ledger verify --checkpoint 2026-03-31.checkpoint --key PUBLIC\n"
            "  funding-ledger verify 2026.jsonl --checkpoint 2026-03-31.checkpoint --key PUBLIC",
        ),
    )
    @click.argument("export", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @checkpoint_option(
        speech,
        "保存的检查点文件，可重复（数据目录或导出文件自带的检查点总会一并核对）",
        "a kept checkpoint, repeatable (the one in the data folder or in the export is always checked too)",
    )
    @key_option(speech)
    @click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        help=speech(
            "分担的进程数（默认：处理器个数减一）", "processes to share the work (default: one fewer than processors)"
        ),
    )
    @data_option(speech)
    @json_option(speech)
    @click.pass_context
    def verify(
        context: click.Context,
        export: Path | None,
        kept: tuple[Path, ...],
        named_keys: tuple[str, ...],
        jobs: int | None,
        data: Path,
        as_json: bool,
    ) -> None:
        run: Run = context.obj
        screen = run.show(as_json=as_json)
        notes = [(path, read_note(path)) for path in (*kept, *_kept_in(data, export))]
        # Only now: what a log in use gains after a checkpoint of it was read does not make it shorter than that.
        log = open_log(data, damaged=True) if export is None else ExportLog(export)
        try:
            keys = keys_named(named_keys, data, remark_to(screen))
            told_as = {opened_as(path, note, keys).checkpoint: str(path) for path, note in notes}
            closing = None
            if isinstance(log, ExportLog) and export is not None:
                closing = opened_as(export, log.checkpoint, keys).checkpoint
                told_as.setdefault(closing, str(export))
            if not (checkpoints := list(told_as)):
                raise no_checkpoint(speech)
            with progress_to(log.size, speech("核验", "checking"), quiet=as_json) as progress:
                verdict = verify_log(
                    log, checkpoints, closing=closing, jobs=jobs_for(log.size, jobs), progress=progress
                )
        finally:
            log.close()
        if screen.as_json:
            screen.json(verdict_body(verdict, speech))
        else:
            show_verdict(screen, verdict, policies_named(), told_as=told_as)
            if not named_keys:
                screen.note(
                    speech(
                        "注意：公钥取自数据目录，能改动账本的人也能改动它；请用 --key 给出您自己保存的公钥。",
                        "Note: the public key is the data folder's own, which whoever can change the log can change too; "
                        "name the one you were given with --key.",
                    )
                )
        context.exit(Exit.DONE if verdict.whole else Exit.NOT_WHOLE)

    return verify


def _kept_in(data: Path, export: Path | None) -> list[Path]:
    """The checkpoint that the store's folder keeps, if any; an export brings its own."""
    own = data / CHECKPOINT
    return [own] if export is None and own.is_file() else []
