"""What imports show alike: how far they are, a file's errors, and what a dry run found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from api.cli.screen import Screen
from api.cli.speech import Speech
from api.imports.cells import CellError
from ledger.counted import counted

ERRORS_SHOWN_MOST: Final = 100
"""To a person; with ``--json`` all are told."""


@contextmanager
def progress_of(screen: Screen, total: int) -> Iterator[Callable[[], None]]:
    """A bar for people who watch; nothing for scripts."""
    console = Console(stderr=True)
    with Progress(console=console, disable=screen.as_json or not console.is_terminal, transient=True) as progress:
        task = progress.add_task(screen.speech("导入", "import"), total=total)
        yield lambda: progress.advance(task)


def show_errors(screen: Screen, file: Path, errors: tuple[CellError, ...]) -> None:
    say = screen.speech
    if screen.as_json:
        screen.json({"file": str(file), "imported": 0, "errors": [_error_body(error, say) for error in errors]})
        return
    headings = [say("行", "row"), say("列", "column"), say("表头", "heading"), say("错误", "error")]
    rows = ([str(e.row), e.letter, say.said(e.column), say.said(e.text)] for e in errors[:ERRORS_SHOWN_MOST])
    screen.table(say(f"{file}：{len(errors)}处错误", f"{file}: {counted(len(errors), 'error')}"), headings, rows)
    if len(errors) > ERRORS_SHOWN_MOST:
        screen.line(
            say(f"……只显示前{ERRORS_SHOWN_MOST}处，全部见 --json", f"… the first {ERRORS_SHOWN_MOST}; all with --json")
        )
    screen.line(
        say("没有导入任何一行。请更正后重新导入。", "Nothing was imported. Correct the file and import it again."),
        style="red",
    )


def _error_body(error: CellError, say: Speech) -> dict[str, Any]:
    return {
        "row": error.row,
        "column": error.letter or None,
        "heading": say.said(error.column) or None,
        "code": error.code,
        "message": say.said(error.text),
    }


def show_dry_run(
    screen: Screen, file: Path, user: str | None, rows: int, before: int, refused: list[dict[str, Any]]
) -> None:
    """What an import would record, find recorded, and be refused. ``refused`` are rows with ``code`` and ``message``."""
    say, would = screen.speech, rows - before - len(refused)
    if screen.as_json:
        told = {"would_import": would, "before": before, "refused": refused}
        screen.json({"file": str(file), "rows": rows, "imported": 0, "errors": [], **told})
        return
    show_refused(screen, refused)
    screen.line(
        say(
            f"试导入{rows}行：{would}行可以记录，{before}行此前已记录，{len(refused)}行会被拒绝。没有记录任何内容。",
            f"{counted(rows, 'row')} rehearsed: {would} would be recorded, {before} were before, {len(refused)} would be "
            "refused. Nothing was recorded.",
        ),
        style="red" if refused else "",
    )
    if user is None:
        screen.line(
            say(
                "试导入未指明经办人；加 --user 用户名（不问密码）可一并核对其职责分离。",
                "Nobody was named: with --user NAME (no password is asked) the separation of their duties is checked too.",
            )
        )


def show_refused(screen: Screen, refused: list[dict[str, Any]]) -> None:
    """A row with an ``award`` shows it."""
    if not refused:
        return
    say, award = screen.speech, "award" in refused[0]
    headings = [say("行", "row"), *([say("资助编号", "award")] if award else []), say("理由", "reason")]
    cells = ([str(each[key]) for key in ("row", "award", "message") if key in each] for each in refused)
    screen.table(say("未登记", "not recorded"), headings, islice(cells, ERRORS_SHOWN_MOST))
    if len(refused) > ERRORS_SHOWN_MOST:
        screen.line(
            say(f"……只显示前{ERRORS_SHOWN_MOST}行，全部见 --json", f"… the first {ERRORS_SHOWN_MOST}; all with --json")
        )
