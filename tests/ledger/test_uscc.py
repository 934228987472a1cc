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
    ["", "91440300MA5FX3K72P", "91440300MA5FX3K72", CODE + "0", "91440300MA5FX3K7O2", "９" * 18, CODE * 100, None, 1,
     "000000000000000000", "09440300MA5FX3K727", "90440300MA5FX3K72R", "91000000MA5FX3K72U"],
)  # fmt: skip
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not a unified social credit code"):
        parse_uscc(text)


@pytest.mark.parametrize(
    "code", ["N2440300MF5FX3K72G", "A1110000MA5FX3K72M", "Y1440300MA5FX3K721", "31440000455766543H"]
)
def test_bodies_of_every_department_are_taken(code: str) -> None:
    """The check character is right; the department is a letter for rural collectives, the army and others."""
    assert parse_uscc(code) == code
