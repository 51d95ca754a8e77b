"""What a book is told about itself: the condition vector of the order model."""

from __future__ import annotations

from marketsim.core import fmath
from marketsim.lmm.events import CONDITIONS, N_CONDITIONS


def condition_vector(regime: str | None, volatility: float = 1.0) -> list[float]:
    """Return the conditions of a book.

    Parameters
    ----------
    regime : str or None
        zero_intelligence, hawkes or market; None: nothing is known, which a model meets in training too.
    volatility : float
        Volatility target; 1 is the usual one of the regime.

    Raises
    ------
    ValueError
        No such regime, or the volatility is not positive.
    """
    vector = [0.0] * N_CONDITIONS
    if regime is None:
        return vector
    if regime not in CONDITIONS[1:4]:
        raise ValueError(f"expected a regime: {', '.join(CONDITIONS[1:4])}; found {regime!r}")
    if not volatility > 0.0:
        raise ValueError(f"expected a positive volatility; found {volatility}")
    vector[0], vector[CONDITIONS.index(regime)], vector[-1] = 1.0, 1.0, fmath.log(volatility)
    return vector
