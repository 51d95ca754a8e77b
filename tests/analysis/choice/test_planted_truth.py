"""A planted vector under the ACES law is recovered, with the errors that the design promises."""

import numpy as np
import pytest

from marketsim.analysis.choice import ACES_SPECIFICATION, conditional_logit
from marketsim.core.rng import generator, stream_key
from tests.oracles import aces
from tests.oracles.coverage import exact_band

NAMES = list(aces.PLANTED)
TRUTH = np.array(list(aces.PLANTED.values()))


@pytest.fixture(scope="module")
def trials():
    rng = generator(stream_key(4, 0, "tests", "planted truth", "choice"), 0, 0)
    table = aces.draw_trials(rng, aces.catalogue(rng), 500)
    table["chosen"] = aces.draw_choices(rng, table)
    return table, rng


@pytest.fixture(scope="module")
def result(trials):
    return conditional_logit(trials[0], ACES_SPECIFICATION)


def test_every_planted_coefficient_is_recovered(result):
    assert list(result.terms) == NAMES
    z = (result.estimate[:10] - TRUTH) / result.standard_error("model")[:10]
    assert np.abs(z).max() < 4, dict(zip(NAMES, z, strict=True))


def test_sixty_three_fixed_effects_are_left_of_seventy_two_products(result):
    assert len(result.names) == 10 + 63
    assert result.effects[0].bases == tuple(range(0, 72, 8))


@pytest.mark.parametrize("covariance", ["model", "robust"])
def test_standard_errors_are_those_of_the_information_in_the_design(trials, result, covariance):
    promised = np.sqrt(np.diag(np.linalg.inv(aces.information(trials[0]))))
    assert result.standard_error(covariance)[:10] == pytest.approx(promised[:10], rel=0.05)


def test_a_narrower_law_for_ratings_says_less_about_them(trials, result):
    rng = trials[1]
    table = aces.draw_trials(rng, aces.catalogue(rng), 500, rating_width=0.4)
    table["chosen"] = aces.draw_choices(rng, table)
    narrow = conditional_logit(table, ACES_SPECIFICATION)
    place = narrow.place("rating")
    assert narrow.standard_error()[place] > 1.2 * result.standard_error()[place]
    assert abs(narrow.coefficient("rating") - aces.PLANTED["rating"]) < 4 * narrow.standard_error()[place]


def failed(table, share, rng):
    """The same trials where some ended without an answer."""
    lost = rng.random(table["choice_set"].max() + 1) < share
    return table.assign(chosen=table["chosen"].where(~lost[table["choice_set"]], 0))


def test_failures_are_counted_and_credited_to_nobody(trials):
    table, rng = trials
    result = conditional_logit(failed(table, 0.05, rng), ACES_SPECIFICATION)
    assert 0.03 < result.sample.n_invalid / result.sample.n_sets < 0.07
    assert result.n + result.sample.n_invalid == 4500
    z = (result.estimate[:10] - TRUTH) / result.standard_error()[:10]
    assert np.abs(z).max() < 4, dict(zip(NAMES, z, strict=True))


def test_an_estimator_that_credits_failures_to_the_first_slot_is_caught(trials):
    """The check above must fail for it: its first column's effect is far from the planted 0.20."""
    table, rng = trials
    table = failed(table, 0.05, rng)
    is_lost = table.groupby("choice_set")["chosen"].transform("sum") == 0
    first = (table["row"] == 1) & (table["col"] == 1)
    result = conditional_logit(
        table.assign(chosen=table["chosen"].where(~is_lost, first.astype(int))), ACES_SPECIFICATION
    )
    place = result.place("col[1]")
    assert result.estimate[place] - 0.20 > 4 * result.standard_error()[place]


@pytest.mark.slow
def test_intervals_cover_the_planted_vector_as_often_as_they_say():
    n_draws = 150
    hits = {kind: np.zeros(10, dtype=int) for kind in ("model", "robust")}
    for draw in range(n_draws):
        rng = generator(stream_key(4, draw, "tests", "coverage", "choice"), 0, 0)
        table = aces.draw_trials(rng, aces.catalogue(rng), 500)
        table["chosen"] = aces.draw_choices(rng, table)
        result = conditional_logit(table, ACES_SPECIFICATION)
        for kind, count in hits.items():
            frame = result.to_frame(kind).iloc[:10]
            count += ((frame["low"] <= TRUTH) & (frame["high"] >= TRUTH)).to_numpy()
    low, high = exact_band(n_draws, family=20)
    for kind, count in hits.items():
        assert ((low <= count) & (count <= high)).all(), (kind, dict(zip(NAMES, count, strict=True)))
