"""``keys``: the signing key of the log, and the public key that others check its checkpoints with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from api.cli.beginning import is_new, tell_key_alone
from api.cli.options import data_option, json_option
from api.cli.screen import Run
from api.cli.speech import Speech
from api.evidence import KEY_VARIABLE, keeper_of, new_key
from ledger.seal.kept import PUBLIC_KEYS


def command(speech: Speech) -> click.Command:
    @click.command(
        "keys",
        short_help=speech("生成检查点签名密钥", "make the key that signs checkpoints"),
        help=speech(
            "生成签名密钥，并打印公钥（交给审计人员，用于核对检查点、导出和证明）。私钥默认存于数据目录的 log.key，"
            f"可用 --out 放到别处，以后用环境变量 {KEY_VARIABLE} 或 --signing-key 指明。私钥不进入备份，请另行妥善保管。"
            "公钥存于 log.pub；换密钥时先移走旧私钥再运行，账本名称不变。\n\n"
            "例：\n\n\b\n  funding-ledger keys --origin fagaiwei.example.gov.cn/funding",
            "Make the signing key, and print the public key: hand that to auditors, who check checkpoints, exports and "
            "certificates with it. The secret is kept as log.key in the data folder; --out puts it elsewhere, and then "
            f"{KEY_VARIABLE} or --signing-key names it. It is in no backup: keep a copy of your own. Public keys are kept "
            "in log.pub; to change keys, move the old secret away and run this again: the log keeps its name.\n\n"
            "Example:\n\n\b\n  funding-ledger keys --origin grants.example.gov/funding",
        ),
    )
    @click.option(
        "--origin",
        metavar="NAME",
        help=speech(
            "账本的名称，写入每个检查点（默认随机生成）", "the log's name in every checkpoint (default: made up)"
        ),
    )
    @click.option(
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help=speech(
            "私钥文件（默认：数据目录的 log.key）", "the file for the secret (default: log.key in the data folder)"
        ),
    )
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def keys(run: Run, origin: str | None, out: Path | None, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        keeper = keeper_of(data, out)
        public = new_key(keeper, origin, os.urandom)
        if is_new(data):
            made = [path.name for path in (keeper.key_path, data / PUBLIC_KEYS) if path.parent == data]
            tell_key_alone(screen, data, made)
        if screen.as_json:
            screen.json(
                {"origin": public.name, "public_key": public.encode(), "signing_key_file": str(keeper.key_path)}
            )
            return
        click.echo(public.encode())
        screen.note(
            speech(
                f"私钥：{keeper.key_path}（只有本用户可读）；公钥也存于 {data / PUBLIC_KEYS}",
                f"the secret is in {keeper.key_path}, readable by this user alone; public keys are in {data / PUBLIC_KEYS}",
            )
        )

    return keys
