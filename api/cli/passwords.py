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
    """The password; ``confirm`` asks for it twice.

    Raises ``click.Abort`` where somebody stops it, and ``click.UsageError`` where nobody is there to answer.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return _asked(speech, confirm=confirm)
    except click.Abort as abort:
        # What click stopped for: the end of the input is nobody's wish to stop where no terminal is.
        if isinstance(abort.__context__, EOFError) and not sys.stdin.isatty():
            raise click.UsageError(
                speech(
                    "没有终端可以询问密码；请加 --password-stdin，从标准输入读取一行作为密码",
                    "there is no terminal to ask for the password at; add --password-stdin to have it read from standard "
                    "input, as one line",
                )
            ) from abort
        raise


def _asked(speech: Speech, *, confirm: bool) -> str:
    while True:
        password = _typed(speech("密码", "password"))
        if not confirm or _typed(speech("再输入一次", "once more")) == password:
            return password
        click.echo(speech("两次输入的密码不同，请重新输入", "the two passwords differ; type it again"), err=True)


def _typed(told: str) -> str:
    password: str = click.prompt(told, hide_input=True, err=True)
    return password
