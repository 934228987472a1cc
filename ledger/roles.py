"""Who may do what. A person holds roles by recorded grants; a command names the roles that may give it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from ledger.errors import Text


class Role(StrEnum):
    INTAKE = "intake"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    FINANCE = "finance"
    CASHIER = "cashier"
    SUPERVISOR = "supervisor"
    LEGAL = "legal"
    PUBLISHER = "publisher"
    AUDITOR = "auditor"
    ADMIN = "admin"


ROLE_NAMES: Final = {
    Role.INTAKE: Text("窗口受理员", "intake clerk"),
    Role.REVIEWER: Text("审核员", "reviewer"),
    Role.APPROVER: Text("审批人", "approver"),
    Role.FINANCE: Text("财务人员", "finance officer"),
    Role.CASHIER: Text("出纳", "cashier"),
    Role.SUPERVISOR: Text("监督检查员", "supervisor"),
    Role.LEGAL: Text("法制审核员", "legal reviewer"),
    Role.PUBLISHER: Text("公示管理员", "publisher"),
    Role.AUDITOR: Text("审计员", "auditor"),
    Role.ADMIN: Text("系统管理员", "administrator"),
}

SYSTEM: Final = "system"
"""The machine's own operator, at the command line of the server: may grant and revoke roles, and nothing else."""
