"""The book that the officer signs: one file, no script, made to be printed on A4."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import jinja2

from tests.trace import words
from tests.trace.numbers import HIGHER, LOWER
from tests.trace.told import Matrix

TEMPLATE: Final = "book.html"
_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html_book(matrix: Matrix) -> str:
    template = _ENVIRONMENT.get_template(TEMPLATE)
    return template.render(matrix=matrix, policy=matrix.policy, words=words, LOWER=LOWER, HIGHER=HIGHER)
