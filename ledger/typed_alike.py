"""Ways of typing one number or name that say the same: the table that makes one of them, in one place.

Two papers are told apart by their letters, digits and Chinese characters, and by where their marks stand. Which mark of a
kind was typed tells nobody anything, and a matter that is funded once must not be funded again for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final


def _each(marks: str, stands_for: str) -> Iterable[tuple[str, str]]:
    return ((mark, stands_for) for mark in marks)


# As escapes, where an editor or a reader could not tell them apart. What is only wider, narrower, smaller or turned for
# vertical lines (（ ﹣ ︻ №) NFKC folds before, and need not stand here.
_MARKS: Final = str.maketrans(
    {
        mark: stands_for
        for group in (
            # What a number copied from a web page or a letter brings along, and nobody sees.
            _each("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
            # Keyboards and word processors put any of these where a number has a hyphen.
            _each("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2500\u2501\u2e3a\u2e3b", "-"),
            # The year of a 文号 stands in 〔〕, which few keyboards have: people type whatever pair is at hand. 《》 and
            # 「」 are in use for it too, and for quotation marks, so that all pairs are one.
            _each("[{<〔【〖〘〚《〈「『\u27e6\u27e8\u27ea\u2985\u2039\u00ab\u226a", "("),
            _each("]}>〕】〗〙〛》〉」』\u27e7\u27e9\u27eb\u2986\u203a\u00bb\u226b", ")"),
            # Quotation marks. Many are typed the wrong way round, and straight ones have no way: see _in_pairs.
            _each("\u201c\u201d\u201e\u201f\u301d\u301e\u301f", '"'),
            _each("`\u2018\u2019\u201a\u201b", "'"),
            # The dot in the middle of a name; no two keyboards give the same.
            _each("\u2022\u2027\u2219\u22c5\u25cf\u25e6\u2e31\u30fb", "\u00b7"),
            # Other signs that have a Chinese and a Western form, or a mathematical one.
            _each("\u2044\u2215\u2571", "/"),
            _each("、", ","),
            _each("。", "."),
            _each("\u2236", ":"),
            _each("\u301c\u223c", "~"),
            # 二〇二六 is mostly typed with a circle.
            _each("\u25cb\u25ef", "〇"),
            # One character in two scripts; nothing else that numbers are made of has two.
            _each("號", "号"),
        )
        for mark, stands_for in group
    }
)

_TIDIED: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # A Japanese keyboard's hyphen; after kana it is a vowel.
    (re.compile("(?<![\u3041-\u30ff])\u30fc"), "-"),
    # —— is one dash that takes two strokes, and -- is what stands in for it.
    (re.compile("-{2,}"), "-"),
    # ‘甲’ and “甲”; between two letters it is an apostrophe.
    (re.compile("(?<![A-Z])'|'(?![A-Z])"), '"'),
    # “‘甲’” and ''甲'' are one quotation.
    (re.compile('"{2,}'), '"'),
    # A number copied with the end of its sentence.
    (re.compile("[.,;:]+$"), ""),
    # 《甲》, where nothing stands beside it.
    (re.compile(r"^\(([^()]*)\)$"), r"\1"),
    # 第1号 and 1号. After a digit it is what keeps two numbers apart, and stays.
    (re.compile("(?<![0-9A-Z])第+(?=[0-9A-Z])"), ""),
    # No.1, No:1 and №1.
    (re.compile("(?<![A-Z])NO[.:]+(?=[0-9])"), "NO"),
    # 国械注准20263010001号: a certificate's number has no 号, and people write one. 12号 and 12 of a 文号 too.
    (re.compile("(?<=[0-9A-Z])号+$"), ""),
)
"""In this order, again and again until nothing changes: one slip can hide another."""

_PLAIN: Final = re.compile("(?:[-/]?[0-9A-Z\u4e00-\u9fff](?<![第号號]))+")
"""Most numbers: nothing in them is typed in two ways."""
_YEAR: Final = re.compile(r"\(([0-9]{4})\)")
_YEAR_AND_NUMBER: Final = re.compile(r"\(([0-9]{4})\)([0-9]+)$")


def typed_alike(text: str) -> str:
    """The one way in which all ways of typing ``text`` are written: half-width, upper case, without blanks, with one mark
    of a kind. Giving it again changes nothing. Letters, digits and their order stay; Chinese numerals are not read.

    A 文号 comes out as offices write it (``深审字〔2026〕12号``), because people are shown it.
    """
    key = text.upper()
    if _PLAIN.fullmatch(key):
        return key
    while (tidied := _tidied(_folded(key))) != key:
        key = tidied
    return _YEAR.sub(r"〔\1〕", _YEAR_AND_NUMBER.sub(r"〔\1〕\2号", key))


def _folded(text: str) -> str:
    """Once is not always enough: what upper case or a blank keeps apart, NFKC may join the next time."""
    return "".join(unicodedata.normalize("NFKC", text).upper().translate(_MARKS).split())


def _tidied(key: str) -> str:
    for pattern, instead in _TIDIED:
        key = pattern.sub(instead, key)
    return _in_pairs(key)


def _in_pairs(key: str) -> str:
    """Quotation marks as brackets, where each has its other; their shape does not tell which of the two they are."""
    parts = key.split('"')
    if len(parts) % 2 == 0:
        return key
    return "".join(f"({part})" if position % 2 else part for position, part in enumerate(parts))
