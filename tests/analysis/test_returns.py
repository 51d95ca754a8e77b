import math

import numpy as np
import pytest

from marketsim.analysis.returns import (
    HORIZONS_NS,
    MIN_RETURNS,
    choose_horizon,
    compare_with_normal,
    excess_kurtosis,
    hill_tail_index,
    log_returns,
    volatility_per_minute,
)
from tests.analysis.synthetic import MINUTE, SECOND, garch

NAN = float("nan")


@pytest.mark.parametrize(
    ("duration", "horizon"),
    [
        (1, SECOND // 1000),
        (SECOND, SECOND // 1000),
        (MINUTE, SECOND // 10),
        (30 * MINUTE, SECOND),
        (390 * MINUTE, 10 * SECOND),
        (5 * 390 * MINUTE, MINUTE),
    ],
)
def test_horizon_follows_from_the_duration_alone(duration, horizon):
    assert choose_horizon(duration) == horizon


@pytest.mark.parametrize("seconds", [1, 59, 1800, 23_400, 10**7])
def test_chosen_horizon_is_the_longest_with_enough_returns(seconds):
    horizon = choose_horizon(seconds * SECOND)
    longer = [one for one in HORIZONS_NS if one > horizon]
    assert seconds * SECOND // horizon >= MIN_RETURNS
    assert all(seconds * SECOND // one < MIN_RETURNS for one in longer)


def test_log_returns_by_hand():
    price = np.array([100.0, 110.0, 99.0, 99.0])
    assert log_returns(price).tolist() == pytest.approx([math.log(1.1), math.log(0.9), 0.0])
    assert log_returns(price, 2).tolist() == pytest.approx([math.log(0.99)])


def test_returns_at_both_sides_of_a_missing_price_are_missing():
    assert np.isnan(log_returns(np.array([1.0, NAN, 2.0, 4.0]))).tolist() == [True, True, False]


def test_unit_of_the_price_does_not_matter():
    price = np.array([101.0, 103.0, 99.5])
    assert log_returns(price) == pytest.approx(log_returns(price * 0.01), abs=1e-15)


@pytest.mark.parametrize("price", [[1.0, 0.0], [1.0, -2.0]])
def test_prices_that_have_no_log_are_refused(price):
    with pytest.raises(ValueError, match="positive"):
        log_returns(np.array(price))


def test_step_of_less_than_one_is_refused():
    with pytest.raises(ValueError, match="step 0"):
        log_returns(np.array([1.0, 2.0]), 0)


@pytest.mark.parametrize("horizon", [SECOND, 10 * SECOND, MINUTE])
def test_volatility_per_minute_recovers_that_of_a_random_walk(horizon):
    per_minute, n = 0.002, 40_000
    returns = np.random.default_rng(5).normal(0, per_minute * math.sqrt(horizon / MINUTE), n)
    assert volatility_per_minute(returns, horizon) == pytest.approx(per_minute, rel=4 / math.sqrt(2 * n))


def test_volatility_leaves_missing_returns_out():
    assert volatility_per_minute(np.array([0.01, NAN, -0.01]), MINUTE) == pytest.approx(0.01)
    assert np.isnan(volatility_per_minute(np.array([NAN]), MINUTE))


@pytest.mark.parametrize(
    ("value", "expected"),
    [([-1, 1], -2.0), ([-1, 0, 0, 1], 2.0 - 3.0), ([0, 0, 0, 0, 10], 3.25 - 3.0)],
)
def test_excess_kurtosis_by_hand(value, expected):
    assert excess_kurtosis(np.array(value, dtype=float)) == pytest.approx(expected)


def test_excess_kurtosis_of_known_laws():
    rng = np.random.default_rng(11)
    n = 200_000
    assert excess_kurtosis(rng.standard_normal(n)) == pytest.approx(0.0, abs=4 * math.sqrt(24 / n))
    assert excess_kurtosis(rng.uniform(size=n)) == pytest.approx(-1.2, abs=0.02)
    assert excess_kurtosis(rng.laplace(size=n)) == pytest.approx(3.0, abs=0.4)


def test_excess_kurtosis_falls_with_the_horizon_when_volatility_clusters():
    path = np.cumsum(garch(np.random.default_rng(3), 100_000, 0.001))
    price = np.exp(path - path.min())
    short, long = (excess_kurtosis(log_returns(price, step)) for step in (1, 200))
    assert short > 0.5
    assert long < short / 2


@pytest.mark.parametrize("value", [[], [NAN], [0.1] * 7])
def test_excess_kurtosis_is_nan_where_nothing_varies(value):
    assert np.isnan(excess_kurtosis(np.array(value)))


def test_hill_by_hand():
    size = np.concatenate([np.full(10, math.e**2), np.full(190, 1.0)])
    sign = np.where(np.arange(200) % 2, 1, -1)
    found = hill_tail_index(size * sign)
    assert found is not None
    assert found.n_tail == 10
    assert found.index == pytest.approx(0.5)
    assert found.standard_error == pytest.approx(0.5 / math.sqrt(10))


@pytest.mark.parametrize("index", [1.5, 3.0, 5.0])
def test_hill_recovers_the_index_of_a_pareto_law(index):
    found = hill_tail_index(np.random.default_rng(2).pareto(index, 100_000) + 1)
    assert found is not None
    assert abs(found.index - index) < 4 * found.standard_error


@pytest.mark.parametrize("value", [np.zeros(500), np.ones(500), np.arange(30.0), np.array([]), np.full(900, NAN)])
def test_hill_says_nothing_without_a_tail(value):
    assert hill_tail_index(value) is None


def test_a_normal_sample_lies_on_the_line():
    found = compare_with_normal(np.random.default_rng(1).normal(3.0, 7.0, 20_000))
    assert found is not None
    middle = np.abs(found.normal_quantile) < 2
    assert found.quantile[middle] == pytest.approx(found.normal_quantile[middle], abs=0.08)
    assert found.density == pytest.approx(found.normal_density, abs=0.03)


@pytest.mark.parametrize("n", [2, 50, 400, 401, 5000])
def test_histograms_hold_everything_and_quantiles_increase(n):
    found = compare_with_normal(np.random.default_rng(n).standard_t(2, n))
    assert found is not None
    width = np.diff(found.edge)
    assert (found.density * width).sum() == pytest.approx(1)
    assert (found.normal_density * width).sum() == pytest.approx(1)
    assert (np.diff(found.normal_quantile) > 0).all()
    assert (np.diff(found.quantile) >= 0).all()
    assert len(found.quantile) <= 400


def test_fat_tails_turn_away_from_the_line():
    found = compare_with_normal(np.random.default_rng(8).standard_t(3, 20_000))
    assert found is not None
    assert found.quantile[-1] > found.normal_quantile[-1] + 1
    assert found.quantile[0] < found.normal_quantile[0] - 1


@pytest.mark.parametrize("value", [[], [NAN], [0.25] * 9])
def test_there_is_no_normal_beside_values_that_do_not_vary(value):
    assert compare_with_normal(np.array(value)) is None
