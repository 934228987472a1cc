"""The key of a row that is imported: of its content and of nothing else.

Encoding, line ends and the row's place in the file change nothing that is asked for. So the same rows in another file are
the same requests, and a file that was imported in part may be imported again.
"""

from __future__ import annotations

import hashlib
import json


def content_key(*content: object) -> str:
    """``content``: what the row says, in one form however it was typed; values that JSON knows, or dates."""
    said = json.dumps(content, ensure_ascii=False, default=str)
    return f"import/{hashlib.sha256(said.encode()).hexdigest()}"


def key_of_attempt(key: str, attempt: int) -> str:
    """What was refused once is answered so under its key for good; asked anew, it needs another. Counts from 1."""
    return f"{key}/{attempt}"


def key_of_content(key: str) -> str:
    """What :func:`key_of_attempt` was made of."""
    return key.rpartition("/")[0]
