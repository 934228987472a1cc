"""The arithmetic of the law: five shapes of rule, pure, every step explained. Knows no clause by its number.

::

    particulars = read_particulars(rule, {"rd_cost": "16000000.00", "special_approval": True})
    determination = determine(Claim(policy, rule, enterprise, item, cap_year, particulars, applied_on), standing)

Amounts are exact fractions until the end, and are then rounded down once to the policy's unit (reading B27).
"""

from ledger.rules.claim import (
    Binding,
    Claim,
    Determination,
    Draw,
    FundedSpan,
    RecognisedWindow,
    Standing,
    Step,
    WindowUse,
)
from ledger.rules.decision import determine
from ledger.rules.intake import read_particulars
from ledger.rules.particulars import Particulars

__all__ = [
    "Binding",
    "Claim",
    "Determination",
    "Draw",
    "FundedSpan",
    "Particulars",
    "RecognisedWindow",
    "Standing",
    "Step",
    "WindowUse",
    "determine",
    "read_particulars",
]
