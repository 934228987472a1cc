"""``funding-ledger``: its commands, its language, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from api.cli import (
    backup,
    certificate,
    checkpoint,
    demo,
    export,
    import_settlements,
    importing,
    keys,
    limits,
    policies,
    quote,
    restore,
    serve,
    sheet,
    trace,
    users,
    verify,
)
from api.cli.exits import EXIT_NAMES, Exit, exit_of
from api.cli.screen import Run
from api.cli.speech import Speech, language_of, put_into
from ledger.errors import LedgerError
from ledger.seal.durable import failed

_COMMANDS = (
    demo, serve, quote, limits, trace, sheet, importing, import_settlements, users,
    policies, keys, checkpoint, export, verify, certificate, backup, restore,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Chinese shows escapes, and no traceback.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    given = sys.argv[1:] if arguments is None else list(arguments)
    speech = Speech(language_of(given, os.environ))
    program(speech).main(given, prog_name="funding-ledger")


def program(speech: Speech) -> click.Group:
    """The whole command line in one language."""
    codes = "\n".join(f"  {code.value:>3}  {speech.said(name)}" for code, name in EXIT_NAMES.items())
    group = _Program(
        name="funding-ledger",
        no_args_is_help=True,
        help=speech(
            "政府资助资金账本：申报、核定、审批、拨付、追缴，一笔一事实，限额由政策文件计算。\n\n"
            "第一次使用：funding-ledger demo，然后在浏览器或用 curl 试用。\n\n"
            "每个命令的用法与例子：funding-ledger 命令 --help",
            "The ledger of public funding: applications, determinations, awards, payments and clawbacks, each a fact, "
            "under limits that a policy file sets.\n\n"
            "To begin: funding-ledger demo, then try it with a browser or curl.\n\n"
            "Usage and examples of a command: funding-ledger COMMAND --help",
        ),
        epilog="\b\n" + speech("退出码：", "Exit status:") + "\n" + codes,
    )
    group.speech = speech
    for module in _COMMANDS:
        group.add_command(module.command(speech))
    put_into(group, speech)
    return group


class _Program(click.Group):
    """Turns errors into words and an exit status, wherever they come from."""

    speech: Speech

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        # Known before the arguments are parsed, so that a script reads in JSON what is wrong with them too.
        given: Sequence[str] = kwargs.get("args") or (args[0] if args else ())
        run = Run(self.speech, as_json="--json" in given)
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False, "obj": run})
        except SystemExit as ended:
            # click itself ends with 1 where nobody reads the output any more, and in no other case.
            code = Exit.UNREAD if ended.code == 1 else ended.code
        except LedgerError as error:
            run.screen.error(error)
            code = exit_of(error)
        except OSError as error:
            # Such as a name that is too long, which even asking whether it is there fails on.
            if error.filename is None:
                raise
            fault = failed(Path(os.fsdecode(error.filename)), error)
            run.screen.error(fault)
            code = exit_of(fault)
        except click.UsageError as error:
            run.screen.usage_error(error, self._called(given))
            code = Exit.MALFORMED
        except click.Abort:
            code = Exit.INTERRUPTED
        sys.exit(code or Exit.DONE)

    def _called(self, arguments: Sequence[str]) -> str:
        """The command that was meant, with those above it: ``funding-ledger users add``."""
        names: list[str] = [str(self.name)]
        command: click.Group = self
        for argument in arguments:
            below = command.commands.get(argument)
            if below is None:
                continue
            names.append(argument)
            if not isinstance(below, click.Group):
                break
            command = below
        return " ".join(names)
