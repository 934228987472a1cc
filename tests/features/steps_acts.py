"""当: the one act that a scenario is about."""

from __future__ import annotations

from pytest_bdd import when

from ledger.causes import Cause
from ledger.rules import WayOut
from tests.features.driver import Act
from tests.features.office import Office
from tests.features.sentences import sentence


@when(sentence("核定“{item:名}”的资助"))
def determine(office: Office, item: str) -> None:
    office.determine(item)


@when(sentence("审批“{item:名}”的资助{amount:金额}"))
def approve(office: Office, item: str, amount: int) -> None:
    office.approve(item, amount)


@when(sentence("审批“{item:名}”的资助{amount:金额}，列入{year:年}年度资助计划"))
def approve_for_year(office: Office, item: str, amount: int, year: int) -> None:
    office.approve(item, amount, year)


@when(sentence("按受理顺序逐项核定并审批"))
def decide_in_order(office: Office) -> None:
    office.decide_in_order()


@when(sentence("“{enterprise:名}”就“{item:名}”按{rule:款}款试算："))
def quote(office: Office, enterprise: str, item: str, rule: str, datatable: list[list[str]]) -> None:
    office.quote(enterprise, item, rule, dict(datatable))


@when(sentence("“{enterprise:名}”就“{item:名}”按{rule:款}款提交申报："))
def submit(office: Office, enterprise: str, item: str, rule: str, datatable: list[list[str]]) -> None:
    office.submit(enterprise, item, rule, dict(datatable))


@when(sentence("“{enterprise:名}”援引“{cited:名}”申报“{item:名}”的资助"))
def cite(office: Office, enterprise: str, cited: str, item: str) -> None:
    office.cite(enterprise, cited, item)


@when(sentence("因{cause:事由}释放“{item:名}”的资助{amount:金额}"))
def release(office: Office, cause: Cause, item: str, amount: int) -> None:
    office.release(item, cause, amount)


@when(sentence("因{cause:事由}决定追缴“{item:名}”的资助{amount:金额}"))
def order_recovery(office: Office, cause: Cause, item: str, amount: int) -> None:
    office.order_recovery(item, cause, amount)


@when(sentence("登记“{item:名}”追回到账{amount:金额}"))
def receive(office: Office, item: str, amount: int) -> None:
    office.receive(item, amount)


@when(sentence("为“{item:名}”申请拨付{amount:金额}"))
def request(office: Office, item: str, amount: int) -> None:
    office.request(item, amount)


@when(sentence("确认“{item:名}”的{stage:拨付阶段}"))
def confirm_stage(office: Office, item: str, stage: tuple[int, int | None]) -> None:
    office.confirm_stage(item, *stage)


@when(sentence("凭银行流水号“{serial:名}”登记“{item:名}”到账{amount:金额}"))
def settle(office: Office, serial: str, item: str, amount: int) -> None:
    office.settle(item, amount, serial)


@when(sentence("决定“{item:名}”所获的其他财政资助{way_out:处理}"))
def decide_other_funding(office: Office, item: str, way_out: WayOut) -> None:
    office.decide_other_funding(item, way_out)


@when(sentence("“{person:名}”办理{act:步骤}"))
def take(office: Office, person: str, act: Act) -> None:
    office.take(act, person)
