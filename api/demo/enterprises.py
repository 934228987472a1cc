"""The demo's enterprises: invented, and recognisable as such by name (演示) and by code (DEM)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stdnum.cn import uscc

_DISTRICTS: Final = ("03", "04", "05", "06", "07", "08", "09", "10", "11")
"""Of Shenzhen, as in the codes 440303 to 440311."""
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Creatures of the 山海经, so that no real firm is meant.
_CREATURES: Final = (
    "青鸾", "白泽", "毕方", "烛龙", "夔牛", "英招", "陆吾", "重明", "精卫", "当康",
    "乘黄", "飞廉", "羲和", "望舒", "鹿蜀", "文鳐", "旋龟", "九尾", "狰兽", "驺吾",
    "帝江", "耳鼠", "孟极", "冉遗", "鸱久", "蠃鱼", "相柳", "横公", "朱厌", "当扈",
    "鲛人", "犀渠", "夫诸", "数斯", "灭蒙", "玄蜂", "土蝼", "化蛇", "天吴", "强良",
)  # fmt: skip
_TRADES: Final = (
    "影像科技",
    "体外诊断",
    "植介入器械",
    "手术机器人",
    "生命支持设备",
    "康复工程",
    "口腔材料",
    "监护技术",
)


@dataclass(frozen=True, slots=True)
class Enterprise:
    uscc: str
    name: str


def _organisation_code(number: int) -> str:
    """Nine characters with their own check character (GB 11714), as they stand inside a 统一社会信用代码."""
    body = f"DEM{number:05d}"
    total = sum(
        weight * _ALPHABET.index(character) for weight, character in zip(_ORGANISATION_WEIGHTS, body, strict=True)
    )
    return body + "0123456789X"[-total % 11]


def _enterprise(number: int, creature: str) -> Enterprise:
    code = f"914403{_DISTRICTS[number % len(_DISTRICTS)]}{_organisation_code(number + 1)}"
    trade = _TRADES[number % len(_TRADES)]
    return Enterprise(uscc.validate(code + uscc.calc_check_digit(code)), f"深圳{creature}{trade}有限公司（演示）")


ENTERPRISES: Final = tuple(_enterprise(number, creature) for number, creature in enumerate(_CREATURES))
