"""The table of docs/performance.md, written by the run that measured it: nobody copies a figure by hand."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.bench.measuring import Row
from tests.results_file import results_file

BEGIN: Final = "<!-- measured: written by dev.py bench --document -->"
END: Final = "<!-- /measured -->"
_HEAD: Final = """\
| | what | value | anchor | ratio | min – max | goal | met |
|---|---|---:|---:|---:|---:|---:|---|"""


def written_into(text: str, rows: Sequence[Row], machine: str, order: Sequence[str]) -> str:
    """The document with these rows in place of its older ones. Raises ``ValueError`` where it has no place for them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document has no place for the table: a line {BEGIN} and a line {END}")
    lines = _lines(rest) | {row.id: _line(row) for row in rows}
    table = "\n".join([_HEAD, *(lines[name] for name in order if name in lines)])
    return f"{before}{BEGIN}\n\nMeasured on: {machine}.\n\n{table}\n\n{END}{after}"


def place(name: str) -> Path:
    """The type of an argument that names the document. Raises ``ArgumentTypeError`` where the rows cannot go into it."""
    path = results_file(name)
    try:
        written_into(path.read_text(encoding="utf-8"), [], "", [])
    except (OSError, ValueError) as error:
        raise ArgumentTypeError(f"{name}: {error}") from error
    return path


def write(path: Path, rows: Sequence[Row], machine: str, order: Sequence[str]) -> None:
    path.write_text(written_into(path.read_text(encoding="utf-8"), rows, machine, order), encoding="utf-8")


def figure(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.3g}"


def spread(row: Row) -> str:
    return "–" if row.ratio.min is None else f"{figure(row.ratio.min)} – {figure(row.ratio.max)}"


def marked(row: Row) -> str:
    return f"quick: {row.what}" if row.quick else row.what


def _line(row: Row) -> str:
    figures = (figure(row.value), figure(row.anchor), figure(row.ratio.median), spread(row))
    cells = (row.id, marked(row).replace("|", "/"), *figures, row.goal, "yes" if row.met else "**no**")
    return f"| {' | '.join(cells)} |"


def _lines(table: str) -> Mapping[str, str]:
    """The rows that the document has, by their id."""
    rows = [line for line in table.partition(END)[0].splitlines() if line.startswith("| P")]
    return {line.split("|")[1].strip(): line for line in rows}
