"""``marketsim run``: what it prints, what it leaves, and what it says when something is wrong."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import QUICKSTART

SHORT = ("--set", "duration=5s")


def test_a_run_ends_with_figures_a_digest_and_a_report(marketsim, tmp_path):
    result = marketsim("run", QUICKSTART, *SHORT)
    assert result.exit_code == 0, result.stderr
    assert "ACME" in result.stdout
    assert re.search(r"^digest +[0-9a-f]{64}$", result.stdout, re.MULTILINE)
    report = Path(re.search(r"^report +(.*)$", result.stdout, re.MULTILINE)[1])
    assert report.read_text().startswith("<!doctype html>") or "<html" in report.read_text()[:200]
    assert re.fullmatch(r"quickstart-s1-[0-9a-f]{6}", report.parent.name)
    assert report.parent.parent == Path("runs")


def test_json_is_one_object_with_the_promised_keys(marketsim, tmp_path):
    result = marketsim("run", QUICKSTART, *SHORT, "--seed", 7, "--out", tmp_path / "x", "--json")
    facts = json.loads(result.stdout)
    assert {"run_dir", "status", "digest", "seconds", "counts"} <= set(facts)
    assert facts["status"] == "complete"
    assert facts["counts"]["exchange/trades"] > 0
    assert json.loads((tmp_path / "x" / "manifest.json").read_text())["seed"] == 7


def test_the_same_seed_gives_the_same_digest_and_another_another(marketsim, tmp_path):
    digests = [
        json.loads(marketsim("run", QUICKSTART, *SHORT, "--seed", seed, "--out", tmp_path / name, "--json").stdout)[
            "digest"
        ]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_the_resolved_scenario_gives_the_same_digest(marketsim, tmp_path):
    first = json.loads(marketsim("run", QUICKSTART, *SHORT, "--out", tmp_path / "a", "--json").stdout)
    again = json.loads(marketsim("run", tmp_path / "a" / "scenario.toml", "--out", tmp_path / "b", "--json").stdout)
    assert first["digest"] == again["digest"]


def test_a_dry_run_says_what_would_run_and_leaves_nothing(marketsim, tmp_path):
    result = marketsim("run", QUICKSTART, "--dry-run")
    assert result.exit_code == 0
    assert "zero_intelligence" in result.stdout
    assert not (tmp_path / "runs").exists()


def test_an_existing_run_is_replaced_only_by_force(marketsim, tmp_path):
    assert marketsim("run", QUICKSTART, *SHORT, "--out", tmp_path / "x").exit_code == 0
    refused = marketsim("run", QUICKSTART, *SHORT, "--out", tmp_path / "x")
    assert refused.exit_code == 2
    assert "exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert marketsim("run", QUICKSTART, *SHORT, "--out", tmp_path / "x", "--force").exit_code == 0


def test_a_folder_that_is_no_run_is_never_replaced(marketsim, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("...")
    result = marketsim("run", QUICKSTART, *SHORT, "--out", precious, "--force")
    assert result.exit_code == 2
    assert (precious / "thesis.tex").read_text() == "..."


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "expected a scenario file"),
        (("no.toml",), "no.toml"),
        ((QUICKSTART, "--resume", "x"), "--resume DIR goes on"),
        (("--resume", "nowhere"), "nowhere: found no run directory"),
        ((QUICKSTART, "--set", "exchange.populations.valeu.count=3"), "did you mean"),
        ((QUICKSTART, "--set", "duration"), "path=value"),
    ],
)
def test_what_cannot_run_exits_with_2_and_says_why(marketsim, words, message):
    result = marketsim("run", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


AGENT = """
from marketsim.agents import Agent

class Clumsy(Agent):
    def on_start(self):
        self.wake_in(1_000_000_000, None)

    def on_wake(self, payload):
        raise RuntimeError("dropped it")
"""


def test_an_agents_exception_names_agent_time_and_line_and_closes_the_tables(marketsim, quickstart, tmp_path):
    (tmp_path / "clumsy.py").write_text(AGENT)
    file = quickstart(('kind = "quote_watcher"', 'kind = "clumsy:Clumsy"'))
    result = marketsim("run", file, *SHORT, "--out", tmp_path / "x")
    assert result.exit_code == 1
    assert "agent clumsy:Clumsy failed at 1s: RuntimeError: dropped it" in result.stderr
    assert 'clumsy.py", line 9' in result.stderr
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text())
    assert manifest["status"] == "failed"
    assert manifest["tables"]["exchange/trades"]["rows"] > 0


LOOP = """
from marketsim.agents import Agent

class Echo(Agent):
    def on_start(self):
        self.wake_in(0, None)

    def on_wake(self, payload):
        self.wake_in(0, None)
"""


def test_agents_that_wake_each_other_for_ever_are_named(marketsim, quickstart, tmp_path):
    (tmp_path / "echo.py").write_text(LOOP)
    file = quickstart(('kind = "quote_watcher"', 'kind = "echo:Echo"'))
    result = marketsim("run", file, *SHORT, "--out", tmp_path / "x")
    assert result.exit_code == 1
    assert "echo:Echo" in result.stderr
    assert "Traceback" not in result.stderr


POPULATION = """
from marketsim.exchange.population import Population

class Wrong(Population):
    @classmethod
    def start(cls, config, context): ...

    @staticmethod
    def wake(state, now): ...
"""


def test_a_population_with_a_wrong_signature_is_refused_before_anything_runs(marketsim, quickstart, tmp_path):
    (tmp_path / "wrong.py").write_text(POPULATION)
    file = quickstart(('kind = "noise"', 'kind = "wrong:Wrong"'))
    result = marketsim("run", file, *SHORT, "--out", tmp_path / "x")
    assert result.exit_code in (1, 2)
    assert "wake(state_i, state_f, agent, now, market, counters, out)" in result.stderr
    assert "wake(state, now)" in result.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_ctrl_c_exits_with_130_and_resume_ends_with_the_digest_of_an_uninterrupted_run(marketsim_process, tmp_path):
    length = ("--set", "duration=3h")
    whole, _ = marketsim_process("run", QUICKSTART, *length, "--out", "whole", "--json").communicate(timeout=300)
    process = marketsim_process("run", QUICKSTART, *length, "--out", "cut", "--json")
    trades = tmp_path / "cut" / "exchange" / "trades"
    deadline = time.monotonic() + 120
    while not (trades.is_dir() and any(trades.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "marketsim run --resume cut" in stderr
    assert json.loads(stdout)["status"] == "interrupted"
    resumed, stderr = marketsim_process("run", "--resume", "cut", "--json").communicate(timeout=300)
    assert json.loads(resumed)["digest"] == json.loads(whole)["digest"], stderr


@pytest.mark.slow
def test_two_processes_give_the_same_digest(marketsim_process):
    runs = [marketsim_process("run", QUICKSTART, "--out", name, "--json").communicate(timeout=300)[0] for name in "ab"]
    first, second = (json.loads(stdout)["digest"] for stdout in runs)
    assert first == second
