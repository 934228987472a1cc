"""What came of the act of a scenario, and which parts of it a 那么 has looked at.

A scenario promises only what it asserts. Whatever asks here is remembered in ``read``, and the traceability
(:mod:`tests.trace.recording`) believes a scenario no further than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ledger.money import format_policy_amount
from tests.features.driver import Answer
from tests.features.parse_types import (
    Reason,
    read_reason,
    read_result,
    reason_of_denial,
    reason_of_grant,
    told_of_line,
)


class Part(Enum):
    """What a 那么 can see of an answer; the value is the sentence that it is seen with."""

    RESULT = "结果为"
    REASON = "依据是"
    CONCLUSION = "办理结论为"
    CLAUSE = "援引的规定是"
    LIMIT = "该限额为"


@dataclass(slots=True)
class Answers:
    """The answer to one act, ``last``, or those to several ``in_order``, each by the name of its item. ``stage`` is what
    was asked where the answer is an amount; ``yearly_limits`` are the policy's, by name.
    """

    yearly_limits: Mapping[str, object]
    stage: str = ""
    last: Answer = field(default_factory=Answer)
    in_order: list[tuple[str, Answer]] = field(default_factory=list)
    read: set[Part] = field(default_factory=set)

    def result_fen(self, stage: str) -> int | None:
        """What was granted, None for nothing; ``stage`` must be what was asked."""
        assert stage == self.stage, f"这个场景办理的是{self.stage}，不是{stage}"
        assert self.last.grant or self.last.denial, "上一步没有金额"
        self.read.add(Part.RESULT)
        return self.last.grant.amount_fen if self.last.grant else None

    def reason(self) -> Reason:
        """Why the last answer is what it is."""
        self.read.add(Part.REASON)
        return self._reason_of(self.last)

    def check_results(self, table: Sequence[Sequence[str]]) -> None:
        """The answers in order against a table of 对象, 结果 and 依据."""
        header, *rows = table
        assert header == ["对象", "结果", "依据"], "该表的列须为“对象”“结果”“依据”"
        told = [[name, _result_of(answer), str(self._reason_of(answer))] for name, answer in self.in_order]
        wanted = [[name, read_result(result), read_reason(reason)] for name, result, reason in rows]
        assert [[name, read_result(result), read_reason(reason)] for name, result, reason in told] == wanted, told
        self.read |= {Part.RESULT, Part.REASON}

    def check_sheet(self, table: Sequence[Sequence[str]]) -> None:
        """The sheet of the last answer against a table of 条款, 步骤 and 金额, every line of it."""
        header, *rows = table
        assert header == ["条款", "步骤", "金额"], "该表的列须为“条款”“步骤”“金额”"
        assert self.last.grant is not None, "没有算出金额，也就没有核算表"
        told = [told_of_line(line) for line in self.last.grant.sheet]
        assert told == rows, f"核算表是{told}"

    def conclusion(self) -> str | None:
        """The code of the refusal; None where the step was taken."""
        self.read.add(Part.CONCLUSION)
        return self.last.denial.code if self.last.denial else None

    def denial_clause(self) -> str | None:
        assert self.last.denial is not None, f"没有被拒绝，而是：{self.last}"
        self.read.add(Part.CLAUSE)
        return self.last.denial.clause

    def missing_limit(self) -> tuple[int, int, int]:
        """Ceiling, used and left of the limit that the refusal names."""
        assert self.last.denial and self.last.denial.limit, f"没有指明哪一项限额：{self.last}"
        self.read.add(Part.LIMIT)
        limit = self.last.denial.limit
        return limit.ceiling_fen, limit.used_fen, limit.left_fen

    def refusals_read(self) -> Iterator[tuple[str, str]]:
        """Code and clause of every refusal, where a 那么 has looked at both."""
        if Part.REASON in self.read or {Part.CONCLUSION, Part.CLAUSE} <= self.read:
            for answer in (self.last, *(its for _, its in self.in_order)):
                if answer.denial is not None:
                    yield answer.denial.code, answer.denial.clause or ""

    def _reason_of(self, answer: Answer) -> Reason:
        if answer.grant is not None:
            return reason_of_grant(answer.grant, self.yearly_limits)
        assert answer.denial is not None, "没有可说明理由的结果"
        return reason_of_denial(answer.denial)


def _result_of(answer: Answer) -> str:
    return format_policy_amount(answer.grant.amount_fen) if answer.grant else "不予资助"
