"""The only file that configures Numba: decorators, where compiled code is kept, and the intrinsics that kernels share.

Import it before any kernel is defined. With ``NUMBA_DISABLE_JIT=1`` kernels run as plain Python, for debugging and
coverage; intrinsics do not exist then, so arrays enter as arrays (``docs/debugging-kernels.md``).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from marketsim.core import fmath, rng
from marketsim.core.kernel_cache import cache_folder, remove_old_caches

F = TypeVar("F", bound=Callable[..., Any])

_config: Any = numba.config  # its settings appear when it is loaded, unseen by type checkers

JIT_DISABLED: Final[bool] = bool(_config.DISABLE_JIT)
"""Whether kernels run as plain Python (``NUMBA_DISABLE_JIT=1``)."""

BOUNDS_CHECKED: Final[bool] = bool(_config.BOUNDSCHECK)
"""Whether compiled code checks indices (``NUMBA_BOUNDSCHECK=1``)."""

if not os.environ.get("NUMBA_CACHE_DIR"):
    remove_old_caches()
    _config.CACHE_DIR = str(cache_folder())


# ---- Decorators ---------------------------------------------------------------------------------------------

kernel: Final = numba.njit(cache=True, error_model="numpy")
"""Decorator of an entry that Python calls: compiled at its first call and kept on disk.

Kernels never take a function as an argument: such a kernel is never kept and compiles in every process.
"""

inlined: Final = numba.njit(forceinline=True, error_model="numpy")
"""Decorator of a helper that kernels call; it vanishes into them. Arrays passed between functions that are not inlined
cost reference counts, four to ten times the work itself."""

spliced: Final = numba.njit(inline="always", error_model="numpy")
"""Decorator of a helper whose source is spliced into the kernels that call it, before anything is compiled: for helpers
that take many arrays at once, such as a named tuple of them, where each function compiled by itself costs 0.3 s."""

stage: Final = numba.njit(error_model="numpy")
"""Decorator of a helper that stays a function of its own: for the big parts of a kernel, which are then compiled once
and not again inside all that call them. Give it numbers and a table of addresses, never arrays of its caller."""


def jitable(function: F) -> F:
    """Let kernels call a plain Python function, which stays one, and vanishes into them.

    So files with rules need no Numba to be read. All that the function calls must be jitable too. Registering twice is
    harmless.
    """
    if not JIT_DISABLED and function not in _REGISTERED:
        _REGISTERED.add(function)
        overload(function, jit_options=_INLINED, strict=False)(lambda *arguments: function)
    return function


_REGISTERED: set[Callable[..., Any]] = set()
_INLINED: Any = {"forceinline": True, "error_model": "numpy"}


def errstate() -> np.errstate:
    """Return a context in which uint64 numbers wrap without a word, as compiled ones do; for kernels run as Python."""
    return np.errstate(over="ignore")


# ---- Intrinsics: none of them can be called from Python -----------------------------------------------------


@intrinsic
def pointer(typing_context, address):  # type: ignore[no-untyped-def]
    """Return an address, an int64, as the pointer that ``numba.carray`` wants."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@intrinsic
def first_bit(typing_context, word):  # type: ignore[no-untyped-def]
    """Return the number of the lowest set bit of a uint64; undefined for 0."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@intrinsic
def prefetch(typing_context, address):  # type: ignore[no-untyped-def]
    """Ask for the cache line at an address that will be needed soon. Harmless at any address."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        byte, number = context.get_value_type(types.voidptr), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        read, keep, data = (ir.Constant(number, value) for value in (0, 3, 1))
        builder.call(function, [builder.inttoptr(arguments[0], byte), read, keep, data])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def _high_product(typing_context, a, b):  # type: ignore[no-untyped-def]
    """Return the high half of a 128-bit product: one instruction."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


# ---- What kernels may call of the plain functions of core ---------------------------------------------------


def _register_core() -> None:
    """Register ``fmath`` and ``rng``; three primitives of Philox in a quicker form of equal bits."""
    if JIT_DISABLED:
        return
    quick: dict[Callable[..., Any], Callable[..., Any]] = {
        rng.high_product: lambda a, b: _high_product(a, b),  # type: ignore[call-arg]
        rng.low_product: lambda a, b: a * b,
        rng.wrapped_sum: lambda a, b: a + b,
    }
    for function, form in quick.items():
        overload(function, jit_options=_INLINED, strict=False)(lambda a, b, form=form: form)
    _REGISTERED.update(quick)
    for function in (*fmath.KERNEL_FUNCTIONS, *rng.KERNEL_FUNCTIONS):
        jitable(function)


_register_core()
