import math

import numpy as np
import pytest

from marketsim.analysis.autocorrelation import (
    autocorrelation,
    bartlett_band,
    correlogram,
    robust_band,
    white_noise_band,
)
from tests.analysis.synthetic import garch

NAN = float("nan")
Z = 1.959963984540054


def by_definition(value, lag):
    """Sample autocorrelation with plain loops."""
    mean = sum(value) / len(value)
    power = sum((one - mean) ** 2 for one in value)
    return sum((value[k] - mean) * (value[k + lag] - mean) for k in range(len(value) - lag)) / power


def test_equals_the_definition():
    value = np.random.default_rng(4).normal(size=30)
    assert autocorrelation(value, 9).tolist() == pytest.approx([by_definition(value, lag) for lag in range(1, 10)])


def test_by_hand():
    assert autocorrelation(np.array([1.0, -1.0, 1.0, -1.0]), 3).tolist() == pytest.approx([-0.75, 0.5, -0.25])


@pytest.mark.parametrize("phi", [-0.6, 0.3, 0.9])
def test_recovers_an_autoregression(phi):
    rng, n = np.random.default_rng(9), 60_000
    value = np.empty(n)
    value[0] = 0.0
    for k, noise in enumerate(rng.standard_normal(n - 1)):
        value[k + 1] = phi * value[k] + noise
    assert autocorrelation(value, 6) == pytest.approx(phi ** np.arange(1, 7), abs=0.04)


def test_recovers_an_autoregression_through_gaps():
    rng, n = np.random.default_rng(10), 100_000
    value = np.convolve(rng.standard_normal(n + 1), [1.0, 0.8], "valid")
    value[rng.uniform(size=n) < 0.02] = NAN
    found = autocorrelation(value, 3)
    assert found[0] == pytest.approx(0.98 * 0.8 / 1.64, abs=0.02)
    assert found[1:] == pytest.approx([0, 0], abs=0.02)


def test_a_gap_does_not_join_its_two_sides():
    assert autocorrelation(np.array([1.0, -1.0, NAN, 1.0, -1.0]), 1).tolist() == pytest.approx([-0.5])


def test_values_that_do_not_vary_have_none():
    assert np.isnan(autocorrelation(np.full(9, 0.1), 3)).all()
    assert np.isnan(autocorrelation(np.full(9, NAN), 3)).all()


@pytest.mark.parametrize("n_lags", [-1, 4, 5])
def test_as_many_lags_as_values_are_refused(n_lags):
    with pytest.raises(ValueError, match=f"found {n_lags} lags of 4 values"):
        autocorrelation(np.arange(4.0), n_lags)


def test_bands_by_hand():
    assert white_noise_band(100, 3).tolist() == pytest.approx([Z / 10] * 3)
    expected = [Z / 10, Z / 10 * math.sqrt(1 + 2 * 0.25), Z / 10 * math.sqrt(1 + 2 * (0.25 + 0.01))]
    assert bartlett_band(np.array([0.5, 0.1, 0.7]), 100).tolist() == pytest.approx(expected)
    assert robust_band(np.array([1.0, -1.0, 1.0, -1.0]), 2).tolist() == pytest.approx(
        [Z * math.sqrt(3) / 4, Z * math.sqrt(2) / 4]
    )


def share_inside(draw, band, n_repeats=600, n=800):
    """How often the first autocorrelation of uncorrelated values lies inside of the band."""
    inside = 0
    for repeat in range(n_repeats):
        value = draw(np.random.default_rng(repeat), n)
        inside += abs(autocorrelation(value, 1)[0]) <= band(value)[0]
    return inside / n_repeats


def around(share, n_repeats=600):
    """Four standard errors around a share."""
    return pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n_repeats))


def clustered(rng, n):
    """Values without correlation whose variance clusters strongly."""
    return garch(rng, n, 1.0, persistence=0.97, reaction=0.3)


def test_both_bands_cover_independent_values():
    def normal(rng, n):
        return rng.standard_normal(n)

    assert share_inside(normal, lambda value: white_noise_band(len(value), 1)) == around(0.95)
    assert share_inside(normal, lambda value: robust_band(value, 1)) == around(0.95)


def test_only_the_robust_band_covers_clustered_volatility():
    narrow = share_inside(clustered, lambda value: white_noise_band(len(value), 1), 200)
    wide = share_inside(clustered, lambda value: robust_band(value, 1), 200)
    assert narrow < 0.85
    assert wide > 0.89


def test_bartlett_band_covers_a_moving_average_beyond_its_order():
    inside = 0
    for repeat in range(600):
        value = np.convolve(np.random.default_rng(repeat).standard_normal(901), [1.0, 0.9], "valid")
        found = autocorrelation(value, 3)
        inside += abs(found[2]) <= bartlett_band(found, len(value))[2]
    assert inside / 600 == around(0.95)


def test_clustered_volatility_shows_in_absolute_values_alone():
    value = clustered(np.random.default_rng(77), 20_000)
    plain, absolute = correlogram(value, robust=True), correlogram(np.abs(value))
    assert plain is not None
    assert absolute is not None
    assert plain.n_outside <= 8
    assert absolute.n_outside >= 15
    assert absolute.value[0] > 0.2


def test_correlogram_shows_a_quarter_of_a_short_sample():
    found = correlogram(np.random.default_rng(0).normal(size=40))
    assert found is not None
    assert (len(found.value), found.n) == (10, 40)
    assert found.n_expected_outside == pytest.approx(0.5)


@pytest.mark.parametrize("value", [[], [1.0] * 100, [1.0, 2.0, 3.0], [NAN] * 50])
def test_there_is_no_correlogram_of_too_little(value):
    assert correlogram(np.array(value)) is None
