import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.core import fmath
from marketsim.core.jit import JIT_DISABLED, inlined

N_POINTS = 2_000 if JIT_DISABLED else 20_000
needs_long_double = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63, reason="needs a long double that is longer than a double"
)


@inlined
def _fill(x, log, exp, quantile, root):
    for i in range(x.size):
        log[i], exp[i], quantile[i], root[i] = (
            fmath.log(x[i]),
            fmath.exp(x[i]),
            fmath.normal_quantile(x[i]),
            fmath.sqrt(x[i]),
        )


FUNCTIONS = (fmath.log, fmath.exp, fmath.normal_quantile, fmath.sqrt)


def compiled(x):
    """What compiled code gives for each function."""
    results = [np.empty_like(x) for _ in FUNCTIONS]
    _fill(x, *results)
    return results


def ulps(found, exact):
    """Distances in units in the last place of the exact value."""
    return np.abs((found.astype(np.longdouble) - exact) / np.spacing(np.abs(exact.astype(np.float64))))


def log_points(rng):
    spread = np.exp2(rng.uniform(-1021, 1023, N_POINTS))
    near_one = 1.0 + rng.uniform(-0.3, 0.5, N_POINTS)
    very_near_one = 1.0 + rng.uniform(-1, 1, N_POINTS) * 2.0 ** rng.integers(-50, -3, N_POINTS)
    uniform = rng.random(N_POINTS)
    return np.concatenate([spread, near_one, very_near_one, uniform[uniform > 0]])


@needs_long_double
def test_log_is_at_most_one_ulp_off():
    x = log_points(np.random.default_rng(1))
    assert ulps(compiled(x)[0], np.log(x.astype(np.longdouble))).max() < 1.0


@needs_long_double
def test_exp_is_at_most_one_ulp_off():
    rng = np.random.default_rng(2)
    x = np.concatenate(
        [rng.uniform(-708, 709.7, N_POINTS), rng.uniform(-2, 2, N_POINTS), rng.uniform(-1e-8, 1e-8, N_POINTS)]
    )
    assert ulps(compiled(x)[1], np.exp(x.astype(np.longdouble))).max() < 1.0


def test_exp_goes_down_to_the_smallest_number():
    for x in (-708.5, -720.0, -744.0, -745.1):
        assert fmath.exp(x) == pytest.approx(math.exp(x), rel=1e-15, abs=5e-324)


def test_normal_quantile_agrees_with_another_writing_of_the_algorithm():
    rng = np.random.default_rng(3)
    p = np.concatenate(
        [rng.random(N_POINTS), 10.0 ** rng.uniform(-300, -1, N_POINTS), 1 - 10.0 ** rng.uniform(-15, -1, N_POINTS)]
    )
    exact = [statistics.NormalDist().inv_cdf(value) for value in p]
    np.testing.assert_allclose(compiled(p)[2], exact, rtol=2e-15, atol=1e-16)


def test_normal_quantile_inverts_the_distribution_function():
    for x in np.linspace(-8, 8, 161).tolist():
        p = 0.5 * math.erfc(-x / math.sqrt(2))
        if p < 0.999:  # above, p itself has lost the tail
            assert fmath.normal_quantile(p) == pytest.approx(x, rel=1e-13, abs=1e-13)


@pytest.mark.skipif(JIT_DISABLED, reason="compares with compiled code")
def test_compiled_and_interpreted_bits_are_equal():
    rng = np.random.default_rng(4)
    points = [
        log_points(rng),
        -log_points(rng),
        rng.uniform(-760, 720, N_POINTS),
        rng.random(N_POINTS),
        np.array([0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 2.2e-308, 1.0, 0.5, 0.075, 0.925, 1e-12, 1.8e308]),
    ]
    x = np.concatenate(points)
    for function, found in zip(FUNCTIONS, compiled(x), strict=True):
        plain = np.array([function(value) for value in x.tolist()])
        nan = np.isnan(plain)
        assert (np.isnan(found) == nan).all()
        assert found[~nan].tobytes() == plain[~nan].tobytes(), function.__name__


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_argument_raises(x):
    for function in FUNCTIONS:
        assert isinstance(function(x), float)


def test_ends_of_the_ranges_are_as_in_ieee_754():
    assert fmath.log(0.0) == -math.inf
    assert fmath.log(math.inf) == math.inf
    assert math.isnan(fmath.log(-1.0))
    assert fmath.log(1.0) == 0.0
    assert fmath.exp(0.0) == 1.0
    assert fmath.exp(-math.inf) == 0.0
    assert fmath.exp(710.0) == math.inf
    assert fmath.exp(-746.0) == 0.0
    assert fmath.normal_quantile(0.5) == 0.0
    assert (fmath.normal_quantile(0.0), fmath.normal_quantile(1.0)) == (-math.inf, math.inf)
    assert math.isnan(fmath.normal_quantile(-0.1))
    assert math.isnan(fmath.normal_quantile(1.1))
    assert math.isnan(fmath.sqrt(-1.0))


@given(st.floats(0.001, 0.499))
def test_normal_quantile_is_odd_about_one_half(offset):
    assert fmath.normal_quantile(0.5 - offset) == pytest.approx(-fmath.normal_quantile(0.5 + offset), rel=1e-12)


@inlined
def _fill_angles(x, sine, cosine):
    for i in range(x.size):
        sine[i], cosine[i] = fmath.sine(x[i]), fmath.cosine(x[i])


@needs_long_double
@pytest.mark.parametrize("scale", [1.0, 100.0, 1e6, 1e9])
def test_sine_and_cosine_are_as_exact_as_they_say(scale):
    x = np.random.default_rng(6).uniform(-scale, scale, N_POINTS)
    sine, cosine = np.empty_like(x), np.empty_like(x)
    _fill_angles(x, sine, cosine)
    for found, exact in ((sine, np.sin(x.astype(np.longdouble))), (cosine, np.cos(x.astype(np.longdouble)))):
        assert (np.abs(found - exact) <= 1.2e-16 * (1 + np.abs(x))).all()


def test_sine_and_cosine_are_the_same_bits_interpreted():
    x = np.random.default_rng(7).uniform(-1e5, 1e5, 500)
    sine, cosine = np.empty_like(x), np.empty_like(x)
    _fill_angles(x, sine, cosine)
    assert sine.tolist() == [fmath.sine(float(value)) for value in x]
    assert cosine.tolist() == [fmath.cosine(float(value)) for value in x]
    assert (fmath.sine(0.0), fmath.cosine(0.0)) == (0.0, 1.0)
