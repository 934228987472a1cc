"""``python3 dev.py bench``: the performance goals of docs/performance.md, each with its anchor in the same run."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from api.service import calm_collector
from tests.bench import audit, bulk, commands, document, growth, sealing
from tests.bench.document import figure, marked, spread
from tests.bench.machine import described
from tests.bench.measuring import FULL, KEPT, QUICK, Bench, Row, Sizes, as_json, bench
from tests.results_file import results_file

SUBJECTS: Final[dict[str, Callable[[Bench], Row]]] = {
    "P1": commands.one_client_sqlite,
    "P2": commands.one_client_postgres,
    "P3": commands.many_clients_postgres,
    "P4": commands.many_clients_sqlite,
    "P5": commands.hot,
    "P6": commands.latency,
    "P7": sealing.overhead,
    "P8": sealing.cold_proofs,
    "P9": audit.verification,
    "P10": audit.rebuild,
    "P11": bulk.imported,
    "P12": bulk.weight,
    "P13": growth.questions,
    "P14": growth.commands,
}


def measure(names: Sequence[str], sizes: Sizes, kept: Path = KEPT) -> Iterator[Row]:
    calm_collector()
    with bench(sizes, kept) as running:
        for name in names:
            yield replace(SUBJECTS[name](running), quick=sizes is not FULL)


def table(rows: Sequence[Row]) -> Table:
    shown = Table(show_lines=True)
    shown.add_column("id")
    shown.add_column("what", ratio=1, overflow="fold")
    for heading in ("value", "anchor", "ratio", "min – max", "goal", "met"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(
            row.id, marked(row), figure(row.value), figure(row.anchor), figure(row.ratio.median), spread(row), row.goal,
            "yes" if row.met else "no",
        )  # fmt: skip
    return shown


def _told(row: Row) -> str:
    """One line, while others are measured."""
    figures = f"{figure(row.value)} against {figure(row.anchor)}, {figure(row.ratio.median)} ×"
    return f"{row.id}: {figures} ({row.goal}) {'met' if row.met else 'missed'}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("--only", metavar="P3,P4", help=f"some of {', '.join(SUBJECTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, smaller logs: three minutes")
    parser.add_argument("--json", metavar="FILE", type=results_file, help="write the rows to a file as well")
    parser.add_argument(
        "--document",
        metavar="FILE",
        type=document.place,
        help="write the rows into the table of a document (docs/performance.md)",
    )
    options = parser.parse_args(arguments)
    names = options.only.upper().split(",") if options.only else list(SUBJECTS)
    if unknown := [name for name in names if name not in SUBJECTS]:
        parser.error(f"no measurement named {', '.join(unknown)}; there are: {', '.join(SUBJECTS)}")
    progress = Console(stderr=True, highlight=False)
    rows: list[Row] = []
    KEPT.mkdir(parents=True, exist_ok=True)
    machine = described(KEPT)
    began = time.monotonic()
    for row in measure(names, QUICK if options.quick else FULL):
        rows.append(row)
        progress.print(f"{time.monotonic() - began:6.0f} s  {_told(row)}")
    wide = sys.stdout.isatty()
    Console(width=None if wide else 160, highlight=False).print(table(rows))
    if options.json is not None:
        options.json.write_text(as_json(rows), encoding="utf-8")
    if options.document is not None:
        document.write(options.document, rows, machine, list(SUBJECTS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
