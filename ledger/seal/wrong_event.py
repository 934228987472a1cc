"""What is said of an event that is not as it was sealed, or not where it belongs."""

from __future__ import annotations

from ledger.errors import Text
from ledger.seal.merkle import HASH_BYTES, run_length
from ledger.seal.sealed_log import Finding, Row


def missing(position: int) -> Finding:
    return Finding(
        position,
        "missing",
        Text(f"第{position}号事件缺失", f"the event at position {position} is missing"),
    )


def duplicate(row: Row) -> Finding:
    return Finding(
        row.position,
        "duplicate",
        Text(
            f"第{row.position}号位置上不止一个事件：一次只会读到其中之一，封存的也只有一个",
            f"more than one event lies at position {row.position}: who reads it finds one or another, and only one of them "
            "was sealed",
        ),
        row.type_name,
    )


def misplaced(row: Row, first: int, last: int) -> Finding:
    return Finding(
        min(max(row.position, first), last),
        "misplaced",
        Text(
            f"一个标为第{row.position}号的事件不在其应在的位置：有的查询能读到它，有的读不到",
            f"an event with position {row.position} does not lie where it belongs: some who read the log find it, others "
            "do not",
        ),
        row.type_name,
    )


def changed(row: Row, leaf: bytes) -> Finding:
    assert row.run is not None, "it was compared"
    sealed = row.run[:HASH_BYTES].hex()
    return Finding(
        row.position,
        "not-as-sealed",
        Text(
            f"内容与封存时不符：现内容的哈希为{leaf.hex()}，封存的哈希为{sealed}",
            f"it is not what was sealed: the hash of its bytes is {leaf.hex()}, the sealed one {sealed}",
        ),
        row.type_name,
    )


def malformed_seal(row: Row) -> Finding:
    assert row.run is not None, "it was compared"
    expected = run_length(row.position - 1) * HASH_BYTES
    return Finding(
        row.position,
        "seal-malformed",
        Text(
            f"封存哈希应为{expected}字节，实为{len(row.run)}字节",
            f"its stored hashes should be {expected} bytes and are {len(row.run)}",
        ),
        row.type_name,
    )


def contradiction(first: int, last: int) -> Finding:
    return Finding(
        first,
        "seal-contradicts",
        Text(
            f"第{first}号至第{last}号事件：存储的上层哈希与其下各层不符，其中有事件连同其哈希被替换，或哈希被改动",
            f"positions {first} to {last}: a stored hash is not the hash of those below it; an event was replaced "
            "together with its own hash, or a stored hash was changed",
        ),
        through=last,
    )
