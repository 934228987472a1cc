"""One sentence of the closed vocabulary: text with typed places, ``“{item:名}”的资助已到账{amount:金额}``."""

from __future__ import annotations

from pytest_bdd import parsers

from tests.features.parse_types import TYPES


def sentence(pattern: str) -> parsers.cfparse:
    return parsers.cfparse(pattern, extra_types=dict(TYPES))
