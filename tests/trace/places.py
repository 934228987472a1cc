"""Where in a policy file each key stands, so that a number can be found by its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_TABLE: Final = re.compile(r"\[([^\[\]]+)\]\s*(?:#.*)?$")
_KEY: Final = re.compile(r'((?:[A-Za-z0-9_-]+|"[^"]+"))\s*=')


def lines_of_keys(text: str) -> Mapping[str, int]:
    """Dotted key as the file writes it (``rules."5.1".item_cap``, ``rules."19.1".tiers[0]``) → line, from 1."""
    found: dict[str, int] = {}
    table, array, position = "", "", 0
    for number, line in enumerate((line.strip() for line in text.splitlines()), start=1):
        if array:
            if line.startswith("{"):
                found[f"{array}[{position}]"] = number
                position += 1
            elif line.startswith("]"):
                array = ""
        elif header := _TABLE.match(line):
            table = header[1]
            found[table] = number
        elif entry := _KEY.match(line):
            key = f"{table}.{entry[1]}"
            found[key] = number
            if line.endswith("["):
                array, position = key, 0
    return found
