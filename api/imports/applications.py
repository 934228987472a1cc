"""Applications from a file: every row is checked first, and one bad row keeps all others out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.imports.csv_file import CELL_LENGTH_MAX, Row, Sheet, column_letter
from api.imports.values import Value, particular_names, plain, value_of
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import FieldError, LedgerError, Malformed, NotFound, Text
from ledger.policy.model import Rule
from ledger.policy.registry import PolicyRegistry
from ledger.rules import read_particulars
from ledger.scopes import item_key
from ledger.uscc import parse_uscc

_COLUMNS: Final = {
    "policy": ("政策", "政策编号"),
    "rule": ("规则", "条款", "申报条款", "规则编号"),
    "enterprise": ("统一社会信用代码", "信用代码", "社会信用代码", "uscc"),
    "enterprise_name": ("企业名称", "单位名称", "申报单位", "申报单位名称"),
    "item": ("资助对象", "申报事项", "注册证编号", "注册证号", "租赁合同", "租赁合同编号", "合同编号"),
    "reference": ("申报文号", "申报编号", "文号"),
}
"""Field → what offices call its column; the field's own name will do as well."""
_NEEDED: Final = ("rule", "enterprise", "enterprise_name", "item")
_UNITS: Final = ("万元", "亿元", "元")
_FORMULA_STARTS: Final = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong with one cell: ``row`` as a spreadsheet counts, ``column`` its heading, ``letter`` its letter.

    The heading itself is row 1; column and letter are empty where a row as a whole is at fault.
    """

    row: int
    column: str
    letter: str
    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Application:
    """One row, ready for the door. ``key`` tells what it says: the same for the same content, whatever file it comes in."""

    row: int
    key: str
    command: SubmitApplication


@dataclass(frozen=True, slots=True)
class Checked:
    """Either has ``errors`` or all of the file's ``applications``."""

    applications: tuple[Application, ...]
    errors: tuple[CellError, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """``name`` is a field of the application, or else what a rule may call one of its particulars, or its label."""

    heading: str
    letter: str
    name: str
    unit: str


def check_applications(sheet: Sheet, policies: PolicyRegistry, today: date) -> Checked:
    """Check every row as the door would, without recording anything."""
    columns, errors = _columns(sheet.heading)
    if errors:
        return Checked((), tuple(errors))
    applications: list[Application] = []
    seen: dict[str, int] = {}
    for row in sheet.rows:
        outcome = _check_row(row, columns, policies, today)
        if isinstance(outcome, Application):
            # Told apart by what they ask for: two rows that agree in all of it are one application typed twice.
            first = seen.setdefault(_identity(outcome.command), row.number)
            if first == row.number:
                applications.append(outcome)
            else:
                errors.append(_repeats(row.number, first))
        else:
            errors.extend(outcome)
    if not sheet.rows:
        errors.append(CellError(1, "", "", "no-rows", Text("表头之下没有数据", "there is nothing below the heading")))
    return Checked((), tuple(errors)) if errors else Checked(tuple(applications), ())


def _columns(heading: tuple[str, ...]) -> tuple[list[_Column], list[CellError]]:
    names = {alias: field for field, aliases in _COLUMNS.items() for alias in (field, *aliases)}
    columns: list[_Column] = []
    errors: list[CellError] = []
    for index, cell in enumerate(heading):
        name, unit = _without_unit(plain(cell))
        column = _Column(cell, column_letter(index), names.get(name.lower(), name), unit)
        if any(column.name == other.name for other in columns):
            told = Text(f"表头“{cell}”与前面的列重复", f"the heading {cell!r} stands twice")
            errors.append(CellError(1, cell, column.letter, "repeated-column", told))
        columns.append(column)
    for field in _NEEDED:
        if all(column.name != field for column in columns):
            label = _COLUMNS[field][0]
            told = Text(f"缺少“{label}”一列", f"the column {field} ({label}) is missing")
            errors.append(CellError(1, label, "", "missing-column", told))
    return columns, errors


def _without_unit(heading: str) -> tuple[str, str]:
    """``实际投入研发费用(万元)`` → the name and its unit. Headings are NFKC, so brackets are half-width."""
    for unit in _UNITS:
        if heading.endswith(f"({unit})"):
            return heading.removesuffix(f"({unit})"), unit
    return heading, "元"


def _check_row(
    row: Row, columns: list[_Column], policies: PolicyRegistry, today: date
) -> Application | list[CellError]:
    cells = _Cells(row, columns)
    if errors := list(cells.errors()):
        return errors
    policy_id = cells.text("policy") or (policies.ids[0] if len(policies.ids) == 1 else "")
    try:
        rule = policies.get(policy_id, on=today).rule(cells.text("rule"))
    except LedgerError as error:
        return [cells.error("policy" if isinstance(error, NotFound) else "rule", error.code, error.text)]
    command = SubmitApplication(
        policy=policy_id,
        rule=rule.id,
        enterprise=cells.text("enterprise"),
        enterprise_name=cells.text("enterprise_name"),
        item=cells.text("item"),
        particulars=cells.particulars(rule),
        reference=cells.text("reference") or None,
    )
    faults = list(command.field_errors(today))
    try:
        read_particulars(rule, command.particulars)
    except Malformed as malformed:
        faults.extend(malformed.errors)
    if faults:
        return [cells.field_error(fault, rule) for fault in faults]
    return Application(row.number, _key(command), command)


class _Cells:
    """One row under its headings."""

    def __init__(self, row: Row, columns: list[_Column]) -> None:
        self._row = row
        self._columns = {column.name: column for column in columns}
        self._texts = {column.name: text for column, text in zip(columns, row.cells, strict=False)}
        self._beyond = row.cells[len(columns) :]

    def text(self, name: str) -> str:
        return self._texts.get(name, "")

    def errors(self) -> Iterator[CellError]:
        """What no cell may hold."""
        if any(self._beyond):
            told = Text("单元格多于表头的列数", "there are more cells than headings")
            yield CellError(self._row.number, "", "", "too-many-cells", told)
        for name, text in self._texts.items():
            if text.startswith(_FORMULA_STARTS):
                told = Text("单元格是公式或带符号，请填写其值", "a formula or a signed value; write the value itself")
                yield self.error(name, "formula", told)
            elif len(text) > CELL_LENGTH_MAX:
                told = Text(f"超过{CELL_LENGTH_MAX}个字符", f"longer than {CELL_LENGTH_MAX} characters")
                yield self.error(name, "too-long", told)

    def particulars(self, rule: Rule) -> dict[str, Value]:
        """What this rule declares, and whatever else the row fills in: the ledger refuses that by its name."""
        names = particular_names(rule)
        values: dict[str, Value] = {}
        for heading, text in self._texts.items():
            if text and heading not in _COLUMNS:
                name = names.get(heading, heading)
                declared = rule.particulars.get(name)
                unit = self._columns[heading].unit
                values[name] = text if declared is None else value_of(declared.kind, text, unit)
        return values

    def error(self, name: str, code: str, text: Text) -> CellError:
        column = self._columns.get(name)
        heading, letter = (name, "") if column is None else (column.heading, column.letter)
        return CellError(self._row.number, heading, letter, code, text)

    def field_error(self, fault: FieldError, rule: Rule) -> CellError:
        """The ledger's complaint about a field, at the cell it came from."""
        name = fault.field.removeprefix("particulars.")
        ways = [way for way, its in particular_names(rule).items() if its == name] or [name]
        found = next((way for way in ways if way in self._columns), None)
        declared = rule.particulars.get(name)
        return self.error(found or (declared.label if declared else name), fault.code, fault.text)


def _identity(command: SubmitApplication) -> str:
    """What an application asks for, in one form however it was typed."""
    asked = [
        command.policy,
        command.rule,
        parse_uscc(command.enterprise),
        item_key(command.item),
        sorted(command.particulars.items()),
    ]
    return json.dumps(asked, ensure_ascii=False)


def _key(command: SubmitApplication) -> str:
    """Of a row's content and of nothing else: encoding, line ends, and the place in the file change no application."""
    content = "\n".join((_identity(command), command.enterprise_name, command.reference or ""))
    return f"import/{hashlib.sha256(content.encode()).hexdigest()}"


def _repeats(row: int, first: int) -> CellError:
    told = Text(f"与第{first}行是同一项申报", f"the same application as row {first}")
    return CellError(row, "", "", "repeated-row", told)
