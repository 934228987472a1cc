"""What is done when all features have run: join, look for gaps, and write the books or compare them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.policy.registry import BUILT_IN
from tests.features.book import Book, read_book
from tests.trace.gaps import gaps_of
from tests.trace.html import html_book
from tests.trace.markdown import markdown_book
from tests.trace.matrix import join
from tests.trace.numbers import PolicyNumbers
from tests.trace.run import Run
from tests.trace.told import Matrix

ROOT: Final = Path(__file__).resolve().parents[2]
POLICY: Final = BUILT_IN / "shenzhen-meddev-2022" / "1.toml"
POLICY_NAME: Final = f"ledger/policy/policies/{POLICY.parent.name}/{POLICY.name}"
COMMITTED: Final = ROOT / "docs" / "traceability.md"
COMMAND: Final = "python3 dev.py trace"


@dataclass(frozen=True, slots=True)
class Wanted:
    """``write``: write the books instead of comparing; ``html`` where the officer's book goes, if anywhere."""

    write: bool = False
    html: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """``faults``: what is left alone, and a stale book, a line each; ``written``: the books that were written."""

    faults: list[str] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)


def finish(run: Run, wanted: Wanted) -> Outcome:
    """Write or compare the books of our own policy. The committed one is not written while anything is left alone."""
    matrix = join_ours(run)
    text = markdown_book(matrix)
    outcome = Outcome([*map(str, gaps_of(matrix))])
    if wanted.html is not None:
        wanted.html.parent.mkdir(parents=True, exist_ok=True)
        wanted.html.write_text(html_book(matrix), encoding="utf-8")
        outcome.written.append(wanted.html)
    if wanted.write and not outcome.faults:
        COMMITTED.write_text(text, encoding="utf-8")
        outcome.written.append(COMMITTED)
    outcome.faults.extend(stale(COMMITTED, text))
    return outcome


def stale(path: Path, text: str) -> list[str]:
    """One line where the committed book is not what the command would write."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return []
    return [f"docs/{path.name}: is not what the features and the policy file give now. Run {COMMAND} and commit it."]


def join_ours(run: Run) -> Matrix:
    numbers = PolicyNumbers(POLICY, POLICY_NAME)
    sha256 = hashlib.sha256(POLICY.read_bytes()).hexdigest()
    return join(numbers, sha256, books_about(numbers.policy.id, read_books(ROOT / "features")), run)


def read_books(folder: Path) -> list[Book]:
    return [read_book(path.name, path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.feature"))]


def books_about(policy_id: str, books: Sequence[Book]) -> list[Book]:
    """A book without a policy's tag counts as every policy's, so that its scenarios are found to be of no clause."""
    others = [book for book in books if book.tags and f"@policy:{policy_id}" not in book.tags]
    return [book for book in books if book not in others]
