"""Bins: fitted, exact where they should be, and their inverse."""

import numpy as np
import pytest

from marketsim.lmm.events import CANCEL_BUY, GAP, KIND, PRICE, SIZE
from marketsim.lmm.kernel.book import pick_gap
from marketsim.lmm.scale import Scale, fit_gaps, fit_scale, fit_sizes, scale_from, widening


def skewed_records(n=20_000):
    """Records with far prices, round sizes and bursts at one instant."""
    rng = np.random.default_rng(4)
    kind = rng.integers(0, 6, n)
    far = np.floor(np.exp(rng.uniform(0, 7, n))).astype(np.int64) - 1
    front = -rng.integers(0, 40, n)
    place = np.where(kind < 2, np.where(rng.random(n) < 0.3, front, far), np.where(kind < 4, 0, far))
    size = np.where(rng.random(n) < 0.5, rng.choice([1, 100, 200], n), rng.integers(1, 5000, n))
    gap = np.where(rng.random(n) < 0.2, 0, rng.exponential(1e7, n)).astype(np.int64)
    return np.stack([gap, kind, place, size], axis=1)


@pytest.fixture(scope="module")
def fitted():
    record = skewed_records()
    return record, fit_scale(record)


def tokens_of(record, scale):
    """Tokens by counting which bins begin at or before a value: an oracle of the kernel's bisection."""
    token = np.zeros_like(record)
    lows = {GAP: scale.gap_low, SIZE: scale.size_low}
    for field, low in lows.items():
        token[:, field] = np.clip((record[:, field, None] >= low[1:-1]).sum(1), 0, len(low) - 2)
    token[:, KIND] = record[:, KIND]
    for cancels, low in ((True, scale.cancel_low), (False, scale.limit_low)):
        rows = (record[:, KIND] >= CANCEL_BUY) == cancels
        token[rows, PRICE] = (record[rows, PRICE, None] >= low[1:-1]).sum(1)
    token[(record[:, KIND] >= 2) & (record[:, KIND] < CANCEL_BUY), PRICE] = 0
    return token


def test_tokens_and_residuals_give_back_every_record(fitted):
    record, scale = fitted
    token = tokens_of(record, scale)
    assert np.array_equal(scale.decode(token, scale.residuals(record, token)), record)
    assert (scale.residuals(record, token)[:, PRICE] > 0).any()  # wide bins are there


def test_places_are_exact_near_the_touch_and_cover_the_deepest(fitted):
    record, scale = fitted
    assert np.array_equal(scale.cancel_low[:32], np.arange(32))
    assert set(range(-8, 24)) <= set(scale.limit_low.tolist())
    assert scale.reach == record[record[:, KIND] != 2, PRICE].max() + 1
    assert scale.limit_low[0] <= -39


def test_frequent_sizes_stand_alone(fitted):
    _, scale = fitted
    for size in (1, 100, 200):
        assert {size, size + 1} <= set(scale.size_low.tolist())


def test_gap_bins_have_equal_mass_and_a_thin_open_end():
    gap = np.random.default_rng(5).exponential(1e7, 200_000).astype(np.int64)
    low, tail = fit_gaps(gap)
    share = np.histogram(gap, low.astype(float))[0] / len(gap)
    np.testing.assert_allclose(share[:24], 0.04, atol=1e-3)
    assert share[31] == pytest.approx(1e-4, rel=0.2)
    assert tail == pytest.approx(1e7, rel=0.5)  # of an exponential law the rest is as long as the whole


def test_the_mean_gap_survives_the_bins():
    """A draw inside the bins has the mean of the data; an open bin with a guessed tail was 27 % short."""
    gap = np.random.default_rng(6).exponential(1e7, 100_000).astype(np.int64)
    low, tail = fit_gaps(gap)
    scale = Scale(low, tail, np.arange(65) - 16, np.arange(65), np.arange(1, 34), 24)
    u = np.random.default_rng(7).random(len(gap))
    drawn = [pick_gap(scale, min(np.searchsorted(low, g, "right") - 1, 31), x) for g, x in zip(gap, u, strict=True)]
    assert np.mean(drawn) == pytest.approx(gap.mean(), rel=0.02)


def test_bins_survive_json(fitted):
    _, scale = fitted
    again = scale_from(scale.as_dict())
    assert again.digest() == scale.digest()
    assert all(np.array_equal(a, b) for a, b in zip(again, scale, strict=True))


@pytest.mark.parametrize(
    "change", [{"gap_low": [1, 2]}, {"size_low": list(range(33, 0, -1))}, {"tail_mean_ns": "x"}, {"cancel_low": None}]
)
def test_bins_that_are_none_are_refused(fitted, change):
    with pytest.raises(ValueError, match="bins"):
        scale_from({**fitted[1].as_dict(), **change})


def test_too_few_events_are_refused():
    with pytest.raises(ValueError, match="1,000"):
        fit_scale(skewed_records(999))


@pytest.mark.parametrize(("first", "end", "n"), [(0, 5, 8), (0, 8, 8), (0, 1000, 16), (1, 41, 16)])
def test_widening_bins_ascend_from_first_to_end(first, end, n):
    low = widening(first, end, n)
    assert len(low) == n + 1
    assert low[0] == first
    assert low[-1] == max(end, first + n)
    assert (np.diff(low) > 0).all()
    assert (np.diff(low, 2) >= -1).all()  # they widen, but for rounding


def test_sizes_of_one_value_still_make_bins():
    low = fit_sizes(np.full(2000, 7))
    assert len(low) == 33
    assert (np.diff(low) > 0).all()
