"""What click says of wrong usage, in Chinese.

click has its sentences translated by the catalogues of the system's gettext, and comes with none. Here each sentence that
one of our commands can meet is told anew from its English form; a test puts every option of every command wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_PLACES: Final = {"File": "文件", "Directory": "目录", "Path": "路径"}
_NUMBERS: Final = {"integer": "整数", "integer range": "整数", "float": "数", "float range": "数"}
_MISTAKES: Final = {
    "does not exist": "不存在",
    "is a file": "是文件，应为目录",
    "is a directory": "是目录，应为文件",
    "is not readable": "无法读取（权限）",
    "is not writable": "无法写入（权限）",
}

_SENTENCES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), told)
    for pattern, told in (
        (
            rf"(File|Directory|Path) (.+) ({'|'.join(_MISTAKES)})\.",
            lambda found: f"{_PLACES[found[1]]} {_bare(found[2])} {_MISTAKES[found[3]]}",
        ),
        (
            rf"(.+) is not a valid ({'|'.join(_NUMBERS)})\.",
            lambda found: f"{_bare(found[1])} 不是{_NUMBERS[found[2]]}",
        ),
        (r"(.+) is not in the range (.+)\.", lambda found: f"{found[1]} 不在范围 {found[2]} 之内"),
        (
            r"(.+) is not one of (.+)\.",
            lambda found: f"{_bare(found[1])} 不是可选的值；可选：{found[2].replace(chr(39), '').replace(', ', '、')}",
        ),
        (r"Got unexpected extra arguments? \((.+)\)\.?", lambda found: f"多余的参数：{found[1]}"),
        (r"Option (.+) requires (?:an argument|\d+ arguments)\.", lambda found: f"选项 {_bare(found[1])} 缺少取值"),
        (r"Option (.+) does not take a value\.", lambda found: f"选项 {_bare(found[1])} 不带取值"),
        (r"Missing command\.", lambda found: "缺少命令"),
    )
)


def told_in_chinese(sentence: str) -> str:
    """The sentence itself where it is none of click's that are known here: ours are in Chinese already."""
    for pattern, told in _SENTENCES:
        if (found := pattern.fullmatch(sentence.strip())) is not None:
            return told(found)
    return sentence


def _bare(quoted: str) -> str:
    return quoted[1:-1] if quoted[:1] == quoted[-1:] and quoted[:1] in ("'", '"') else quoted
