"""Options that commands share, and the ledger that they open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from api.cli.screen import Run
from api.cli.speech import Speech
from api.database import FACTS, database_url
from api.evidence import open_log
from api.policies import load_policies
from api.service import Service, open_service
from ledger.errors import NotFound, Text
from ledger.policy.registry import PolicyRegistry

C = TypeVar("C", bound=Callable[..., Any])

DATA_VARIABLE: Final = "FUNDING_LEDGER_DATA"
DATA_DEFAULT: Final = "data"
POLICIES_VARIABLE: Final = "LEDGER_POLICIES"


def data_option(speech: Speech, default: str = DATA_DEFAULT, *, policies: bool = True) -> Callable[[C], C]:
    """Where the ledger lies; and, unless ``policies`` is false, the policies that it is kept under beside the built-in."""
    data = _data_option(speech, default)
    return (lambda command: data(_policies_option(speech)(command))) if policies else data


def _policies_option(speech: Speech) -> Callable[[C], C]:
    def keep(context: click.Context, parameter: click.Parameter, value: tuple[Path, ...]) -> None:
        _run(context).policies = value

    return click.option(
        "--policies",
        type=click.Path(path_type=Path),
        envvar=POLICIES_VARIABLE,
        multiple=True,
        metavar="DIR",
        expose_value=False,
        callback=keep,
        help=speech(
            f"本局自己的政策目录，内有 政策编号/版本.toml，可重复（或环境变量 {POLICIES_VARIABLE}，以“{os.pathsep}”分隔）",
            f"a folder of policies of your own, ID/VERSION.toml, repeatable (or ${POLICIES_VARIABLE}, parted by "
            f"“{os.pathsep}”)",
        ),
    )


def policies_named() -> PolicyRegistry:
    """The policies that the running command was told of, and the built-in ones. Raises ``PolicyFault``."""
    return load_policies(_run(click.get_current_context()).policies)


def _run(context: click.Context) -> Run:
    run = context.find_object(Run)
    assert run is not None, "every command is run by the program"
    return run


def _data_option(speech: Speech, default: str) -> Callable[[C], C]:
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        envvar=DATA_VARIABLE,
        default=default,
        metavar="DIR",
        help=speech(
            f"存放全部数据的目录（默认：{default}，或环境变量 {DATA_VARIABLE}）",
            f"the folder that holds everything (default: {default}, or ${DATA_VARIABLE})",
        ),
    )


def json_option(speech: Speech) -> Callable[[C], C]:
    return click.option(
        "--json", "as_json", is_flag=True, help=speech("输出 JSON，供脚本使用", "write JSON, for scripts")
    )


def open_existing(data: Path) -> Service:
    """Open the ledger of a folder, whose facts may lie in a database. Raises ``NotFound`` where there is none: a question
    must not create one."""
    if (url := database_url()) is not None:
        if not data.is_dir():
            raise NotFound(
                Text(
                    f"没有数据目录{data}。请用 --data 指明本账本的目录：事实在数据库中，检查点、公钥与用户在目录中。",
                    f"there is no data folder {data}; name this ledger's with --data: its facts lie in the database, its "
                    "checkpoint, keys and users in the folder",
                )
            )
        open_log(data).close()
    elif not (data / FACTS).is_file():
        raise NotFound(
            Text(
                f"目录{data}里没有账本。请用 --data 指明目录，或先运行 funding-ledger demo 或 serve。",
                f"there is no ledger in {data}; name its folder with --data, or run funding-ledger demo or serve first",
            )
        )
    return open_service(data, database_url=url, policies=policies_named())


def chosen_policy(speech: Speech, policies: PolicyRegistry, policy: str | None) -> str:
    """The policy named, or the only one there is. Raises ``click.UsageError`` where several are and none was named."""
    if policy is not None:
        return policy
    if len(policies.ids) != 1:
        ids = policies.ids
        raise click.UsageError(
            speech(
                f"有{len(ids)}个政策，请用 --policy 指明依据哪一个，例如 --policy {ids[0]}；可选：{'、'.join(ids)}",
                f"there are {len(ids)} policies; name the one that is meant with --policy, such as --policy {ids[0]}. "
                f"There are: {', '.join(ids)}",
            )
        )
    return policies.ids[0]
