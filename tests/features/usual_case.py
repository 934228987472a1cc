"""The case that procedures are told by: one application like any other, taken as far as a scenario wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ledger.causes import Cause
from tests.features.desk import Desk, cost_alone
from tests.features.driver import Act, Answer
from tests.features.parse_types import ACTS

ITEM: Final = "国械注准20263019999"
RULE: Final = "5.2"
COST_FEN: Final = 1_000_000_000
GRANTED_FEN: Final = 400_000_000
FACTS_FOUND: Final = "现场检查发现资金挪作他用"
STEPS: Final = tuple(ACTS.values())

_SAID: Final[dict[Act, dict[str, Any]]] = {
    Act.ACCEPT: {"acceptance_number": "受理-常例"},
    Act.REQUEST: {"amount_fen": GRANTED_FEN},
    Act.ORDER: {"disbursement": 1},
    Act.SETTLE: {"disbursement": 1, "amount_fen": GRANTED_FEN, "bank_serial": "银行-常例"},
    Act.FIND_VIOLATION: {"reason": FACTS_FOUND},
    Act.ORDER_RECOVERY: {"amount_fen": GRANTED_FEN, "cause": Cause.VIOLATION},
    Act.RECEIVE_RECOVERY: {"recovery": 1, "amount_fen": GRANTED_FEN, "bank_serial": "银行-追回"},
}
"""What each step needs said, beyond its case."""


@dataclass(slots=True)
class UsualCase:
    desk: Desk
    enterprise: str = ""

    def take(self, act: Act) -> Answer:
        """The step, with whatever it needs said, by its assigned hand."""
        if act is Act.SUBMIT:
            rule = self.desk.driver.policy.rule(RULE)
            return self.desk.submit(self.enterprise, ITEM, rule.id, cost_alone(rule, COST_FEN))
        if act is Act.DETERMINE:
            return self.desk.determine(ITEM)
        if act is Act.APPROVE:
            return self.desk.approve(ITEM, GRANTED_FEN)
        return self.desk.act(act, ITEM, **_SAID[act])
