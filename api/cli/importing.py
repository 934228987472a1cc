"""``import``: applications from a CSV file; all of it is checked first, and no row is recorded twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from api.cli.exits import Exit, exit_of
from api.cli.import_shown import progress_of, show_dry_run, show_errors
from api.cli.options import data_option, json_option, open_existing
from api.cli.passwords import ask_password, password_option
from api.cli.screen import Run, Screen
from api.cli.speech import Speech
from api.imports.applications import Application, check_applications
from api.imports.csv_file import NotCsv, Sheet, read_sheet
from api.imports.keys import key_of_content
from api.imports.recording import holder_of, record, rehearse
from api.service import Service
from ledger.application import FundingLedger
from ledger.calendar import business_date
from ledger.errors import FieldError, LedgerError, Malformed, NotFound, NotPermitted, Text
from ledger.identity import application_id
from ledger.roles import Role
from ledger.uscc import parse_uscc

_HERE: Final = "command line"
"""Where failed logins at this machine are counted, apart from those that come over a network."""


def command(speech: Speech) -> click.Command:
    @click.command(
        "import",
        short_help=speech("从 CSV 批量导入申报", "applications from a CSV file"),
        help=speech(
            "从 CSV 文件导入申报（UTF-8 或 GB18030）。先检查全部各行，有一行填写有误就一行也不导入，并按行、列列出全部错误；"
            "检查通过后按行的先后逐行记录。中途受阻（如存储故障或某行依规定不予办理）时即停，列明已记录的各行；"
            "排除原因后重复导入即从此处继续；曾被拒绝的行按现状重新办理，理由未变的不再重复记录。"
            "--dry-run 按账本现状逐行试办（含文件中前面各行的影响）而不记录。内容与已导入的完全相同的行不会再次记录，"
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
            "from there. A row refused before is asked about anew; refused again for the same reason, that is not recorded "
            "once more. --dry-run decides every row as the ledger stands, with what earlier rows would change, and records "
            "nothing. A row that says the same as one imported before is not recorded again, whatever file or "
            "encoding it comes in; to submit once more what was withdrawn, give it another reference.\n\n"
            "Headings: rule, enterprise, enterprise_name, item, and the rule's particulars such as rd_cost; or in Chinese "
            "as offices use them, amounts in yuan or under （万元）.\n\n"
            "Example:\n\n\b\n"
            "  funding-ledger import applications.csv --dry-run\n"
            "  funding-ledger import applications.csv --user intake",
        ),
    )
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option(
        "--dry-run",
        is_flag=True,
        help=speech("试导入：查出会被拒绝的行，不记录", "rehearse: tell what would be refused, record nothing"),
    )
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
                return _rehearse(screen, service, file, user, checked.applications)
            password = ask_password(speech, from_stdin=password_stdin, confirm=False)
            person = sign_in(service, user, password, Role.INTAKE)
            return _import(screen, service, person, checked.applications)

    return import_applications


def read_file(file: Path) -> Sheet:
    """Raises a ``LedgerError`` where there is no such file, or none that can be read."""
    try:
        return read_sheet(file.read_bytes())
    except FileNotFoundError as error:
        told = Text(f"没有文件{file}", f"there is no file {file}")
        raise Malformed([FieldError("FILE", "not-found", told)]) from error
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
    return holder_of(role, user, service.ledger)


def _rehearse(
    screen: Screen, service: Service, file: Path, user: str | None, applications: tuple[Application, ...]
) -> Exit:
    """Ask a rehearsal of the door about row after row; one that is refused is left out, and the next is asked about."""
    known = _imported_before(service, applications)
    ledger, person = rehearse(service, user, Role.INTAKE)
    refused: list[tuple[int, LedgerError]] = []
    with progress_of(screen, len(applications)) as advance:
        for application in applications:
            try:
                if application.key not in known:
                    record(ledger, person, application.command, application.key)
            except LedgerError as error:
                refused.append((application.row, error))
            advance()
    say = screen.speech
    bodies = [{"row": row, "code": error.code, "message": say.said(error.text)} for row, error in refused]
    before = sum(application.key in known for application in applications)
    show_dry_run(screen, file, user, len(applications), before, bodies)
    if refused and not screen.as_json:
        screen.line(
            say(
                f"正式导入会在第{refused[0][0]}行停下；请先排除原因，或更正、删去该行。",
                f"The import would stop at row {refused[0][0]}: remove the cause first, or correct or delete the row.",
            ),
            style="red",
        )
    return Exit.REFUSED if refused else Exit.DONE


def _import(screen: Screen, service: Service, user: str, applications: tuple[Application, ...]) -> Exit:
    """Record row after row, telling at the end, or where it stopped, which are recorded."""
    known = _imported_before(service, applications)
    told: list[dict[str, Any]] = []
    try:
        with progress_of(screen, len(applications)) as advance:
            for application in applications:
                case = known.get(application.key) or _record(service.ledger, user, application)
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


def _record(ledger: FundingLedger, user: str, application: Application) -> str:
    outcome = record(ledger, user, application.command, application.key)
    assert outcome.case is not None, "a submitted application is a case"
    return outcome.case


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
            f"Stopped at row {stopped_at}: the rows above ({len(told)}) are recorded, the other "
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
