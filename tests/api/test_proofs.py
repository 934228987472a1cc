"""The history of a case with its proofs: whoever holds the public key checks it without trusting this server."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any
from urllib.parse import quote

import pytest

from api.evidence import new_key
from ledger.seal.merkle import ProofWrong, leaf_hash, verify_inclusion
from ledger.seal.note import Checkpoint, SignatureWrong, VerifierKey, open_checkpoint
from tests.api.http_office import HttpOffice, SetClock


@pytest.fixture
def key(office: HttpOffice) -> VerifierKey:
    return new_key(office.service.keeper, "example.cn/ledger", os.urandom)


def proven(office: HttpOffice, address: str, query: str = "") -> dict[str, Any]:
    answer = office.get("auditor", f"{address}/history?proof=true{query}")
    assert answer.status_code == 200, answer.text
    history: dict[str, Any] = answer.json
    return history


def check(history: dict[str, Any], key: VerifierKey) -> Checkpoint:
    """Every event against the signed root, and what is shown against what was sealed."""
    signed = open_checkpoint(history["checkpoint"].encode(), [key]).checkpoint
    for event in history["events"]:
        verify_inclusion(
            leaf_index=event["position"] - 1,
            size=signed.size,
            leaf=leaf_hash(event["leaf"].encode()),
            root=signed.root,
            proof=[base64.b64decode(hashed) for hashed in event["proof"]],
        )
        kind, _, sealed = json.loads(event["leaf"])
        assert (kind, sealed["payload"]) == (event["type"], event["payload"])
        assert sealed["envelope"]["event_id"] == event["event_id"]
        assert sealed["envelope"]["actor"] == event["actor"]
    return signed


def test_every_event_of_an_award_is_proven_against_a_signed_checkpoint(office: HttpOffice, key: VerifierKey) -> None:
    award = office.approved()
    office.paid(award, "6000000.00")
    office.post("finance", f"{award}/disbursements", {"amount": "1.00"})
    office.submitted(item="别的产品")
    history = proven(office, award)
    assert check(history, key).size == office.head
    assert [event["type"] for event in history["events"]][-1] == "command-refused"
    application = award.replace("awards/awd", "applications/app")
    assert proven(office, application)["events"] == history["events"]


def test_a_proof_of_what_was_changed_does_not_hold(office: HttpOffice, key: VerifierKey) -> None:
    history = proven(office, office.approved())
    event = history["events"][2]
    event["leaf"] = event["leaf"].replace('"amount_fen":600000000', '"amount_fen":700000000')
    event["payload"] = json.loads(event["leaf"])[2]["payload"]
    with pytest.raises(ProofWrong):
        check(history, key)


def test_a_checkpoint_that_was_changed_does_not_hold(office: HttpOffice, key: VerifierKey) -> None:
    history = proven(office, office.approved())
    forged = history["checkpoint"].replace(f"\n{office.head}\n", f"\n{office.head + 1}\n")
    with pytest.raises(SignatureWrong):
        check({**history, "checkpoint": forged}, key)


def test_the_leaf_is_what_rfc_6962_hashes(office: HttpOffice, key: VerifierKey) -> None:
    """As an auditor's own program would: hash(0x00 ‖ leaf), folded with each hash of the proof (RFC 9162, 2.1.3.2)."""
    office.submitted()
    history = proven(office, office.submitted(item="另一产品"))
    signed = open_checkpoint(history["checkpoint"].encode(), [key]).checkpoint
    (event,) = history["events"]
    index, size = event["position"] - 1, signed.size
    node = hashlib.sha256(b"\x00" + event["leaf"].encode()).digest()
    last = size - 1
    for hashed in map(base64.b64decode, event["proof"]):
        if index % 2 or index == last:
            node = hashlib.sha256(b"\x01" + hashed + node).digest()
            while not index % 2 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + hashed).digest()
        index, last = index >> 1, last >> 1
    assert node == signed.root


def test_a_history_is_without_proofs_unless_they_are_asked_for(office: HttpOffice, key: VerifierKey) -> None:
    award = office.approved()
    for query in ("", "?proof=false"):
        history = office.get("auditor", f"{award}/history{query}").json
        assert set(history) == {"events"}
        assert not {"proof", "leaf"} & set(history["events"][0])
    answer = office.get("auditor", f"{award}/history?proof=1")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "proof")


def test_a_past_history_is_proven_too(office: HttpOffice, key: VerifierKey, clock: SetClock) -> None:
    application = office.determined()
    then = quote(clock.now.isoformat())
    clock.advance(minutes=1)
    office.does("approver", f"{application}/approval", {"amount": "6000000.00"})
    history = proven(office, application, f"&as_of={then}")
    assert [event["type"] for event in history["events"]][-1] == "amount-determined"
    check(history, key)


def test_asking_again_signs_nothing_new_while_nothing_new_was_recorded(office: HttpOffice, key: VerifierKey) -> None:
    award = office.approved()
    first = proven(office, award)
    office.submitted(item="别的产品")
    assert proven(office, award) == first
    office.paid(award, "1.00")
    assert check(proven(office, award), key).size == office.head


def test_without_the_key_events_after_the_kept_checkpoint_are_not_proven(office: HttpOffice, key: VerifierKey) -> None:
    award = office.approved()
    proven(office, award)
    office.service.keeper.key_path.unlink()
    office.post("finance", f"{award}/disbursements", {"amount": "1.00"})
    *before, last = proven(office, award)["events"]
    assert (last["type"], last["proof"], last["leaf"]) == ("disbursement-requested", None, None)
    assert all(event["proof"] is not None for event in before)


def test_where_there_is_no_key_it_is_said_so(office: HttpOffice) -> None:
    award = office.approved()
    answer = office.get("auditor", f"{award}/history?proof=true")
    assert (answer.status_code, answer.json["code"]) == (409, "no-checkpoint")
    assert "funding-ledger keys" in answer.json["detail"]
    assert office.get("auditor", f"{award}/history").status_code == 200
