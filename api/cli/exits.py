"""What a command's exit status says, so that a script need not read its words."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from api.credentials import UserExists
from api.demo.folder import NotADemo
from api.occupancy import FolderInUse, FolderUnusable
from api.policies import PolicyFolderMissing
from ledger import errors
from ledger.errors import LedgerError, Text
from ledger.seal import SealError
from ledger.seal.durable import NameUnusable
from ledger.seal.keys import KeyFault
from ledger.seal.note import KeyMalformed


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    MALFORMED = 2
    NOT_FOUND = 3
    FAULT = 4
    NOT_WHOLE = 5
    INTERRUPTED = 130
    UNREAD = 141


EXIT_NAMES: Final = {
    Exit.DONE: Text("已完成", "done"),
    Exit.REFUSED: Text(
        "依政策、流程或权限不予办理", "refused, by the law, by the state of things or for want of a role"
    ),
    Exit.MALFORMED: Text(
        "命令用法、路径或填报内容有误", "wrong usage, a path that cannot be used, or something malformed"
    ),
    Exit.NOT_FOUND: Text("所查对象不存在", "what was asked for does not exist"),
    Exit.FAULT: Text("存储、政策文件或系统故障；可重试", "the store, a policy file or the system is at fault"),
    Exit.NOT_WHOLE: Text("核验未通过", "what was checked is not whole"),
    Exit.INTERRUPTED: Text("被 Ctrl-C 中断", "interrupted by Ctrl-C"),
    Exit.UNREAD: Text("输出未被读完（如接 head）", "the output was not read to its end, as by head"),
}

_EXITS: Final[dict[type[LedgerError], Exit]] = {
    errors.Malformed: Exit.MALFORMED,
    KeyMalformed: Exit.MALFORMED,
    # A key that is missing, in the wrong place, or no key: to be named rightly, and not to be tried again.
    KeyFault: Exit.MALFORMED,
    NameUnusable: Exit.MALFORMED,
    FolderUnusable: Exit.MALFORMED,
    PolicyFolderMissing: Exit.MALFORMED,
    SealError: Exit.NOT_WHOLE,
    errors.NotFound: Exit.NOT_FOUND,
    errors.Refusal: Exit.REFUSED,
    errors.NotPermitted: Exit.REFUSED,
    errors.IdempotencyConflict: Exit.REFUSED,
    errors.PreconditionFailed: Exit.REFUSED,
    UserExists: Exit.REFUSED,
    NotADemo: Exit.REFUSED,
    FolderInUse: Exit.REFUSED,
}


def exit_of(error: LedgerError) -> Exit:
    return next((code for kind, code in _EXITS.items() if isinstance(error, kind)), Exit.FAULT)
