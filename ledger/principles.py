"""The ledger's own rules, cited by name where no article of a policy speaks.

They follow from what a payment, a recovery and a register are; the law behind them is the budget law's payment by plan and
progress (预算法实施条例第五十七条) and the accounting law's vouchers and separated duties (会计法第十四、十五、二十五条).
"""

from __future__ import annotations

from typing import Final

PAID_WITHIN_AWARD: Final = "累计拨付不超过资助额"
BANK_MATCHES_ORDER: Final = "到账与支付令一致"
RECOVERED_WITHIN_PAID: Final = "累计追缴不超过已到账"
RECEIVED_WITHIN_ORDER: Final = "追回不超过追缴决定"
NUMBER_USED_ONCE: Final = "号码只用一次"
STEPS_IN_ORDER: Final = "按程序逐步办理"
VIOLATION_AND_CAUSE: Final = "事由与违规认定一致"
SEPARATED_DUTIES: Final = "不相容岗位分离"
