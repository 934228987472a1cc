"""统一社会信用代码: the 18 characters that stand for a legal person (GB 32100-2015)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from stdnum.cn import uscc as _standard

_LENGTH_READ_MOST: Final = 64
_FORM: Final = re.compile(r"[1-9A-HJ-NPQRTUWXY]{2}(?!000000)[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
"""Department (第1位), kind of body (第2位), region (第3至8位), the body itself (第9至17位), check character.

The department and the kind are never 0 and may be letters: N, say, are rural collectives, and A and Y others. Which of them
are given out is the registrars' to say, who add to the standard's list; so nothing else is refused.
"""


def parse_uscc(text: object) -> str:
    """Read a code, full-width characters, lower case, spaces and hyphens included; give its compact form.

    Raises ``ValueError`` for anything that is not a code whose check character is right.
    """
    if not isinstance(text, str) or len(text) > _LENGTH_READ_MOST:
        raise ValueError(f"not a unified social credit code: {str(text)[:_LENGTH_READ_MOST]!r}")
    code = _standard.compact(unicodedata.normalize("NFKC", text))
    # Not the library's own validate: it takes digits only for the department, and refuses real codes.
    if _FORM.fullmatch(code) is None or _standard.calc_check_digit(code[:-1]) != code[-1]:
        raise ValueError(f"not a unified social credit code: {text!r}")
    return code
