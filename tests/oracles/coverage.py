"""How far the coverage of a family of intervals may stray by chance."""

from scipy.stats import binom


def exact_band(n_draws, nominal=0.95, level=0.998, family=1):
    """Least and greatest number of hits in the exact binomial band; a family shares the level (Bonferroni)."""
    tail = (1 - level) / family / 2
    return int(binom.ppf(tail, n_draws, nominal)), int(binom.ppf(1 - tail, n_draws, nominal))
