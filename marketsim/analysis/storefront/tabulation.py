"""The few figures of a shop that the end of a run prints."""

from __future__ import annotations

import math
from typing import TypedDict

from marketsim.analysis.storefront.summary import Rate, StorefrontSummary


class RateRow(TypedDict):
    """A share with Wilson's 95 % interval; None of nothing."""

    successes: int
    trials: int
    share: float | None
    low: float | None
    high: float | None


class StorefrontRow(TypedDict):
    """A shop; None where there is nothing to measure. Ready for JSON."""

    choice_sets: int
    purchases: int
    left: int
    invalid: int
    open: int
    revenue: float
    price_mean: float | None
    currency: str
    sponsored_share: float | None
    """Of the purchases, those of offers with a sponsored tag."""
    welfare_share: float | None
    """Gain over offers drawn at random, as a share of the best offers' gain."""
    regret_shown: float | None
    regret_listed: float | None
    missed_best: RateRow
    """Answers worth less to the person served than the best offer shown."""
    missed_needs: RateRow | None
    """Answers that met the needs of nobody, of those to pages on which they could be met; None without needs."""


def storefront_row(summary: StorefrontSummary) -> StorefrontRow:
    """Return what the end of a run prints about a shop."""
    return StorefrontRow(
        choice_sets=summary.n_sets,
        purchases=summary.n_bought,
        left=summary.n_left,
        invalid=summary.n_invalid,
        open=summary.n_open,
        revenue=summary.revenue,
        price_mean=_or_none(summary.price_mean),
        currency=summary.facts.currency,
        sponsored_share=_or_none(summary.sponsored_bought.share),
        welfare_share=_or_none(summary.welfare_share),
        regret_shown=_or_none(summary.regret_shown),
        regret_listed=_or_none(summary.regret_listed),
        missed_best=_rate(summary.missed),
        missed_needs=None if summary.needs_missed is None else _rate(summary.needs_missed),
    )


def _rate(rate: Rate) -> RateRow:
    low, high = rate.interval
    return RateRow(
        successes=rate.successes,
        trials=rate.trials,
        share=_or_none(rate.share),
        low=_or_none(low),
        high=_or_none(high),
    )


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
