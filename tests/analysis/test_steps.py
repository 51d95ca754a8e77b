import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.analysis.steps import (
    StepBins,
    StepHistogram,
    StepSampler,
    bin_edges,
    sample_steps,
    time_weighted_mean,
    weighted_quantile,
)

NAN = float("nan")
updates = st.lists(st.tuples(st.integers(0, 60), st.sampled_from([1.0, 2.0, 5.0, NAN])), min_size=1, max_size=25).map(
    lambda rows: (np.array(sorted(time for time, _ in rows)), np.array([value for _, value in rows]))
)


def held_at(time, value, instant):
    """Value in force at an instant, found by walking through the updates."""
    current = NAN
    for at, new in zip(time.tolist(), value.tolist(), strict=True):
        if at <= instant:
            current = new
    return current


def in_pieces(taker, time, value, end, cut):
    """Hand a step function to a taker in two stretches."""
    if 0 < cut < len(time):
        taker.add(time[:cut], value[:cut], int(time[cut]))
        taker.add(time[cut:], value[cut:], end)
    else:
        taker.add(time, value, end)
    return taker.result()


def test_mean_weighs_each_value_by_how_long_it_stood():
    assert time_weighted_mean(np.array([0, 10, 40]), np.array([1.0, 4.0, 2.0]), 50) == (10 * 1 + 30 * 4 + 10 * 2) / 50


def test_mean_ignores_time_in_which_nothing_is_defined():
    assert time_weighted_mean(np.array([0, 10, 40]), np.array([1.0, NAN, 4.0]), 60) == (10 * 1 + 20 * 4) / 30


def test_only_the_last_of_several_updates_at_one_instant_counts():
    assert time_weighted_mean(np.array([0, 0, 0]), np.array([9.0, 7.0, 3.0]), 5) == 3.0


def test_mean_without_any_time_is_nan():
    assert np.isnan(time_weighted_mean(np.array([5]), np.array([2.0]), 5))
    assert np.isnan(time_weighted_mean(np.array([5]), np.array([NAN]), 9))


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.4, 1.0), (0.5, 2.0), (0.8, 2.0), (0.81, 9.0), (1.0, 9.0)]
)
def test_quantile_is_the_least_value_that_reaches_the_share(share, expected):
    assert weighted_quantile(np.array([9.0, 1.0, 2.0]), np.array([1.0, 2.0, 2.0]), share) == expected


def test_quantile_without_weight_is_nan():
    assert np.isnan(weighted_quantile(np.array([]), np.array([]), 0.5))
    assert np.isnan(weighted_quantile(np.array([1.0]), np.array([0.0]), 0.5))


@given(updates, st.lists(st.integers(-5, 70), min_size=1, max_size=10).map(sorted), st.integers(0, 25))
def test_samples_equal_a_walk_through_the_updates(steps, instants, cut):
    time, value = steps
    at = np.array(instants)
    expected = [held_at(time, value, instant) for instant in instants]
    assert np.array_equal(sample_steps(time, value, at), expected, equal_nan=True)
    assert np.array_equal(in_pieces(StepSampler(at), time, value, 80, cut), expected, equal_nan=True)


@given(updates, st.integers(1, 7), st.integers(0, 25))
@settings(max_examples=200)
def test_bins_equal_a_sum_over_single_instants_however_the_updates_are_cut(steps, n_bins, cut):
    time, value = steps
    edge = bin_edges(10, 50, n_bins)
    result = in_pieces(StepBins(edge), time, value, 55, cut)
    for k in range(n_bins):
        held = [held_at(time, value, instant) for instant in range(edge[k], edge[k + 1])]
        held = [one for one in held if not np.isnan(one)]
        if held:
            assert result.mean[k] == pytest.approx(np.mean(held), rel=1e-12)
            assert (result.low[k], result.high[k]) == (min(held), max(held))
        else:
            assert np.isnan([result.mean[k], result.low[k], result.high[k]]).all()


@given(updates, st.integers(0, 25))
def test_histogram_adds_up_the_time_at_each_value_however_the_updates_are_cut(steps, cut):
    time, value = steps
    level, length = in_pieces(StepHistogram(), time, value, 65, cut)
    held = [held_at(time, value, instant) for instant in range(65)]
    assert dict(zip(level, length, strict=True)) == {one: held.count(one) for one in (1.0, 2.0, 5.0) if one in held}


@pytest.mark.parametrize(("begin", "end", "n_bins"), [(0, 10, 3), (5, 8, 10), (0, 10**14 + 1, 600)])
def test_edges_span_the_time_without_an_empty_bin(begin, end, n_bins):
    edge = bin_edges(begin, end, n_bins)
    assert edge[0] == begin
    assert edge[-1] == end
    assert (np.diff(edge) > 0).all()
    assert len(edge) <= n_bins + 1
