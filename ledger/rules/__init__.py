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
    ItemAward,
    OtherFunding,
    RecognisedWindow,
    Standing,
    Step,
    WayOut,
    WindowUse,
)
from ledger.rules.decision import determine
from ledger.rules.intake import read_particulars
from ledger.rules.items import carried_cases
from ledger.rules.moved_years import moved_by_year
from ledger.rules.particulars import Particulars
from ledger.rules.validity import require_in_force, require_open_plan, require_plan_of_window, require_plan_year

__all__ = [
    "Binding",
    "Claim",
    "Determination",
    "Draw",
    "FundedSpan",
    "ItemAward",
    "OtherFunding",
    "Particulars",
    "RecognisedWindow",
    "Standing",
    "Step",
    "WayOut",
    "WindowUse",
    "carried_cases",
    "determine",
    "moved_by_year",
    "read_particulars",
    "require_in_force",
    "require_open_plan",
    "require_plan_of_window",
    "require_plan_year",
]
