"""Everything that can go wrong, and whose turn it then is.

::

    LedgerError
    ├── Malformed            the request cannot be read; every field at fault is named; nothing is recorded
    │   └── UnknownName      it names a policy or a rule that we do not have
    ├── NotFound             the thing asked for does not exist
    ├── NotPermitted         the person does not hold a role that may do this
    ├── Refusal              well-formed, and the law or the order of things says no; explained, with its clause
    │   ├── OutOfOrder       the step does not follow from the state the case is in
    │   └── Outdated         it would have been right on older facts; look again, then repeat
    ├── IdempotencyConflict  this key already stands for another request
    ├── PreconditionFailed   the case has moved since the caller looked
    ├── Unavailable          the store did not answer in time; repeat with the same key
    └── Fault                our own data or configuration is wrong; stops the start
        ├── PolicyFault      a policy file is unsound
        │   └── PolicyNotLoaded   cases are made under a policy that this start was not given
        └── StoreFault       a store is damaged, too old, or holds what we never write

Programmer's errors are assertions, not members of this tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ledger.principles import STEPS_IN_ORDER


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in the two languages that the product speaks."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. ``field`` is a dotted path, ``code`` is stable kebab-case."""

    field: str
    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Headroom:
    """What is left under one limit. ``left_fen`` is never clamped: a negative figure is a finding."""

    limit: str
    clause: str
    scope: str
    ceiling_fen: int
    used_fen: int

    @property
    def left_fen(self) -> int:
        return self.ceiling_fen - self.used_fen


class Unreadable(ValueError):
    """A value is not written as it must be; ``text`` tells how it is. Whoever asked for it says where it stands."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


class LedgerError(Exception):
    """Root of the tree. ``code`` is stable kebab-case; ``text`` tells what is wrong and what to do."""

    code: str = "error"

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text

    def __reduce__(self) -> tuple[Any, ...]:
        """It may be raised in another process: what Python would hand to the constructor is not what that takes."""
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[LedgerError], args: tuple[object, ...]) -> LedgerError:
    error = kind.__new__(kind)
    error.args = args
    return error


class Malformed(LedgerError):
    """The request cannot be read. Carries one :class:`FieldError` for each field at fault."""

    code = "invalid-request"

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        assert self.errors, "a malformed request names at least one field"
        fields = ", ".join(e.field for e in self.errors)
        super().__init__(Text(zh=f"请求有误，请更正以下字段：{fields}", en=f"Please correct these fields: {fields}"))
        self.args = ("; ".join(f"{e.field}: {e.text.en}" for e in self.errors),)


class UnknownName(Malformed):
    """The request names a policy or a rule that we do not have: a slip, not a claim. ``clause`` is the article, if any."""

    def __init__(self, field: str, code: str, text: Text, *, clause: str | None = None) -> None:
        super().__init__([FieldError(field, code, text)])
        self.code = code
        self.text = text
        self.clause = clause


class NotFound(LedgerError):
    code = "not-found"


class NotPermitted(LedgerError):
    code = "role-required"


class Refusal(LedgerError):
    """The request was understood, and the answer is no.

    ``code`` names the reason, ``clause`` the article or rule it rests on (中文, e.g. ``五``), ``limit`` the
    headroom that was missing, ``earlier`` the case that was there first. A refusal of a command that asked for money is
    itself recorded as a fact: ``recorded_at`` is then its position in the log, and ``replayed`` tells that it was recorded
    for an earlier copy of the request.
    """

    def __init__(
        self,
        code: str,
        text: Text,
        *,
        clause: str | None = None,
        limit: Headroom | None = None,
        earlier: str | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.clause = clause
        self.limit = limit
        self.earlier = earlier
        self.recorded_at: int | None = None
        self.replayed = False


class OutOfOrder(Refusal):
    """The step does not follow from the state that the case is in."""

    def __init__(
        self, code: str, text: Text, *, clause: str | None = STEPS_IN_ORDER, limit: Headroom | None = None
    ) -> None:
        super().__init__(code, text, clause=clause, limit=limit)


class Outdated(Refusal):
    """The world moved between looking and acting; the caller should look again."""


class IdempotencyConflict(LedgerError):
    code = "idempotency-conflict"


class PreconditionFailed(LedgerError):
    code = "precondition-failed"


class Unavailable(LedgerError):
    code = "unavailable"


class Fault(LedgerError):
    """Our data or configuration is wrong; the service must not start, and says why."""

    code = "fault"


class PolicyFault(Fault):
    code = "policy-fault"


class PolicyNotLoaded(PolicyFault):
    """Cases are made under policies that are not loaded: ``versions`` names them, each an id and a version."""

    code = "policy-not-loaded"

    def __init__(self, versions: Iterable[tuple[str, int]]) -> None:
        named = sorted(set(versions))
        assert named, "some policy is missing"
        zh = "、".join(f"{policy_id}第{version}版" for policy_id, version in named)
        en = ", ".join(f"version {version} of {policy_id}" for policy_id, version in named)
        super().__init__(
            Text(
                zh=f"已有案卷依据{zh}办理，但本次启动没有载入；"
                "请用 --policies 目录（或环境变量 LEDGER_POLICIES）指明其所在后重新启动",
                en=f"cases are made under {en}, which was not loaded at this start; start again with --policies DIR "
                "(or LEDGER_POLICIES) naming the folder that holds it",
            )
        )


class StoreFault(Fault):
    code = "store-fault"
