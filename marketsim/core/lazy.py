"""Names that a package exports without importing the modules behind them (PEP 562).

So ``import marketsim.exchange`` costs nothing and ``marketsim validate`` never loads Numba.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def lazy_exports(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` for a package's ``__init__.py``.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    modules : mapping of str to sequence of str
        Module to the names that it defines; the module's name may be relative to the package: ``".book"``.

    Examples
    --------
    In an ``__init__.py``, with the imports once more under ``TYPE_CHECKING`` for type checkers::

        __getattr__, __dir__, __all__ = lazy_exports(__name__, {".book": ["OrderBook"], ".codes": ["Side"]})
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name], package), name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names, sorted(homes)
