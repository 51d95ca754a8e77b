"""``marketsim lmm``: from data to judgement on the command line, and what it says of mistakes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from marketsim.cli.main import app

MODEL = str(Path(__file__).parent.parent.parent / "models" / "ci")


def invoke(*arguments):
    return CliRunner().invoke(app, ["lmm", *map(str, arguments)])


def test_prepare_train_and_sample(tmp_path):
    data, model = tmp_path / "data", tmp_path / "model"
    keys = ["--teacher", "zero_intelligence", "--events", "20000", "--books", "10"]
    result = invoke("prepare", *keys, "-o", data, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["events"]["train"] == 16000
    result = invoke("train", "--data", data, "--steps", "2", "--every", "1", "--windows", "4", "-o", model, "--json")
    assert result.exit_code == 0, result.output
    card = json.loads(result.stdout)
    assert card["command"].startswith("marketsim lmm train --size ci --data")
    assert (model / "loss.csv").read_text().count("\n") == 3
    result = invoke("sample", model, "--minutes", "0.02", "--books", "2", "-o", tmp_path / "generated", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["files"] == 5


def test_eval_of_files_writes_a_page(tmp_path):
    for name, seed in (("one", "1"), ("other", "2")):
        result = invoke("sample", MODEL, "--minutes", "0.4", "--books", "3", "--seed", seed, "-o", tmp_path / name)
        assert result.exit_code == 0, result.output
    page = tmp_path / "eval.html"
    result = invoke("eval", tmp_path / "one", "--reference", tmp_path / "other", "-o", page, "--json")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)["scores"]
    assert {"name", "value", "low", "high", "floor"} <= set(scores[0])
    assert len({score["name"].split("/")[0] for score in scores if score["rung"] == 2}) == 24
    html = page.read_text()
    assert "log_inter_arrival/ks" in html
    assert "http" not in html.replace("http://www.w3.org", "")


SCENARIO = """
name = "flow"
seed = 1
duration = "20min"
[[exchange.instruments]]
symbol = "ACME"
open_price = "100.00"
[[exchange.populations]]
kind = "hawkes"
count = 20
"""


def test_a_run_of_the_exchange_is_training_data(tmp_path):
    tmp_path.joinpath("flow.toml").write_text(SCENARIO)
    run = tmp_path / "run"
    result = CliRunner().invoke(app, ["run", str(tmp_path / "flow.toml"), "--out", str(run)])
    assert result.exit_code == 0, result.output
    result = invoke("prepare", run, "-o", tmp_path / "data", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["symbol"] == "ACME"
    assert found["tokens"]["exact"]
    assert sum(found["left_out_or_mended"].values()) <= 2  # of 8,668: lots beyond the book that is kept
    assert sum(found["events"].values()) > 0.95 * found["rows"]
    assert invoke("prepare", run, "--symbol", "BETA", "-o", tmp_path / "data").exit_code == 2


@pytest.mark.slow
def test_eval_of_the_shipped_model_finds_its_teachers(tmp_path):
    result = invoke("eval", MODEL, "--books", "32", "--minutes", "1", "--json")
    assert result.exit_code == 0, result.output
    scores = {score["name"]: score for score in json.loads(result.stdout)["scores"]}
    for name in ("spread", "log_inter_arrival", "ask_volume", "limit_ask_level"):
        score = scores[f"hawkes/{name}/l1"]
        assert score["value"] < score["null"]  # nearer to its teacher than another flow is
        assert score["value"] < 3 * score["floor"]
    assert scores["share_closed_from_chained_Markov"]["value"] > 0.85
    assert 0.85 < scores["hawkes/wide_spread_ratio_up_to_6400_events"]["value"] < 1.15


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["prepare", "-o", "x"], "SOURCE"),
        (["prepare", "--teacher", "garch", "-o", "x"], "expected a teacher"),
        (["prepare", "nowhere.csv", "-o", "x"], "nowhere.csv"),
        (["train", "--data", "nowhere", "-o", "x"], "prepare wrote"),
        (["train", "--data", "nowhere", "--size", "huge", "-o", "x"], "one of ci, small"),
        (["train", "--data", "nowhere", "--device", "cuda", "-o", "x"], "GPU"),
        (["sample", "nowhere", "-o", "x"], "train wrote"),
        (["sample", MODEL, "--regime", "garch", "-o", "x"], "regime"),
        (["sample", MODEL, "--volatility", "2", "-o", "x"], "--regime"),
        (["eval", "nowhere"], "--reference"),
        (["eval", "nowhere", "--reference", "nowhere"], "no LOBSTER files"),
    ],
)
def test_mistakes_are_named_with_exit_code_2(tmp_path, monkeypatch, words, text):
    monkeypatch.chdir(tmp_path)
    result = invoke(*words)
    assert result.exit_code == 2, result.output
    assert text in result.stderr
    assert "Traceback" not in result.output
