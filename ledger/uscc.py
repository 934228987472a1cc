"""统一社会信用代码: the 18 characters that stand for a legal person (GB 32100-2015)."""

from __future__ import annotations

import unicodedata

from stdnum.cn import uscc as _standard
from stdnum.exceptions import ValidationError

_LENGTH_READ_MOST = 64


def parse_uscc(text: object) -> str:
    """Read a code, full-width characters, lower case, spaces and hyphens included; give its compact form.

    Raises ``ValueError`` for anything that is not a code whose check character is right.
    """
    if not isinstance(text, str) or len(text) > _LENGTH_READ_MOST:
        raise ValueError(f"not a unified social credit code: {str(text)[:_LENGTH_READ_MOST]!r}")
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    try:
        code: str = _standard.validate(plain)
    except ValidationError as error:
        raise ValueError(f"not a unified social credit code: {text!r}") from error
    if not (code.isascii() and code.isalnum()):
        raise ValueError(f"not a unified social credit code: {text!r}")
    return code
