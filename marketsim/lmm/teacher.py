"""Teachers: order flow whose every conditional probability is known, so that a model can be judged against the truth.

``zero_intelligence`` draws from rates that the book sets: limit orders by distance from the opposite best price, market
orders, and cancels per resting lot, leaning with the imbalance at the touch. ``hawkes`` lets each event also excite
those that follow, with exponential kernels. Both are drawn exactly. Time is in seconds.

References
----------
Cont, Stoikov & Talreja (2010), Operations Research 58(3), 549-563: rates by distance from the opposite best price.
Hawkes (1971), Biometrika 58(1), 83-90: self-exciting processes; Dassios & Zhao (2013): exact simulation of them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core import fmath, rng
from marketsim.core.jit import errstate
from marketsim.lmm.events import N_FEATURES, N_GAPS, N_KINDS, N_PRICES, N_SIZES
from marketsim.lmm.kernel.encode import observe
from marketsim.lmm.kernel.flow import generate
from marketsim.lmm.scale import Scale, exact_scale

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TEACHERS: Final = ("zero_intelligence", "hawkes")

WARM_UP: Final = 20_000
"""Events before a teacher's first, in which the book forgets how it began."""

_DECAY: Final = 8.0
_CHILDREN: Final = 1.25 * np.array(
    [
        [0.20, 0.02, 0.10, 0.00, 0.12, 0.02],
        [0.02, 0.20, 0.00, 0.10, 0.02, 0.12],
        [0.02, 0.05, 0.33, 0.00, 0.00, 0.06],
        [0.05, 0.02, 0.00, 0.33, 0.06, 0.00],
        [0.10, 0.02, 0.00, 0.12, 0.25, 0.05],
        [0.02, 0.10, 0.12, 0.00, 0.05, 0.25],
    ]
)
"""Mean number of direct children: entry [k, j] of kind k from an event of kind j."""


class TeacherLaw(NamedTuple):
    """Rates per second and laws of a teacher, as the kernel takes them."""

    limit_rate: FloatArray
    """float64[distance]: limit orders of one side, by ticks from the opposite best price."""
    limit_sum: FloatArray
    market_rate: float
    cancel_rate: float
    """Per resting lot."""
    market_lean: float
    limit_lean: float
    """Rates are multiplied by exp(lean x imbalance), with the sign that relieves the thin side."""
    decay: float
    kick: FloatArray
    """float64[N_KINDS, N_KINDS]: what an event of kind j adds to the rate of kind k; it fades at ``decay``."""
    size: FloatArray
    """float64[N_KINDS, N_SIZES]: law of lots less one, before what cannot be is cut off."""


def teacher_law(name: str, volatility: float = 1.0) -> TeacherLaw:
    """Return the law of a teacher.

    Parameters
    ----------
    name : str
        One of ``TEACHERS``.
    volatility : float
        Multiplies the rate of market orders, and so moves prices more or less.

    Raises
    ------
    ValueError
        No such teacher, or the volatility is not positive.
    """
    if name not in TEACHERS:
        raise ValueError(f"expected a teacher: {' or '.join(TEACHERS)}; found {name!r}")
    if not volatility > 0.0:
        raise ValueError(f"expected a positive volatility; found {volatility}")
    rate = np.array([0.0, *(1.5 * fmath.exp(-0.9 * fmath.log(float(i))) for i in range(1, 4096))])
    kick = _DECAY * _CHILDREN if name == "hawkes" else np.zeros((N_KINDS, N_KINDS))
    sizes = [
        _size_law(0.3, [1, 5, 10], 0.35),
        _size_law(0.22, [1, 10, 20], 0.3),
        _size_law(0.35, [1, 5], 0.4),
    ]
    return TeacherLaw(
        rate, np.cumsum(rate), 1.4 * volatility, 0.10, 0.8, 0.5, _DECAY, kick, np.repeat(sizes, 2, axis=0)
    )


class Batch(NamedTuple):
    """Consecutive events of several books, as a model reads them. Row i of ``feature`` is the book before event i."""

    token: IntArray
    """int64[book, event, field]"""
    feature: npt.NDArray[np.float32]
    """float32[book, event + 1, N_FEATURES]"""
    mask: npt.NDArray[np.uint64]
    """uint64[book, event, field]; bit v: value v was possible, given the earlier fields of the event."""
    condition: npt.NDArray[np.float32]
    """float32[book, N_CONDITIONS]"""
    log_chance: FloatArray | None = None
    """float64[book, event, field]: the teacher's, of the value that came, natural logarithm; None without a teacher."""


class Flow(NamedTuple):
    """What a teacher drew."""

    record: IntArray
    """int64[book, event, field]"""
    log_chance: FloatArray
    """float64[book, event, field]"""
    laws: FloatArray
    """float64[book, event, field, value], where they were asked for."""


class Teacher:
    """Books of one teacher, past their warm-up.

    Parameters
    ----------
    name : str
        One of ``TEACHERS``.
    n_books : int
        Books, each with draws of its own.
    scale : Scale
        Bins, for the chance of each token; places and sizes must be exact.
    seed : int
        With a book's number it fixes its events.
    volatility : float
        See ``teacher_law``.
    """

    def __init__(self, name: str, n_books: int, scale: Scale, seed: int, volatility: float = 1.0) -> None:
        self.law, self.scale, self.n_events = teacher_law(name, volatility), scale, 0
        self.depth, self.quote = opening_books(n_books, scale)
        self._excitation = np.zeros((n_books, N_KINDS))
        self._counters = rng.counters(rng.stream_key(seed, 0, "lmm", name, "teacher"), 0, 0)
        self.next(WARM_UP)

    def next(self, n_events: int, keep_laws: bool = False) -> Flow:
        """Return the next events of every book; ``depth`` and ``quote`` are the books after them."""
        shape = (len(self.quote), n_events)
        laws = np.zeros((*shape, 4, N_PRICES)) if keep_laws else np.zeros((1, 1, 4, N_PRICES))
        flow = Flow(np.empty((*shape, 4), np.int64), np.empty((*shape, 4)), laws)
        with errstate():
            generate(
                self.depth,
                self.quote,
                self._excitation,
                self.scale,
                self.law,
                self._counters,
                self.n_events,
                np.empty(N_KINDS),
                keep_laws,
                *flow,
            )
        self.n_events += n_events
        return flow

    def next_batch(self, n_events: int, condition: Any) -> Batch:
        """Return the next events as a model reads them; ``condition`` as in ``Batch``."""
        depth, quote = self.depth.copy(), self.quote.copy()
        flow = self.next(n_events)
        return read_batch(flow.record, depth, quote, self.scale, condition, flow.log_chance)


def opening_books(n_books: int, scale: Scale) -> tuple[IntArray, IntArray]:
    """Return books of twelve prices with six lots each a side, around 10,001 ticks: depth and quote."""
    depth = np.zeros((n_books, 2, scale.ring), np.int64)
    quote = np.tile(np.array([10_000, 10_002, 72, 72], np.int64), (n_books, 1))
    for level in range(12):
        depth[:, 0, (10_000 - level) % scale.ring] = depth[:, 1, (10_002 + level) % scale.ring] = 6
    return depth, quote


def read_batch(
    record: IntArray, depth: IntArray, quote: IntArray, scale: Scale, condition: Any, log_chance: Any = None
) -> Batch:
    """Return records as a model reads them; ``depth`` and ``quote``, books before the first, move on to the last."""
    shape = record.shape
    token, mask = np.empty(shape, np.int64), np.empty(shape, np.uint64)
    feature = np.empty((shape[0], shape[1] + 1, N_FEATURES), np.float32)
    with errstate():
        observe(record, depth, quote, scale, token, feature, mask)
    return Batch(token, feature, mask, np.asarray(condition, np.float32), log_chance)


def teacher_scale(name: str, volatility: float = 1.0, seed: int = 7) -> Scale:
    """Return bins for a teacher: exact places and sizes, gaps fitted to events past the warm-up."""
    guess = exact_scale(np.arange(1, N_GAPS + 1) * 1_000_000)
    return exact_scale(Teacher(name, 16, guess, seed, volatility).next(20_000).record[..., 0].ravel())


def _size_law(success: float, round_sizes: list[int], weight: float) -> FloatArray:
    """Geometric sizes cut at N_SIZES, mixed with a few round ones."""
    lots = np.arange(1, N_SIZES + 1)
    smooth = np.array([success * fmath.exp((n - 1) * fmath.log(1 - success)) for n in lots.tolist()])
    law = (1 - weight) * smooth / smooth.sum() + weight * np.isin(lots, round_sizes) / len(round_sizes)
    return np.asarray(law, np.float64)
