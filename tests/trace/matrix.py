"""The join: article → clause → numbers of the policy file → scenarios at each number's boundary → results.

Its outcome (:mod:`tests.trace.told`) is what the two books are written from (:mod:`tests.trace.markdown`,
:mod:`tests.trace.html`), and what gaps are searched in (:mod:`tests.trace.gaps`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from ledger.errors import Refusal
from ledger.policy.citation import SUPPLEMENT, article_cited
from ledger.policy.model import Funding, Policy, Reading
from tests.features.book import Book, Chapter, Scene
from tests.trace.numbers import Number, PolicyNumbers
from tests.trace.run import Run
from tests.trace.told import ArticleTold, ClauseTold, Matrix, NumberTold, Proof, ReadingTold, RowTold, Told

NO_MONEY: Final = "no-money-rule"
NO_MONEY_CLAUSE: Final = "无资金条款"
PROCEDURE: Final = re.compile(r"程序[0-9]+")


def article_of(clause: str, policy: Policy) -> str:
    """``5.3`` → 五, an open question (``B10``) → its article; a clause that counts in none (附则, 程序1) is its own."""
    if (reading := policy.readings.get(clause)) is not None:
        return reading.article
    return article_cited(clause) or clause


def join(numbers: PolicyNumbers, sha256: str, books: Sequence[Book], run: Run) -> Matrix:
    """Everything about one policy: ``books`` are the features that speak of it."""
    return _Join(numbers, books, run).matrix(sha256)


class _Join:
    def __init__(self, numbers: PolicyNumbers, books: Sequence[Book], run: Run) -> None:
        self._numbers = numbers
        self._policy = numbers.policy
        self._run = run
        self._chapters = [(book, chapter) for book in books for chapter in book.chapters if _clause_of(chapter)]
        self._told_clauses = [_clause_of(chapter) for _, chapter in self._chapters]
        self._procedures = {its for its in self._told_clauses if PROCEDURE.fullmatch(its)}
        self._stray = [self._told(book, scene) for book in books for scene in book.scenes if not scene.clause]
        self._scenes = [self._told(book, scene) for book, chapter in self._chapters for scene in chapter.scenes]

    def matrix(self, sha256: str) -> Matrix:
        policy = self._policy
        articles = [self._article(its.number, its.name, its.funding) for its in policy.articles.values()]
        supplement = self._article(SUPPLEMENT, "有效期与通用规定", None)
        told = {clause.id for article in (*articles, supplement) for clause in article.clauses}
        rest = [self._clause(its) for its in dict.fromkeys(self._told_clauses) if its not in told]
        return Matrix(
            policy=policy,
            file=self._numbers.name,
            sha256=sha256,
            money=tuple(article for article in articles if article.funding is not Funding.NONE),
            without_money=tuple(article for article in articles if article.funding is Funding.NONE),
            supplement=supplement,
            procedures=tuple(clause for clause in rest if PROCEDURE.fullmatch(clause.id)),
            other=tuple(clause for clause in rest if not PROCEDURE.fullmatch(clause.id)),
            stray=tuple(self._stray),
        )

    def _article(self, number: str, name: str, funding: Funding | None) -> ArticleTold:
        rules = [rule.id for rule in self._policy.rules.values() if rule.article == number]
        rules += [SUPPLEMENT] if number == SUPPLEMENT else []
        told = [its for its in self._told_clauses if article_of(its, self._policy) == number]
        clauses = [self._clause(its) for its in dict.fromkeys([*rules, *told])]
        limits = [its for its in self._numbers.numbers.values() if its.limit is not None and its.article == number]
        refused = (scene.where(lambda its: (NO_MONEY, number) in its.refused) for scene in self._scenes)
        return ArticleTold(
            number=number,
            name=name,
            funding=funding,
            place=self._place(f'articles."{number}"'),
            clauses=tuple(clauses),
            limits=tuple(map(self._number, limits)),
            readings=tuple(self._reading(its) for its in self._policy.readings.values() if its.article == number),
            refusal=_refusal(self._policy, number) if funding is Funding.NONE else "",
            refused=tuple(filter(None, refused)),
        )

    def _clause(self, clause: str) -> ClauseTold:
        rule = self._policy.rules.get(clause)
        chapters = [(book, its) for book, its in self._chapters if _clause_of(its) == clause]
        own = [its for its in self._numbers.numbers.values() if _is_of(its, clause)]
        return ClauseTold(
            id=clause,
            title=rule.name if rule else _title(chapters),
            words="".join(line.strip() for _, its in chapters for line in its.description.splitlines()),
            rule=rule,
            place=self._place(f'rules."{clause}"') if rule else _chapter_place(chapters),
            numbers=tuple(map(self._number, own)),
            scenes=tuple(scene for scene in self._scenes if scene.clause == clause),
        )

    def _number(self, number: Number) -> NumberTold:
        # A scenario about an open question holds the number that is read by it, and no other of the article.
        others = self._policy.readings.keys() - {number.reading}
        own = [its for its in self._scenes if its.article == number.article and its.clause not in others]
        moves = self._numbers.moves[number.key]
        return NumberTold(
            number=number,
            file=self._numbers.name,
            proofs={way: _proofs(own, number, way) for way in moves},
            why_not={way: move.why_not for way, move in moves.items() if move.policy is None},
        )

    def _reading(self, reading: Reading) -> ReadingTold:
        """The scenarios of the question itself first, then those of its article; none of the procedure's."""
        about = [s for s in self._scenes if s.clause == reading.id or s.clause not in self._procedures]
        about.sort(key=lambda scene: (scene.clause != reading.id, scene.article != reading.article))
        shown = (scene.where(lambda its: any(r == reading.id for r, _ in its.readings)) for scene in about)
        return ReadingTold(reading, self._place(_reading_key(reading.id)), tuple(filter(None, shown)))

    def _told(self, book: Book, scene: Scene) -> Told:
        rows = tuple(RowTold(line, cells, played) for line, cells, played in self._run.of(book.file, scene))
        article = article_of(scene.clause, self._policy)
        return Told(f"features/{book.file}", scene.number, scene.name, scene.clause, article, rows)

    def _place(self, key: str) -> str:
        return f"{self._numbers.name}:{self._numbers.line(key)}"


def _clause_of(chapter: Chapter) -> str:
    return next((tag.removeprefix("@clause:") for tag in chapter.tags if tag.startswith("@clause:")), "")


def _is_of(number: Number, clause: str) -> bool:
    return number.rule == clause or (clause == SUPPLEMENT and number.rule is None and number.limit is None)


def _proofs(scenes: Iterable[Told], number: Number, way: str) -> tuple[Proof, ...]:
    """Those of the number's own clause first, and with examples before those without."""
    ordered = sorted(scenes, key=lambda scene: (scene.clause != number.rule, not scene.rows[0].cells))
    found = (scene.where(lambda its: (number.key, way) in its.numbers) for scene in ordered)
    return tuple(filter(None, found))


def _refusal(policy: Policy, article: str) -> str:
    try:
        policy.rule(article)
    except Refusal as refusal:
        return refusal.text.zh
    raise AssertionError(f"article {article} is said to grant no money, and citing it is not refused")


def _title(chapters: Sequence[tuple[Book, Chapter]]) -> str:
    return next((its.name.partition(" ")[2] for _, its in chapters), "")


def _chapter_place(chapters: Sequence[tuple[Book, Chapter]]) -> str:
    return next((f"features/{book.file}:{its.number}" for book, its in chapters), "")


def _reading_key(reading: str) -> str:
    return f'readings."{reading}"' if "." in reading else f"readings.{reading}"
