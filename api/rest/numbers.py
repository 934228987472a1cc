"""Numbers in addresses: the third disbursement of an award. Bounded, so that no address is too large to be a number."""

from __future__ import annotations

from typing import Any, Final

from werkzeug.routing import BaseConverter

NUMBER_MOST: Final = 99_999


class NumberConverter(BaseConverter):
    regex = "[1-9][0-9]{0,4}"

    def to_python(self, value: str) -> int:
        return int(value)

    @staticmethod
    def schema(converter: Any) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": NUMBER_MOST}
