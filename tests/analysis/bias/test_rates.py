"""Error rates and power of every test, on planted respondents: each is found by the test that should, by no other.

``benchmarks/audit.py`` repeats this with 2,000 repetitions and writes docs/audit-error-rates.md.
"""

import pytest

from tests.analysis.bias.rates import EXACT, EXPERIMENTS, rates
from tests.oracles.coverage import exact_band

REPETITIONS = 200
FAMILY = sum(len(one.quiet) for one in EXPERIMENTS)


@pytest.mark.slow
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda one: one.name)
def test_each_behaviour_is_found_by_the_tests_that_should_and_by_no_other(experiment):
    repetitions = 100 if "persona" in experiment.name else REPETITIONS
    low, high = exact_band(repetitions, nominal=0.05, family=FAMILY)
    found = rates(experiment, repetitions)
    for name in experiment.quiet:
        assert found[name] <= high / repetitions, name
        assert name in EXACT or found[name] >= low / repetitions, name
    for name in experiment.found:
        assert found[name] >= exact_band(repetitions, nominal=0.8)[0] / repetitions, name


@pytest.mark.slow
def test_a_plain_comparison_of_two_shares_would_be_wrong_a_third_of_the_time():
    """What the clustered contrast is for: batches of correlation .1 against independent calls."""
    from scipy.stats import norm

    from tests.analysis.bias.rates import draws, respondent_for

    batch = respondent_for("beta_binomial").series(draws("naive", 0), 2000 * 10, 50).reshape(2000, -1).mean(axis=1)
    single = respondent_for("bernoulli").series(draws("naive", 1), 2000 * 500, 1).reshape(2000, -1).mean(axis=1)
    pooled = (batch + single) / 2
    z = (batch - single) / (pooled * (1 - pooled) * 2 / 500) ** 0.5
    assert (2 * norm.sf(abs(z)) <= 0.05).mean() == pytest.approx(0.3, abs=0.04)
