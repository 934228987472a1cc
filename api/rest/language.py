"""Which of our two languages an answer is written in."""

from __future__ import annotations

from typing import Final

from flask import g, request

from ledger.errors import Text

CHINESE: Final = "zh-CN"
ENGLISH: Final = "en"


def language() -> str:
    """The caller's choice by ``Accept-Language``; Chinese where it names neither of ours."""
    if "language" not in g:
        g.language = request.accept_languages.best_match([CHINESE, ENGLISH], default=CHINESE)
    chosen: str = g.language
    return chosen


def said(text: Text) -> str:
    """A text in the language of the answer."""
    return text.en if language() == ENGLISH else text.zh
