"""提交申报: an enterprise asks for money under one rule, for one item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

import msgspec

from ledger.commands.command import Command, Decision, Facts, text_errors
from ledger.errors import FieldError, Text
from ledger.events import ApplicationSubmitted
from ledger.evidence import evidence_errors, given_evidence
from ledger.other_funding import declared_funding, funding_errors
from ledger.roles import Role
from ledger.rules import carried_cases, read_particulars, require_in_force
from ledger.scopes import ITEM_LENGTH_MAX, item_key
from ledger.uscc import parse_uscc

NAME_LENGTH_MAX = 120


class SubmitApplication(Command, frozen=True, kw_only=True):
    """``particulars`` are those the rule declares, as submitted (money as ``"16000000.00"``).

    ``evidence`` is what proves the claim, each ``{"kind": "invoice", "key": "…"}`` with a kind of
    :class:`~ledger.policy.model.EvidenceKind`; ``other_funding`` is public money for the same matter, each
    ``{"level": "district", "amount_fen": …, "document": "…"}``, the document being the award's id where this ledger has it.
    """

    name: ClassVar[str] = "submit-application"
    roles: ClassVar[frozenset[Role]] = frozenset({Role.INTAKE})
    asks_for_money: ClassVar[bool] = True

    policy: str
    rule: str
    enterprise: str
    enterprise_name: str
    item: str
    particulars: Mapping[str, Any]
    evidence: Sequence[Mapping[str, Any]] = ()
    other_funding: Sequence[Mapping[str, Any]] = ()

    def field_errors(self, today: date) -> Iterator[FieldError]:
        yield from super().field_errors(today)
        yield from claim_errors(self.enterprise, self.item)
        yield from text_errors("enterprise_name", self.enterprise_name, NAME_LENGTH_MAX, required=True)
        yield from evidence_errors(self.evidence)
        yield from funding_errors(self.other_funding)

    @property
    def about(self) -> tuple[str | None, str | None]:
        return None, parse_uscc(self.enterprise)

    def decide(self, facts: Facts) -> Decision:
        policy = facts.policy(self.policy)
        rule = policy.rule(self.rule)
        particulars = read_particulars(rule, self.particulars)
        enterprise = parse_uscc(self.enterprise)
        require_in_force(policy, rule, enterprise, facts.effective_on, facts.standing())
        item = item_key(self.item)
        submitted = ApplicationSubmitted(
            case=facts.new_case_number(),
            enterprise=enterprise,
            enterprise_name=self.enterprise_name.strip(),
            rule=rule.id,
            item=item,
            particulars=particulars.as_json(),
            evidence=given_evidence(policy, rule, self.evidence),
            other_funding=declared_funding(self.other_funding, enterprise, facts.case),
            carries=carried_cases(policy, rule, enterprise, item, facts.standing()) or msgspec.UNSET,
        )
        return Decision(submitted, policy.pin)


def claim_errors(enterprise: str, item: str) -> Iterator[FieldError]:
    """What is wrong with who asks and for what; shared with the quote."""
    try:
        parse_uscc(enterprise)
    except ValueError:
        yield FieldError(
            "enterprise",
            "invalid-uscc",
            Text(
                "不是有效的统一社会信用代码（18位，含校验码），请对照营业执照核对",
                "not a valid unified social credit code (“统一社会信用代码”: 18 characters with a check character); "
                "compare it with the licence",
            ),
        )
    try:
        item_key(item)
    except ValueError:
        yield FieldError(
            "item",
            "invalid-item",
            Text(
                f"请填写资助对象的名称或编号，最多{ITEM_LENGTH_MAX}个字符",
                f"name or number of what is funded, at most {ITEM_LENGTH_MAX} characters",
            ),
        )
