"""What is wrong with a policy file: collected to the last, each with its file, its key and its clause."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ledger.errors import PolicyFault, Text

NO_CLAUSE = "—"
UNSOUND: Final = Text(zh="政策文件有误，系统不能启动：", en="A policy file is unsound; the start is refused:")
"""The line above the faults of a file."""


@dataclass(slots=True)
class Findings:
    """Everything found wrong with one file so far; ``file`` is how it is named, empty where it need not be."""

    file: str = ""
    lines: list[Text] = field(default_factory=list)

    def add(self, key: str, clause: str | None, text: Text) -> None:
        """Note a fault at ``key`` (dotted, as written in the file), which carries out ``clause``."""
        told = f"第{clause}条" if clause and clause != "附则" else clause or NO_CLAUSE
        line = Text(
            zh=f"{self.file and self.file + '：'}{key}（{told}）：{text.zh}",
            en=f"{self.file and self.file + ': '}{key} (article {clause or NO_CLAUSE}): {text.en}",
        )
        if line not in self.lines:
            self.lines.append(line)

    def include(self, others: Findings) -> None:
        """Take over what was found in another reading of the same file, each fault once."""
        self.lines.extend(line for line in others.lines if line not in self.lines)

    def raise_any(self) -> None:
        """Raise one ``PolicyFault`` that tells every fault, one a line; nothing where there is none."""
        if self.lines:
            raise PolicyFault(
                Text(
                    zh="\n".join([UNSOUND.zh, *(line.zh for line in self.lines)]),
                    en="\n".join([UNSOUND.en, *(line.en for line in self.lines)]),
                )
            )
