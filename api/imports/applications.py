"""Applications from a file: every row is checked first, and one bad row keeps all others out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from api.imports.cells import CellError, Cells, Column, as_written, in_order, no_rows, read_heading
from api.imports.csv_file import Row, Sheet
from api.imports.keys import content_key
from api.imports.values import Value, particular_names, value_of
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
_NEEDED: Final = ("rule", "enterprise", "enterprise_name", "item")


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


def check_applications(sheet: Sheet, policies: PolicyRegistry, today: date) -> Checked:
    """Check every row by itself, without recording anything; all errors of all rows are told at once."""
    columns, errors = read_heading(sheet.heading, _COLUMNS, _NEEDED)
    if errors:
        return Checked((), in_order(errors))
    applications: list[Application] = []
    seen: dict[tuple[object, ...], int] = {}
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
        errors.append(no_rows())
    return Checked((), in_order(errors)) if errors else Checked(tuple(applications), ())


def _check_row(row: Row, columns: list[Column], policies: PolicyRegistry, today: date) -> Application | list[CellError]:
    cells = Cells(row, columns)
    errors = list(cells.errors())
    policy_id = cells.text("policy") or (policies.ids[0] if len(policies.ids) == 1 else "")
    rule = None
    try:
        if not policy_id:
            raise _which(policies)
        rule = policies.get(policy_id, on=today).rule(cells.text("rule"))
    except LedgerError as error:
        errors.append(cells.error("policy" if isinstance(error, NotFound) else "rule", error.code, error.text))
    command = SubmitApplication(
        policy=policy_id,
        rule=cells.text("rule") if rule is None else rule.id,
        enterprise=cells.text("enterprise"),
        enterprise_name=cells.text("enterprise_name"),
        item=cells.text("item"),
        particulars={} if rule is None else _particulars(cells, rule),
        reference=cells.text("reference") or None,
    )
    faults = list(command.field_errors(today))
    try:
        if rule is not None:
            read_particulars(rule, command.particulars)
    except Malformed as malformed:
        faults.extend(malformed.errors)
    found = [*errors, *(_field_error(cells, fault, rule) for fault in faults)]
    if found:
        # Of one cell the first error is told: the others follow from it.
        return list({(each.letter, each.column): each for each in reversed(found)}.values())
    return Application(row.number, _key(command), command)


def _which(policies: PolicyRegistry) -> NotFound:
    """Of several policies a row names its own."""
    ids = policies.ids
    return NotFound(
        Text(
            f"有{len(ids)}个政策，请加“政策”一列，逐行填写政策编号，例如 {ids[0]}；可填：{'、'.join(ids)}",
            f"there are {len(ids)} policies; add a column policy that names each row's, such as {ids[0]}. There are: "
            f"{', '.join(ids)}",
        )
    )


def _particulars(cells: Cells, rule: Rule) -> dict[str, Value]:
    """What this rule declares, and whatever else the row fills in: the ledger refuses that by its name."""
    names = particular_names(rule)
    values: dict[str, Value] = {}
    for heading, text in cells.others(_COLUMNS):
        name = names.get(heading, heading)
        declared = rule.particulars.get(name)
        values[name] = text if declared is None else value_of(declared.kind, text, cells.unit(heading))
    return values


def _field_error(cells: Cells, fault: FieldError, rule: Rule | None) -> CellError:
    """The ledger's complaint about a field, at the cell it came from."""
    name = fault.field.removeprefix("particulars.")
    names = {} if rule is None else particular_names(rule)
    ways = [way for way, its in names.items() if its == name] or [name]
    found = next((way for way in ways if way in cells), None)
    declared = None if rule is None else rule.particulars.get(name)
    called = Text(declared.label, name) if declared else None
    return cells.error(found or name, fault.code, fault.text, called)


def _identity(command: SubmitApplication) -> tuple[object, ...]:
    """What an application asks for, in one form however it was typed."""
    enterprise, item = parse_uscc(command.enterprise), item_key(command.item)
    return command.policy, command.rule, enterprise, item, tuple(sorted(command.particulars.items()))


def _key(command: SubmitApplication) -> str:
    return content_key(*_identity(command), command.enterprise_name, command.reference)


def _repeats(row: int, first: int) -> CellError:
    told = Text(f"与第{first}行是同一项申报", f"the same application as row {first}")
    return CellError(row, as_written(""), "", "repeated-row", told)
