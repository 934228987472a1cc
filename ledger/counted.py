"""How many of something, as English says it."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 error``, ``2 errors``, ``0 errors``; ``many`` where the plural is not the word with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"
