"""``import-settlements``: what the bank has paid, from a CSV file; every line through the one door, and never twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from api.cli.exits import Exit
from api.cli.import_shown import progress_of, show_dry_run, show_errors, show_refused
from api.cli.importing import read_file, sign_in
from api.cli.options import data_option, json_option, open_existing
from api.cli.passwords import ask_password, password_option
from api.cli.screen import Run, Screen
from api.cli.speech import Speech
from api.imports.keys import key_of_attempt
from api.imports.recording import record_anew, rehearse
from api.imports.settlements import Settlement, check_settlements, is_settled
from ledger.application import FundingLedger, Instruction, Outcome
from ledger.calendar import business_date
from ledger.errors import LedgerError, NotFound, Refusal
from ledger.identity import award_id
from ledger.roles import Role
from projections.reader import Reader

_ANSWERS_TAKEN: Final = 256
"""At a time, to look after those among them that were refused before."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one line: recorded now or before, or refused for a reason."""

    settlement: Settlement
    new: bool = False
    error: LedgerError | None = None


def command(speech: Speech) -> click.Command:
    @click.command(
        "import-settlements",
        short_help=speech("从 CSV 批量登记到账", "settled disbursements from a CSV file"),
        help=speech(
            "从 CSV 文件登记银行已付款的拨付（UTF-8 或 GB18030）。先检查全部各行，有一行填写有误就一行也不导入，"
            "并按行、列列出错误；随后逐行按正常流程登记，被拒绝的行单独列出理由，不影响其他行。"
            "内容相同的行重复导入不会重复记录；此前被拒绝的行按现状重新登记，理由未变的不再重复记录拒绝。"
            "--dry-run 按账本现状逐行试登记（含文件中前面各行的影响）而不记录，不妨碍正在运行的服务。\n\n"
            "表头：资助编号、金额、银行流水号、到账日期；可加 凭证号、拨付序号（一项资助有多笔同额拨付时必填）。\n\n"
            "例：\n\n\b\n"
            "  funding-ledger import-settlements 回单.csv --dry-run\n"
            "  funding-ledger import-settlements 回单.csv --user cashier",
            "Disbursements that the bank has paid, from a CSV file (UTF-8 or GB18030). All rows are checked first: where "
            "one is malformed nothing is imported, and every error is told by row and column. Then each is "
            "recorded as by hand; a row that is refused is listed with its reason and keeps no other out. Imported again, "
            "rows that are recorded are not recorded twice. Rows that were refused are asked about anew: recorded if the "
            "cause is gone; refused again for the same reason, the refusal is told and not recorded once more. --dry-run "
            "decides every row as the ledger stands, with what earlier rows would change, records nothing, and stops no "
            "running service.\n\n"
            "Headings: award, amount, bank_serial, value_date; also voucher, and disbursement, its number within the award, "
            "needed where several of one amount are ordered.\n\n"
            "Example:\n\n\b\n"
            "  funding-ledger import-settlements bank.csv --dry-run\n"
            "  funding-ledger import-settlements bank.csv --user cashier",
        ),
    )
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option(
        "--dry-run",
        is_flag=True,
        help=speech("试登记：查出会被拒绝的行，不记录", "rehearse: tell what would be refused, record nothing"),
    )
    @click.option(
        "--user",
        help=speech("以谁的名义登记（须为出纳，询问其密码）", "who records them: a cashier, whose password is asked"),
    )
    @password_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def import_settlements(
        run: Run, file: Path, dry_run: bool, user: str | None, password_stdin: bool, data: Path, as_json: bool
    ) -> int:
        screen = run.show(as_json=as_json)
        sheet = read_file(file)
        if not dry_run and user is None:
            raise click.UsageError(
                speech(
                    "请用 --user 指明以谁的名义登记，或加 --dry-run 只检查",
                    "name who records them with --user, or add --dry-run",
                )
            )
        with open_existing(data) as service:
            checked = check_settlements(
                sheet, service.reader.case, service.reader.known, business_date(service.clock())
            )
            if checked.errors:
                show_errors(screen, file, checked.errors)
                return Exit.MALFORMED
            if user is None or dry_run:
                ledger, person = rehearse(service, user, Role.CASHIER)
            else:
                password = ask_password(speech, from_stdin=password_stdin, confirm=False)
                ledger, person = service.ledger, sign_in(service, user, password, Role.CASHIER)
            with progress_of(screen, len(checked.settlements)) as advance:
                told = []
                for each in settle(ledger, service.reader, person, checked.settlements):
                    told.append(each)
                    advance()
        refused = [_refused_body(each, speech) for each in told if each.error is not None]
        if dry_run:
            before = sum(each.error is None and not each.new for each in told)
            show_dry_run(screen, file, user, len(told), before, refused)
        else:
            _show(screen, told, refused)
        return Exit.REFUSED if refused else Exit.DONE

    return import_settlements


def settle(ledger: FundingLedger, reader: Reader, user: str, settlements: Sequence[Settlement]) -> Iterator[Told]:
    """Record the settlements in their order, many to a commit. Raises only what is no ``LedgerError``."""
    recorded = _recorded_before(reader, settlements)
    answers = ledger.execute_many(
        Instruction(each.command, user, key_of_attempt(each.key, 1)) for each in settlements if each.key not in recorded
    )
    for first in range(0, len(settlements), _ANSWERS_TAKEN):
        some = settlements[first : first + _ANSWERS_TAKEN]
        answered = [(each, None if each.key in recorded else next(answers)) for each in some]
        anew = [each for each, answer in answered if isinstance(answer, Refusal) and answer.replayed]
        rehearsal = ledger.rehearsal() if anew else None
        for each, answer in answered:
            if rehearsal is not None and isinstance(answer, Refusal) and answer.replayed:
                answer = _asked_anew(ledger, rehearsal, user, each)
            if answer is None or isinstance(answer, Outcome):
                yield Told(each, new=answer is not None and not answer.replayed)
            elif isinstance(answer, LedgerError):
                yield Told(each, error=answer)
            else:
                raise answer


def _asked_anew(
    ledger: FundingLedger, rehearsal: FundingLedger, user: str, settlement: Settlement
) -> Outcome | LedgerError:
    try:
        return record_anew(ledger, rehearsal, user, settlement.command, settlement.key)
    except LedgerError as error:
        return error


def _recorded_before(reader: Reader, settlements: Sequence[Settlement]) -> frozenset[str]:
    """The keys of lines that stand in the ledger already, whoever recorded them: the door knows keys by person.

    Every line is looked up where the first or the last is found, as in a file that comes again, whole or after a crash.
    Of any other file the door tells each line that is not new.
    """

    def is_there(settlement: Settlement) -> bool:
        try:
            return is_settled(settlement, reader.case)
        except NotFound:
            return False

    if not any(is_there(each) for each in (*settlements[:1], *settlements[-1:])):
        return frozenset()
    return frozenset(each.key for each in settlements if is_there(each))


def _show(screen: Screen, told: Sequence[Told], refused: list[dict[str, Any]]) -> None:
    new = sum(each.new for each in told)
    before = len(told) - new - len(refused)
    if screen.as_json:
        screen.json({"rows": len(told), "imported": new, "before": before, "refused": refused})
        return
    show_refused(screen, refused)
    screen.line(
        screen.speech(
            f"登记{new}笔，{before}笔此前已登记，{len(refused)}笔未登记。",
            f"{new} recorded, {before} were before, {len(refused)} were not recorded.",
        ),
        style="red" if refused else "",
    )


def _refused_body(told: Told, say: Speech) -> dict[str, Any]:
    assert told.error is not None
    return {
        "row": told.settlement.row,
        "award": award_id(told.settlement.command.case),
        "code": told.error.code,
        "message": say.said(told.error.text),
    }
