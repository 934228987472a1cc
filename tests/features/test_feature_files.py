"""The feature files say what they seem to say: every silent failure of pytest-bdd, and every convention, has its check here,
and every check is shown to fail.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path

import pytest
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

from ledger.policy.registry import built_in_policies
from tests.features import steps_acts, steps_answers, steps_facts
from tests.features.book import Book, read_book
from tests.features.feature_checks import faults_of_file
from tests.features.sentences import sentence
from tests.features.vocabulary_checks import (
    SENTENCES_AT_MOST,
    Sentence,
    cucumber_report_faults,
    faults_between_files,
    faults_of_sentences,
    faults_of_vocabulary,
)

pytestmark = pytest.mark.house

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "features").rglob("*.feature"))
STEP_MODULES = {module.__name__ for module in (steps_facts, steps_acts, steps_answers)}


def our_sentences() -> list[Sentence]:
    """The step definitions that pytest-bdd knows and that are ours."""
    contexts = [its for its in step_function_context_registry.values() if its.step_func.__module__ in STEP_MODULES]
    return [_sentence(its) for its in {id(its.step_func): its for its in contexts}.values()]


def _sentence(context: StepFunctionContext) -> Sentence:
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(context.step_func))).body
    assert isinstance(function, ast.FunctionDef)
    body_lines = (function.body[-1].end_lineno or 0) - function.body[0].lineno + 1
    return Sentence(
        context.type or "", context.parser.name, context.step_func.__name__, body_lines, context.parser.is_matching
    )


def books() -> list[Book]:
    return [read_book(path.name, path.read_text(encoding="utf-8")) for path in FILES]


# --- our own files --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_feature_file_hides_a_scenario_or_breaks_a_convention(path: Path) -> None:
    assert faults_of_file(path.name, path.read_bytes()) == []


def test_no_clause_is_told_twice_and_no_ceiling_lacks_its_rows() -> None:
    registry = built_in_policies()
    assert faults_between_files(books(), [registry.get(policy_id) for policy_id in registry.ids]) == []


def test_no_sentence_could_be_read_in_two_ways() -> None:
    assert faults_of_sentences(our_sentences()) == []


def test_no_step_is_matched_twice_or_never_and_no_sentence_is_unused() -> None:
    sentences = our_sentences()
    assert sentences, "the steps are registered when their modules are imported"
    assert faults_of_vocabulary(books(), sentences) == []


def test_no_command_of_ours_writes_an_empty_report() -> None:
    names = ["pyproject.toml", "dev.py", ".ci/run", "README.md", "README.zh-CN.md", "CONTRIBUTING.md"]
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in names if (ROOT / name).exists()}
    assert cucumber_report_faults(files) == []


def test_this_run_does_not_write_an_empty_report(pytestconfig: pytest.Config) -> None:
    asked = pytestconfig.getoption("cucumber_json_path", None)
    assert not (asked and hasattr(pytestconfig, "workerinput")), "--cucumberjson writes [] under xdist: add -n 0"


# --- a sound sample, and what each fault makes of it ----------------------------------------------

FILE = "第五条_样例.feature"
SOUND = """\
# language: zh-CN
@policy:shenzhen-meddev-2022
功能: 第五条 样例
  说明本局怎样执行第五条。

  背景:
    假如今天是2026-03-02

  @clause:5.1
  规则: 5.1 二类注册证
    依据第五条：研发费用的四成。

    场景大纲: 5.1-甲 四成
      假如“甲”投入<费用>
      当核定“甲”的资助
      那么核定结果为<结果>
      并且依据是<依据>

      例子: 上限
        | 费用           | 结果        | 依据           |
        | 7,499,999.99元 | 2,999,999元 | 第五条资助比例 |
        | 750万元        | 300万元     | 第五条资助比例 |
        | 7,500,000.01元 | 300万元     | 第五条单项上限 |

    场景: 5.1-乙 一次
      假如“甲”投入100万元
      并且“甲”已获批资助40万元
      当核定“甲”的资助
      那么核定结果为不予资助
      并且依据是第五条同一对象只资助一次
"""


def test_a_sound_file_has_no_fault() -> None:
    assert faults_of_file(FILE, SOUND.encode()) == []


SILENT = {
    "two scenarios of one name, under different 规则": (
        "    场景: 5.1-乙 一次",
        "  @clause:5.2\n  规则: 5.2 三类注册证\n    依据第五条。\n\n    场景: 5.1-甲 四成",
        "another scenario is also named",
    ),
    "例子 with a header and no rows": (
        r"        \| 7,4(.*\n)+?\n", "\n", "例子 without a row",
    ),
    "例子 without even a header": (
        r"        \| 费用(.*\n)+?\n", "\n", "例子 without a row",
    ),
    "a 场景大纲 without 例子": (r"      例子: 上限\n(.*\n)+?\n", "\n", "a 场景大纲 without 例子"),
    "例子 under a plain 场景": ("    场景大纲: 5.1-甲", "    场景: 5.1-甲", "a scenario with 例子 is a 场景大纲"),
    "a placeholder without a column": ("投入<费用>", "投入<研发费用>", "<研发费用> has no column"),
    "a placeholder in a plain 场景": ("投入100万元", "投入<费用>", "<费用> has no column"),
    "a column without a placeholder": ("投入<费用>", "投入100万元", "the column 费用 is used by no step"),
    "a step before the first 场景, in the 功能": (
        "  说明本局怎样执行第五条。", "  说明本局怎样执行第五条。\n  假如今天是2026-03-01", "never runs: 假如今天",
    ),
    "a step before the first 场景, in a 规则": (
        "    依据第五条：研发费用的四成。", "    依据第五条：研发费用的四成。\n    那么核定结果为0元", "never runs: 那么",
    ),
    "a step that became the description of a 背景": (
        "  背景:\n    假如今天", "  背景:\n    说明\n    并且今天是2026-03-01\n    假如今天",
        "no description inside a 背景",
    ),
    "a 背景 that acts": ("03-02\n", "03-02\n    当核定“甲”的资助\n", "states facts only"),
    "a description inside a 场景": (
        "场景: 5.1-乙 一次\n", "场景: 5.1-乙 一次\n      此处说明为什么。\n", "no description inside a 场景",
    ),
    "a description line that begins with 当": (
        "场景: 5.1-乙 一次\n", "场景: 5.1-乙 一次\n      当核定“甲”的资助\n", "has 2 当",
    ),
    "a description line that begins with 并且": (
        "场景: 5.1-乙 一次\n", "场景: 5.1-乙 一次\n      并且依据是第五条资助比例\n", "does not begin with 并且",
    ),
    "a description line that begins with 同时": (
        "场景: 5.1-乙 一次\n", "场景: 5.1-乙 一次\n      同时依据是第五条资助比例\n", "begins with 同时",
    ),
}  # fmt: skip

LOUD = {
    "a full-width colon": ("功能:", "功能：", "a full-width colon after 功能"),
    "zh-cn": ("zh-CN", "zh-cn", "the first line must be exactly"),
    "no language": ("# language: zh-CN\n", "", "the first line must be exactly"),
    "则 as a keyword": ("那么核定结果为不予资助", "则核定结果为不予资助", "begins with 则"),
    "且 as a keyword": ("并且“甲”已", "且“甲”已", "begins with 且"),
    "以及 as a keyword": ("并且“甲”已", "以及“甲”已", "begins with 以及"),
    "a word that Gherkin cannot place": ("    场景: 5.1-乙", "    场合: 5.1-乙", "Gherkin cannot read this"),
}

AGREED = {
    "another keyword of Gherkin": ("并且“甲”已", "而且“甲”已", "begins with 而且"),
    "a star for a keyword": ("并且“甲”已", "* “甲”已", "begins with *"),
    "two 当": ("的资助\n      那么核定结果为不", "的资助\n      并且核定“甲”的资助\n      那么核定结果为不", "has 2 当"),
    "no 当": ("当核定“甲”的资助\n      那么核定结果为不", "那么核定结果为不", "has 0 当"),
    "a fact after the act": (
        "      那么核定结果为不", "      假如“甲”投入100万元\n      那么核定结果为不", "the order is",
    ),
    "假如 written twice": ("并且“甲”已获批", "假如“甲”已获批", "假如 is written once"),
    "a wrong number": ("5.1-乙", "5.1-丙", "is numbered 5.1-乙"),
    "a scenario without a number": ("5.1-乙 一次", "一次", "is numbered 5.1-乙"),
    "a 规则 without its clause": ("  @clause:5.1\n", "", "carries one tag, @clause"),
    "a 规则 of another clause": ("规则: 5.1", "规则: 5.2", "begins with that number"),
    "a 规则 without a scenario": (
        "    场景大纲: 5.1-甲(.*\n)+", "", "promises nothing",
    ),
    "a scenario outside every 规则": (r"  @clause:5.1\n.*\n.*\n", "", "stands in a 规则"),
    "no policy": ("@policy:shenzhen-meddev-2022\n", "", "carries one tag, @policy"),
    "no article named": ("依据第五条：", "依据条文：", "the description names its article"),
    "another article's clause": ("5.1", "22.2", "belongs in the file of 第二十二条"),
    "another file's article": ("功能: 第五条", "功能: 第六条", "begins as its file does"),
    "a technical word": ("5.1-乙 一次", "5.1-乙 返回status", "status is no word"),
    "a field name": ("“甲”已获批资助40万元", "rd_cost为100万元", "rd_cost is no word"),
    "an address": ("5.1-乙 一次", "5.1-乙 见://", "technical signs"),
    "straight quotation marks": ("“甲”已获批", '"甲"已获批', "technical signs"),
    "an amount in no policy's form": ("资助40万元", "资助400000元", "400000元 is written 40万元"),
    "an amount in parts of a fen": ("资助40万元", "资助0.001元", "no amount"),
    "a date that does not exist": ("5.1-乙 一次", "5.1-乙 到2026-02-30为止", "2026-02-30 does not exist"),
    "a date in another form": ("5.1-乙 一次", "5.1-乙 到2026年2月28日为止", "dates are written"),
    "a space at a number": ("投入100万元", "投入 100万元", "no space around numbers"),
    "an act whose answer no 那么 looks at": (
        "那么核定结果为不予资助\n      并且依据是第五条同一对象只资助一次", "那么没有留下任何记录",
        "the first 那么 says what the 当 was answered: 核定结果为",
    ),
    "an outline whose answer no 那么 looks at": (
        "当核定“甲”的资助\n      那么核定结果为<结果>\n      并且依据是<依据>\n",
        "当“甲”就“甲”按5.1款试算：\n        | 研发费用 | <结果><依据> |\n      那么没有留下任何记录\n",
        "the first 那么 says what the 当 was answered: 试算结果为",
    ),
    "an amount told by its conclusion alone": (
        "那么核定结果为不予资助", "那么办理结论为予以办理", "the first 那么 says what the 当 was answered: 核定结果为",
    ),
    "money without a reason": ("\n      并且依据是第五条同一对象只资助一次", "", "names its clause"),
    "money in an outline without a reason": (
        "结果为<结果>\n      并且依据是<依据>\n", "结果为<结果>\n      并且“甲”的状态为“已核定”\n", "names its clause",
    ),
    "no row just above": ("        | 7,500,000.01元", "        | 800万元       ", "no table has a row just below"),
    "no row at the number": ("        | 750万元       ", "        | 7,500,000.02元", "no table has a row just below"),
    "no row just below": ("        | 7,499,999.99元", "        | 700万元       ", "no table has a row just below"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "told"), [*SILENT.values(), *LOUD.values(), *AGREED.values()],
                         ids=[*SILENT, *LOUD, *AGREED])  # fmt: skip
def test_no_fault_goes_unseen(before: str, after: str, told: str) -> None:
    broken = re.sub(before, after, SOUND) if "\\" in before or "(.*" in before else SOUND.replace(before, after)
    assert broken != SOUND, "the sample is not broken"
    faults = faults_of_file(FILE, broken.encode())
    assert any(told in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xef\xbb\xbf" + SOUND.encode(), "byte-order mark"), (SOUND.encode("gbk"), "is not UTF-8")],
    ids=["BOM", "GBK"],
)
def test_no_wrong_encoding_goes_unseen(content: bytes, told: str) -> None:
    assert any(told in fault for fault in faults_of_file(FILE, content))


def test_a_fault_is_not_reported_without_its_line() -> None:
    (fault,) = faults_of_file(FILE, SOUND.replace("5.1-乙", "5.1-丙").encode())
    assert fault.startswith(f"{FILE}:{SOUND[: SOUND.index('    场景: ')].count(chr(10)) + 1}: ")


def test_a_clause_told_in_two_files_does_not_go_unseen() -> None:
    twice = [read_book("第五条_一.feature", SOUND), read_book("第五条_二.feature", SOUND)]
    assert "clause 5.1 has 2 规则; it has one" in faults_between_files(twice, [])


def test_an_unknown_policy_does_not_go_unseen() -> None:
    (fault,) = faults_between_files([read_book(FILE, SOUND)], [])
    assert "there is no policy 'shenzhen-meddev-2022'" in fault


@pytest.mark.parametrize(
    "told",
    [
        f"{FILE}: the ceiling 400万元 lacks 1000万元",
        f"{FILE}: the ceiling 400万元 lacks 10,000,000.01元",
        f"{FILE}: no example finds C5 used up",
        f"{FILE}: C5's ceiling 1000万元 is never reached",
    ],
)
def test_a_number_of_the_policy_without_its_rows_does_not_go_unseen(told: str) -> None:
    policy = built_in_policies().get("shenzhen-meddev-2022")
    assert told in faults_between_files([read_book(FILE, SOUND)], [policy])


def test_a_reading_that_no_scenario_switches_does_not_go_unseen() -> None:
    policy = built_in_policies().get("shenzhen-meddev-2022")
    text = (ROOT / "features" / "附则_口径.feature").read_text(encoding="utf-8")
    told = "no scenario of clause B27 switches that reading (起，口径“B27”改为“…”)"
    assert told not in faults_between_files([read_book("附则_口径.feature", text)], [policy])
    without = text.replace("口径“B27”改为", "口径“B13”改为")
    assert told in faults_between_files([read_book("附则_口径.feature", without)], [policy])


@pytest.mark.parametrize(
    ("article", "number", "told"),
    [
        ("第十九条_临床试验服务资助", "21项", "the tier of 19.2 from 20项 lacks 21项"),
        ("第十九条_临床试验服务资助", "1,500,000.01元", "the ceiling 150万元 lacks 1,500,000.01元"),
        ("第七条_厂房建设资助", "25,000,000.01元", "the ceiling 1000万元 lacks 25,000,000.01元"),
        ("第十条_产业环境资助", "500,000.01元", "the ceiling 50万元 lacks 500,000.01元"),
    ],
)
def test_a_number_of_another_shape_without_its_rows_does_not_go_unseen(article: str, number: str, told: str) -> None:
    policy = built_in_policies().get("shenzhen-meddev-2022")
    text = (ROOT / "features" / f"{article}.feature").read_text(encoding="utf-8")
    book = read_book(f"{article}.feature", re.sub(rf"\| {number} ", "| 未填 ", text))
    assert f"{article}.feature: {told}" in faults_between_files([book], [policy])


# --- sentences ------------------------------------------------------------------------------------


def spoken(role: str, pattern: str, *, body_lines: int = 1) -> Sentence:
    return Sentence(role, pattern, f"step_{role}", body_lines, sentence(pattern).is_matching)


SPOKEN = [
    spoken("given", "今天是{day:日期}"),
    spoken("given", "“{item:名}”投入{amount:金额}"),
    spoken("given", "“{item:名}”已获批资助{amount:金额}"),
    spoken("when", "核定“{item:名}”的资助"),
    spoken("then", "核定结果为{result:结果}"),
    spoken("then", "依据是{reason:依据}"),
]


def test_a_closed_vocabulary_has_no_fault() -> None:
    assert faults_of_sentences(SPOKEN) == []
    assert faults_of_vocabulary([read_book(FILE, SOUND)], SPOKEN) == []


def test_a_step_that_two_sentences_match_does_not_go_unseen() -> None:
    other = sentence("“甲”投入{amount:金额}")
    doubled = [*SPOKEN, Sentence("given", other.name, "other", 1, other.is_matching)]
    faults = faults_of_vocabulary([read_book(FILE, SOUND)], doubled)
    assert any("matched by step_given and other" in fault for fault in faults), faults


def test_a_step_that_no_sentence_matches_does_not_go_unseen() -> None:
    faults = faults_of_vocabulary([read_book(FILE, SOUND.replace("投入100万元", "投资100万元"))], SPOKEN)
    assert any("matched by no sentence: 假如“甲”投资100万元" in fault for fault in faults), faults


def test_a_cell_that_no_sentence_can_read_does_not_go_unseen() -> None:
    faults = faults_of_vocabulary([read_book(FILE, SOUND.replace("| 300万元     |", "| 三百万元    |"))], SPOKEN)
    assert any("matched by no sentence: 那么核定结果为三百万元" in fault for fault in faults), faults


def test_a_sentence_that_no_feature_says_does_not_go_unseen() -> None:
    (fault,) = faults_of_vocabulary([read_book(FILE, SOUND)], [*SPOKEN, spoken("when", "试算")])
    assert fault == "step_when: no feature says this: 试算"


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("{企业}的{产品}获批", "has no type"),
        ("{enterprise:名}的{product:名}获批", "is not in “ ”"),
        ("共{n:d}项", "refuses full-width digits and commas"),
        ("金额为{x:.2f}", "refuses full-width digits and commas"),
    ],
)
def test_a_sentence_that_splits_or_reads_wrongly_does_not_go_unseen(pattern: str, told: str) -> None:
    silent = Sentence("given", pattern, "step", 1, lambda text: False)
    assert any(told in fault for fault in faults_of_sentences([silent]))


def test_a_step_function_that_does_the_work_itself_does_not_go_unseen() -> None:
    (fault,) = faults_of_sentences([spoken("when", "核定“{item:名}”的资助", body_lines=6)])
    assert "at most 5 lines, this has 6" in fault


def test_a_vocabulary_that_grows_without_end_does_not_go_unseen() -> None:
    many = [spoken("when", "试算")] * (SENTENCES_AT_MOST + 1)
    (fault,) = faults_of_sentences(many)
    assert "the vocabulary is closed at" in fault


# --- reports --------------------------------------------------------------------------------------


def test_an_empty_cucumber_report_does_not_go_unseen() -> None:
    parallel = 'addopts = ["-n", "auto"]'
    asks = {"dev.py": "pytest --cucumberjson report.json", "pyproject.toml": parallel}
    assert cucumber_report_faults(asks) == ["dev.py:1: --cucumberjson writes [] under xdist; add -n 0"]
    assert cucumber_report_faults({**asks, "dev.py": "pytest -n 0 --cucumberjson report.json"}) == []
