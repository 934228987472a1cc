"""统一社会信用代码: one compact form, and nothing that its check character does not confirm."""

from __future__ import annotations

import pytest

from ledger.uscc import parse_uscc

CODE = "91440300MA5FX3K72N"


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        CODE.lower(),
        f" {CODE} ",
        "91440300-MA5FX3K72-N",
        "９１４４０３００ＭＡ５ＦＸ３Ｋ７２Ｎ",
        "91440300 MA5FX3K72N",
    ],
)
def test_one_compact_form(text: str) -> None:
    assert parse_uscc(text) == CODE


@pytest.mark.parametrize(
    "text",
    ["", "91440300MA5FX3K72P", "91440300MA5FX3K72", CODE + "0", "91440300MA5FX3K7O2", "９" * 18, CODE * 100, None, 1,],
)  # fmt: skip
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not a unified social credit code"):
        parse_uscc(text)
