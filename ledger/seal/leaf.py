"""The canonical bytes of an event: what its leaf in the sealed log is the hash of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

_encode = msgspec.json.Encoder().encode


def leaf_bytes(type_name: str, tags: Sequence[str], data: bytes) -> bytes:
    """One line of JSON, ``[type, tags, {"envelope": …, "payload": …}]``, with the stored bytes of the event unchanged.

    The line is also the event's line in an export, so that an auditor hashes what she reads. It does not hold the position:
    that is where the leaf stands in the tree.
    """
    return b"[%b,%b,%b]" % (_encode(type_name), _encode(tags), data)
