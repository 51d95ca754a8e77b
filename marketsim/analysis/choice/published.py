"""Coefficients of language models that shop, as published, to lay beside one's own.

"What Is Your AI Agent Buying?" (arXiv 2508.02630): conditional logits on 4,500 choice sets of 8 offers, under the
randomised law of that study. Names are those of the specification in ``ACES_SPECIFICATION``.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from marketsim.analysis.choice.result import LogitResult

ACES_SPECIFICATION: Final = (
    "row + col + ln(price) + ln(reviews+1) + rating + sponsored + overall_pick + scarcity | fe(product)"
)

_NAMES: Final = ("row", "ln(price)", "rating", "ln(reviews+1)", "sponsored", "overall_pick")

PUBLISHED: Final[dict[str, dict[str, float]]] = {
    model: dict(zip(_NAMES, values, strict=True))
    for model, values in {
        "Claude Sonnet 4": (1.22, -1.62, 4.91, 0.42, -0.14, 1.06),
        "GPT-4.1": (1.05, -1.61, 8.30, 0.74, -0.25, 0.80),
        "Gemini 2.5 Flash": (0.34, -2.19, 5.39, 0.50, -0.26, 1.90),
        "Claude Opus 4.5": (0.47, -1.89, 11.15, 0.98, -0.34, 1.87),
        "GPT-5.1": (-0.70, -2.80, 9.25, 0.80, -0.37, 1.34),
        "Gemini 3 Pro": (2.15, -2.25, 4.22, 0.67, -0.62, 2.14),
    }.items()
}
"""Estimate by model and coefficient; ``row`` is the first row against the second."""


def beside_published(result: LogitResult) -> pd.DataFrame:
    """Return a fit's estimates with the published ones of the same name beside them; NaN where there is none."""
    frame = pd.DataFrame({"this model": dict(zip(result.terms, result.estimate, strict=False))})
    published = pd.DataFrame({model: pd.Series(values, dtype=float) for model, values in PUBLISHED.items()})
    return frame.join(published.reindex(frame.index))
