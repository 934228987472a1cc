"""The changes: for each kind of expression and statement, what a person might have written by mistake."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any, Final

Change = tuple[str, ast.AST]
"""What is shown, ``a < b → a <= b``, and the node that takes the place of the old one."""

_COMPARISONS: Final[dict[type[ast.cmpop], list[type[ast.cmpop]]]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
"""The boundary moved by one, and the opposite."""
_ARITHMETIC: Final[dict[type[ast.operator], list[type[ast.operator]]]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.FloorDiv, ast.Add],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.Add],
    ast.Pow: [ast.Mult],
}
_CALLS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_DROPPED: Final = frozenset({"reversed", "abs", "int"})
"""Functions of which the argument alone is taken."""
_CHECKS: Final = frozenset({"strict"})
"""Arguments that, like an assertion, only state what cannot happen."""
_TESTS: Final = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)


def changes_of(node: ast.AST) -> Iterator[Change]:
    """Every change of one node, not of those inside it."""
    for new in _changed(node):
        yield _shown(node, new), ast.copy_location(new, node)


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for position in range(len(values)):
                rest = values[:position] + values[position + 1 :]
                yield rest[0] if len(rest) == 1 else _with(node, values=rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(op=op):
            for other in _ARITHMETIC.get(type(op), []):
                yield _with(node, op=other())
        case ast.Constant():
            yield from _constants(node)
        case ast.FormattedValue():
            yield ast.Constant("")
        case ast.Call():
            yield from _calls(node)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.If(test=test) | ast.While(test=test) if isinstance(test, _TESTS):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=[_, *_]):
            yield _with(node, ifs=[])
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield _with(node, value=ast.Constant(None))
        case ast.Raise():
            yield ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.Assign(value=value) if not _is_none(value):
            yield _with(node, value=ast.Constant(None))
        case ast.AugAssign(op=op):
            for other in _ARITHMETIC.get(type(op), []):
                yield _with(node, op=other())
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for position, op in enumerate(node.ops):
        for other in _COMPARISONS.get(type(op), []):
            yield _with(node, ops=[*node.ops[:position], other(), *node.ops[position + 1 :]])


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool() as value:
            yield ast.Constant(not value)
        case int() as value:
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case str() as value:
            yield ast.Constant(f"XX{value}")


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    match node.func:
        case ast.Name(id=name) if name in _CALLS:
            yield _with(node, func=ast.Name(_CALLS[name], ast.Load()))
            if len(node.args) > 1:
                yield from node.args
        case ast.Name(id=name) if name in _DROPPED and len(node.args) == 1:
            yield node.args[0]
    for position in (k for k, its in enumerate(node.keywords) if its.arg not in _CHECKS):
        yield _with(node, keywords=node.keywords[:position] + node.keywords[position + 1 :])


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    """A shallow copy with other fields; what is inside is shared, and never changed."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _shown(old: ast.AST, new: ast.AST) -> str:
    return f"{_head(old)} → {_head(new)}"


def _head(node: ast.AST) -> str:
    """The node as source; of a statement with others in it, its first line."""
    if isinstance(node, ast.comprehension):
        return ast.unparse(ast.ListComp(ast.Name("…"), [node]))
    if isinstance(node, ast.FormattedValue):
        return ast.unparse(ast.JoinedStr([node]))
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()[0]
