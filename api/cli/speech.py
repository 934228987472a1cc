"""In which language the command line speaks, and click's own words in Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import click

from api.cli.click_words import told_in_chinese
from ledger.errors import Text


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Speech:
    """Says a text in the language of whoever is at the terminal."""

    language: Language

    def __call__(self, zh: str, en: str) -> str:
        return zh if self.language is Language.ZH else en

    def said(self, text: Text) -> str:
        return self(text.zh, text.en)

    def named(self, chinese: str) -> str:
        """A name that there is in Chinese alone, as those that policies give: quoted where English stands around it."""
        return self(chinese, f"“{chinese}”")


def language_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Language:
    """As ``--lang`` says; else as the environment's locale, where it is an English one; else Chinese.

    Read before the arguments are parsed, because the help is written in it.
    """
    for position, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == "--lang":
            wanted = value or (arguments[position + 1] if position + 1 < len(arguments) else "")
            return Language.EN if wanted == Language.EN else Language.ZH
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return Language.EN if locale.lower().startswith("en") else Language.ZH


def usage_error_said(error: click.UsageError, speech: Speech) -> str:
    """What is wrong with the arguments."""
    if speech.language is Language.EN:
        return error.format_message()
    match error:
        case click.MissingParameter():
            kind = "选项" if isinstance(error.param, click.Option) else "参数"
            return f"缺少{kind} {_hint(error)}"
        case click.BadParameter():
            return f"{_hint(error)} 有误：{told_in_chinese(error.message)}"
        case click.exceptions.NoSuchCommand():
            return f"没有命令 {error.command_name}{_meant(error.possibilities)}"
        case click.NoSuchOption():
            return f"没有选项 {error.option_name}{_meant(error.possibilities)}"
    return told_in_chinese(error.format_message())


def _hint(error: click.BadParameter) -> str:
    if error.param is None or error.ctx is None:
        return ""
    return error.param.get_error_hint(error.ctx).replace("'", "")


def _meant(possible: Sequence[str] | None) -> str:
    return f"；是否指 {'、'.join(sorted(possible))}？" if possible else ""


def put_into(command: click.Command, speech: Speech) -> None:
    """Have a command, and all commands below it, take ``--lang`` and explain themselves in the language."""
    command.params.append(_lang_option(speech))
    if speech.language is Language.ZH:
        _put_into_chinese(command)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            put_into(below, speech)


def _lang_option(speech: Speech) -> click.Option:
    """Has been read when the arguments are parsed: here so that it may stand anywhere, and is shown in every help."""
    return click.Option(
        ["--lang"],
        type=click.Choice([language.value for language in Language]),
        expose_value=False,
        help=speech("提示语言（默认中文，或随环境变量 LANG）", "language (default: Chinese, or as $LANG says)"),
    )


def _put_into_chinese(command: click.Command) -> None:
    command.context_class = _ChineseContext
    command.options_metavar = "[选项]"
    if isinstance(command, click.Group):
        command.subcommand_metavar = "命令 [参数]…"
    command.add_help_option = False
    command.params.append(
        click.Option(
            ["--help"], is_flag=True, is_eager=True, expose_value=False, callback=_show_help, help="显示本说明"
        )
    )


def _show_help(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(context.get_help())
        context.exit()


_HEADINGS: Final = {"Options": "选项", "Commands": "命令", "Arguments": "参数"}


class _ChineseFormatter(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or "用法：")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        with super().section(_HEADINGS.get(name, name)):
            yield


class _ChineseContext(click.Context):
    formatter_class = _ChineseFormatter
