"""How large a request may be."""

from __future__ import annotations

from typing import Final

from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

REQUEST_BYTES_MOST: Final = 256 * 1024
"""The largest request of ours has some two thousand characters of reason in it."""

SERVER_BYTES_MOST: Final = 32 * REQUEST_BYTES_MOST
"""The last stop. A request that is too large for the application is answered by it, as a problem like any other, which
takes that the server let it in; what is larger than this is not read, and the server has its own plain text for it.
"""


def limit_requests(app: Flask) -> None:
    # For a body of which nobody knows the length before it is read; any other is refused before that.
    app.config["MAX_CONTENT_LENGTH"] = REQUEST_BYTES_MOST
    app.before_request(_refuse_too_large)


def _refuse_too_large() -> None:
    """Whatever is asked, and before anybody asks who it is: nothing here takes a file."""
    if (request.content_length or 0) > REQUEST_BYTES_MOST:
        raise RequestEntityTooLarge
