"""那么: the money and the reason."""

from __future__ import annotations

from datetime import date

from pytest_bdd import then

from tests.features.office import Office
from tests.features.parse_types import Reason
from tests.features.sentences import sentence


@then(sentence("{stage:环节}结果为{result:结果}"))
def result_is(office: Office, stage: str, result: int | None) -> None:
    assert office.answers.result_fen(stage) == result, office.answers.last


@then(sentence("依据是{reason:依据}"))
def reason_is(office: Office, reason: Reason) -> None:
    assert office.answers.reason() == reason, str(office.answers.reason())


@then(sentence("各项结果依次为："))
def results_are(office: Office, datatable: list[list[str]]) -> None:
    office.answers.check_results(datatable)


@then(sentence("核算表各步依次为："))
def sheet_is(office: Office, datatable: list[list[str]]) -> None:
    office.answers.check_sheet(datatable)


@then(sentence("该限额为{ceiling:金额}，已用{used:金额}，尚余{left:金额}"))
def limit_named(office: Office, ceiling: int, used: int, left: int) -> None:
    assert office.answers.missing_limit() == (ceiling, used, left)


@then(sentence("“{enterprise:名}”{start:期间}第{article:条}条“{name:名}”已用{used:金额}，尚余{left:金额}"))
def headroom_is(office: Office, enterprise: str, start: date, article: str, name: str, used: int, left: int) -> None:
    assert office.headroom(enterprise, start, article, name) == (used, left)


@then(sentence("办理结论为{conclusion:结论}"))
def conclusion_is(office: Office, conclusion: str | None) -> None:
    assert office.answers.conclusion() == conclusion, office.answers.last


@then(sentence("援引的规定是“{clause:名}”"))
def clause_named(office: Office, clause: str) -> None:
    assert office.answers.denial_clause() == clause


@then(sentence("该次拒绝留存备查，不占用任何限额"))
def denial_kept(office: Office) -> None:
    office.check_denial_kept()


@then(sentence("退回时指明先报的是“{item:名}”"))
def earlier_named(office: Office, item: str) -> None:
    office.check_earlier_named(item)


@then(sentence("改口径以前批准的资助分文未变"))
def earlier_awards_unchanged(office: Office) -> None:
    office.check_earlier_awards_unchanged()


@then(sentence("没有留下任何记录"))
def nothing_recorded(office: Office) -> None:
    office.check_nothing_recorded()


@then(sentence("照此申报后核定，结果相同"))
def real_decision_equals_quote(office: Office) -> None:
    office.check_real_decision_equals_quote()


@then(sentence("“{item:名}”的状态为“{state:名}”"))
def state_is(office: Office, item: str, state: str) -> None:
    assert office.state_of(item) == state
