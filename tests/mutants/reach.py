"""Which scenarios run which statements: only they are asked about a change there.

The statements say so themselves: each is preceded by a mark. (Tracing the interpreter tells the same, at twice the time.)
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

from tests.mutants.graft import graft

_MARK: Final = "__reached__"
_BLOCKS: Final = ("body", "orelse", "finalbody")


def mark(module: ModuleType) -> set[tuple[str, int]]:
    """Let the functions of ``module`` tell what they run, in this process. What runs when it is imported is told now."""
    assert module.__file__
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            _mark_blocks(node, module.__name__)
    with watched() as imported:
        graft(module, ast.fix_missing_locations(tree))
    return imported


@contextmanager
def watched() -> Iterator[set[tuple[str, int]]]:
    """Note which statements of the marked modules run: the module's name, and the statement's line."""
    reached: set[tuple[str, int]] = set()
    setattr(builtins, _MARK, lambda module, line: reached.add((module, line)))
    yield reached


def _mark_blocks(node: ast.AST, module: str) -> None:
    for field in _BLOCKS:
        block = getattr(node, field, None)
        if isinstance(block, list):
            setattr(node, field, [its for statement in block for its in (_marked(module, statement), statement)])
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.FunctionDef | ast.Expr):
            _mark_blocks(inner, module)


def _marked(module: str, statement: ast.stmt) -> ast.stmt:
    told: list[ast.expr] = [ast.Constant(module), ast.Constant(statement.lineno)]
    return ast.Expr(ast.Call(ast.Name(_MARK, ast.Load()), told, []))
