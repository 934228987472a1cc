"""A run of our own features as it would be if nothing were amiss, made up without running them, to be broken in tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from tests.features.book import Book
from tests.trace.command import POLICY, POLICY_NAME, ROOT, books_about, read_books
from tests.trace.matrix import NO_MONEY, article_of, join
from tests.trace.numbers import WAYS, PolicyNumbers
from tests.trace.run import Played, Run, row_of
from tests.trace.told import Matrix

NUMBERS = PolicyNumbers(POLICY, POLICY_NAME)
SHA256 = "0" * 64


@cache
def our_books() -> tuple[Book, ...]:
    return tuple(books_about(NUMBERS.policy.id, read_books(ROOT / "features")))


def sound_run(books: Sequence[Book]) -> Run:
    """Every row passes, holds every number of its article, and is refused under every article without money."""
    run = Run()
    refused = {(NO_MONEY, number) for number in NUMBERS.policy.articles}
    for book in books:
        for scene in book.scenes:
            article = article_of(scene.clause, NUMBERS.policy)
            held = {(its.key, way) for its in NUMBERS.numbers.values() if its.article == article for way in WAYS}
            rows = [row_of(dict(zip(e.header, row, strict=True))) for e in scene.examples for row in e.rows] or [()]
            run.played[book.file, scene.name] = {row: Played(numbers=set(held), refused=set(refused)) for row in rows}
    return run


def matrix_of(books: Sequence[Book], breaks: Callable[[Run], None] = lambda run: None) -> Matrix:
    run = sound_run(books)
    breaks(run)
    return join(NUMBERS, SHA256, books, run)
