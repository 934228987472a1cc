"""``import``: applications from a CSV file; all of it is checked first, and no row is recorded twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import Progress

from api.cli.exits import Exit, exit_of
from api.cli.options import data_option, json_option, open_existing
from api.cli.passwords import ask_password, password_option
from api.cli.screen import Run, Screen
from api.cli.speech import Speech
from api.imports.applications import Application, check_applications
from api.imports.cells import CellError
from api.imports.csv_file import NotCsv, Sheet, read_sheet
from api.imports.keys import key_of_attempt, key_of_content
from api.service import Service
from ledger.application import Outcome
from ledger.calendar import business_date
from ledger.commands.command import Command
from ledger.errors import FieldError, LedgerError, Malformed, NotFound, NotPermitted, Refusal, Text
from ledger.identity import application_id
from ledger.people import person_name
from ledger.roles import ROLE_NAMES, Role
from ledger.uscc import parse_uscc

ERRORS_SHOWN_MOST: Final = 100
"""To a person; with ``--json`` all are told."""
_HERE: Final = "command line"
"""Where failed logins at this machine are counted, apart from those that come over a network."""


def command(speech: Speech) -> click.Command:
    @click.command(
        "import",
        short_help=speech("从 CSV 批量导入申报", "applications from a CSV file"),
        help=speech(
            "从 CSV 文件导入申报（UTF-8 或 GB18030）。先检查全部各行，有一行填写有误就一行也不导入，并按行、列列出全部错误；"
            "检查通过后按行的先后逐行记录。中途受阻（如存储故障或某行依规定不予办理）时即停，列明已记录的各行；"
            "排除原因后重复导入即从此处继续。内容与已导入的完全相同的行不会再次记录，"
            "不论出自哪个文件、何种编码；撤回后重报的，请另填申报文号。\n\n"
            "表头：规则、统一社会信用代码、企业名称、资助对象（或注册证编号、合同编号），以及该规则的各项数据，"
            "如 实际投入研发费用（万元）、经国家或省级创新医疗器械特别审批；也可用英文名 rule、enterprise、"
            "enterprise_name、item、rd_cost 等。\n\n"
            "例：\n\n\b\n"
            "  funding-ledger import 申报.csv --dry-run\n"
            "  funding-ledger import 申报.csv --user intake",
            "Applications from a CSV file (UTF-8 or GB18030). All rows are checked first: where one is malformed nothing "
            "is imported, and every error is told by row and column. Then row after row is recorded. Where that is "
            "stopped, by a fault or by a rule that refuses a row, the rows recorded are told; importing again goes on "
            "from there. A row that says the same as one imported before is not recorded again, whatever file or "
            "encoding it comes in; to submit once more what was withdrawn, give it another reference.\n\n"
            "Headings: rule, enterprise, enterprise_name, item, and the rule's particulars such as rd_cost; or in Chinese "
            "as offices use them, amounts in yuan or under （万元）.\n\n"
            "Example:\n\n\b\n"
            "  funding-ledger import applications.csv --dry-run\n"
            "  funding-ledger import applications.csv --user intake",
        ),
    )
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--dry-run", is_flag=True, help=speech("只检查，不导入", "check only"))
    @click.option(
        "--user",
        help=speech(
            "以谁的名义录入（须为窗口受理员，询问其密码）", "who submits them: an intake clerk, whose password is asked"
        ),
    )
    @password_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def import_applications(
        run: Run, file: Path, dry_run: bool, user: str | None, password_stdin: bool, data: Path, as_json: bool
    ) -> int:
        screen = run.show(as_json=as_json)
        sheet = read_file(file)
        if not dry_run and user is None:
            raise click.UsageError(
                speech(
                    "请用 --user 指明以谁的名义录入，或加 --dry-run 只检查",
                    "name who submits with --user, or add --dry-run",
                )
            )
        with open_existing(data) as service:
            checked = check_applications(sheet, service.policies, business_date(service.clock()))
            if checked.errors:
                show_errors(screen, file, checked.errors)
                return Exit.MALFORMED
            if user is None or dry_run:
                show_dry_run(screen, file, len(checked.applications))
                return Exit.DONE
            password = ask_password(speech, from_stdin=password_stdin, confirm=False)
            person = sign_in(service, user, password, Role.INTAKE)
            return _import(screen, service, person, checked.applications)

    return import_applications


def read_file(file: Path) -> Sheet:
    """Raises a ``LedgerError`` where there is no such file, or none that can be read."""
    try:
        return read_sheet(file.read_bytes())
    except FileNotFoundError as error:
        raise NotFound(Text(f"没有文件{file}", f"there is no file {file}")) from error
    except OSError as error:
        raise Malformed([_of_file(Text(f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}"))]) from error
    except NotCsv as error:
        raise Malformed([_of_file(error.text)]) from error


def _of_file(text: Text) -> FieldError:
    return FieldError("FILE", "unreadable", text)


def sign_in(service: Service, user: str, password: str, role: Role) -> str:
    """Whose name the facts will carry must be who says so; gives the name.

    Raises ``NotPermitted``, for want of the role too.
    """
    if not service.credentials.verify(user, password, address=_HERE):
        raise NotPermitted(Text("用户名或密码不正确", "wrong user name or password"))
    user = person_name(user)
    if role not in service.ledger.roles_of(user):
        name = ROLE_NAMES[role]
        raise NotPermitted(
            Text(f"{user}不是{name.zh}，不能导入此文件", f"{user} is no {name.en} and cannot import this file")
        )
    return user


def _import(screen: Screen, service: Service, user: str, applications: tuple[Application, ...]) -> Exit:
    """Record row after row, telling at the end, or where it stopped, which are recorded."""
    known = _imported_before(service, applications)
    told: list[dict[str, Any]] = []
    try:
        with progress_of(screen, len(applications)) as advance:
            for application in applications:
                case = known.get(application.key) or _record(service, user, application)
                told.append(
                    {"row": application.row, "application": application_id(case), "new": application.key not in known}
                )
                advance()
    except LedgerError as error:
        _show_stopped(screen, told, applications, error)
        return exit_of(error)
    except BaseException:
        _show_stopped(screen, told, applications, None)
        raise
    _show_imported(screen, told)
    return Exit.DONE


def _record(service: Service, user: str, application: Application) -> str:
    outcome = record_anew(service, user, application.command, application.key)
    assert outcome.case is not None, "a submitted application is a case"
    return outcome.case


def record_anew(service: Service, user: str, command: Command, key: str, first_attempt: int = 1) -> Outcome:
    """Give the command of a row. One that was refused before is asked about anew: its reason may be gone."""
    for attempt in count(first_attempt):
        try:
            return service.ledger.execute(command, actor=user, key=key_of_attempt(key, attempt))
        except Refusal as refusal:
            if not refusal.replayed:
                raise
    raise AssertionError("a count has no end")


def _imported_before(service: Service, applications: tuple[Application, ...]) -> dict[str, str]:
    """Key → case of the rows that stand in the ledger already, whoever imported them: the door knows keys by person."""
    keys = {application.key for application in applications}
    known: dict[str, str] = {}
    for enterprise in {parse_uscc(application.command.enterprise) for application in applications}:
        for number in _cases_of(service, enterprise):
            key = key_of_content(service.reader.history(number)[0].envelope.key or "")
            if key in keys:
                known[key] = number
    return known


def _cases_of(service: Service, enterprise: str) -> list[str]:
    try:
        return [case.number for case in service.reader.enterprise(enterprise).cases]
    except NotFound:
        return []


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
    rows = ([str(e.row), e.letter, e.column, say.said(e.text)] for e in errors[:ERRORS_SHOWN_MOST])
    screen.table(say(f"{file}：{len(errors)}处错误", f"{file}: {len(errors)} errors"), headings, rows)
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
        "heading": error.column or None,
        "code": error.code,
        "message": say.said(error.text),
    }


def show_dry_run(screen: Screen, file: Path, rows: int) -> None:
    if screen.as_json:
        screen.json({"file": str(file), "rows": rows, "imported": 0, "errors": []})
    else:
        screen.line(
            screen.speech(f"{rows}行全部通过检查，尚未导入。", f"All {rows} rows are sound; nothing was imported.")
        )


def _show_imported(screen: Screen, told: list[dict[str, Any]]) -> None:
    say, new = screen.speech, _new(told)
    if screen.as_json:
        screen.json({"rows": len(told), "imported": new, "applications": told})
        return
    _show_recorded(screen, told)
    screen.line(say(f"导入{new}项，{len(told) - new}项此前已导入。", f"{new} imported, {len(told) - new} were before."))


def _show_stopped(
    screen: Screen, told: list[dict[str, Any]], applications: tuple[Application, ...], error: LedgerError | None
) -> None:
    """Which rows are recorded, which one was not, and how to go on. ``error`` is None for what is no failure of ours."""
    say, stopped_at = screen.speech, applications[len(told)].row if len(told) < len(applications) else None
    if screen.as_json:
        stopped = None if error is None else screen.problem(error)
        screen.json(
            {
                "rows": len(applications),
                "imported": _new(told),
                "applications": told,
                "stopped_at": stopped_at,
                "error": stopped,
            }
        )
        return
    _show_recorded(screen, told)
    if error is not None:
        screen.error(error)
    screen.line(
        say(
            f"在第{stopped_at}行停下：以上{len(told)}行已在账本中，其余{len(applications) - len(told)}行没有记录。"
            "排除原因（或更正、删去该行）后重复同一导入即从此处继续，已记录的行不会重复。",
            f"Stopped at row {stopped_at}: the {len(told)} rows above are recorded, the other "
            f"{len(applications) - len(told)} are not. Remove the cause (or correct or delete the row) and repeat the same "
            "import: it goes on from there, and records nothing twice.",
        ),
        style="red",
    )


def _show_recorded(screen: Screen, told: list[dict[str, Any]]) -> None:
    say = screen.speech
    before = say("此前已导入", "imported before")
    screen.table(
        say("申报", "applications"),
        [say("行", "row"), say("申报编号", "application"), ""],
        ([str(row["row"]), row["application"], "" if row["new"] else before] for row in told),
    )


def _new(told: list[dict[str, Any]]) -> int:
    return sum(row["new"] for row in told)
