"""The calculation sheet as one page of HTML (核算表): whole in itself, to be kept, mailed and printed offline."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from projections.amounts import grouped_yuan
from projections.sheet import Sheet

_HERE: Final = Path(__file__).parent
_STYLE: Final = _HERE / "static" / "sheet.css"


def sheet_page(sheet: Sheet) -> str:
    """The page, in Chinese, as the office files it. Its style is in it; it has no script and asks for nothing."""
    return _templates().get_template("sheet.html").render(sheet=sheet, style=Markup(_style()))


def sheet_page_policy() -> str:
    """The Content-Security-Policy under which the page may be shown: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _style() -> str:
    style = _STYLE.read_text(encoding="utf-8")
    assert "<" not in style, "it stands within an element"
    return style


@cache
def _templates() -> Environment:
    templates = Environment(loader=FileSystemLoader(_HERE / "templates"), undefined=StrictUndefined, autoescape=True)
    templates.filters["yuan"] = grouped_yuan
    return templates
