"""Puts a changed module in the place of the one that is running, in this process. Meant for a process that is thrown away.

The functions keep who they are, whoever imported them, and get the changed code; constants are replaced wherever they were
imported under their own name. Classes are left as they are, but for their methods.
"""

from __future__ import annotations

import ast
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

PRODUCT: Final = ("ledger", "projections", "api")
RULER: Final = "tests"


def graft(module: ModuleType, tree: ast.Module) -> None:
    """Let ``module`` run as ``tree`` says. Raises whatever the changed module raises when it is imported."""
    code: CodeType = compile(tree, str(module.__file__), "exec", dont_inherit=True)
    changed = _blank(module)
    sys.modules[module.__name__] = changed
    try:
        exec(code, changed.__dict__)
    finally:
        sys.modules[module.__name__] = module
    for name, new in list(vars(changed).items()):
        old = vars(module).get(name)
        if name.startswith("__") or old is new:
            continue
        if isinstance(old, FunctionType) and isinstance(new, FunctionType):
            _graft_function(old, new)
        elif isinstance(old, type) and isinstance(new, type):
            _graft_class(old, new)
        else:
            _replace(name, old, new)


def keep_the_ruler(module: ModuleType) -> None:
    """Give the tests a copy of ``module`` of their own: what measures must not bend with what is measured."""
    pristine = _blank(module)
    assert pristine.__spec__ and pristine.__spec__.loader
    pristine.__spec__.loader.exec_module(pristine)
    for user in _loaded(RULER):
        for name, value in list(vars(user).items()):
            if getattr(value, "__module__", None) == module.__name__ and isinstance(value, FunctionType):
                setattr(user, name, getattr(pristine, value.__name__))


def _blank(module: ModuleType) -> ModuleType:
    assert module.__file__
    spec = spec_from_file_location(module.__name__, module.__file__)
    assert spec is not None
    return module_from_spec(spec)


def _graft_function(old: FunctionType, new: FunctionType) -> None:
    if old.__code__.co_freevars == new.__code__.co_freevars:
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__


def _graft_class(old: type, new: type) -> None:
    for name, its in vars(new).items():
        was = vars(old).get(name)
        if isinstance(its, property) and isinstance(was, property):
            its, was = its.fget, was.fget
        if isinstance(its, FunctionType) and isinstance(was, FunctionType):
            _graft_function(was, its)


def _replace(name: str, old: Any, new: Any) -> None:
    for user in (its for root in PRODUCT for its in _loaded(root)):
        if name in vars(user) and vars(user)[name] is old:
            setattr(user, name, new)


def _loaded(root: str) -> list[ModuleType]:
    return [its for name, its in list(sys.modules.items()) if name == root or name.startswith(f"{root}.")]
