"""A sealed log, checked from its bytes: leaf hashes, the tree over them, and the hashes that were stored beside them.

The log is cut into spans of :data:`SPAN` events, complete subtrees that can be checked apart, in other processes too,
and whose hashes are then put together in order. Nothing is believed because it is stored: a stored hash is only
compared with, never built upon, so that the roots found here are those of the bytes that were read.

What a finding can name: an event whose bytes are not those that its stored hash was made of is named exactly. Where
somebody changed an event and all stored hashes after it, every hash agrees with every other, and only a kept checkpoint
tells: then the wrong event lies between the last checkpoint that still fits and the first that does not.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from typing import Final, TypeVar

import msgspec

from ledger.errors import LedgerError, Text
from ledger.mapper import read_back
from ledger.seal.merkle import EMPTY, HASH_BYTES, combined, leaf_hash, node_hash, run_length
from ledger.seal.sealed_log import Finding, LogDamaged, Row, SealedLog
from ledger.seal.wrong_event import changed, contradiction, duplicate, malformed_seal, misplaced, missing

T = TypeVar("T")

SPAN_LEVEL: Final = 12
SPAN: Final = 1 << SPAN_LEVEL
"""Events checked at a time: enough to make the cost of a message between processes vanish, few enough for memory."""

FINDINGS_MOST: Final = 100
"""Findings kept of one span: after the first wrong event of a log that was shifted, every event is wrong."""

UNREADABLE: Final = "unreadable"
INDEX_UNREADABLE: Final = "index-unreadable"

_AHEAD: Final = 4
"""Spans handed to each process before their results are taken: bounds what lies in memory."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class SpanReport:
    """What a span of events came to.

    ``edges`` are the complete subtrees of its first leaves, by size of the log, for each size that was asked for and for
    the span's end; empty from where an event is missing. ``beyond`` are the stored hashes of subtrees that the
    span's last event completes and that begin before the span, None where they need not be compared: nothing is stored,
    or something in the span is wrong already. ``unkept`` counts findings beyond ``FINDINGS_MOST``. ``lost`` is the first
    event that cannot be read, whether or not that finding is kept.
    """

    first: int
    last: int
    edges: dict[int, tuple[bytes, ...]]
    beyond: bytes | None
    findings: list[Finding]
    unkept: int = 0
    lost: int | None = None


# ---- One span


def check_span(log: SealedLog, marks: Sequence[int], bounds: tuple[int, int]) -> SpanReport:
    """Check the events from one position to another. ``marks`` are sizes of the log whose roots will be asked for."""
    first, last = bounds
    rows, findings = _read(log, first, last)
    return check_rows(rows, findings, marks, bounds)


def check_rows(
    rows: Sequence[Row], findings: list[Finding], marks: Sequence[int], bounds: tuple[int, int]
) -> SpanReport:
    first, last = bounds
    lost = min((finding.place for finding in findings if finding.code == UNREADABLE), default=None)
    in_place, strays = _told_from_strays(rows, first, last)
    whole = _until_gap(in_place, first)
    # Of one event, what its hash tells comes first: the rest may follow from it.
    told: list[Finding] = []
    if (gap := first + len(whole)) <= last and gap != lost:
        told.append(missing(gap))
    edges, beyond = _hash_span(whole, first, marks, told)
    findings = told + strays + [finding for row in rows if (finding := _undecodable(row)) is not None] + findings
    findings.sort(key=lambda finding: finding.place)
    unkept = max(0, len(findings) - FINDINGS_MOST)
    return SpanReport(first, last, edges, beyond, findings[:FINDINGS_MOST], unkept, lost)


def _read(log: SealedLog, first: int, last: int) -> tuple[list[Row], list[Finding]]:
    """The rows of a span and what is wrong with how they are kept; where some cannot even be read, those that can."""
    rows, lost = _readable(log.rows, first, last)
    wrong, unknown = _readable(log.findings, first, last)
    unreadable = [Finding(position, UNREADABLE, text) for position, text in lost.items()]
    not_found = [(position, text) for position, text in unknown.items() if position not in lost]
    return rows, [*unreadable, *wrong, *_side_by_side(not_found)]


def _side_by_side(unknown: Sequence[tuple[int, Text]]) -> Iterator[Finding]:
    """One page of an index is about many events: those that stand side by side are told at once."""
    for _, run in groupby(enumerate(unknown), key=lambda each: (each[1][0] - each[0], each[1][1])):
        of_run = [each for _, each in run]
        (first, text), (last, _) = of_run[0], of_run[-1]
        yield Finding(first, INDEX_UNREADABLE, text, through=last if last > first else None)


def _readable(ask: Callable[[int, int], list[T]], first: int, last: int) -> tuple[list[T], dict[int, Text]]:
    """What is found of a span, and by position why the rest is not: told apart by halving. A log that is locked, or does not
    answer, has no part that is worse than another."""
    try:
        return ask(first, last), {}
    except LogDamaged as damage:
        if first == last:
            return [], {first: damage.text}
    middle = (first + last) // 2
    left, lost_left = _readable(ask, first, middle)
    right, lost_right = _readable(ask, middle + 1, last)
    return left + right, lost_left | lost_right


def _told_from_strays(rows: Sequence[Row], first: int, last: int) -> tuple[Sequence[Row], list[Finding]]:
    """The events that lie where they belong, each position once, and what is wrong with every other that is there: what
    reads the log in another way may find those."""
    # Each of them: a damaged page may give them in any order.
    if [row.position for row in rows] == list(range(first, last + 1)):
        return rows, []
    in_place, strays, seen, before = list[Row](), list[Finding](), set[int](), first - 1
    for row in rows:
        if row.position in seen:
            strays.append(duplicate(row))
        elif not before < row.position <= last:
            strays.append(misplaced(row, first, last))
        else:
            in_place.append(row)
        seen.add(row.position)
        before = max(first - 1, row.position)
    return in_place, strays


def _until_gap(rows: Sequence[Row], first: int) -> Sequence[Row]:
    length = next((index for index, row in enumerate(rows) if row.position != first + index), len(rows))
    return rows[:length]


def _undecodable(row: Row) -> Finding | None:
    """What is wrong with an event taken by itself: every event decodes, and carries the tags that it should."""
    try:
        fact = read_back(row.type_name, row.data)
    except LedgerError as error:
        return Finding(row.position, UNREADABLE, error.text, row.type_name)
    if _encode(fact.tags) != row.tags:
        expected = _encode(fact.tags).decode()
        return Finding(
            row.position,
            "wrong-tags",
            Text(
                f"标签应为{expected}，实为{row.tags.decode(errors='replace')}：按标签计算的限额和历史会遗漏或多计",
                f"its tags should be {expected} and are {row.tags.decode(errors='replace')}: limits and histories are "
                "read by tag, and would miss it or count it wrongly",
            ),
            row.type_name,
        )
    return None


def _hash_span(
    rows: Sequence[Row], first: int, marks: Sequence[int], findings: list[Finding]
) -> tuple[dict[int, tuple[bytes, ...]], bytes | None]:
    """The subtrees of the span, from the bytes; differences from what is stored are added to ``findings``."""
    start = first - 1
    end = start + len(rows)
    leaves = [leaf_hash(row.leaf) for row in rows]
    frontier, edges, runs = EMPTY, dict[int, tuple[bytes, ...]](), list[bytes]()
    for mark in sorted({*(mark for mark in marks if start < mark <= end), end}):
        frontier, more = frontier.append(leaves[frontier.size : mark - start])
        runs += more
        edges[mark] = frontier.edge
    stored, beyond = [row.run for row in rows], None
    if runs and (last := stored[-1]) is not None:
        # What the last event completes beyond the span is compared where the spans are put together.
        stored[-1], beyond = last[: len(runs[-1])], last[len(runs[-1]) :]
    if any(kept is not None and kept != run for kept, run in zip(stored, runs, strict=True)):
        findings += _differences(rows, leaves, start)
        beyond = None
    return edges, beyond


def _differences(rows: Sequence[Row], leaves: Sequence[bytes], start: int) -> Iterator[Finding]:
    """Where stored hashes and bytes part: events that are not what was sealed, then seals that contradict each other."""
    sealed: list[bytes] = []
    told: list[tuple[int, int]] = []
    for row, leaf in zip(rows, leaves, strict=True):
        assert row.run is not None, "a log stores all its hashes or none"
        index = row.position - 1
        if len(row.run) != run_length(index) * HASH_BYTES:
            yield malformed_seal(row)
            told.append((row.position, row.position))
            sealed.append(leaf)
            continue
        if row.run[:HASH_BYTES] != leaf:
            yield changed(row, leaf)
            told.append((row.position, row.position))
        sealed.append(row.run[:HASH_BYTES])
    # The tree as it was stored: what contradicts it here was not changed in the events but in the hashes above them.
    _, runs = EMPTY.append(sealed)
    for row, run in zip(rows, runs, strict=True):
        kept = (row.run or b"")[: len(run)]
        level = next((k for k in range(1, len(kept) // HASH_BYTES) if _part(kept, k) != _part(run, k)), None)
        if level is None or len(kept) != len(run):
            continue
        first = row.position - (1 << level) + 1
        # What stands above something that was told is wrong with it, and says less.
        if not any(first <= low and high <= row.position for low, high in told):
            yield contradiction(first, row.position)
            told.append((first, row.position))


def _part(run: bytes, level: int) -> bytes:
    return run[level * HASH_BYTES : (level + 1) * HASH_BYTES]


# ---- The whole


@dataclass(slots=True)
class Tree:
    """The tree of a log, put together of its spans in order. ``roots`` has the root at each size that was marked, as far
    as no event is missing before it; ``size`` is how many leaves were taken in.
    """

    size: int = 0
    roots: dict[int, bytes] = field(default_factory=lambda: {0: EMPTY.root})
    _edge: list[bytes] = field(default_factory=list)
    _as_stored: bool = True
    _broken: bool = False

    def add(self, report: SpanReport) -> list[Finding]:
        """Take in the next span; what the hashes stored above the spans contradict."""
        if self._broken:
            return []
        assert report.first == self.size + 1, "spans come in order"
        for mark, edge in report.edges.items():
            self.size = max(self.size, mark)
            if mark:
                self.roots[mark] = combined((*self._edge, *edge))
        self._broken = self.size < report.last
        if self._broken or report.last % SPAN:
            # Only the last span of a log is not a whole subtree.
            self._edge += report.edges[self.size]
            return []
        completed = self._close(*report.edges[report.last])
        # Once something is wrong, so is every hash above it.
        self._as_stored = self._as_stored and report.beyond is not None
        if not self._as_stored or report.beyond is None or report.beyond == b"".join(completed):
            return []
        self._as_stored = False
        above = [k for k, hashed in enumerate(completed) if _part(report.beyond, k) != hashed]
        first = self.size - (SPAN << above[0] + 1) + 1 if above else self.size
        return [contradiction(first, self.size)]

    def _close(self, hashed: bytes) -> list[bytes]:
        """Add a whole span; the subtrees that it completes above itself, from the bottom."""
        completed: list[bytes] = []
        odd = self.size // SPAN - 1
        while odd & 1:
            hashed = node_hash(self._edge.pop(), hashed)
            completed.append(hashed)
            odd >>= 1
        self._edge.append(hashed)
        return completed


Checked = tuple[SpanReport, list[Row]]


def check_log(log: SealedLog, marks: Sequence[int], *, jobs: int = 1) -> Iterator[Checked]:
    """Every span of a log, checked, with its rows, in order. ``jobs`` processes share the work where the log allows it.

    Costs memory for a few spans, whatever the size of the log.
    """
    bounds = [(first, min(first + SPAN - 1, log.size)) for first in range(1, log.size + 1, SPAN)]
    if jobs > 1 and len(bounds) > 1 and log.divisible:
        yield from _shared(log, marks, bounds, jobs)
        return
    for one in bounds:
        rows, findings = _read(log, *one)
        yield check_rows(rows, findings, marks, one), rows


def _shared(log: SealedLog, marks: Sequence[int], bounds: Sequence[tuple[int, int]], jobs: int) -> Iterator[Checked]:
    """The caller folds the rows of one span while others are hashed elsewhere, which is why they are read twice."""
    # Not by fork: a connection to SQLite must not be carried into another process.
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        check = partial(check_span, log, marks)
        waiting = iter(bounds)
        under_way = [(one, pool.submit(check, one)) for one in islice(waiting, jobs * _AHEAD)]
        while under_way:
            one, future = under_way.pop(0)
            rows, _ = _read(log, *one)
            report = future.result()
            under_way += [(more, pool.submit(check, more)) for more in islice(waiting, 1)]
            yield report, rows


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by position; one that only names a range comes after those that name an event in it."""
    found = list(findings)
    exact = [finding.place for finding in found if finding.through is None]
    return sorted(found, key=lambda finding: (_place(finding, exact), finding.through is not None))


def _place(finding: Finding, exact: Sequence[int]) -> int:
    if finding.through is None:
        return finding.place
    inside = [place for place in exact if finding.place <= place <= finding.through]
    return min(inside, default=finding.place)
