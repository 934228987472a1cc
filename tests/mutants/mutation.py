"""What a mutant is, and the changes that make one: small mistakes that a person could have made in one line of the rules.

Left out, because no scenario can see them and no money hangs on them:

- *texts*: everything inside ``Text(…)``, inside a function that returns ``Text`` or a call of one, the whole of wording.py
  and the functions named in ``WRITTEN``, and every string that is a sentence (holds a blank or a Chinese character) where
  it is neither a key nor part of a pattern. The features check amounts, articles and reasons; the sentences that tell them
  to people are checked by the tests of the calculation sheet and of the refusals;
- *what cannot be read*: an ``if`` that does nothing but raise ``ValueError``, ``KeyError`` or ``Malformed``, functions that
  return ``FieldError`` and calls that note one, and the largest and least values that a form may hold
  (``_LIMITS_OF_FORM``). A slip on a form is no claim: it is sent back with the field at fault before anything is decided,
  and the steps of a feature could not even write it. The tests of the particulars and of the API give such input;
- *assertions*, private functions that only assertions call, ``assert_never`` and ``strict=True``: they state what cannot
  happen, so that nothing that happens can tell them from their opposite;
- what is no computation: docstrings, types, imports, ``__all__``, decorators, the stored words of an enumeration.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.operators import changes_of

WRITTEN: Final = frozenset({"format_policy_amount", "field_of"})
"""Functions that write for people, although they return a plain string: amounts, and the names of fields at fault."""
TEXT_MODULES: Final = frozenset({"wording.py"})
_SENTENCE: Final = re.compile(r"[ \u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Name:
    """How a mutant is known: by what is written where, not by a line's number, so that it stays the same mutant when lines
    are added above. ``nth`` tells apart equal changes to equal lines of one function.
    """

    file: str
    function: str
    line: str
    change: str
    nth: int = 1

    def __str__(self) -> str:
        again = f" (no. {self.nth})" if self.nth > 1 else ""
        return f"{self.file} {self.function}{again}\n    {self.line}\n    {self.change}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change to one file, at line ``number``. ``statement`` is the line of the statement that it stands in; None at the
    level of the module, which runs when it is imported.
    """

    name: Name
    number: int
    statement: int | None
    make: Callable[[], ast.Module]


def mutants_of(path: Path, root: Path, all_sources: Sequence[str]) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines. ``all_sources`` are the files among which calls are looked up."""
    if path.name in TEXT_MODULES:
        return []
    source = path.read_text(encoding="utf-8")
    return _Reader(path.relative_to(root).as_posix(), source, text_functions(all_sources)).mutants()


def text_functions(sources: Sequence[str]) -> frozenset[str]:
    """The names of all functions that return ``Text`` or ``FieldError``, and those in ``WRITTEN``."""
    found = {
        node.name
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) in _TEXTS
    }
    return frozenset(found | WRITTEN)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: ``steps`` lead from the module to the node."""

    steps: tuple[tuple[str, int | None], ...]
    function: str
    statement: int | None

    def down(self, field: str, position: int | None) -> _Place:
        return _Place((*self.steps, (field, position)), self.function, self.statement)


class _Reader:
    def __init__(self, file: str, source: str, texts: frozenset[str]) -> None:
        self._file, self._source_lines, self._texts = file, source.splitlines(), texts
        self._tree = ast.parse(source)
        self._asserting = _only_asserting(self._tree)
        self._counts: Counter[Name] = Counter()

    def mutants(self) -> list[Mutant]:
        return list(self._walk(self._tree, _Place((), "", None)))

    def _walk(self, node: ast.AST, at: _Place) -> Iterator[Mutant]:
        if self._left_out(node):
            return
        at = self._entered(node, at)
        if isinstance(node, ast.stmt | ast.expr | ast.comprehension):
            for change, new in changes_of(node):
                yield self._mutant(node, at, change, new)
        for field, value in ast.iter_fields(node):
            if field in _NO_COMPUTATION:
                continue
            for position, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST) and not (field == "keys" and _is_word(child)):
                    yield from self._walk(child, at.down(field, position))

    def _entered(self, node: ast.AST, at: _Place) -> _Place:
        function = at.function
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}" if function else node.name
        statement = at.statement
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            statement = node.lineno if at.function and not _only_class(at.function) else None
        return _Place(at.steps, function, statement)

    def _left_out(self, node: ast.AST) -> bool:
        match node:
            case ast.Assert() | ast.Import() | ast.ImportFrom() | ast.JoinedStr(values=[ast.Constant()]):
                return True
            case ast.keyword(arg="strict"):
                return True
            case ast.FunctionDef():
                return node.name in self._texts or node.name in self._asserting
            case ast.Expr(value=ast.Call(args=[ast.Call(func=ast.Name(id=noted))])):
                return noted in self._texts
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]) if (
                _LIMITS_OF_FORM.search(name)
            ):
                return True
            case ast.If(body=[ast.Raise(exc=ast.Call(func=ast.Name(id=fault)))], orelse=[]) if fault in _UNREADABLE:
                return True
            case ast.ClassDef():
                return any(isinstance(base, ast.Name) and base.id.endswith("Enum") for base in node.bases)
            case ast.Call():
                return self._writes_text(node.func)
            case ast.Expr(value=ast.Constant() | ast.Call(func=ast.Name(id="assert_never"))):
                return True
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                return True
            case ast.Assign(value=ast.Subscript(value=ast.Name(id="tuple")) | ast.BinOp(op=ast.BitOr())):
                return True
            case ast.Assign(value=ast.Constant(value=str() as word)):
                return bool(_SENTENCE.search(word))
            case ast.Constant(value=str() as word) | ast.JoinedStr(values=[ast.Constant(value=str() as word), *_]):
                return bool(_SENTENCE.search(word)) and not word.startswith("(")
        return False

    def _writes_text(self, called: ast.expr) -> bool:
        match called:
            case ast.Name(id=name):
                return name == "Text" or name in self._texts or name in _FAULTS
            case ast.Attribute(value=ast.Name(id=module)):
                return f"{module}.py" in TEXT_MODULES
        return False

    def _mutant(self, node: ast.AST, at: _Place, change: str, new: ast.AST) -> Mutant:
        number = getattr(node, "lineno", None) or next(its.lineno for its in ast.walk(node) if hasattr(its, "lineno"))
        line = self._source_lines[number - 1].strip()
        same = Name(self._file, at.function or "(module)", line, change)
        self._counts[same] += 1
        name = Name(same.file, same.function, line, change, self._counts[same])
        return Mutant(name, number, at.statement, lambda: self._made(at, new))

    def _made(self, at: _Place, new: ast.AST) -> ast.Module:
        tree = copy.deepcopy(self._tree)
        node: ast.AST = tree
        for field, position in at.steps[:-1]:
            node = _child(node, field, position)
        field, position = at.steps[-1]
        if position is None:
            setattr(node, field, new)
        else:
            getattr(node, field)[position] = new
        return ast.fix_missing_locations(tree)


_NO_COMPUTATION: Final = frozenset({"annotation", "returns", "decorator_list", "bases", "pattern", "ctx"})
_TEXTS: Final = frozenset({"Text", "FieldError", "list[FieldError]"})
_LIMITS_OF_FORM: Final = re.compile(r"_(MOST|LARGEST)$|^(YEARS|MONTHS|COUNTS)$")
_UNREADABLE: Final = frozenset({"ValueError", "KeyError", "Malformed", "Unreadable"})
_FAULTS: Final = frozenset({"Unreadable", "ValueError", "KeyError", "AssertionError", "assert_never", "TypeVar"})
"""What is called to name a fault: its words are for people."""


def _only_asserting(tree: ast.Module) -> set[str]:
    """The private names that stand in assertions and nowhere else: what they do changes nothing."""
    asserted = [its for node in ast.walk(tree) if isinstance(node, ast.Assert) for its in ast.walk(node)]
    inside = {id(its) for its in asserted}
    elsewhere = {its.id for its in ast.walk(tree) if isinstance(its, ast.Name) and id(its) not in inside}
    names = {its.id for its in asserted if isinstance(its, ast.Name)}
    return {name for name in names - elsewhere if name.startswith("_")}


def _child(node: ast.AST, field: str, position: int | None) -> ast.AST:
    value = getattr(node, field)
    found = value if position is None else value[position]
    assert isinstance(found, ast.AST)
    return found


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and not _SENTENCE.search(node.value)


def _only_class(function: str) -> bool:
    """Whether a statement stands in a class and in no method: ``Entitlement``, not ``Entitlement.cut``."""
    last = function.rpartition(".")[2]
    return last.lstrip("_")[:1].isupper()
