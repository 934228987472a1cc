"""假如: what had happened before."""

from __future__ import annotations

from datetime import date

from pytest_bdd import given

from ledger.causes import Cause
from ledger.rules import WayOut
from tests.features.driver import Act
from tests.features.office import Office
from tests.features.sentences import sentence


@given(sentence("今天是{day:日期}"))
def today(office: Office, day: date) -> None:
    office.driver.set_today(day)


@given(sentence("“{enterprise:名}”就“{item:名}”按{rule:款}款申报并已受理："))
def accepted(office: Office, enterprise: str, item: str, rule: str, datatable: list[list[str]]) -> None:
    office.have_accepted(enterprise, item, rule, dict(datatable))


@given(sentence("“{enterprise:名}”依次申报下列各项，均已受理："))
def accepted_in_order(office: Office, enterprise: str, datatable: list[list[str]]) -> None:
    office.have_accepted_in_order(enterprise, datatable)


@given(sentence("“{enterprise:名}”已按{rule:款}款获批资助合计{amount:金额}"))
def drawn(office: Office, enterprise: str, rule: str, amount: int) -> None:
    office.have_drawn(enterprise, rule, amount)


@given(sentence("“{enterprise:名}”就“{item:名}”按{rule:款}款提交申报，{ground:结论}："))
def denied(office: Office, enterprise: str, item: str, rule: str, ground: str, datatable: list[list[str]]) -> None:
    office.have_been_denied(enterprise, item, rule, ground, dict(datatable))


@given(sentence("“{item:名}”已核定资助{amount:金额}"))
def determined(office: Office, item: str, amount: int) -> None:
    office.have_determined(item, amount)


@given(sentence("“{item:名}”已获批资助{amount:金额}"))
def approved(office: Office, item: str, amount: int) -> None:
    office.have_approved(item, amount)


@given(sentence("“{item:名}”已下达支付令{amount:金额}"))
def ordered(office: Office, item: str, amount: int) -> None:
    office.have_ordered(item, amount)


@given(sentence("“{item:名}”已到账{amount:金额}"))
def paid(office: Office, item: str, amount: int) -> None:
    office.have_paid(item, amount)


@given(sentence("“{item:名}”已凭银行流水号“{serial:名}”到账{amount:金额}"))
def paid_with_serial(office: Office, item: str, serial: str, amount: int) -> None:
    office.have_paid(item, amount, serial)


@given(sentence("“{item:名}”已确认{stage:拨付阶段}"))
def stage_confirmed(office: Office, item: str, stage: tuple[int, int | None]) -> None:
    office.have_confirmed_stage(item, *stage)


@given(sentence("“{item:名}”的资助已因{cause:事由}释放{amount:金额}"))
def released(office: Office, item: str, cause: Cause, amount: int) -> None:
    office.have_released(item, cause, amount)


@given(sentence("“{item:名}”的资助已因{cause:事由}决定追缴{amount:金额}"))
def recovery_ordered(office: Office, item: str, cause: Cause, amount: int) -> None:
    office.have_ordered_recovery(item, cause, amount)


@given(sentence("“{item:名}”已追回到账{amount:金额}"))
def received(office: Office, item: str, amount: int) -> None:
    office.have_received(item, amount)


@given(sentence("“{item:名}”所获的其他财政资助已决定{way_out:处理}"))
def other_funding_decided(office: Office, item: str, way_out: WayOut) -> None:
    office.have_decided_other_funding(item, way_out)


@given(sentence("{year:年}年度预算为{amount:金额}"))
def budget(office: Office, year: int, amount: int) -> None:
    office.have_budget(year, amount)


@given(sentence("自{day:日期}起，口径“{reading:名}”改为“{value:名}”"))
def switched(office: Office, day: date, reading: str, value: str) -> None:
    office.have_switched(day, reading, value)


@given(sentence("“{item:名}”已被认定违规"))
def violation_found(office: Office, item: str) -> None:
    office.have_violation(item)


@given(sentence("“{person:名}”兼任全部业务岗位"))
def all_roles(office: Office, person: str) -> None:
    office.desk.give_all_roles(person)


@given(sentence("{act:步骤}由“{person:名}”办理"))
def assigned(office: Office, act: Act, person: str) -> None:
    office.desk.hands[act] = person


@given(sentence("“{enterprise:名}”的一项资助已办至{act:步骤}之前"))
def reached(office: Office, enterprise: str, act: Act) -> None:
    office.have_step_reached(enterprise, act)
