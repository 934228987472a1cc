"""Which roles may cause which kind of event: stated a second time, so that it does not change with what the door asks.

A role that is taken away from a command stays here, for the events that it caused before; one that is added is added here.
"""

from __future__ import annotations

from typing import Final

_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "application-submitted": ("intake",),
    "application-accepted": ("intake",),
    "application-refused": ("intake", "reviewer", "approver"),
    "application-withdrawn": ("intake",),
    "other-funding-decided": ("approver",),
    "amount-determined": ("reviewer",),
    "award-approved": ("approver",),
    "award-released": ("approver",),
    "stage-confirmed": ("reviewer",),
    "disbursement-requested": ("finance",),
    "disbursement-ordered": ("finance",),
    "disbursement-settled": ("cashier",),
    "disbursement-cancelled": ("finance",),
    "disbursement-returned": ("cashier",),
    "violation-found": ("supervisor",),
    "violation-withdrawn": ("supervisor",),
    "recovery-ordered": ("supervisor", "legal"),
    "recovery-received": ("cashier",),
    "recovery-cancelled": ("supervisor", "legal"),
    "budget-appropriated": ("finance",),
    "interpretation-recorded": ("approver",),
    "role-granted": ("admin",),
    "role-revoked": ("admin",),
}

CAUSES: Final = {
    "submit-application": "application-submitted",
    "accept-application": "application-accepted",
    "refuse-application": "application-refused",
    "withdraw-application": "application-withdrawn",
    "decide-other-funding": "other-funding-decided",
    "determine-amount": "amount-determined",
    "approve-award": "award-approved",
    "release-award": "award-released",
    "confirm-stage": "stage-confirmed",
    "request-disbursement": "disbursement-requested",
    "order-disbursement": "disbursement-ordered",
    "settle-disbursement": "disbursement-settled",
    "cancel-disbursement": "disbursement-cancelled",
    "return-disbursement": "disbursement-returned",
    "find-violation": "violation-found",
    "withdraw-violation": "violation-withdrawn",
    "order-recovery": "recovery-ordered",
    "receive-recovery": "recovery-received",
    "cancel-recovery": "recovery-cancelled",
    "appropriate-budget": "budget-appropriated",
    "record-interpretation": "interpretation-recorded",
    "grant-role": "role-granted",
    "revoke-role": "role-revoked",
}
"""A command, as a refusal names it → the event that it would have caused."""

OF_SYSTEM: Final = frozenset({"role-granted", "role-revoked"})
"""What the machine's operator may cause, who holds no role and acts as an administrator (docs/adr/0005)."""


def allowed(type_name: str, command: str) -> tuple[str, ...]:
    """The roles of which one causes an event of this kind; of a refusal, of the ``command`` that was refused."""
    return _ROLES.get(CAUSES.get(command, "") if type_name == "command-refused" else type_name, ())
