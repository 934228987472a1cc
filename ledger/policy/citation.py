"""How articles are numbered and cited: 二十二, 第二十二条, （二十二）, 22 and 22.3 all mean one article."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
_CITATION: Final = re.compile(r"第?\(?([一二三四五六七八九十]{1,3}|[1-9][0-9]?)\)?(?:\.[0-9]{1,2})?(?:条)?", re.ASCII)
SUPPLEMENT: Final = "附则"
"""The closing part of a policy, which has no article number and may be cited as a source."""


def chinese_numeral(number: int) -> str:
    """1 → 一, 22 → 二十二. For 1 to 99, which is more articles than any such policy has."""
    assert 1 <= number <= 99, number
    tens, units = divmod(number, 10)
    return ("" if tens < 2 else _DIGITS[tens]) + ("十" if tens else "") + (_DIGITS[units] if units else "")


def article_cited(citation: str) -> str | None:
    """The article meant: ``6``, ``6.1``, ``六``, ``第六条`` and ``（六）`` give ``六``. None if unclear."""
    plain = unicodedata.normalize("NFKC", citation).replace(" ", "")
    if (match := _CITATION.fullmatch(plain)) is None:
        return None
    return chinese_numeral(int(match[1])) if match[1].isdigit() else match[1]
