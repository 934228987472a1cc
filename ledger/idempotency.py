"""The same key and request give the same answer: what a key stands for, and when two requests are the same."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from ledger.commands.command import Command
from ledger.errors import FieldError, Malformed, Text
from ledger.mapper import Recorded

KEY_LENGTH_MAX: Final = 200


class KeyFold:
    """Folds an idempotency key's tag into the fact that it stands for."""

    name = "key"
    kept = False

    def start(self, tag: str) -> Recorded | None:
        return None

    def apply(self, state: Recorded | None, recorded: Recorded) -> Recorded | None:
        return state or recorded


def request_digest(command: Command) -> str:
    """What makes two requests the same: the command's name and all that it says, in one canonical form. A field that is left
    out is as one that states its default.

    Raises :class:`~ledger.errors.Malformed` for text that no encoding can hold (half a surrogate pair).
    """
    try:
        content = msgspec.json.encode({"name": command.name, "says": command}, order="deterministic")
    except UnicodeEncodeError as error:
        raise Malformed(
            [FieldError("text", "invalid-text", Text("含有无法保存的字符", "contains a character that cannot be kept"))]
        ) from error
    return hashlib.sha256(content).hexdigest()


def key_errors(key: str) -> list[FieldError]:
    if key.strip() == key and 0 < len(key) <= KEY_LENGTH_MAX and key.isprintable():
        return []
    return [
        FieldError(
            "Idempotency-Key",
            "invalid",
            Text(
                f"幂等键须为1至{KEY_LENGTH_MAX}个可见字符",
                f"an idempotency key is 1 to {KEY_LENGTH_MAX} printable characters",
            ),
        )
    ]
