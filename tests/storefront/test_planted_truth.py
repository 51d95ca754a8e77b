"""The vector that the quickstart plants in its shoppers comes back from the engine's own tables."""

import numpy as np
import pytest

from marketsim.analysis.choice import ACES_SPECIFICATION, conditional_logit
from marketsim.storefront.catalog import Catalog
from tests.oracles import aces
from tests.oracles.coverage import exact_band
from tests.storefront.shops import quickstart_choices

TRUTH = np.array(list(aces.PLANTED.values()))
EXPECTED_ERRORS = (0.040, 0.056, 0.053, 0.052, 0.069, 0.020, 0.109, 0.061, 0.068, 0.082)
"""Standard errors of the law with a = 0.8 on 9 categories of 500 trials, computed from the law beforehand."""


@pytest.fixture(scope="module")
def quickstart():
    table, planted = quickstart_choices()
    return table, planted, conditional_logit(table, ACES_SPECIFICATION)


def test_the_scenario_plants_the_published_vector(quickstart):
    _, planted, result = quickstart
    assert {name: planted[name] for name in result.terms} == pytest.approx(aces.PLANTED)


def test_every_planted_coefficient_is_recovered(quickstart):
    _, _, result = quickstart
    z = (result.estimate[:10] - TRUTH) / result.standard_error("model")[:10]
    assert np.abs(z).max() < 4, dict(zip(aces.PLANTED, z, strict=True))


@pytest.mark.parametrize("covariance", ["model", "robust"])
def test_standard_errors_are_those_of_the_information_in_the_design(quickstart, covariance):
    table, _, result = quickstart
    catalog = Catalog.builtin()
    quality = dict(zip(catalog.product_id, catalog.quality.tolist(), strict=True))
    code = {name: number for number, name in enumerate(dict.fromkeys(sorted(table["product"])))}  # eight a category
    design = table.assign(taste=table["product"].map(quality), product=table["product"].map(code))
    promised = np.sqrt(np.diag(np.linalg.inv(aces.information(design))))[:10]
    assert result.standard_error(covariance)[:10] == pytest.approx(promised, rel=0.06)
    assert promised == pytest.approx(EXPECTED_ERRORS, rel=0.15)


def test_replicates_differ_and_come_back(quickstart):
    again, other = quickstart_choices()[0], quickstart_choices(replicate=1)[0]
    assert again.equals(quickstart[0])
    assert not other["chosen"].equals(again["chosen"])


@pytest.mark.slow
def test_intervals_cover_the_planted_vector_as_often_as_they_say():
    n_draws = 150
    hits = {kind: np.zeros(10, dtype=int) for kind in ("model", "robust")}
    for draw in range(n_draws):
        result = conditional_logit(quickstart_choices(replicate=100 + draw)[0], ACES_SPECIFICATION)
        for kind, count in hits.items():
            frame = result.to_frame(kind).iloc[:10]
            count += ((frame["low"] <= TRUTH) & (frame["high"] >= TRUTH)).to_numpy()
    low, high = exact_band(n_draws, family=20)
    for kind, count in hits.items():
        assert ((low <= count) & (count <= high)).all(), (kind, dict(zip(aces.PLANTED, count, strict=True)))
