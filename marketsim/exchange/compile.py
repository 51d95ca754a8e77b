"""The rules of populations as machine code, compiled when a run starts.

A rule is compiled for one signature, with the plain functions of its own module that it calls. What Numba would pass
over in silence, such as a float in place of the time of the next wake, is an error here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numba
from numba.core import errors, types

from marketsim.core.errors import PopulationError
from marketsim.core.jit import JIT_DISABLED, jitable
from marketsim.exchange import rules
from marketsim.exchange.kernel.memory import WAKE_ARGUMENTS, WAKE_FUNCTION

for _function in rules.KERNEL_FUNCTIONS:
    jitable(_function)


@functools.cache
def compiled(rule: Callable[..., int]) -> Any:
    """Return a rule compiled; the rule itself where the JIT is off.

    Raises
    ------
    PopulationError
        It does not compile, or does not return an integer; the text names its file and line.
    """
    if JIT_DISABLED:
        return rule
    place = place_of(rule)
    for helper in _helpers(rule, set()):
        jitable(helper)
    # The name of the cache's folder covers every source of this package; a user's helpers it would not see change.
    options: dict[str, Any] = {"error_model": "numpy", "cache": rule.__module__.startswith("marketsim.")}
    try:
        function = numba.njit(WAKE_ARGUMENTS, **options)(rule)
    except errors.NumbaError as error:
        raise PopulationError(f"{place}: found what cannot be compiled: {_first_lines(str(error))}") from error
    result: Any = types.unliteral(function.nopython_signatures[0].return_type)  # type: ignore[no-untyped-call]
    if not isinstance(result, types.Integer) or not result.signed:  # type: ignore[attr-defined]
        raise PopulationError(
            f"{place}: found a result of type {result}, expected int64, the time of the next wake in ns"
        )
    if function.nopython_signatures[0].return_type != types.int64:  # a constant, for one
        function = numba.njit(types.int64(*WAKE_ARGUMENTS), **options)(rule)
    return function


def address_of(function: Any) -> int:
    """Return the machine address of a compiled rule, for kernels; 0 where the JIT is off."""
    if JIT_DISABLED:
        return 0
    from numba.experimental.function_type import _get_jit_address

    return int(_get_jit_address(function, WAKE_FUNCTION.signature))  # type: ignore[no-untyped-call]


def place_of(rule: Callable[..., int]) -> str:
    """Return ``file:line: name`` of a rule."""
    return f"{inspect.getsourcefile(rule)}:{rule.__code__.co_firstlineno}: {rule.__qualname__}"


def _helpers(function: Callable[..., Any], seen: set[FunctionType]) -> Iterator[FunctionType]:
    """Yield the plain functions of the same module that a function calls, directly or through others."""
    for name in function.__code__.co_names:
        helper = function.__globals__.get(name)
        if isinstance(helper, FunctionType) and helper.__module__ == function.__module__ and helper not in seen:
            seen.add(helper)
            yield from _helpers(helper, seen)
            yield helper


def _first_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:6])
