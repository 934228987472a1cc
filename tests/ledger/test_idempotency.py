"""When two requests are the same: by what they say, whatever a later release lets one say besides."""

from __future__ import annotations

from ledger.commands.grant_role import GrantRole
from ledger.idempotency import request_digest


class GrantRoleForATime(GrantRole, frozen=True, kw_only=True):
    """The command as a later release may have it."""

    until: str | None = None


def test_a_repeated_request_has_the_same_digest_after_a_release_that_lets_one_say_more() -> None:
    now = request_digest(GrantRole(person="wanglan", role="auditor"))
    assert request_digest(GrantRoleForATime(person="wanglan", role="auditor")) == now
    assert request_digest(GrantRoleForATime(person="wanglan", role="auditor", until="2027-01-01")) != now


def test_a_digest_is_what_it_was_in_the_release_before() -> None:
    """Clients repeat requests across an upgrade, and their keys stand in the log with these digests."""
    assert request_digest(GrantRole(person="wanglan", role="auditor", reason="到岗")) == (
        "b351da9c56fc1e3f173240475e74f9461db0114d6f89162fa369242fe216b9da"
    )
