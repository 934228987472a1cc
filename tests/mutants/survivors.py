"""The list of mutants that no scenario kills, each with its reason: ``survivors.toml``, compared with what a run found."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.mutants.engine import Fate, Verdict
from tests.mutants.mutation import Name

LIST: Final = Path(__file__).resolve().parent / "survivors.toml"
COMMAND: Final = "python3 dev.py mutants"
_KEYS: Final = {"file", "function", "line", "change", "reason"}


class Unreadable(Exception):
    """The list is not written as it must be."""


def read_survivors(text: str) -> dict[Name, str]:
    """Mutant → reason. Raises ``Unreadable``."""
    listed: dict[Name, str] = {}
    for number, entry in enumerate(tomllib.loads(text).get("survivor", []), start=1):
        if not _KEYS <= set(entry) <= {*_KEYS, "nth"} or not str(entry["reason"]).strip():
            raise Unreadable(f"survivor no. {number}: needs {', '.join(sorted(_KEYS))} (and nth), all with text")
        name = Name(entry["file"], entry["function"], entry["line"], entry["change"], entry.get("nth", 1))
        if name in listed:
            raise Unreadable(f"survivor no. {number} is listed twice: {name}")
        listed[name] = entry["reason"]
    return listed


def complaints(
    fates: Sequence[Fate], listed: Mapping[Name, str], existing: Iterable[Name], files: set[str]
) -> list[str]:
    """What the list and a run say against each other. ``existing`` are all mutants of ``files``, tried or not."""
    found, existing = [], set(existing)
    for fate in fates:
        name, reason = fate.mutant.name, listed.get(fate.mutant.name)
        if fate.verdict is not Verdict.KILLED and reason is None:
            how = "no scenario runs this" if fate.verdict is Verdict.UNREACHED else "no scenario fails"
            where = f"{name.file}:{fate.mutant.number}"
            found.append(
                f"{where}: {how}: {name}\n    Add the example that was never asked for, or list it with its reason."
            )
        if fate.verdict is Verdict.KILLED and reason is not None:
            found.append(f"listed, but killed by {fate.by}: {name}\n    Take it off {LIST.name}.")
    for name in listed:
        if name.file in files and name not in existing:
            found.append(f"listed, but there is no such mutant any more: {name}\n    Take it off {LIST.name}.")
    return found


def as_entry(name: Name, reason: str) -> str:
    """A mutant as the list writes it."""
    nth = f"nth = {name.nth}\n" if name.nth > 1 else ""
    fields = {"file": name.file, "function": name.function, "line": name.line, "change": name.change}
    lines = "".join(f"{key} = {_quoted(value)}\n" for key, value in fields.items())
    return f"[[survivor]]\n{lines}{nth}reason = {_quoted(reason)}\n"


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
