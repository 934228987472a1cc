"""The cases of this ledger that a text names: ``awd-…``, ``app-…`` or a bare number, however typed, also in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ledger.casefile import CaseFile
from ledger.errors import NotFound
from ledger.identity import APPLICATION_PREFIX, AWARD_PREFIX, CASE_NUMBER_LENGTH, CROCKFORD
from ledger.typed_alike import typed_alike

FindCase = Callable[[str], CaseFile]
"""The case with a number, as recorded; ``NotFound`` where there is none."""

_PREFIXES: Final = "|".join(prefix.removesuffix("-").upper() for prefix in (AWARD_PREFIX, APPLICATION_PREFIX))
_NUMBER: Final = f"([{CROCKFORD}]{{{CASE_NUMBER_LENGTH}}})"
_ID: Final = re.compile(f"(?<![0-9A-Z])(?:{_PREFIXES})-?{_NUMBER}(?![0-9A-Z])")
_MAYBE: Final = re.compile(f"(?:{_PREFIXES})-?{_NUMBER}|(?<![0-9A-Z]){_NUMBER}(?![0-9A-Z])")
"""What is a case's where there is one: a number alone, or an id that something was written close to."""
_MEANT: Final = re.compile(f"(?<![0-9A-Z]){AWARD_PREFIX.upper()}")


def cases_named(text: str, find: FindCase) -> dict[str, CaseFile | None]:
    """By number; None where an id names no case. Ten characters without a prefix are one where there is such a case."""
    # As the words stand, and as they would without the blanks that somebody typed inside an id.
    typed = (" ".join(map(typed_alike, text.split())), typed_alike(text))
    named = {found[1]: _found(found[1], find) for each in typed for found in _ID.finditer(each)}
    for number in (found[1] or found[2] for each in typed for found in _MAYBE.finditer(each)):
        if number not in named and (case := _found(number, find)) is not None:
            named[number] = case
    if not named and any(map(_MEANT.search, typed)):
        named[text] = None
    return named


def _found(number: str, find: FindCase) -> CaseFile | None:
    try:
        return find(number)
    except NotFound:
        return None
