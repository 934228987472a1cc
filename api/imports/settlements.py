"""What the bank has paid, from a file: one line for each disbursement that was ordered."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec

from api.imports.cells import CellError, Cells, Column, as_written, in_order, no_rows, read_heading
from api.imports.csv_file import Sheet
from api.imports.keys import content_key
from api.imports.values import value_of
from ledger.casefile import CaseFile, DisbursementState
from ledger.commands.settle_disbursement import SettleDisbursement
from ledger.errors import Text
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
Known = Callable[[Collection[str]], Container[object]]
"""Gives those of the case numbers that there is a case of."""


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


def check_settlements(sheet: Sheet, case_of: CaseOf, known: Known, today: date) -> Checked:
    """Check every line by itself, without recording anything; all errors of all lines are told at once.

    What the ledger may still refuse (the order of steps, who may take this one, a serial number used before) the door
    tells, line by line. A line that does not number its disbursement means the one that is ordered of its amount.
    """
    columns, errors = read_heading(sheet.heading, _COLUMNS, _NEEDED)
    if errors:
        return Checked((), in_order(errors))
    settlements: list[Settlement] = []
    seen: dict[str, int] = {}
    lines = [_Line(row.number, Cells(row, columns)) for row in sheet.rows]
    there = known({line.case for line in lines if line.case is not None})
    for line in lines:
        outcome = line.checked(there, case_of, today)
        if (serial := _serial(line.bank_serial)) is not None:
            first = seen.setdefault(serial, line.row)
            if first != line.row:
                told = Text(f"与第{first}行的银行流水号相同", f"the same bank serial number as row {first}")
                line.wrong("bank_serial", "repeated-serial", told)
        errors.extend(line.errors)
        if outcome is not None:
            settlements.append(outcome)
    errors.extend(_unknown(columns))
    if not sheet.rows:
        errors.append(no_rows())
    return Checked((), in_order(errors)) if errors else Checked(tuple(settlements), ())


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
        CellError(1, as_written(column.heading), column.letter, "unknown-column", told)
        for column in columns
        if column.name not in _COLUMNS
    ]


def _key(command: SettleDisbursement) -> str:
    serial = register_key(command.bank_serial)
    return content_key(
        command.case, command.disbursement, command.amount_fen, serial, command.effective_on, command.reference
    )


class _Line:
    """One line as it is read cell by cell; ``errors`` are all that is wrong with it."""

    def __init__(self, row: int, cells: Cells) -> None:
        self.row, self._cells = row, cells
        self.errors = list(cells.errors())
        self._faulty = {error.letter for error in self.errors}
        self.bank_serial = cells.text("bank_serial")
        self.case = self._case()

    def wrong(self, name: str, code: str, text: Text) -> None:
        """Of one cell the first error is told: the others follow from it."""
        error = self._cells.error(name, code, text)
        if error.letter not in self._faulty:
            self._faulty.add(error.letter)
            self.errors.append(error)

    def checked(self, known: Container[object], case_of: CaseOf, today: date) -> Settlement | None:
        """The settlement; without one the errors say why. ``known`` are the cases that there are."""
        if self.case is not None and self.case not in known:
            told = Text("没有这项资助，请核对资助编号", "there is no such award; check its id")
            self.wrong("award", "not-found", told)
        case, amount_fen, effective_on = self.case, self._amount(), self._day()
        command = SettleDisbursement(
            case=case or "",
            disbursement=self._number(),
            # What could not be read is complained of already, and not once more by the ledger.
            amount_fen=1 if amount_fen is None else amount_fen,
            bank_serial=self.bank_serial,
            effective_on=effective_on,
            reference=self._cells.text("reference") or None,
        )
        for fault in command.field_errors(today):
            self.wrong(_FIELDS.get(fault.field, fault.field), fault.code, fault.text)
        if amount_fen is not None and amount_fen > 0 and case in known and not self._cells.text("disbursement"):
            number = self._ordered(case_of(command.case), command.amount_fen)
            command = msgspec.structs.replace(command, disbursement=number or 0)
        return None if self.errors else Settlement(self.row, _key(command), command)

    def _case(self) -> str | None:
        text = self._cells.text("award")
        try:
            return case_number(text)
        except ValueError:
            told = Text("不是资助编号；形如 awd-7K3M9X2V4C", "not the id of an award, such as awd-7K3M9X2V4C")
            self.wrong("award", "invalid-id" if text else "missing", told)
            return None

    def _amount(self) -> int | None:
        text = self._cells.text("amount")
        try:
            return parse_yuan(value_of(Kind.MONEY, text, self._cells.unit("amount")))
        except ValueError:
            told = Text("不是金额；形如 1,234.56", "not an amount, such as 1,234.56")
            self.wrong("amount", "invalid-money" if text else "missing", told)
            return None

    def _day(self) -> date | None:
        text = self._cells.text("effective_on")
        try:
            return date.fromisoformat(str(value_of(Kind.DATE, text)))
        except ValueError:
            told = Text("不是日期；形如 2026-03-02", "not a date, such as 2026-03-02")
            self.wrong("effective_on", "invalid-date" if text else "missing", told)
            return None

    def _number(self) -> int:
        """The number that the line states, 0 where it states none."""
        text = self._cells.text("disbursement")
        if _WHOLE.fullmatch(text):
            return int(text)
        if text:
            told = Text("不是拨付序号；形如 1", "not the number of a disbursement, such as 1")
            self.wrong("disbursement", "invalid-number", told)
        return 0

    def _ordered(self, case: CaseFile, amount_fen: int) -> int | None:
        """The number of the one disbursement that a line of this amount can mean."""
        found = case.disbursements.values()
        # One that this very payment settled: the file is imported again.
        settled = [one.number for one in found if one.bank_serial and one.bank_serial == _serial(self.bank_serial)]
        ordered = [
            one.number for one in found if one.state is DisbursementState.ORDERED and one.amount_fen == amount_fen
        ]
        match settled or ordered:
            case [number]:
                return number
            case []:
                told = Text(
                    f"没有已下达支付令、金额为{format_yuan(amount_fen)}元的拨付",
                    f"no disbursement of {format_yuan(amount_fen)} yuan is ordered",
                )
                self.wrong("amount", "nothing-ordered", told)
            case _:
                told = Text(
                    "有多笔同额拨付，请填写“拨付序号”", "several of this amount are ordered: number the disbursement"
                )
                self.wrong("amount", "ambiguous", told)
        return None


def _serial(text: str) -> str | None:
    try:
        return register_key(text)
    except ValueError:
        return None
