"""A scenario that asserts nothing proves nothing, however much its act has the ledger decide."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_bdd.steps import step_function_context_registry

from ledger.policy.registry import built_in_policies
from tests.features import steps_acts, steps_answers, steps_facts
from tests.features.book import Line, read_book
from tests.features.desk import Desk
from tests.features.in_process_driver import InProcessDriver
from tests.features.office import Office
from tests.trace.matrix import NO_MONEY
from tests.trace.numbers import HIGHER, LOWER
from tests.trace.run import PROPERTY, begin_scenario, begin_step, end_scenario, end_step

STEP_MODULES = {module.__name__ for module in (steps_facts, steps_acts, steps_answers)}
CAP_10, RATE = 'rules."10.1".item_cap', 'rules."7.1".rate'

QUOTED_10 = """\
      假如今天是2026-03-02
      当“深圳甲协会”就“甲协会”按10.1款试算：
        | 拟资助金额 | 50万元 |
"""
QUOTED_7 = """\
      假如今天是2026-03-02
      当“深圳甲器械”就“坪山一号厂房”按7.1款试算：
        | 实际新建或改造费用  | 2500万元    |
        | 生产许可所涉GMP面积 | 5,000平方米 |
"""
APPROVED_7 = """\
      假如今天是2026-03-02
      并且“深圳甲器械”就“坪山一号厂房”按7.1款申报并已受理：
        | 实际新建或改造费用  | 2500万元    |
        | 生产许可所涉GMP面积 | 5,000平方米 |
      当审批“坪山一号厂房”的资助1000万元
"""
EXCEEDED_10 = """\
      假如今天是2026-03-02
      并且“深圳甲协会”就“甲协会”按10.1款申报并已受理：
        | 拟资助金额 | 500,000.01元 |
      当核定“甲协会”的资助
"""
CITED = """\
      假如今天是2026-03-02
      当“深圳甲器械”援引“第六条”申报“注册申报服务”的资助
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    driver = InProcessDriver(tmp_path, built_in_policies(), "shenzhen-meddev-2022")
    desk = Desk(driver)
    desk.staff()
    yield Office(desk)
    driver.close()


def noticed(office: Office, steps: str) -> dict[str, set[tuple[str, ...]]]:
    """What one scenario of these steps is recorded to notice, told by its own sentences and by the hooks of a real run."""
    (scene,) = read_book("样例.feature", f"# language: zh-CN\n功能: 样例\n    场景: 样例\n{steps}").scenes
    node = SimpleNamespace(stash=pytest.Stash(), user_properties=[], get_closest_marker=lambda name: None)
    request: Any = SimpleNamespace(node=node, config=SimpleNamespace(getoption=lambda name: "check"))
    begin_scenario(request)
    for line in scene.steps:
        begin_step(request, SimpleNamespace(type=line.role), {"office": office})
        say(office, line)
        end_step(request)
    end_scenario(request, SimpleNamespace(filename="样例.feature"), scene)
    ((name, said),) = node.user_properties
    assert name == PROPERTY
    return {kind: {tuple(touch) for touch in touches} for kind, touches in said["touched"].items()}


def say(office: Office, line: Line) -> None:
    """The step as pytest-bdd would take it: by the one sentence that matches."""
    (context,) = {
        id(its.step_func): its
        for its in step_function_context_registry.values()
        if its.step_func.__module__ in STEP_MODULES and its.type == line.role and its.parser.is_matching(line.text)
    }.values()
    table = (
        {"datatable": [list(row) for row in line.table]}
        if "datatable" in signature(context.step_func).parameters
        else {}
    )
    context.step_func(office, **(context.parser.parse_arguments(line.text) or {}), **table)


@pytest.mark.parametrize(
    ("act", "answer"),
    [
        (QUOTED_10, "没有留下任何记录"),
        (QUOTED_7, "没有留下任何记录"),
        (QUOTED_7, "照此申报后核定，结果相同"),
        (QUOTED_7, "办理结论为予以办理"),
    ],
    ids=["10.1, nothing recorded", "7.1, nothing recorded", "7.1, as it would be decided", "7.1, the conclusion alone"],
)
def test_a_scenario_that_never_looks_at_the_amount_holds_no_number(office: Office, act: str, answer: str) -> None:
    assert {key for key, _ in noticed(office, f"{act}      那么{answer}\n")["numbers"] if "rules." in key} == set()


def test_the_same_scenario_holds_the_numbers_that_it_looks_at(office: Office) -> None:
    held = noticed(office, f"{QUOTED_7}      那么试算结果为1000万元\n")["numbers"]
    assert held >= {(RATE, LOWER), ('rules."7.1".item_cap', LOWER)}
    assert not held & {(RATE, HIGHER), ('rules."7.1".item_cap', HIGHER)}


def test_what_only_the_reason_would_show_is_not_held_by_the_amount(office: Office) -> None:
    reason = (RATE, HIGHER)
    assert reason in noticed(office, f"{QUOTED_7}      那么依据是第七条资助比例\n")["numbers"]


def test_a_determination_before_the_act_itself_is_a_fact_and_holds_nothing(office: Office) -> None:
    held = noticed(office, f"{APPROVED_7}      那么审批结果为1000万元\n      并且依据是第七条资助比例\n")["numbers"]
    assert RATE not in {key for key, _ in held}


def test_the_limit_that_a_refusal_names_is_not_held_by_the_amount_alone(office: Office) -> None:
    told = "      那么核定结果为不予资助\n"
    assert (CAP_10, LOWER) not in noticed(office, EXCEEDED_10 + told)["numbers"]


def test_the_limit_that_a_refusal_names_is_held_by_its_own_sentence(office: Office) -> None:
    told = "      那么该限额为50万元，已用0元，尚余50万元\n"
    assert (CAP_10, LOWER) in noticed(office, EXCEEDED_10 + told)["numbers"]


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ("那么该次拒绝留存备查，不占用任何限额\n", False),
        ("那么办理结论为不予办理：本条无资金资助条款\n", False),
        ("那么办理结论为不予办理：本条无资金资助条款\n      并且援引的规定是“六”\n", True),
    ],
    ids=["neither", "code alone", "code and clause"],
)
def test_a_refusal_is_shown_only_where_its_code_and_clause_are_looked_at(
    office: Office, answers: str, *, shown: bool
) -> None:
    assert ((NO_MONEY, "六") in noticed(office, f"{CITED}      {answers}")["refused"]) is shown
