"""The open questions of a policy as the office sees them: how each is read, and everything that was decided about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ledger.events import InterpretationRecorded
from ledger.mapper import Recorded
from ledger.policy.model import Policy, Reading
from ledger.policy.registry import PolicyFile


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision to read a question so, from ``since`` on. ``recorded`` is None where the policy's own text says it."""

    value: str
    answer: str
    since: date
    decided_by: str
    document: str | None
    why: str
    recorded: Recorded | None
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class ReadingHistory:
    """``reading`` as it is read on the day; ``decided`` in the order of the days from which on each counts."""

    reading: Reading
    decided: tuple[Decided, ...]


def histories(policy: Policy, file: PolicyFile, recorded: Sequence[Recorded], day: date) -> list[ReadingHistory]:
    """``policy`` is the version as read on ``day``; ``recorded`` are its interpretations, in the order of recording."""
    return [
        ReadingHistory(reading, _marked([*_written(file, reading.id), *_switched(file, reading.id, recorded)], day))
        for reading in policy.readings.values()
    ]


def decided(file: PolicyFile, recorded: Recorded) -> Decided:
    """One recorded interpretation of a file's question, with what its value means."""
    event, envelope = recorded.event, recorded.envelope
    assert isinstance(event, InterpretationRecorded), recorded.type_name
    return Decided(
        value=event.value,
        answer=_answer(file, event.reading, event.value),
        since=event.effective_from,
        decided_by=event.decided_by,
        document=envelope.reference,
        why=envelope.reason or "",
        recorded=recorded,
    )


def _written(file: PolicyFile, name: str) -> Iterator[Decided]:
    """What the file says itself: the reading it was published with, and those it switches to on a day of its own."""
    last: Reading | None = None
    for _, edition in file.editions:
        reading = edition.readings[name]
        if last is None or (reading.value, reading.since) != (last.value, last.since):
            yield Decided(
                reading.value,
                reading.answer,
                reading.since,
                reading.decided_by,
                reading.document,
                reading.why,
                recorded=None,
            )
        last = reading


def _switched(file: PolicyFile, name: str, recorded: Sequence[Recorded]) -> Iterator[Decided]:
    for each in recorded:
        if isinstance(each.event, InterpretationRecorded) and each.event.reading == name:
            yield decided(file, each)


def _answer(file: PolicyFile, name: str, value: str) -> str:
    _, published = file.editions[0]
    reading = published.readings[name]
    return reading.answer if value == reading.value else reading.options.get(value, value)


def _marked(entries: list[Decided], day: date) -> tuple[Decided, ...]:
    """In order, the one in force marked: the last whose day has come, and of one day the one that was decided last.

    What the file was published with is in force before its own day too: there is no other.
    """
    ordered = sorted(entries, key=lambda each: each.since)
    current = max((place for place, each in enumerate(ordered) if each.since <= day), default=0)
    return tuple(replace(each, in_force=place == current) for place, each in enumerate(ordered))
