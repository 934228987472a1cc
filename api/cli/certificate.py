"""``certificate``: an award's history with its proofs, in one file that is checked without anything of ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from api.cli.auditing import remark_to, require_notes, signing_key_option
from api.cli.case_named import case_named
from api.cli.options import data_option, json_option, open_existing
from api.cli.screen import Run
from api.cli.speech import Speech
from api.evidence import keeper_of, keys_named
from ledger.counted import counted
from ledger.errors import FieldError, Malformed, Text
from ledger.seal import SealError
from ledger.seal.durable import new_file, require_free_name
from ledger.seal.kept import CHECKPOINT, LogNotContinued, opened_as, read_note, require_continues
from ledger.seal.merkle import NodeReader
from ledger.seal.note import Checkpoint, VerifierKey
from projections.certificates import Since
from projections.certificates import certificate as certificate_of


def command(speech: Speech) -> click.Command:
    @click.command(
        "certificate",
        short_help=speech("出具资助证明", "write the certificate of an award"),
        help=speech(
            "出具一笔资助的证明：全部事件的原文、每个事件在日志中的证明、签名的检查点。收件人只需 Python 与 cryptography，"
            "用 tools/verify_certificate.py 文件 --key 公钥 离线核对。收件人以前保存过检查点的，用 --since 附上衔接证明，"
            "对方加 --checkpoint 核对日志没有另立一份。编号可写 awd-…、app-… 或案卷号。\n\n"
            "例：\n\n\b\n  funding-ledger certificate awd-7Q2M4X9KDB -o 证明.json",
            "Write the certificate of an award: every event as it was sealed, the proof of each in the log, and the signed "
            "checkpoint. Who receives it checks it offline with tools/verify_certificate.py FILE --key PUBLIC, which needs "
            "Python and cryptography and nothing of ours. For who kept a checkpoint from earlier, --since adds the proof "
            "that the log continues it, which is checked with --checkpoint. AWARD is awd-…, app-… or the bare case "
            "number.\n\n"
            "Example:\n\n\b\n  funding-ledger certificate awd-7Q2M4X9KDB -o certificate.json",
        ),
    )
    @click.argument("award")
    @click.option(
        "-o",
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        required=True,
        metavar="FILE",
        help=speech("新文件", "a new file"),
    )
    @click.option(
        "--checkpoint",
        "kept",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=require_notes(speech),
        metavar="FILE",
        help=speech("以此检查点为准，不另行签署", "prove against this checkpoint instead of signing one"),
    )
    @click.option(
        "--since",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=require_notes(speech),
        metavar="FILE",
        help=speech(
            "收件人以前保存的检查点：附上其后日志与之衔接的证明",
            "a checkpoint that the recipient kept from earlier: adds the proof that the log continues it",
        ),
    )
    @signing_key_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def certificate(
        run: Run,
        award: str,
        out: Path,
        kept: Path | None,
        since: Path | None,
        signing_key: Path | None,
        data: Path,
        as_json: bool,
    ) -> None:
        screen = run.show(as_json=as_json)
        number = case_named(award)
        require_free_name(out)
        with open_existing(data) as service:
            earlier_note = None if since is None else read_note(since)
            # Signed before the history is read: what the certificate shows is all of the case up to there.
            signed = keeper_of(data, signing_key).sign(service.recorder) if kept is None else read_note(kept)
            keys = keys_named((), data, remark_to(screen))
            opened = opened_as(kept or data / CHECKPOINT, signed, keys)
            # Only now: what a log in use gains after a checkpoint of it was read does not make it shorter than that.
            nodes, head = service.recorder.nodes(), service.recorder.head()
            require_continues(opened.checkpoint, head, nodes, str(kept or data))
            earlier = None
            if since is not None and earlier_note is not None:
                earlier = _earlier(since, earlier_note, keys, opened.checkpoint)
                _require_shown(earlier.checkpoint, head, nodes, since)
            content = certificate_of(number, service.reader, nodes, signed, opened, earlier)
        with new_file(out) as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")
        if screen.as_json:
            screen.json({"file": str(out), "award": content["award"], "events": len(content["events"])})
        else:
            screen.line(content["summary"][speech.language])
            screen.note(str(out))

    return certificate


def _require_shown(earlier: Checkpoint, head: int, nodes: NodeReader, since: Path) -> None:
    """Raises ``SealError`` where the recipient was shown another log: nothing to restore, but to find out about."""
    try:
        require_continues(earlier, head, nodes, str(since))
    except LogNotContinued as error:
        raise SealError(
            Text(
                f"收件人的检查点（{since}，{earlier.size}个事件）与本账本不符：对方看到的是另一份账本，或者其中一份已被改动。"
                "请保存该检查点，并用自己保存的检查点执行 funding-ledger verify 查明",
                f"the recipient's checkpoint ({since}, {counted(earlier.size, 'event')}) is not of this log: they were "
                "shown another one, or one of the two was changed. Keep it, and find out with funding-ledger verify "
                "and a checkpoint of your own",
            )
        ) from error


def _earlier(path: Path, note: bytes, keys: Sequence[VerifierKey], stated: Checkpoint) -> Since:
    """Raises ``Malformed`` for a checkpoint that is not from before the one that the certificate rests on."""
    checkpoint = opened_as(path, note, keys).checkpoint
    if checkpoint.size > stated.size:
        told = Text(
            f"{path} 有{checkpoint.size}个事件，晚于证明所依据的检查点（{stated.size}个）；请去掉 --checkpoint",
            f"{path} is of {counted(checkpoint.size, 'event')}, later than the checkpoint that the certificate rests on, of "
            f"{stated.size}; leave out --checkpoint",
        )
        raise Malformed([FieldError("--since", "later", told)])
    return Since(note, checkpoint)
