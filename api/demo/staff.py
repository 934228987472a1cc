"""The people of the demo's office: user names, roles and the one password they share."""

from __future__ import annotations

from typing import Final

from ledger.roles import Role

PASSWORD: Final = "demo"
STAFF: Final = {
    "intake": Role.INTAKE,
    "reviewer": Role.REVIEWER,
    "approver": Role.APPROVER,
    "finance": Role.FINANCE,
    "finance2": Role.FINANCE,
    "auditor": Role.AUDITOR,
    "supervisor": Role.SUPERVISOR,
    "supervisor2": Role.SUPERVISOR,
    "cashier": Role.CASHIER,
    "legal": Role.LEGAL,
    "publisher": Role.PUBLISHER,
    "admin": Role.ADMIN,
}
