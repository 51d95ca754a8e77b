"""Results of a sweep as tables: planted numbers come back, missing cells are seen, indices are those of the design."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.core.rng import generator, stream_key
from marketsim.experiments import Study, open_study
from marketsim.experiments.directory import Outcome
from tests.analysis.test_sensitivity import FIRST, PI, TOTAL, ishigami
from tests.experiments.markets import GRID, planted

ARMS = GRID.replace("replicates = 2", "replicates = 40").split("measures")[0] + GRID[GRID.index("[[factors]]") :]
EFFECT = 0.5


def noisy(sweep, cell: int) -> float:
    """Slope 2 in tens of traders, an effect of the arm, noise shared by replicate and noise of the cell's own."""
    replicate, number = divmod(cell, len(sweep.design))
    point = sweep.design[number]
    draws = [
        generator(stream_key(1, 0, "tests", "study", purpose), index, 0).normal()
        for purpose, index in (("shared", replicate), ("own", cell))
    ]
    return 2 * point.values["traders"] / 10 + EFFECT * (point.arm == "coarse") + draws[0] + 0.1 * draws[1]


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    return planted(tmp_path_factory.mktemp("planted"), ARMS, noisy)


def test_the_summary_is_mean_and_t_interval_of_each_point(study):
    found = study.summary(["y"]).set_index(["traders", "arm"])
    assert len(found) == 4
    table = study.results
    for (traders, arm), row in found.iterrows():
        values = table[(table["traders"] == traders) & (table["arm"] == arm)]["y"]
        assert row["n"] == 40
        assert row["mean"] == pytest.approx(values.mean())
        half = 2.0227 * values.std() / 40**0.5  # Student's t, 39 degrees of freedom
        assert (row["low"], row["high"]) == pytest.approx((values.mean() - half, values.mean() + half), rel=1e-4)
    drawn = study.summary(["y"], method="bootstrap").set_index(["traders", "arm"])
    assert drawn["low"].to_numpy() == pytest.approx(found["low"].to_numpy(), abs=0.1)


def test_a_response_goes_as_it_was_planted(study):
    found = study.response("traders", "y").set_index(["arm", "traders"])["mean"]
    assert found["fine", 60] - found["fine", 40] == pytest.approx(4.0, abs=0.1)
    assert found["coarse", 60] - found["fine", 60] == pytest.approx(EFFECT, abs=0.1)


def test_the_arms_effect_is_recovered_far_inside_the_noise_that_both_share(study):
    (row,) = study.effects(["y"]).to_dict(orient="records")
    assert (row["arm"], row["n"]) == ("coarse", 40)
    assert row["low"] < EFFECT < row["high"]
    assert row["high"] - row["low"] < 0.1
    assert row["correlation"] > 0.98
    assert row["variance_ratio"] < 0.02
    assert row["p_value"] < 1e-6


def test_power_shows_what_common_random_numbers_save(study):
    (row,) = study.power("y", difference=0.1).to_dict(orient="records")
    assert 8 <= row["replicates"] <= 30  # two own noises of 0.1, averaged over two points: deviation 0.1
    assert row["independent"] > 20 * row["replicates"]
    with pytest.raises(ValueError, match="expected a measure, one of y"):
        study.power("z", 0.1)


def test_without_arms_points_are_compared_with_the_first(tmp_path):
    text = ARMS.split("[[arms]]")[0].replace("40\n", "3\n", 1)
    found = planted(tmp_path, text, lambda sweep, cell: cell).effects(["y"])
    assert found["point"].tolist() == [1]
    assert found["difference"].tolist() == [1.0]


def test_failed_cells_are_listed_and_left_out(tmp_path):
    text = ARMS.replace("replicates = 40", "replicates = 3")
    study = planted(tmp_path, text, lambda sweep, cell: 1.0, failed=(1, 6))
    assert study.counts == {"cells": 12, "complete": 10, "failed": 2, "pending": 0}
    assert study.failures["cell"].tolist() == [1, 6]
    assert study.results.set_index("cell").loc[6, "error"] == "planted"
    assert np.isnan(study.results.set_index("cell").loc[6, "y"])
    assert study.summary(["y"])["n"].tolist() == [3, 2, 2, 3]
    assert study.effects(["y"])["n"].tolist() == [1]  # two replicates lack a cell


def test_a_cell_that_succeeded_at_last_is_no_failure(tmp_path):
    study = planted(tmp_path, "replicates = 2\n", lambda sweep, cell: cell, failed=(1,))
    study.directory.claim()
    study.directory.write(Outcome(1, "complete", "0" * 64, measures={"y": 3.0}))
    study.directory.release()
    again = open_study(study.path)
    assert again.counts["failed"] == 0
    assert again.results["y"].tolist() == [0.0, 3.0]


SALTELLI = """\
[design]
kind = "saltelli"
samples = 256
""" + "".join(
    f'[[factors]]\nname = "x{number}"\npath = "exchange.instruments.ACME.fundamental.{key}"\nlow = 0.001\nhigh = 1.0\n'
    for number, key in enumerate(("volatility", "jump_rate", "reversion_rate"))
)


def test_sobol_indices_of_a_sweep_are_those_of_its_measure(tmp_path):
    text = SALTELLI + '[set]\nexchange.instruments.ACME.fundamental.mean = "100"\n'

    def value(sweep, cell: int) -> float:
        row = np.array([list(sweep.design[cell].values.values())])
        return float(ishigami(2 * PI * (row - 0.001) / 0.999 - PI)[0])

    study = planted(tmp_path, text, value)
    found = study.sensitivity("y")
    assert found.factors == ("x0", "x1", "x2")
    assert found.first == pytest.approx(FIRST, abs=0.1)
    assert found.total == pytest.approx(TOTAL, abs=0.1)


def test_indices_need_their_design(study):
    with pytest.raises(ValueError, match='expected design.kind = "saltelli"; found "grid"'):
        study.sensitivity("y")
    with pytest.raises(ValueError, match="expected a factor, one of traders"):
        study.response("nobody", "y")


def test_factors_become_numbers_where_all_their_values_are(tmp_path):
    text = """
[[factors]]
name = "latency"
path = "exchange.populations.zero_intelligence.order_latency"
values = ["50us", "1ms"]

[[factors]]
name = "tick"
path = "exchange.instruments.ACME.tick_size"
values = ["0.01", 0.05]

[[factors]]
name = "tables"
path = "record.tables"
values = ["all", ["exchange/trades"]]
"""
    study = planted(tmp_path, text, lambda sweep, cell: cell)
    table = study.results
    assert sorted(set(table["latency"])) == [5e-5, 1e-3]
    assert sorted(set(table["tick"])) == [0.01, 0.05]
    assert sorted(set(table["tables"])) == ['["exchange/trades"]', "all"]
    assert study.word("latency", 5e-5) == "50us"
    assert study.point_labels[0] == "latency = 50us, tick = 0.01, tables = all"


def test_a_study_has_a_look_for_notebooks(study):
    assert "complete=160 of 160" in repr(study)
    assert "<table" in study._repr_html_()
