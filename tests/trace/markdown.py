"""The table as a page of the documentation: everything that the officer's book tells, with links to every line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tests.trace import words
from tests.trace.numbers import HIGHER, LOWER
from tests.trace.told import ArticleTold, ClauseTold, Matrix, NumberTold, Proof, ReadingTold, Told

INTRODUCTION = """\
# 追溯表：条文、数、场景、结果、签字

由`python3 dev.py trace`根据一次真实的运行写成，不手工修改；供签字的版本用`python3 dev.py trace --html 文件`另行打印。

每个数之后列出“少一步”和“多一步”两栏：把这个数改小或改大最小的一步（一分钱、一项、一天、一个月、0.01个百分点），所列的例子就会得出另一个结果，
场景随之不通过。两栏都有例子的数，才算有场景守住。例子按“场景:行号”列出，行号是场景文件中的行；所列的场景均已通过。
"""


def markdown_book(matrix: Matrix) -> str:
    return "\n".join(_lines(matrix)).rstrip() + "\n"


def _lines(matrix: Matrix) -> Iterator[str]:
    policy = matrix.policy
    yield INTRODUCTION
    yield from _table(
        ["政策", "文号", "版本", "政策文件", "文本指纹（sha256）"],
        [[policy.title, policy.number, f"第{policy.version}版", _link(f"{matrix.file}:1"), f"`{matrix.sha256}`"]],
    )
    yield words.counts(matrix) + "\n"
    for article in (*matrix.money, matrix.supplement):
        yield f"## {words.heading(article)}\n"
        for clause in article.clauses:
            yield from _clause(clause)
        yield from _limits(article)
        yield from _readings(article.readings)
        yield _signature()
    yield from _without_money(matrix)
    yield "## 办理程序\n"
    for clause in matrix.procedures:
        yield from _clause(clause)
    yield _signature()


def _clause(clause: ClauseTold) -> Iterator[str]:
    yield f"### {clause.id}　{clause.title}\n"
    yield f"{words.clause_words(clause)}（{_link(clause.place)}）\n"
    yield from _numbers(clause.numbers)
    yield from _scenes(clause.scenes)


def _limits(article: ArticleTold) -> Iterator[str]:
    if article.limits:
        yield f"### {article.heading}的年度上限\n"
        yield from _numbers(article.limits)


def _numbers(numbers: Sequence[NumberTold]) -> Iterator[str]:
    header = ["数", "取值", "出处", "政策文件", "一步", "少一步即不符", "多一步即不符"]
    rows = [
        [
            its.number.label,
            f"**{its.number.value}**",
            words.source(its),
            f"{_link(its.place)} `{its.number.key}`",
            its.number.step,
            _proofs(its, LOWER),
            _proofs(its, HIGHER),
        ]
        for its in numbers
    ]
    yield from _table(header, rows)


def _proofs(number: NumberTold, way: str) -> str:
    if way in number.why_not:
        return f"不适用：{number.why_not[way]}"
    shown, more = words.proofs_shown(number, way)
    told = "、".join(map(_proof, shown)) or "**没有**"
    return told + (f"等{len(shown) + more}个场景" if more else "")


def _proof(proof: Proof) -> str:
    return f"[{proof.scene.numeral}:{proof.line}]({_address(proof.place)})"


def _scenes(scenes: Sequence[Told]) -> Iterator[str]:
    rows = [[scene.numeral, scene.title, _link(scene.place), words.result(scene)] for scene in scenes]
    yield from _table(["场景", "承诺", "位置", "结果"], rows)


def _readings(readings: Sequence[ReadingTold]) -> Iterator[str]:
    if readings:
        yield "### 未决问题及所取口径\n"
        header = ["编号", "问题", "所取口径", "其他理解", "由谁决定", "换一种理解即不符的例子"]
        yield from _table(header, map(_reading, readings))


def _reading(told: ReadingTold) -> list[str]:
    its = told.reading
    shown = "、".join(map(_proof, told.shown[: words.PROOFS_SHOWN])) or "—"
    return [
        f"[{its.id}]({_address(told.place)})",
        its.question,
        its.answer,
        words.alternatives(its),
        its.decided_by,
        shown,
    ]


def _without_money(matrix: Matrix) -> Iterator[str]:
    yield "## 没有资金资助的条\n"
    for clause in matrix.other:
        yield from _clause(clause)
    header = ["条", "名称", "援引此条申报时的答复", "例子", *words.SIGNATURE]
    yield from _table(
        header,
        [
            [article.heading, article.name, article.refusal, "、".join(map(_proof, article.refused)) or "**没有**"]
            + [""] * len(words.SIGNATURE)
            for article in matrix.without_money
        ],
    )


def _signature() -> str:
    return "　　".join(f"{who}：＿＿＿＿＿＿" for who in words.SIGNATURE) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    if cells:
        yield f"| {' | '.join(header)} |"
        yield f"|{' --- |' * len(header)}"
        yield from (f"| {' | '.join(row)} |" for row in cells)
        yield ""


def _link(place: str) -> str:
    return f"[{place.rpartition('/')[2]}]({_address(place)})"


def _address(place: str) -> str:
    """From docs/ to a line of a file; file names stay Chinese, for who reads the text itself."""
    file, _, line = place.rpartition(":")
    return f"../{file}#L{line}"
