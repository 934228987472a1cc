"""The steps of a case in the office's words."""

from __future__ import annotations

from typing import Final

from ledger import events
from ledger.errors import Text

EVENT_NAMES: Final[dict[str, Text]] = {
    events.ApplicationSubmitted.type_name: Text("提交申报", "application submitted"),
    events.ApplicationAccepted.type_name: Text("受理", "application accepted"),
    events.ApplicationRefused.type_name: Text("不予资助", "application refused"),
    events.ApplicationWithdrawn.type_name: Text("撤回申报", "application withdrawn"),
    events.OtherFundingDecided.type_name: Text("处理其他财政资助", "other funding decided"),
    events.AmountDetermined.type_name: Text("核定金额", "amount determined"),
    events.AwardApproved.type_name: Text("审批通过", "award approved"),
    events.StageConfirmed.type_name: Text("确认阶段", "stage confirmed"),
    events.AwardReleased.type_name: Text("释放资助", "award released"),
    events.DisbursementRequested.type_name: Text("申请拨付", "disbursement requested"),
    events.DisbursementOrdered.type_name: Text("下达支付令", "disbursement ordered"),
    events.DisbursementSettled.type_name: Text("到账", "disbursement settled"),
    events.DisbursementCancelled.type_name: Text("取消拨付", "disbursement cancelled"),
    events.DisbursementReturned.type_name: Text("支付退回", "disbursement returned"),
    events.ViolationFound.type_name: Text("违规认定", "violation found"),
    events.ViolationWithdrawn.type_name: Text("撤销违规认定", "violation withdrawn"),
    events.RecoveryOrdered.type_name: Text("追缴决定", "recovery ordered"),
    events.RecoveryReceived.type_name: Text("追回到账", "recovery received"),
    events.RecoveryCancelled.type_name: Text("撤销追缴", "recovery cancelled"),
    events.CommandRefused.type_name: Text("被拒绝的操作", "command refused"),
}
"""Type name → what it is called: every event that a case can have."""
