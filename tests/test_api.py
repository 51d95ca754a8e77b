"""The public interface: what ``import marketsim`` gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import marketsim
from marketsim.core.errors import RunDirectoryError

QUICKSTART = Path(__file__).resolve().parent.parent / "scenarios" / "quickstart.toml"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return marketsim.run(QUICKSTART, overrides={"duration": "20s"}, out=tmp_path_factory.mktemp("runs") / "one")


def test_the_public_names_are_these():
    assert sorted(marketsim.__all__) == [
        "Run",
        "Study",
        "load_scenario",
        "open_run",
        "open_study",
        "resume",
        "run",
        "sweep",
    ]


def test_importing_the_package_loads_nothing_heavy():
    heavy = "{'numba', 'mesa', 'pandas', 'numpy', 'pyarrow', 'pydantic', 'matplotlib'}"
    code = f"import sys, marketsim; sys.exit(repr({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_shows_its_tables_with_words_for_codes(run):
    assert set(run.trades["taker_side"].unique()) == {"buy", "sell"}
    assert set(run.trades["instrument"]) == {"ACME"}
    assert set(run.table("exchange/trades", ["taker_side"], labels=False)["taker_side"]) == {1, -1}
    assert (run.messages["event"] == "accepted").sum() > 0
    assert len(run.quotes) == run.counts["exchange/quotes"]
    assert set(run.depth["level"]) <= set(range(1, 11))


def test_a_code_without_a_word_is_missing_and_no_other_word(run):
    frame = run.messages
    raw = run.table("exchange/messages", labels=False)
    assert ((raw["side"] == 0) == frame["side"].isna()).all()


def test_an_opened_run_is_the_same_run(run):
    again = marketsim.open_run(run.path)
    assert again.digest == run.digest
    assert again.scenario == run.scenario
    assert again.trades.equals(run.trades)


def test_a_run_has_a_summary_a_report_and_a_look_for_notebooks(run, tmp_path):
    assert run.summary().loc["ACME", "trades"] == len(run.trades)
    report = run.report(tmp_path / "report.html")
    assert run.digest in report.read_text()
    assert run.digest in run._repr_html_()
    assert "complete" in repr(run)


def test_a_table_that_was_not_recorded_is_an_error_that_lists_the_others(run):
    with pytest.raises(RunDirectoryError, match="found no table exchange/auctions; it has exchange/accounts"):
        run.table("exchange/auctions")


def test_a_loaded_scenario_runs_too_and_a_seed_goes_over_its_own(tmp_path):
    scenario = marketsim.load_scenario(QUICKSTART, {"duration": "2s"})
    runs = [marketsim.run(scenario, seed=seed, out=tmp_path / str(seed)) for seed in (1, 2)]
    assert runs[0].digest != runs[1].digest
    assert runs[1].manifest["seed"] == 2
    with pytest.raises(ValueError, match="need the path of a scenario file"):
        marketsim.run(scenario, overrides={"seed": 3})


def test_progress_hears_simulated_time_and_events(tmp_path):
    heard = []
    marketsim.run(
        QUICKSTART,
        overrides={"duration": "5s"},
        out=tmp_path / "x",
        progress=lambda now, events: heard.append((now, events)),
    )
    assert heard == sorted(heard)
    assert heard[-1][1] > 0
