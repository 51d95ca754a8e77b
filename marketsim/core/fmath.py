"""Elementary functions whose bits are the same everywhere.

They use only ``+ - * /`` and ``sqrt``, which IEEE 754 rounds correctly, and ``frexp`` and ``ldexp``, which are exact:
the same result compiled or interpreted, with or without FMA and AVX. The C library's ``log`` and ``exp`` change
bits with the processor. Whatever reaches an event log goes through here. These are plain functions of one float;
``core.jit`` lets kernels call them too.

Measured over the range: ``log`` at most 1 ulp off, ``exp`` at most 1, ``normal_quantile`` at most 1e-15 relative.

References
----------
Sun Microsystems (1993), fdlibm 5.3, ``e_log.c``, ``e_exp.c``, ``k_sin.c``, ``k_cos.c``: polynomials and the splits of
ln 2 and pi / 2.
Wichura (1988), Algorithm AS 241, Applied Statistics 37(3), 477-484: ``normal_quantile`` (PPND16).
"""

from __future__ import annotations

import math
from typing import Final

_INFINITY: Final = math.inf
_NAN: Final = math.nan

_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10
_PER_LN2: Final = 1.44269504088896338700
_SQRT_HALF: Final = 0.7071067811865476
_TWO_PER_PI: Final = 6.36619772367581382433e-01
_QUARTER_A: Final = 1.57079632673412561417e00
_QUARTER_B: Final = 6.07710050630396597660e-11
_QUARTER_C: Final = 2.02226624879595063154e-21
_EXP_OVERFLOWS: Final = 709.782712893383973096
_EXP_VANISHES: Final = -745.133219101941108420


def sqrt(x: float) -> float:
    """Return the square root; nan for a negative number."""
    if x < 0.0:
        return _NAN
    return math.sqrt(x)


def log(x: float) -> float:
    """Return the natural logarithm; -inf for 0, nan for a negative number."""
    if not 0.0 < x < _INFINITY:
        if x == 0.0:
            return -_INFINITY
        return x if x > 0.0 else _NAN
    x, exponent = math.frexp(x)
    if x < _SQRT_HALF:
        x, exponent = x * 2.0, exponent - 1
    f = x - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    odd = w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    polynomial = even + z * (6.666666666666735130e-01 + odd)
    half = 0.5 * f * f
    return exponent * _LN2_HIGH - ((half - (s * (half + polynomial) + exponent * _LN2_LOW)) - f)


def exp(x: float) -> float:
    """Return e to the power of x; inf above 709.78, 0 below -745.13."""
    if not _EXP_VANISHES <= x <= _EXP_OVERFLOWS:
        if x < 0.0:
            return 0.0
        return _INFINITY if x > 0.0 else _NAN
    power = int(x * _PER_LN2 + (0.5 if x >= 0.0 else -0.5))
    high, low = x - power * _LN2_HIGH, power * _LN2_LOW
    r = high - low
    t = r * r
    p = -1.65339022054652515390e-06 + t * 4.13813679705723846039e-08
    p = 1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03 + t * (6.61375632143793436117e-05 + t * p))
    c = r - t * p
    y = 1.0 - ((low - (r * c) / (2.0 - c)) - high)
    return math.ldexp(y, power)


def sine(x: float) -> float:
    """Return the sine of x radians; at most 1e-16 (1 + abs(x)) off, for abs(x) up to 1e15."""
    quarter = math.floor(x * _TWO_PER_PI + 0.5)
    r = ((x - quarter * _QUARTER_A) - quarter * _QUARTER_B) - quarter * _QUARTER_C
    turn = int(quarter) & 3
    y = _near_cosine(r) if turn & 1 else _near_sine(r)
    return -y if turn & 2 else y


def cosine(x: float) -> float:
    """Return the cosine of x radians; as exact as ``sine``."""
    quarter = math.floor(x * _TWO_PER_PI + 0.5)
    r = ((x - quarter * _QUARTER_A) - quarter * _QUARTER_B) - quarter * _QUARTER_C
    turn = int(quarter) & 3
    y = _near_sine(r) if turn & 1 else _near_cosine(r)
    return -y if (turn + 1) & 2 else y


def normal_quantile(p: float) -> float:
    """Return the number below which a standard normal variable falls with probability p.

    Parameters
    ----------
    p : float
        From 0 to 1; 0 gives -inf, 1 gives inf, anything outside nan.
    """
    q = p - 0.5
    if -0.425 <= q <= 0.425:
        return q * _central(0.180625 - q * q)
    if not 0.0 < p < 1.0:
        if p == 0.0:
            return -_INFINITY
        return _INFINITY if p == 1.0 else _NAN
    tail = p if q < 0.0 else 1.0 - p
    r = math.sqrt(-log(tail))
    x = _near_tail(r - 1.6) if r <= 5.0 else _far_tail(r - 5.0)
    return -x if q < 0.0 else x


def _near_sine(r: float) -> float:
    """Sine of an angle up to a quarter of pi."""
    z = r * r
    p = 8.33333333332248946124e-03 + z * (
        -1.98412698298579493134e-04
        + z * (2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10))
    )
    return r + r * z * (-1.66666666666666324348e-01 + z * p)


def _near_cosine(r: float) -> float:
    """Cosine of an angle up to a quarter of pi."""
    z = r * r
    p = 2.48015872894767294178e-05 + z * (
        -2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 - z * 1.13596475577881948265e-11)
    )
    p = 4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * p)
    return 1.0 - (0.5 * z - z * z * p)


def _central(r: float) -> float:
    """Ratio of two polynomials for p from 0.075 to 0.925; r = 0.180625 - (p - 0.5)^2."""
    n = 2.5090809287301226727e3 * r + 3.3430575583588128105e4
    n = ((n * r + 6.7265770927008700853e4) * r + 4.5921953931549871457e4) * r + 1.3731693765509461125e4
    n = ((n * r + 1.9715909503065514427e3) * r + 1.3314166789178437745e2) * r + 3.3871328727963666080e0
    d = 5.2264952788528545610e3 * r + 2.8729085735721942674e4
    d = ((d * r + 3.9307895800092710610e4) * r + 2.1213794301586595867e4) * r + 5.3941960214247511077e3
    d = ((d * r + 6.8718700749205790830e2) * r + 4.2313330701600911252e1) * r + 1.0
    return n / d


def _near_tail(r: float) -> float:
    """Ratio of two polynomials for tails down to exp(-25); r = sqrt(-log tail) - 1.6."""
    n = 7.74545014278341407640e-4 * r + 2.27238449892691845833e-2
    n = ((n * r + 2.41780725177450611770e-1) * r + 1.27045825245236838258e0) * r + 3.64784832476320460504e0
    n = ((n * r + 5.76949722146069140550e0) * r + 4.63033784615654529590e0) * r + 1.42343711074968357734e0
    d = 1.05075007164441684324e-9 * r + 5.47593808499534494600e-4
    d = ((d * r + 1.51986665636164571966e-2) * r + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1
    d = ((d * r + 1.67638483018380384940e0) * r + 2.05319162663775882187e0) * r + 1.0
    return n / d


def _far_tail(r: float) -> float:
    """Ratio of two polynomials for tails below exp(-25); r = sqrt(-log tail) - 5."""
    n = 2.01033439929228813265e-7 * r + 2.71155556874348757815e-5
    n = ((n * r + 1.24266094738807843860e-3) * r + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1
    n = ((n * r + 1.78482653991729133580e0) * r + 5.46378491116411436990e0) * r + 6.65790464350110377720e0
    d = 2.04426310338993978564e-15 * r + 1.42151175831644588870e-7
    d = ((d * r + 1.84631831751005468180e-5) * r + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2
    d = ((d * r + 1.36929880922735805310e-1) * r + 5.99832206555887937690e-1) * r + 1.0
    return n / d


KERNEL_FUNCTIONS: Final = (
    sqrt,
    log,
    exp,
    sine,
    cosine,
    normal_quantile,
    _near_sine,
    _near_cosine,
    _central,
    _near_tail,
    _far_tail,
)
"""What ``core.jit`` makes callable from kernels."""
