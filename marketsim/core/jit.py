"""The only file that configures Numba: decorators, where compiled code is kept, and the intrinsics that kernels share.

Import it before any kernel is defined. With ``NUMBA_DISABLE_JIT=1`` kernels run as plain Python, for debugging and
coverage; intrinsics do not exist then, so arrays enter as arrays (``docs/debugging-kernels.md``).
"""

from __future__ import annotations

import functools
import gc
import operator
import os
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, event
from numba.extending import NativeValue, intrinsic, models, overload, register_model, unbox

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


class _CollectorRest(event.Listener):
    """Stops Python's garbage collector while Numba compiles.

    The compiler makes millions of objects that live until it is done; walking them over and over took an eighth of its
    time.
    """

    _depth = 0

    def on_start(self, event: Any) -> None:
        """Stop it at the outermost function."""
        if self._depth == 0:
            self._was_on = gc.isenabled()
            gc.disable()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        """Start it again, where it was on."""
        self._depth -= 1
        if self._depth == 0 and self._was_on:
            gc.enable()


event.register("numba:compile", _CollectorRest())  # type: ignore[no-untyped-call]


# ---- Decorators ---------------------------------------------------------------------------------------------

kernel: Final = numba.njit(cache=True, error_model="numpy")
"""Decorator of an entry that Python calls: compiled at its first call and kept on disk.

Kernels never take a function as an argument: such a kernel is never kept and compiles in every process.
"""

kernel_without_gil: Final = numba.njit(cache=True, error_model="numpy", nogil=True)
"""The same, and other threads run meanwhile, such as the one that writes tables: for entries that run for long. Nobody
else may touch the arrays while it runs; signals are served when it returns, as with any kernel."""

_INLINED: Final[Any] = {"forceinline": True, "error_model": "numpy"}
_NO_WRAPPERS: Final[Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_HELPER: Final[Any] = _INLINED | _NO_WRAPPERS


def inlined(function: F) -> F:
    """Decorate a helper that kernels call; it vanishes into them.

    Arrays passed between functions that are not inlined cost reference counts, four to ten times the work itself. A
    third of the time of compilation went into wrappers through which Python could call each helper, unpacking dozens of
    arrays: so helpers have none, and where Python does call one it is compiled once more, with a wrapper.
    """
    if JIT_DISABLED:
        return function
    helper: Any = numba.njit(**_HELPER)(function)
    helper.add_overload = lambda compiled: helper.overloads.update({tuple(compiled.signature.args): compiled})
    called_from_python = functools.cache(lambda: numba.njit(**_INLINED)(function))
    helper._compile_for_args = lambda *arguments, **named: called_from_python()
    return cast("F", helper)


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
        overload(function, jit_options=_HELPER, strict=False)(lambda *arguments: function)
    return function


_REGISTERED: set[Callable[..., Any]] = set()


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


# ---- The quick way in ---------------------------------------------------------------------------------------


class IndexType(types.Type):
    """An argument that may be any Python object with ``__index__``; inside a kernel ``as_int64`` gives its number.

    Python's own conversion is made, with its own errors: ``TypeError`` for a float or a str, ``OverflowError`` beyond
    64 bits. So an entry needs no checks in Python, and is not compiled anew for an ``IntEnum`` or a NumPy integer.
    """

    def __init__(self) -> None:
        super().__init__(name="Index")


index: Final = IndexType()


@register_model(IndexType)
class _IndexModel(models.PrimitiveModel):
    def __init__(self, manager: Any, index_type: IndexType) -> None:
        super().__init__(manager, index_type, ir.IntType(64))  # type: ignore[no-untyped-call]


@unbox(IndexType)  # type: ignore[no-untyped-call]
def _unbox_index(index_type, thing, context):  # type: ignore[no-untyped-def]
    """Convert an argument; -1 may be a number or the sign of an error."""
    builder = context.builder
    value = context.pyapi.long_as_longlong(thing)
    failed = cgutils.alloca_once_value(builder, cgutils.false_bit)  # type: ignore[no-untyped-call]
    with builder.if_then(builder.icmp_signed("==", value, value.type(-1)), likely=False):
        builder.store(context.pyapi.c_api_error(), failed)
    return NativeValue(value, is_error=builder.load(failed))  # type: ignore[no-untyped-call]


@intrinsic
def as_int64(typing_context, argument):  # type: ignore[no-untyped-def]
    """Return the number of an ``index`` argument."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return arguments[0]

    return types.int64(index), generate


def direct(entry: Any, signature: Any) -> Callable[..., int]:
    """Return a kernel compiled for one signature, without the look at each argument's type before a call.

    That look costs as much as the rest of the call. ``index`` arguments bring checks of their own; for an argument of
    any other type the caller must see to it.

    Parameters
    ----------
    entry : kernel
        It returns an integer.
    signature : numba signature
        Types of its arguments and of its result.
    """
    if JIT_DISABLED:
        return lambda *arguments: int(entry(*arguments))
    entry.compile(signature.args)
    return cast("Callable[..., int]", entry.overloads[signature.args].entry_point)


if JIT_DISABLED:

    def as_int64(argument):  # type: ignore[misc,no-untyped-def]
        """Return the number of an ``index`` argument, with the errors of the compiled conversion."""
        number = operator.index(argument)
        if not -(1 << 63) <= number < 1 << 63:
            raise OverflowError("int too big to convert")
        return number


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
        overload(function, jit_options=_HELPER, strict=False)(lambda a, b, form=form: form)
    _REGISTERED.update(quick)
    for function in (*fmath.KERNEL_FUNCTIONS, *rng.KERNEL_FUNCTIONS):
        jitable(function)


_register_core()
