"""Every shape of event ever written stays readable, and is written back byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from eventsourcing.dcb.api import DCBEvent, DCBSequencedEvent

from ledger.errors import StoreFault
from ledger.events import EVENT_TYPES
from ledger.mapper import Fact, from_stored, read_back, to_stored

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.jsonl"))


class Sample(msgspec.Struct):
    type: str
    tags: list[str]
    data: msgspec.Raw


def samples() -> Iterator[Sample]:
    for file in SAMPLES:
        for line in file.read_bytes().splitlines():
            yield msgspec.json.decode(line, type=Sample)


@pytest.mark.parametrize("sample", list(samples()), ids=lambda sample: sample.type)
def test_a_stored_event_reads_as_it_was_written(sample: Sample) -> None:
    stored = DCBEvent(sample.type, bytes(sample.data), sample.tags)
    recorded = from_stored(DCBSequencedEvent(stored, 1))
    assert recorded.type_name == sample.type
    again = to_stored(Fact(envelope=recorded.envelope, event=recorded.event))
    assert again.data == stored.data
    assert again.tags == stored.tags


def test_no_type_of_event_is_without_a_sample() -> None:
    assert {sample.type for sample in samples()} == set(EVENT_TYPES)


@pytest.mark.parametrize("bit", [0x01, 0x10, 0x80])
@pytest.mark.parametrize("sample", list(samples()), ids=lambda sample: sample.type)
def test_a_damaged_event_is_a_fault_of_the_store_and_nothing_else(sample: Sample, bit: int) -> None:
    """Whatever byte is hit: of the text's encoding, of its JSON, of a date. Other digits still read; the seal finds them."""
    data = bytes(sample.data)
    faults = 0
    for at in range(len(data)):
        try:
            read_back(sample.type, data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        except StoreFault:
            faults += 1
    assert faults > 0
