"""Identifiers: event ids that sort by time, and case numbers that a clerk can read over the telephone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

Entropy = Callable[[int], bytes]
"""Gives that many random bytes. Handed in, so that demo data and tests can be repeated exactly."""

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without I, L, O and U, which are misread (Crockford)."""
CASE_NUMBER_LENGTH: Final = 10

APPLICATION_PREFIX: Final = "app-"
AWARD_PREFIX: Final = "awd-"


def uuid7(instant: datetime, entropy: Entropy) -> UUID:
    """A version 7 UUID: 48 bits of Unix milliseconds, then 74 random bits (RFC 9562, section 5.7)."""
    milliseconds = int(instant.timestamp() * 1000)
    value = (milliseconds & (2**48 - 1)) << 80 | int.from_bytes(entropy(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def new_case_number(entropy: Entropy) -> str:
    """Fifty random bits as ten characters. The door checks that the number is free before it is used."""
    number = int.from_bytes(entropy(7), "big")
    return "".join(CROCKFORD[(number >> 5 * place) & 31] for place in range(CASE_NUMBER_LENGTH))


def application_id(case: str) -> str:
    return APPLICATION_PREFIX + case


def award_id(case: str) -> str:
    return AWARD_PREFIX + case


def case_number(identifier: str) -> str:
    """The case behind ``app-…``, ``awd-…`` or a bare number, whatever its capitals.

    Raises ``ValueError`` where the text cannot be one.
    """
    text = identifier.strip().lower()
    for prefix in (APPLICATION_PREFIX, AWARD_PREFIX):
        if text.startswith(prefix):
            text = text.removeprefix(prefix)
            break
    text = text.upper()
    if len(text) != CASE_NUMBER_LENGTH or not set(text) <= set(CROCKFORD):
        raise ValueError(f"not an application or award id: {identifier!r}")
    return text
