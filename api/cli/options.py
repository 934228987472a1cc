"""Options that commands share, and the ledger that they open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from api.cli.speech import Speech
from api.service import FACTS, Service, open_service
from ledger.errors import NotFound, Text
from ledger.policy.registry import PolicyRegistry

C = TypeVar("C", bound=Callable[..., Any])

DATA_VARIABLE: Final = "FUNDING_LEDGER_DATA"
DATA_DEFAULT: Final = "data"

DATABASE_VARIABLE: Final = "LEDGER_DATABASE_URL"
"""The PostgreSQL database that holds the facts in production. A variable and no option: it may hold a password, and what
is typed at a command line is seen by everyone on the machine."""


def database_url() -> str | None:
    """The database that the environment names; None where the facts lie in the data folder."""
    return os.environ.get(DATABASE_VARIABLE, "").strip() or None


def data_option(speech: Speech, default: str = DATA_DEFAULT) -> Callable[[C], C]:
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
    """Open the ledger in a folder. Raises ``NotFound`` where there is none: a question must not create one."""
    if database_url() is None and not (data / FACTS).is_file():
        raise NotFound(
            Text(
                f"目录{data}里没有账本。请用 --data 指明目录，或先运行 funding-ledger demo 或 serve。",
                f"there is no ledger in {data}; name its folder with --data, or run funding-ledger demo or serve first",
            )
        )
    return open_service(data, database_url=database_url())


def chosen_policy(policies: PolicyRegistry, policy: str | None) -> str:
    """The policy named, or the only one there is."""
    if policy is not None:
        return policy
    if len(policies.ids) != 1:
        raise click.UsageError(f"--policy: {', '.join(policies.ids)}")
    return policies.ids[0]
