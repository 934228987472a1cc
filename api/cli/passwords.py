"""Passwords are asked for at the terminal, or read from standard input: never an argument, which others can see."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from api.cli.speech import Speech

C = TypeVar("C", bound=Callable[..., Any])


def password_option(speech: Speech) -> Callable[[C], C]:
    return click.option(
        "--password-stdin",
        is_flag=True,
        help=speech("从标准输入读取密码（供脚本使用），不在终端询问", "read the password from standard input"),
    )


def ask_password(speech: Speech, *, from_stdin: bool, confirm: bool) -> str:
    """The password; ``confirm`` asks for it twice. Raises ``click.Abort`` where nobody answers."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    while True:
        password = _typed(speech("密码", "password"))
        if not confirm or _typed(speech("再输入一次", "once more")) == password:
            return password
        click.echo(speech("两次输入的密码不同，请重新输入", "the two passwords differ; type it again"), err=True)


def _typed(told: str) -> str:
    password: str = click.prompt(told, hide_input=True, err=True)
    return password
