"""``restore``: a backup in the place of the facts, after all of it was checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from api.backup import Place
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
from api.credentials import anybody_signs_in
from api.database import CREDENTIALS, DATABASE_VARIABLE
from api.evidence import keys_named
from api.restore import Restored, Source
from api.restore import restore as restore_backup
from ledger.seal.kept import CHECKPOINT, PUBLIC_KEYS, open_kept
from ledger.seal.note import Checkpoint, VerifierKey


def command(speech: Speech) -> click.Command:
    @click.command(
        "restore",
        short_help=speech("从备份恢复账本", "restore the facts from a backup"),
        help=speech(
            "先核验整个备份（或导出文件），再放入数据目录；原有账本改名保留。环境变量 "
            f"{DATABASE_VARIABLE} 指明数据库时，恢复到该空数据库中。备份短于、或不同于检查点或目录中现有的账本时拒绝恢复；"
            "封存无误而只是个别事实不合规则的，予以提示，照常恢复。请先停止服务。\n\n"
            "例：\n\n\b\n  funding-ledger restore /backup/2026-03-31 --data data --checkpoint 2026-03-31.checkpoint",
            "Check the whole backup, or export, then put it into the data folder; the log that was there is kept under "
            f"another name. Where {DATABASE_VARIABLE} names a database, it is put there, and the database must be empty. "
            "Refuses a backup that is shorter than, or different from, a kept checkpoint or the log that lies there; what "
            "only breaks a rule, in a log that is as it was sealed, is told and restored. Stop the service first.\n\n"
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
        source = Source.open(backup)
        try:
            if not source.is_vouched_for(data, kept):
                raise no_checkpoint(speech)
            from_backup = () if named_keys else _own_keys(source, data)
            keys, size = keys_named(named_keys or from_backup, data, remark_to(screen)), source.log.size
            with progress_to(size, speech("核验", "checking"), quiet=as_json) as progress:
                restored = restore_backup(
                    source, data, keys, kept, keys_named=bool(named_keys), jobs=jobs_for(size, None), progress=progress
                )
        finally:
            source.log.close()
        signs_in = anybody_signs_in(data / CREDENTIALS)
        if screen.as_json:
            aside = None if restored.aside is None else str(restored.aside)
            places = {"database": restored.database, "aside": aside, "anybody_can_sign_in": signs_in}
            screen.json({"restored": restored.verdict.as_sealed, **places, **verdict_body(restored.verdict, speech)})
        else:
            verdict, told_as = (
                restored.verdict,
                {} if restored.verdict.as_sealed else _told_as(source, data, kept, keys),
            )
            show_verdict(screen, verdict, policies_named(), told_as=told_as, rules_stop=False)
            screen.line(_outcome(restored, data, speech))
        if restored.verdict.as_sealed and not signs_in and not screen.as_json:
            screen.note(_how_to_sign_in(source, data, speech))
        if from_backup:
            screen.note(
                speech(
                    "注意：公钥随备份而来，能改动备份的人也能改动它；请用 --key 给出您自己保存的公钥。",
                    "Note: the public key came with the backup, and whoever can change the backup can change it too; name "
                    "the one you were given with --key.",
                )
            )
        context.exit(Exit.DONE if restored.verdict.as_sealed else Exit.NOT_WHOLE)

    return restore


def _own_keys(source: Source, data: Path) -> tuple[str, ...]:
    """The folder's public keys; those of the backup where the folder is new."""
    if (data / PUBLIC_KEYS).is_file() or source.public_keys is None:
        return ()
    return (str(source.public_keys),)


def _told_as(source: Source, data: Path, kept: Sequence[Path], keys: Sequence[VerifierKey]) -> dict[Checkpoint, str]:
    """Whose the checkpoints are, by path; of one that several have, what others than the backup tell."""
    own = source.stated(keys)
    folder_kept = data / CHECKPOINT
    paths = [*([folder_kept] if folder_kept.is_file() else []), *kept]
    told = {} if own is None else {own: str(source.path)}
    return {**told, **{open_kept(path, keys): str(path) for path in paths}}


def _how_to_sign_in(source: Source, data: Path, say: Speech) -> str:
    """Facts say who holds which role; with which password one signs in they do not."""
    credentials = Place.of(source.path).credentials
    command = f"--data {data}"
    if source.facts is not None and credentials.is_file():
        return say(
            f"现在还没有人能登录：{data} 中没有密码。可在启动服务之前把备份中的 {credentials} 复制为 "
            f"{data / CREDENTIALS}，或逐人设置：funding-ledger users password 用户名 {command}",
            f"Nobody can sign in yet: there are no passwords in {data}. Copy those of the backup, {credentials}, to "
            f"{data / CREDENTIALS} before the service starts, or set each: funding-ledger users password NAME {command}",
        )
    return say(
        f"现在还没有人能登录：密码不在备份中。角色已随账本恢复（funding-ledger users list {command}），"
        f"请逐人设置密码：funding-ledger users password 用户名 {command}",
        f"Nobody can sign in yet: passwords are not in the backup. Roles came back with the facts (funding-ledger users "
        f"list {command}); set each password: funding-ledger users password NAME {command}",
    )


def _outcome(restored: Restored, data: Path, say: Speech) -> str:
    if not restored.verdict.as_sealed:
        return say("未恢复，未作任何改动；请改用另一份备份。", "Nothing was restored or changed; take another backup.")
    if restored.database is not None:
        return say(
            f"已恢复到数据库 {restored.database}；启动服务前，请授予服务所用角色其权限（见 docs/runbook.md）。",
            f"Restored to the database {restored.database}. Before the service starts, grant its role its rights "
            "(docs/runbook.md).",
        )
    if restored.aside is None:
        return say(f"已恢复到 {data}。", f"Restored to {data}.")
    return say(
        f"已恢复到 {data}；原账本保留为 {restored.aside}。",
        f"Restored to {data}; the log that was there is now {restored.aside}.",
    )
