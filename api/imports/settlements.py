"""What the bank has paid, from a file: one line for each disbursement that was ordered."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.imports.cells import CellError, Cells, Column, no_rows, read_heading
from api.imports.csv_file import Row, Sheet
from api.imports.keys import content_key
from api.imports.values import value_of
from ledger.casefile import CaseFile, DisbursementState
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.errors import FieldError, NotFound, Text
from ledger.identity import case_number
from ledger.money import format_yuan, parse_yuan
from ledger.policy.terms import Kind
from ledger.scopes import register_key

_COLUMNS: Final = {
    "award": ("资助编号", "案卷编号", "申报编号"),
    "disbursement": ("拨付序号", "笔次", "第几笔"),
    "amount": ("金额", "到账金额", "付款金额", "实付金额"),
    "bank_serial": ("银行流水号", "流水号", "交易流水号"),
    "effective_on": ("到账日期", "起息日", "付款日期", "交易日期", "value_date"),
    "reference": ("凭证号", "支付凭证号", "凭证编号", "voucher"),
}
_NEEDED: Final = ("award", "amount", "bank_serial", "effective_on")
_FIELDS: Final = {"amount_fen": "amount", "case": "award"}
"""Fields of the command → those of a line, where they differ."""
_WHOLE = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)

CaseOf = Callable[[str], CaseFile]
"""Gives the case with that number. Raises ``NotFound``."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """One line, ready for the door. ``key`` tells what it says: the same for the same content, whatever file it comes in."""

    row: int
    key: str
    command: SettleDisbursement


@dataclass(frozen=True, slots=True)
class Checked:
    """Either has ``errors`` or all of the file's ``settlements``."""

    settlements: tuple[Settlement, ...]
    errors: tuple[CellError, ...]


def check_settlements(sheet: Sheet, case_of: CaseOf, today: date) -> Checked:
    """Check every line by itself, without recording anything.

    What the ledger may still refuse (the order of steps, who may take this one, a serial number used before) the door
    tells, line by line. A line that does not number its disbursement means the one that is ordered of its amount.
    """
    columns, errors = read_heading(sheet.heading, _COLUMNS, _NEEDED)
    if errors:
        return Checked((), tuple(errors))
    settlements: list[Settlement] = []
    seen: dict[str, int] = {}
    for row in sheet.rows:
        cells = Cells(row, columns)
        outcome = _check_row(row, cells, case_of, today)
        if isinstance(outcome, Settlement):
            first = seen.setdefault(register_key(outcome.command.bank_serial), row.number)
            if first == row.number:
                settlements.append(outcome)
            else:
                told = Text(f"与第{first}行的银行流水号相同", f"the same bank serial number as row {first}")
                errors.append(cells.error("bank_serial", "repeated-serial", told))
        else:
            errors.extend(outcome)
    errors.extend(_unknown(columns))
    if not sheet.rows:
        errors.append(no_rows())
    return Checked((), tuple(errors)) if errors else Checked(tuple(settlements), ())


def is_settled(settlement: Settlement, case_of: CaseOf) -> bool:
    """Whether the ledger has this very payment already, whoever recorded it."""
    command = settlement.command
    disbursement = case_of(command.case).disbursements.get(command.disbursement)
    return (
        disbursement is not None
        and disbursement.state is DisbursementState.SETTLED
        and disbursement.bank_serial == register_key(command.bank_serial)
    )


def _unknown(columns: list[Column]) -> list[CellError]:
    """A heading that means nothing here may be a misspelt one whose figures would be left out."""
    told = Text("不认识的表头；请改正，或删去该列", "an unknown heading; correct it, or take the column out")
    return [
        CellError(1, column.heading, column.letter, "unknown-column", told)
        for column in columns
        if column.name not in _COLUMNS
    ]


def _check_row(row: Row, cells: Cells, case_of: CaseOf, today: date) -> Settlement | list[CellError]:
    if errors := list(cells.errors()):
        return errors
    try:
        case, amount_fen, effective_on = _award(cells), _amount(cells), _day(cells)
        command = SettleDisbursement(
            case=case,
            disbursement=_disbursement(cells, case, amount_fen, cells.text("bank_serial"), case_of),
            amount_fen=amount_fen,
            bank_serial=cells.text("bank_serial"),
            effective_on=effective_on,
            reference=cells.text("reference") or None,
        )
    except _Wrong as wrong:
        return [wrong.error]
    if faults := list(command.field_errors(today)):
        return [_field_error(cells, fault) for fault in faults]
    return Settlement(row.number, _key(command), command)


def _key(command: SettleDisbursement) -> str:
    serial = register_key(command.bank_serial)
    return content_key(
        command.case, command.disbursement, command.amount_fen, serial, command.effective_on, command.reference
    )


class _Wrong(Exception):
    """A cell that cannot be read; the rest of its row is not looked at."""

    def __init__(self, error: CellError) -> None:
        super().__init__(error.code)
        self.error = error


def _award(cells: Cells) -> str:
    text = cells.text("award")
    try:
        return case_number(text)
    except ValueError:
        told = Text("不是资助编号；形如 awd-7K3M9X2V4C", "not the id of an award, such as awd-7K3M9X2V4C")
        raise _Wrong(cells.error("award", "invalid-id" if text else "missing", told)) from None


def _amount(cells: Cells) -> int:
    text = cells.text("amount")
    try:
        return parse_yuan(value_of(Kind.MONEY, text, cells.unit("amount")))
    except ValueError:
        told = Text("不是金额；形如 1,234.56", "not an amount, such as 1,234.56")
        raise _Wrong(cells.error("amount", "invalid-money" if text else "missing", told)) from None


def _day(cells: Cells) -> date:
    text = cells.text("effective_on")
    try:
        return date.fromisoformat(str(value_of(Kind.DATE, text)))
    except ValueError:
        told = Text("不是日期；形如 2026-03-02", "not a date, such as 2026-03-02")
        raise _Wrong(cells.error("effective_on", "invalid-date" if text else "missing", told)) from None


def _disbursement(cells: Cells, case: str, amount_fen: int, bank_serial: str, case_of: CaseOf) -> int:
    """The number that the line states, or else that of the one disbursement it can mean."""
    text = cells.text("disbursement")
    if _WHOLE.fullmatch(text):
        return int(text)
    if text:
        told = Text("不是拨付序号；形如 1", "not the number of a disbursement, such as 1")
        raise _Wrong(cells.error("disbursement", "invalid-number", told))
    try:
        found = case_of(case).disbursements.values()
    except NotFound as error:
        raise _Wrong(cells.error("award", error.code, error.text)) from None
    # One that this very payment settled: the file is imported again.
    settled = [one.number for one in found if one.bank_serial and one.bank_serial == _serial(bank_serial)]
    ordered = [one.number for one in found if one.state is DisbursementState.ORDERED and one.amount_fen == amount_fen]
    match settled or ordered:
        case [number]:
            return number
        case []:
            told = Text(
                f"没有已下达支付令、金额为{format_yuan(amount_fen)}元的拨付",
                f"no disbursement of {format_yuan(amount_fen)} yuan is ordered",
            )
            raise _Wrong(cells.error("amount", "nothing-ordered", told))
        case _:
            told = Text(
                "有多笔同额拨付，请填写“拨付序号”", "several of this amount are ordered: number the disbursement"
            )
            raise _Wrong(cells.error("amount", "ambiguous", told))


def _serial(text: str) -> str | None:
    try:
        return register_key(text)
    except ValueError:
        return None


def _field_error(cells: Cells, fault: FieldError) -> CellError:
    return cells.error(_FIELDS.get(fault.field, fault.field), fault.code, fault.text)
