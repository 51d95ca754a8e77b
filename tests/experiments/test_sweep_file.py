"""Faults of a sweep file: each on its line, all at once, before anything runs."""

from __future__ import annotations

import pytest

from marketsim.core.errors import ScenarioError
from marketsim.experiments import load_sweep
from tests.experiments.markets import GRID, write_sweep


def faults(folder, text: str, **options) -> list[str]:
    file = write_sweep(folder, text, **options)
    with pytest.raises(ScenarioError) as raised:
        load_sweep(file).check()
    return [str(fault).replace(f"{file}:", "study.toml:") for fault in raised.value.faults]


FACTOR = '[[factors]]\nname = "n"\npath = "exchange.populations.zero_intelligence.count"\n'


def test_a_good_sweep_numbers_its_cells_by_replicate_first(tmp_path):
    sweep = load_sweep(write_sweep(tmp_path, GRID))
    assert (len(sweep.design), sweep.n_cells) == (4, 8)
    path = "exchange.populations.zero_intelligence.count"
    assert [(sweep.overrides(cell)[path], sweep.overrides(cell)["replicate"]) for cell in range(8)] == [
        (40, 0), (40, 0), (60, 0), (60, 0), (40, 1), (40, 1), (60, 1), (60, 1),
    ]  # fmt: skip
    assert {sweep.overrides(cell)["seed"] for cell in range(8)} == {5}  # the scenario's own


def test_without_common_random_numbers_each_cell_has_its_own(tmp_path):
    sweep = load_sweep(write_sweep(tmp_path, f"common_random_numbers = false\nseed = 9\n{GRID}"))
    assert [sweep.overrides(cell)["replicate"] for cell in range(8)] == list(range(8))
    assert sweep.overrides(0)["seed"] == 9


def test_the_kernels_of_all_points_are_found_between_them(tmp_path):
    other = '[arms.set]\nexchange.populations.zero_intelligence.kind = "noise"\n'
    checked = load_sweep(write_sweep(tmp_path, f'[[arms]]\nname = "a"\n[[arms]]\nname = "b"\n{other}')).check()
    assert checked.warm == (0, 1)
    assert len(checked.inputs) == 1
    checked = load_sweep(write_sweep(tmp_path, GRID, pranks=True)).check()
    assert checked.warm == (0,)
    assert sorted(file.rpartition("/")[2] for file in checked.inputs) == ["prankster.py", "small.toml"]


def test_an_unknown_path_is_named_with_its_line_and_the_nearest_one(tmp_path):
    found = faults(tmp_path, '[[factors]]\nname = "n"\npath = "exchange.populations.zero.count"\nvalues = [1, 2]\n')
    assert found == [
        'study.toml:5: exchange.populations.zero.count: found "zero", expected the name of a table (zero_intelligence)'
    ]
    found = faults(tmp_path, "[set]\nduratoin = '1s'\n")
    assert len(found) == 1
    assert found[0].startswith("study.toml:3: duratoin: found an unknown key")
    assert "did you mean duration" in found[0]


def test_a_cell_that_cannot_validate_is_named_before_anything_runs(tmp_path):
    found = faults(tmp_path, f'{FACTOR}values = [\n  10,\n  -1,\n  "many",\n]\n')
    assert [fault.split(": ")[0] for fault in found] == ["study.toml:7", "study.toml:8"]
    assert "found -1, expected an integer from 1" in found[0]
    assert found[0].endswith("(cell 1: n = -1)")
    assert found[1].endswith("(cell 2: n = many)")


def test_a_fault_of_an_arm_stands_at_the_arm(tmp_path):
    arms = '[[arms]]\nname = "a"\n[[arms]]\nname = "b"\nset = { "exchange.instruments.ACME.tick_size" = "0" }\n'
    found = faults(tmp_path, f"{FACTOR}values = [5, 6]\n{arms}")
    assert len(found) == 1
    assert found[0].startswith('study.toml:10: exchange.instruments.ACME.tick_size: found "0", expected a positive')
    assert found[0].endswith("(cell 1 and 1 more: n = 5, arm = b)")


def test_a_fault_of_the_scenario_itself_stays_there_and_is_no_cells(tmp_path):
    file = write_sweep(tmp_path, GRID)
    market = tmp_path / "small.toml"
    market.write_text(market.read_text().replace("count = 60", "count = 60\nnoise = 1"))
    with pytest.raises(ScenarioError) as raised:
        load_sweep(file).check()
    assert len(raised.value.faults) == 1
    assert str(raised.value).startswith(
        f"{market}:13: exchange.populations.zero_intelligence.noise: found an unknown key"
    )
    assert "cell" not in str(raised.value)


def test_all_faults_of_the_file_come_at_once(tmp_path):
    found = faults(tmp_path, 'replicats = 3\nkeep = "some"\n[limits]\ntime = "soon"\nmemory = "2 GB"\nretries = -1\n')
    assert [fault.split(": ")[0] for fault in found] == [f"study.toml:{line}" for line in (2, 3, 5, 6, 7)]
    assert "did you mean replicates" in found[0]
    assert 'found "2 GB"' in found[3]


SECOND = '[[factors]]\nname = "m"\npath = "duration"\n'
RANGE = f"{FACTOR}low = 1\nhigh = 2\n"
MOVES = "factors.m.values: found [1, 2], expected 1 values, as many as n has, with which it moves"
MANY = ", ".join(str(number) for number in range(1, 30))

BETWEEN = {
    "lists": (f'{FACTOR}values = [1]\n{SECOND}values = [1, 2]\n[design]\nkind = "list"', 9, MOVES),
    "zipped": (f'{FACTOR}values = [1]\n{SECOND}values = [1, 2]\n[design]\nzip = [["n", "m"]]', 9, MOVES),
    "zip of nobody": (f'{FACTOR}values = [1]\n[design]\nzip = [["n", "k"]]', 7, "expected names of factors (n)"),
    "range in a grid": (RANGE, 5, "factors.n.low: found 1, expected values in place of a range"),
    "range upside down": (f"{FACTOR}low = 9\nhigh = 1\n", 6, "high: found 1, expected a number above low"),
    "half a range": (f"{FACTOR}low = 1\n", 2, "factors.n: expected values, or low and high"),
    "both": (f"{RANGE}values = [1]\n", 2, "factors.n: expected values, or low and high; found both"),
    "log of zero": (f'{FACTOR}low = 0\nhigh = 1\nscale = "log"\n', 5, "low: found 0, expected a positive number"),
    "ten": (f'{RANGE}[design]\nkind = "sobol"\nsamples = 10\n', 9, "samples: found 10, expected a power of two"),
    "no samples": (f'{RANGE}[design]\nkind = "random"\n', 7, "samples: found nothing, expected a number of points"),
    "no factor": ('[design]\nkind = "random"\nsamples = 3\n', 0, "factors: found nothing, expected at least one"),
    "samples of a grid": ("[design]\nsamples = 3\n", 3, "samples: found 3, expected no such key"),
    "own key": ("[set]\nseed = 3\n", 0, "set: found a table, expected no seed, which is the sweep's own"),
    "own key as factor": (f"{FACTOR}values = [1]\n".replace("exchange.populations.zero_intelligence.count", "seed"), 4,
                          "expected a key of the scenario other than seed"),
    "set twice": (f"[set]\nexchange.populations.zero_intelligence.count = 3\n{FACTOR}values = [1]\n", 0,
                  "expected no exchange.populations.zero_intelligence.count, which is the factor n"),
    "name twice": (f"{FACTOR}values = [1]\n{FACTOR}values = [2]\n", 7, 'found a second "n"'),
    "column's name": (f"{FACTOR}values = [1]\n".replace('"n"', '"cell"'), 3, "expected another name than a column"),
    "cells": (f"replicates = 90000\n{FACTOR}values = [{MANY}]\n", 2, "found 2,610,000 cells, expected at most 1,0"),
}  # fmt: skip


@pytest.mark.parametrize("name", BETWEEN)
def test_faults_between_keys(tmp_path, name):
    text, line, message = BETWEEN[name]
    found = faults(tmp_path, text)
    assert any(message in fault for fault in found), found
    if line:
        assert any(fault.startswith(f"study.toml:{line}: ") for fault in found), found


def test_a_scenario_that_is_not_there_is_named(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text('\nscenario = "nowhere.toml"\n')
    with pytest.raises(ScenarioError, match=rf"{file}:2: scenario: found .*nowhere.toml\", no such file"):
        load_sweep(file)
    with pytest.raises(ScenarioError, match=r"missing.toml: found no such file, expected a sweep in TOML"):
        load_sweep(tmp_path / "missing.toml")
