"""Events to and from the bytes that are kept: JSON that an auditor can read, proven to read back before it is written."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec
from eventsourcing.dcb.api import DCBEvent, DCBSequencedEvent

from ledger.errors import StoreFault, Text
from ledger.events import EVENT_TYPES, ApplicationSubmitted, Event, key_tag, pin_tag
from ledger.policy.model import Pin


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What is known of every fact, whatever it says.

    ``recorded_at`` is UTC; ``effective_on`` the business date in Shenzhen; ``reference`` the document behind the fact
    (文号, voucher or serial number); ``request_sha256`` the digest of the command that carried ``key``.
    """

    event_id: UUID
    recorded_at: datetime
    effective_on: date
    actor: str
    role: str
    schema_version: int
    correlation_id: UUID
    causation_id: UUID | None = None
    key: str | None = None
    request_sha256: str | None = None
    reference: str | None = None
    reason: str | None = None
    policy: Pin | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event in its envelope, before it has a position."""

    envelope: Envelope
    event: Event

    @property
    def tags(self) -> list[str]:
        tags = list(dict.fromkeys(self.event.tags()))
        if self.envelope.key is not None:
            tags.append(key_tag(self.envelope.actor, self.envelope.key))
        if self.envelope.policy is not None and isinstance(self.event, ApplicationSubmitted):
            # Cases keep the pin they began with, so their first facts are enough to know every text decided under.
            tags.append(pin_tag(self.envelope.policy.policy_id, self.envelope.policy.version))
        return tags


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fact as it stands in the log, at its place in the order of all facts."""

    position: int
    tags: tuple[str, ...]
    envelope: Envelope
    event: Event

    @property
    def type_name(self) -> str:
        return self.event.type_name


class _Stored(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    envelope: Envelope
    payload: msgspec.Raw


_ENCODER = msgspec.json.Encoder(order="deterministic")
_STORED_DECODER = msgspec.json.Decoder(_Stored)
_PAYLOAD_DECODERS = {name: msgspec.json.Decoder(cls, strict=True) for name, cls in EVENT_TYPES.items()}


def _encode(fact: Fact) -> bytes:
    payload = msgspec.Raw(_ENCODER.encode(fact.event))
    return _ENCODER.encode({"envelope": fact.envelope, "payload": payload})


def _decode(type_name: str, data: bytes) -> tuple[Envelope, Event]:
    try:
        stored = _STORED_DECODER.decode(data)
        return stored.envelope, _PAYLOAD_DECODERS[type_name].decode(stored.payload)
    except (KeyError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise StoreFault(
            Text(
                zh=f"存储中的事件“{type_name}”无法读取：{error}。请用写入它的版本核对后再启动",
                en=f"stored event {type_name!r} cannot be read: {error}; check it with the release that wrote it",
            )
        ) from error


def to_stored(fact: Fact) -> DCBEvent:
    """The bytes to keep. Reads them back first: msgspec checks types when it decodes, not when a struct is built, and a
    fact that cannot be read back would break every later decision about its scope.
    """
    data = _encode(fact)
    assert _decode(fact.event.type_name, data) == (fact.envelope, fact.event), "the fact does not read back"
    return DCBEvent(type=fact.event.type_name, data=data, tags=fact.tags)


def from_stored(stored: DCBSequencedEvent) -> Recorded:
    """Raises :class:`StoreFault` for bytes that no release of ours wrote."""
    envelope, event = _decode(stored.event.type, stored.event.data)
    return Recorded(position=stored.position, tags=tuple(stored.event.tags), envelope=envelope, event=event)


def read_back(type_name: str, data: bytes) -> Fact:
    """A stored event taken by itself, without its place in a log. Raises :class:`StoreFault` as :func:`from_stored`."""
    envelope, event = _decode(type_name, data)
    return Fact(envelope=envelope, event=event)
