"""What the command line shows: tables for people, JSON for scripts, and errors by field for both."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from click.exceptions import NoArgsIsHelpError
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from api.cli.speech import Speech, usage_error_said
from ledger.errors import FieldError, Headroom, LedgerError, Malformed, Refusal
from ledger.money import format_yuan
from projections.amounts import grouped_yuan

_WIDTH_WITHOUT_TERMINAL: Final = 180


class Screen:
    """Writes for whoever asked: ``as_json`` one JSON document to standard output and nothing else."""

    def __init__(self, speech: Speech, *, as_json: bool) -> None:
        self.speech = speech
        self.as_json = as_json

    def json(self, content: Any) -> None:
        click.echo(json.dumps(content, ensure_ascii=False, indent=2, default=str))

    def line(self, text: str = "", *, style: str = "") -> None:
        _console().print(Styled(text, style=style), soft_wrap=True)

    def note(self, text: str) -> None:
        """To standard error: about the run, not part of its result."""
        _console(stderr=True).print(Styled(text), soft_wrap=True)

    def table(
        self, title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()
    ) -> None:
        """``right`` are the columns of figures, counted from 0."""
        table = Table(title=title, title_justify="left", title_style="bold")
        for index, heading in enumerate(headings):
            table.add_column(heading, justify="right" if index in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Styled(cell) for cell in row))
        _console().print(table)

    def error(self, error: LedgerError) -> None:
        """What went wrong, in words; with ``as_json`` as an object with the fields of the API's problems."""
        if self.as_json:
            self.json(self.problem(error))
            return
        console = _console(stderr=True)
        console.print(Styled(self.speech.said(error.text), style="red"), soft_wrap=True)
        if isinstance(error, Malformed):
            for field_error in error.errors:
                console.print(Styled(f"  {field_error.field}: {self.speech.said(field_error.text)}"), soft_wrap=True)
        if isinstance(error, Refusal):
            for told in self._grounds(error):
                console.print(Styled(f"  {told}"), soft_wrap=True)

    def usage_error(self, error: click.UsageError, command: str) -> None:
        """``command`` is as it was called, for an error that click does not say the place of."""
        if isinstance(error, NoArgsIsHelpError):
            error.show()
            return
        told = usage_error_said(error, self.speech)
        if self.as_json:
            self.json({"code": "invalid-usage", "detail": told})
            return
        path = error.ctx.command_path if error.ctx else command
        self.note(told)
        self.note(self.speech(f"用法见：{path} --help", f"usage: {path} --help"))

    def _grounds(self, refusal: Refusal) -> Iterable[str]:
        say = self.speech
        if refusal.clause is not None:
            yield say(f"依据：{refusal.clause}", f"under: {refusal.clause}")
        if (limit := refusal.limit) is not None:
            ceiling, used, left = (format_yuan(fen) for fen in (limit.ceiling_fen, limit.used_fen, limit.left_fen))
            yield say(
                f"限额 {limit.scope}：上限 {ceiling}，已用 {used}，尚余 {left}",
                f"limit {limit.scope}: ceiling {ceiling}, used {used}, left {left}",
            )

    def problem(self, error: LedgerError) -> dict[str, Any]:
        problem: dict[str, Any] = {"code": error.code, "detail": self.speech.said(error.text)}
        if isinstance(error, Refusal) and error.clause is not None:
            problem["clause"] = error.clause
        if isinstance(error, Refusal) and error.limit is not None:
            problem["limit"] = headroom_body(error.limit)
        if isinstance(error, Malformed):
            problem["errors"] = [field_error_body(field_error, self.speech) for field_error in error.errors]
        return problem


@dataclass(slots=True)
class Run:
    """One run of the program, as click hands it to the command."""

    speech: Speech
    as_json: bool = False
    policies: tuple[Path, ...] = ()
    """Folders of policies beside the built-in ones."""

    def show(self, *, as_json: bool) -> Screen:
        """The screen that the command writes to; errors that leave the command are written to the same."""
        self.as_json = as_json
        return self.screen

    @property
    def screen(self) -> Screen:
        return Screen(self.speech, as_json=self.as_json)


def field_error_body(error: FieldError, speech: Speech) -> dict[str, str]:
    return {"field": error.field, "code": error.code, "message": speech.said(error.text)}


def headroom_body(headroom: Headroom) -> dict[str, str]:
    return {
        "limit": headroom.limit,
        "scope": headroom.scope,
        "ceiling": format_yuan(headroom.ceiling_fen),
        "used": format_yuan(headroom.used_fen),
        "left": format_yuan(headroom.left_fen),
    }


def yuan(amount_fen: int | None) -> str:
    """An amount as tables show it: grouped, ``3,000,000.00``; empty where there is none."""
    return "" if amount_fen is None else grouped_yuan(amount_fen)


def _console(*, stderr: bool = False) -> Console:
    # Made when it is needed: what standard output is may change, as it does in tests.
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else _WIDTH_WITHOUT_TERMINAL)
