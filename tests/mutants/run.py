"""``python3 dev.py mutants [--only FILE] [--quick] [--json FILE]``: are there enough examples?

Changes one thing in the rules, runs the features, and sees whether any scenario fails; and so for each thing that could be
changed. A mutant that no scenario notices is an example the officer was never asked about. At least ``GOAL`` must be killed,
and every other be listed in survivors.toml with the reason why no scenario can see it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Final

from tests.mutants.engine import ROOT, Broken, Engine, Fate, Verdict
from tests.mutants.mutation import Mutant, Name, mutants_of
from tests.mutants.survivors import LIST, complaints, read_survivors

GOAL: Final = Fraction(95, 100)
QUICK_PER_FILE: Final = 3


def changed_files() -> list[Path]:
    """The files whose arithmetic the features must pin down."""
    return [ROOT / "ledger" / "money.py", *sorted((ROOT / "ledger" / "rules").glob("*.py"))]


def all_mutants(files: Sequence[Path]) -> list[Mutant]:
    sources = [path.read_text(encoding="utf-8") for path in changed_files()]
    return [mutant for path in files for mutant in mutants_of(path, ROOT, sources)]


def sample(mutants: Sequence[Mutant], per_file: int) -> list[Mutant]:
    """A few of each file, evenly over it: the same ones every time, until the file changes."""
    counts = Counter(mutant.name.file for mutant in mutants)
    taken: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    chosen = []
    for mutant in mutants:
        file = mutant.name.file
        if seen[file] * per_file >= taken[file] * counts[file] and taken[file] < per_file:
            chosen.append(mutant)
            taken[file] += 1
        seen[file] += 1
    return chosen


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    files = [path for path in changed_files() if options.only in (None, path.name, path.relative_to(ROOT).as_posix())]
    if not files:
        sys.stderr.write(f"no such file; there are: {', '.join(path.name for path in changed_files())}\n")
        return 2
    mutants = all_mutants(files)
    chosen = sample(mutants, QUICK_PER_FILE) if options.quick else mutants
    listed = read_survivors(LIST.read_text(encoding="utf-8"))
    try:
        fates = Engine(chosen, options.processes, _Progress(len(chosen)).tell, options.quick, listed).run()
    except Broken as broken:
        sys.stderr.write(f"{broken}\n")
        return 2
    names = {path.relative_to(ROOT).as_posix() for path in files}
    wrong = complaints(fates, listed, [its.name for its in mutants], names)
    if options.json:
        Path(options.json).write_text(_as_json(fates, wrong), encoding="utf-8")
    sys.stdout.write("\n".join([*_table(fates), *explained(fates, listed, len(mutants)), ""]))
    short = killed_share(fates) < GOAL and not options.quick and options.only is None
    if short:
        wrong.append(f"fewer than {float(GOAL):.0%} are killed")
    sys.stdout.write("".join(f"\n{its}\n" for its in wrong))
    return int(bool(wrong))


def explained(fates: Sequence[Fate], listed: Mapping[Name, str], existing: int) -> list[str]:
    """What the figures do not say: why some mutants live, and that a sample is no figure of the whole.

    ``existing`` are all mutants of the files. What lives without a reason is complained of, and not explained here.
    """
    alive = [fate for fate in fates if fate.verdict is not Verdict.KILLED]
    known = sum(fate.mutant.name in listed for fate in alive)
    told = []
    if known:
        whose = "The other" if len(alive) == 1 else f"The other {known}" if known == len(alive) else ""
        whose = whose or f"Of the other {len(alive)}, {known}"
        where = LIST.relative_to(ROOT).as_posix()
        verb, they = ("is", "it") if known == 1 else ("are", "them")
        told.append(f"{whose} {verb} listed, with the reason why no scenario can see {they}: {where}")
    if len(fates) < existing:
        told.append(
            f"A sample of {len(fates)} of the {existing} mutants of these files, the same every time: its share is not that "
            "of all of them."
        )
    return told


def killed_share(fates: Sequence[Fate]) -> Fraction:
    return Fraction(sum(fate.verdict is Verdict.KILLED for fate in fates), max(1, len(fates)))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py mutants", description=__doc__.split("\n\n")[1])
    parser.add_argument("--only", metavar="FILE", help="one file, such as limits.py")
    parser.add_argument("--quick", action="store_true", help="a few mutants of each file")
    parser.add_argument("--json", metavar="FILE", help="write what became of each mutant")
    parser.add_argument("--processes", type=int, metavar="N", default=os.cpu_count() or 1, help="how many at once")
    return parser.parse_args(arguments)


class _Progress:
    def __init__(self, of: int) -> None:
        self._of, self._alive = of, 0

    def tell(self, done: int, fate: Fate) -> None:
        self._alive += fate.verdict is not Verdict.KILLED
        end = "\n" if done == self._of else "\r"
        if sys.stderr.isatty() or done == self._of or done % 100 == 0:
            sys.stderr.write(f"{done} of {self._of} mutants tried, {self._alive} alive{end}")
            sys.stderr.flush()


def _table(fates: Sequence[Fate]) -> list[str]:
    rows = []
    for file in dict.fromkeys(fate.mutant.name.file for fate in fates):
        its = [fate for fate in fates if fate.mutant.name.file == file]
        rows.append(f"{file:34}{_share(its)}")
    return [*rows, f"{'together':34}{_share(fates)}"]


def _share(fates: Sequence[Fate]) -> str:
    killed = sum(fate.verdict is Verdict.KILLED for fate in fates)
    return f"{killed:5} of {len(fates):5} killed  {_percent(killed, len(fates)):>6}"


def _percent(part: int, whole: int) -> str:
    """Rounded down to a tenth: 95.0% is never a little less."""
    tenths = part * 1000 // max(1, whole)
    return f"{tenths // 10}.{tenths % 10}%"


def _as_json(fates: Sequence[Fate], wrong: Sequence[str]) -> str:
    told = [{**asdict(f.mutant.name), "at": f.mutant.number, "verdict": f.verdict, "by": f.by} for f in fates]
    killed = sum(fate.verdict is Verdict.KILLED for fate in fates)
    return json.dumps(
        {"mutants": len(fates), "killed": killed, "wrong": list(wrong), "fates": told}, ensure_ascii=False, indent=1
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
