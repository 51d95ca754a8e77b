"""Fundamental values against the process they are draws of."""

import math

import numpy as np
import pytest
from scipy import stats

from marketsim.exchange.config import FundamentalConfig
from tests.exchange.markets import SECOND, one_book, open_exchange, population, recorded

STEP = SECOND // 10


def path(fundamental, steps=4_000, *populations, seed=5):
    """Values in ticks after each step, the start included."""
    config = one_book(*populations, fundamental=FundamentalConfig(step="100ms", **fundamental))
    config = config.model_copy(update={"depth": config.depth.model_copy(update={"interval": STEP})})
    until = steps * STEP + 1
    rows, _ = recorded(open_exchange(config, seed=seed, until=until), until)
    times, _, values = zip(*rows["exchange/fundamentals"], strict=True)
    assert list(times) == list(range(0, until, STEP))
    return np.array(values)


def test_a_mean_reverting_value_has_the_exact_transition():
    values = path({"reversion_rate": 0.5, "volatility": 0.2, "mean": "120.00"})
    decay = math.exp(-0.5 * 0.1)
    deviation = 20.0 * math.sqrt((1 - decay**2) / (2 * 0.5))
    noise = (values[1:] - 12_000 - decay * (values[:-1] - 12_000)) / deviation
    assert values[0] == 12_000
    assert stats.kstest(noise, "norm").pvalue > 0.001
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 3.1 / math.sqrt(len(noise))


def test_without_reversion_it_is_a_random_walk_from_the_open_price():
    values = path({"volatility": 0.2})
    assert values[0] == 10_000
    assert stats.kstest(np.diff(values) / (20.0 * math.sqrt(0.1)), "norm").pvalue > 0.001


def test_jumps_come_at_their_rate_with_their_size_and_a_coins_sign():
    """Without other noise a step is a sum of jumps; at 2 a step there are often several."""
    rate, size, deviation = 20.0, 0.30, 0.05
    jumps = {"volatility": 0.0, "jump_rate": rate, "jump_mean": size, "jump_deviation": deviation}
    steps = np.diff(path(jumps, seed=6))
    per_step = rate * 0.1
    assert stats.binomtest(int((steps == 0).sum()), len(steps), math.exp(-per_step)).pvalue > 0.001
    variance = per_step * (30.0**2 + 5.0**2)
    assert steps.var() == pytest.approx(variance, rel=0.12)
    assert abs(steps.mean()) < 3.1 * math.sqrt(variance / len(steps))
    single = steps[(np.abs(steps) > 10) & (np.abs(steps) < 50)]  # one jump, or three of which two cancel
    assert np.abs(single).mean() == pytest.approx(30.0, rel=0.02)


def test_the_path_depends_on_the_seed_alone():
    process = {"reversion_rate": 0.1, "volatility": 0.1, "jump_rate": 1.0, "jump_mean": 0.5}
    alone = path(process, 300)
    crowd = population("value", count=5, mean_wait="37ms"), population("zero_intelligence", count=5)
    np.testing.assert_array_equal(path(process, 300, *crowd), alone)
    assert (path(process, 300, seed=6)[1:] != alone[1:]).all()


def test_a_value_does_not_fall_below_zero():
    values = path({"volatility": 2000.0}, 50)
    assert values.min() == 0.0
