import os
import subprocess
import sys
import textwrap

import numba
import numpy as np
import pytest

from marketsim.core import jit
from marketsim.core.jit import JIT_DISABLED, errstate, first_bit, inlined, jitable, pointer, prefetch
from marketsim.core.kernel_cache import cache_folder

compiled_only = pytest.mark.skipif(JIT_DISABLED, reason="there are no intrinsics without JIT")


def python(code, **environment):
    """Run a program in a process of its own and return what it prints; warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    process = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout.split()


def double(x):
    return 2 * x


def quadruple(x):
    return double(double(x))


@inlined
def _eight(x):
    return double(quadruple(x))


@inlined
def _through_pointer(address, length):
    prefetch(address)
    values = numba.carray(pointer(address), length, np.int64)
    total = 0
    for i in range(length):
        total += values[i]
        values[i] = 0
    return total


@inlined
def _first_bit(word):
    return first_bit(word)


def test_a_plain_function_becomes_callable_from_kernels_and_stays_plain():
    assert jitable(double) is double
    assert jitable(quadruple) is quadruple
    assert jitable(double) is double
    assert _eight(5) == 40
    assert quadruple(5) == 20


@compiled_only
def test_a_pointer_reads_and_writes_the_array_itself():
    values = np.array([3, 4, 5], np.int64)
    assert _through_pointer(values.ctypes.data, 3) == 12
    assert values.tolist() == [0, 0, 0]


@compiled_only
@pytest.mark.parametrize("place", [0, 1, 31, 32, 63])
def test_first_bit_is_the_lowest_that_is_set(place):
    assert _first_bit(np.uint64((1 << place) | (1 << 63))) == place


def test_uint64_wraps_in_silence_within_errstate():
    with errstate():
        assert np.uint64(2**64 - 1) + np.uint64(2) == 1


@pytest.mark.skipif("NUMBA_CACHE_DIR" in os.environ, reason="the user's own folder wins")
def test_compiled_code_goes_to_our_folder():
    assert str(cache_folder()) == numba.config.CACHE_DIR


def test_a_users_own_cache_folder_wins(tmp_path):
    code = "from marketsim.core import jit; import numba; print(numba.config.CACHE_DIR)"
    assert python(code, NUMBA_CACHE_DIR=str(tmp_path)) == [str(tmp_path)]


DRAWS = """
    import numba
    from marketsim.core import fmath, rng
    from marketsim.core.jit import JIT_DISABLED

    @numba.njit(error_model="numpy")
    def draw(counters):
        a, b, c, d = rng.uniforms(counters, 3)
        return fmath.log(a) + fmath.exp(b) + fmath.normal_quantile(c) + fmath.sqrt(d)

    key = rng.stream_key(1, 0, "exchange", "value", "wake")
    print(JIT_DISABLED, draw(rng.counters(key, 2, 5)).hex())
"""


def test_draws_have_equal_bits_in_processes_with_and_without_jit():
    disabled, plain = python(DRAWS, NUMBA_DISABLE_JIT="1")
    enabled, compiled = python(DRAWS, NUMBA_DISABLE_JIT="0")
    assert (disabled, enabled) == ("True", "False")
    assert plain == compiled


def test_bounds_checks_are_really_on_although_the_cache_is_warm(tmp_path):
    (tmp_path / "kernels.py").write_text(
        textwrap.dedent(
            """
            from marketsim.core.jit import kernel

            @kernel
            def read(values, place):
                return values[place]
            """
        )
    )
    code = """
        import numpy as np
        from kernels import read
        try:
            read(np.zeros(4)[:2], 3)
            print("unchecked", sum(read.stats.cache_hits.values()))
        except IndexError:
            print("checked")
    """
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "0"}
    assert python(code, NUMBA_BOUNDSCHECK="0", **home) == ["unchecked", "0"]
    assert python(code, NUMBA_BOUNDSCHECK="0", **home) == ["unchecked", "1"]
    assert python(code, NUMBA_BOUNDSCHECK="1", **home) == ["checked"]


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("marketsim", "numba numpy pydantic mesa pandas pyarrow matplotlib scipy"),
        ("marketsim.core.errors", "numba numpy pydantic"),
        ("marketsim.core.units", "numba numpy"),
        ("marketsim.core.config", "numba numpy"),
        ("marketsim.core.registry", "numba numpy pydantic"),
        ("marketsim.core.tables", "numba numpy pyarrow"),
        ("marketsim.core.venue", "numba numpy pyarrow"),
        ("marketsim.core.kernel_cache", "numba numpy"),
        ("marketsim.core.rng", "numba"),
        ("marketsim.core.fmath", "numba numpy"),
    ],
)
def test_light_modules_load_nothing_heavy(module, absent):
    code = f"import sys, {module}; print(*(set({absent.split()}) & set(sys.modules)))"
    assert python(code) == []


def test_settings_are_public():
    assert bool(numba.config.DISABLE_JIT) == jit.JIT_DISABLED
    assert bool(numba.config.BOUNDSCHECK) == jit.BOUNDS_CHECKED
