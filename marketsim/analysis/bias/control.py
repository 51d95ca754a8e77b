"""The negative control: a PCG64 series of the same design, on which no test should find anything."""

from __future__ import annotations

import numpy as np

from marketsim.analysis.bias.answers import Answers
from marketsim.core.rng import pcg64, stream_key

NAME = "PCG64"


def control_for(answers: Answers, expected: float, group: str, seed: int) -> Answers:
    """Return independent answers with the stated probability, in calls of the same sizes.

    They come from another generator (O'Neill's PCG64) than the random orders that they are tested against.

    Parameters
    ----------
    answers : Answers
        Whose design is copied.
    expected : float
        Stated probability.
    group : str
        Name of the group: each has a control of its own.
    seed : int
        Seed of the audit.
    """
    rng = pcg64(stream_key(seed, 0, "analysis", f"control {group}", "answers"))
    bits = (rng.random(answers.n) < expected).astype(np.uint8)
    return Answers(bits, answers.start, answers.has_calls, answers.has_order)
