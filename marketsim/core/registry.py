"""Kinds named by strings, imported when used.

A registry maps the ``kind`` of a scenario table to a class, ``"twap" -> "marketsim.agents.twap:TwapExecutor"``, so that
no package has to import what it does not use. A user's own class is named ``"my_module:MyTrader"``; its module is
looked for in the scenario's folder first, then among the installed ones.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from marketsim.core.errors import PluginError


def nearest_names(name: str, names: Iterable[str]) -> str:
    """Return ``"; did you mean X or Y?"`` with the names most like ``name``; empty where none is like it."""
    likely = difflib.get_close_matches(name, list(names), n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(likely)}?" if likely else ""


def is_plugin(kind: str) -> bool:
    """Say whether a kind names a user's class, ``"my_module:Name"``, whose module runs when it is resolved."""
    return ":" in kind


class Registry:
    """The kinds of one sort of thing.

    Parameters
    ----------
    kinds : mapping of str to str
        Kind to ``"package.module:Class"``.
    what : str
        What a kind is, for messages: ``"population"``.
    """

    def __init__(self, kinds: Mapping[str, str], what: str) -> None:
        self.kinds, self.what = dict(kinds), what

    def resolve(self, kind: str, base_dir: Path | None = None) -> Any:
        """Return the class that a kind names, importing its module.

        Parameters
        ----------
        kind : str
            A known kind, or ``"my_module:Name"`` for a user's own class.
        base_dir : Path, optional
            The scenario's folder, where ``my_module.py`` is looked for.

        Raises
        ------
        ValueError
            No such kind; the text begins with ``expected`` and gives the nearest names.
        PluginError
            The user's module is missing or fails when imported, or has no such class.
        """
        if kind in self.kinds:
            module, _, name = self.kinds[kind].partition(":")
            return getattr(importlib.import_module(module), name)
        if not is_plugin(kind):
            known = ", ".join(sorted(self.kinds))
            hint = nearest_names(kind, self.kinds)
            raise ValueError(f'expected a {self.what}: {known}, or "module:Class" for one of your own{hint}')
        module, _, name = kind.partition(":")
        loaded = load_user_module(module, base_dir)
        found = getattr(loaded, name, None)
        if not isinstance(found, type):
            classes = [key for key, value in vars(loaded).items() if isinstance(value, type)]
            raise PluginError(
                loaded.__file__ or module, 0, f"{kind}: found no class {name} in it{nearest_names(name, classes)}"
            )
        return found


def user_module_file(module: str, base_dir: Path | None) -> Path | None:
    """Return the file of a user's module in the scenario's folder; None where it is not there."""
    if base_dir is None:
        return None
    stem = base_dir.joinpath(*module.split("."))
    candidates = (stem.with_name(stem.name + ".py"), stem / "__init__.py")
    return next((path.resolve() for path in candidates if path.is_file()), None)


def load_user_module(module: str, base_dir: Path | None = None) -> ModuleType:
    """Import a user's module from the scenario's folder, or an installed one.

    Modules of one name in two folders stay apart; a module is imported once per file.

    Raises
    ------
    PluginError
        There is no such module, or its code fails.
    """
    if not all(part.isidentifier() for part in module.split(".")):
        raise PluginError(module, 0, 'found no name of a module, expected "my_module:Class"')
    file = user_module_file(module, base_dir)
    if file is None:
        return _import_installed(module, base_dir)
    known = sys.modules.get(module)
    if known is None:
        name = module
    elif getattr(known, "__file__", None) == str(file):
        return known
    else:
        name = f"{module}@{file.parent}"
        if name in sys.modules:
            return sys.modules[name]
    return _execute(name, file)


def _execute(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(file, 0, "found no Python module")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    try:
        with _on_path(file.parent):
            spec.loader.exec_module(loaded)
    except Exception as error:  # the code is the user's, and so is whatever it raises
        del sys.modules[name]
        raise PluginError(file, _line_of(error, file), f"{type(error).__name__}: {error}") from error
    return loaded


def _import_installed(module: str, base_dir: Path | None) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise PluginError(module, 0, f"ModuleNotFoundError: {error}") from error
        where = f"in {base_dir} or " if base_dir is not None else ""
        raise PluginError(module, 0, f"found no module {module} {where}among the installed ones") from None
    except Exception as error:  # as above
        raise PluginError(module, 0, f"{type(error).__name__}: {error}") from error


def _line_of(error: Exception, file: Path) -> int:
    """Return the line of a user's file where importing it failed; 0 where the fault stands elsewhere."""
    if isinstance(error, SyntaxError):
        return (error.lineno or 0) if error.filename == str(file) else 0
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return (lines[-1] or 0) if lines else 0


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    """Let a user's module import its neighbours."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
