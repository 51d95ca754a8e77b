"""Language models that trade: the same digest however the answers come, caps, replay, and what stops a run."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import chisquare
from typer.testing import CliRunner

import marketsim
from marketsim.agents.llm_config import LlmTraderConfig
from marketsim.cli.main import app
from marketsim.core.errors import BudgetError, RunDirectoryError, ScenarioError
from marketsim.llm import RecordStore, RespondentServer
from marketsim.llm.errors import AuthenticationError, CapabilityError, EndpointError, RecordError, ReplayMissError
from marketsim.llm.respondents import FaultPlan
from marketsim.llm.respondents.trader import TraderRespondent
from tests.cli.conftest import ROOT

SCENARIO = """
name = "asking"
duration = "20s"

[[exchange.instruments]]
symbol = "ACME"
tick_size = "0.01"
open_price = "100.00"

[[exchange.populations]]
kind = "zero_intelligence"
count = 20

[llm]
concurrency = 8
retries = 5
timeout = "10s"

[[agents]]
kind = "llm_trader"
name = "momentum"
count = 3
persona = { style = "momentum" }
period = "4s"
decision_latency = { low = "200ms", high = "3s" }

[[agents]]
kind = "llm_trader"
name = "contrarian"
count = 2
persona = { style = "contrarian" }
period = "4s"
market_data_latency = "5ms"
llm = { sampling = { regime = "logprob" } }
"""
CALLS = 22
"""Of the scenario above."""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "asking.toml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The scenario's run, as it is."""
    folder = tmp_path_factory.mktemp("usual")
    path = folder / "asking.toml"
    path.write_text(SCENARIO)
    return marketsim.run(path, out=folder / "run")


def other_run(file, tmp_path, *overrides, out="other"):
    return marketsim.run(file, overrides=list(overrides), out=tmp_path / out)


# ---- The same result, however the answers come ---------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 64])
def test_the_digest_does_not_depend_on_concurrency(file, tmp_path, usual, concurrency):
    assert other_run(file, tmp_path, f"llm.concurrency={concurrency}").digest == usual.digest


def test_the_digest_depends_neither_on_the_order_of_answers_nor_on_faults_that_pass(file, tmp_path, usual):
    def shuffled(number):
        return 0.03 * (number * 7 % 5)

    digests = set()
    for delay, faults in ((shuffled, ("rate_limit", "server_error")), (0.0, ("disconnect",))):
        with RespondentServer(delay_s=delay, faults=FaultPlan(faults), retry_after_s=0.001) as server:
            models = [f"llm.endpoint={server.base_url}", "llm.model=trader"]
            digests.add(other_run(file, tmp_path, *models, out=faults[0]).digest)
    assert digests == {usual.digest}


def test_a_replay_has_the_same_digest_and_asks_nobody(file, tmp_path, usual, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a replay opened a connection")

    monkeypatch.setattr("marketsim.llm.client.Transport", refuse)
    replayed = other_run(file, tmp_path, "llm.mode=replay", f"llm.record={usual.path / 'llm' / 'record.sqlite'}")
    assert replayed.digest == usual.digest
    assert not (replayed.path / "llm" / "record.sqlite").exists()


def test_the_resolved_scenario_has_the_same_digest(tmp_path, usual):
    assert marketsim.run(usual.path / "scenario.toml", out=tmp_path / "again").digest == usual.digest


def test_another_seed_is_another_run(file, tmp_path, usual):
    assert marketsim.run(file, seed=2, out=tmp_path / "other").digest != usual.digest


# ---- What is written down ------------------------------------------------------------------------------------


def test_every_answer_is_a_row_and_a_record(usual):
    calls = usual.table("llm/calls")
    with RecordStore(usual.path / "llm" / "record.sqlite", read_only=True) as store:
        assert len(store) == len(calls) == CALLS
    assert calls["time_ns"].is_monotonic_increasing
    assert ((calls["time_ns"] - calls["asked_ns"]).between(200_000_000, 3_000_000_000)).all()
    assert set(calls["regime"][calls["arm"] == "contrarian"]) == {"logprob"}
    assert set(calls["provenance"]) == {"respondent"}
    assert (calls.groupby("agent")["step"].diff().dropna() == 1).all()


def test_orders_are_those_that_were_answered(usual):
    calls = usual.table("llm/calls")
    answers = [json.loads(text) for text in calls["answer"]]
    lots = {(1 if a["answer"] == "buy" else -1) * a["size_lots"] for a in answers if a["answer"] != "hold"}
    agents = usual.table("exchange/agents")
    asking = set(agents["agent"][agents["kind"] == "llm_trader"])
    orders = usual.messages
    orders = orders[orders["agent"].isin(asking) & (orders["event"] == "accepted")]
    trades = usual.trades
    assert trades["taker_agent"].isin(asking).sum() > 0
    assert len(orders) + trades["taker_agent"].isin(asking).sum() > 0
    assert lots <= {-2, -1, 1, 2}


def test_the_report_says_that_respondents_decided(usual):
    text = usual.report().read_text()
    assert "SYNTHETIC: 20 agents followed written rules; 5 agents were synthetic respondents" in text


def test_traders_follow_the_planted_logit(tmp_path, file):
    run = other_run(file, tmp_path, "agents.contrarian.count=1", "agents.momentum.count=30", "duration=40s")
    calls = run.table("llm/calls")
    model = TraderRespondent(TraderRespondent.Config())
    observed, expected = Counter(), Counter()
    with RecordStore(run.path / "llm" / "record.sqlite", read_only=True) as store:
        for entry in store.entries():
            if not entry.origin.agent.startswith("momentum"):
                continue
            text = entry.request["messages"][-1]["content"]
            state = json.loads(text.split("<state>\n")[1].split("\n</state>")[0])
            weights = {name: math.exp(u) for name, u in model.utilities(state, {"style": "momentum"}).items()}
            for name, weight in weights.items():
                expected[name] += weight / sum(weights.values())
            answer = json.loads(entry.raw.body["choices"][0]["message"]["content"])
            observed[answer["answer"]] += 1
    assert sum(observed.values()) > 200
    assert chisquare([observed[n] for n in expected], list(expected.values())).pvalue > 0.001
    assert len(calls) > 200


def test_no_position_goes_beyond_its_limit(file, tmp_path):
    model = "llm.model=trader?bias=9&inventory=0"  # wants to buy at every turn
    run = other_run(file, tmp_path, model, "agents.momentum.limit_lots=3")
    accounts = run.accounts[run.accounts["name"].str.startswith("momentum")]
    assert accounts["position_lots"].max() <= 3
    assert accounts["position_lots"].min() >= 0


@pytest.mark.parametrize("regime", ["n_choices", "batch", "sequential", "seeded", "relabel"])
def test_every_regime_runs_in_a_market(file, tmp_path, regime):
    run = other_run(file, tmp_path, f"llm.sampling.regime={regime}", "llm.sampling.k=3", "duration=9s")
    calls = run.table("llm/calls")
    asked = calls[calls["arm"] == "momentum"]
    per_call = asked.groupby(["agent", "step"])["picked"].agg(["sum", "size"])
    assert (per_call["sum"] == 1).all()
    assert set(per_call["size"]) == {3 if regime in ("n_choices", "batch") else 1}


@pytest.mark.parametrize("fault", ["refusal", "truncated", "invalid_json"])
def test_what_cannot_be_used_is_counted_and_never_acted_on(file, tmp_path, fault):
    with RespondentServer(faults=FaultPlan([fault], always=True)) as server:
        models = [f"llm.endpoint={server.base_url}", "llm.model=trader", "agents.contrarian.remove=true"]
        run = other_run(file, tmp_path, *models[:2], "duration=9s", "agents.contrarian.llm.sampling.regime=one_shot")
    calls = run.table("llm/calls")
    assert set(calls["outcome"]) == {"invalid" if fault == "invalid_json" else fault}
    assert set(calls["answer"]) == {""}
    assert (run.accounts[run.accounts["kind"] == "llm_trader"]["position_lots"] == 0).all()


# ---- Caps, interrupts, kill ----------------------------------------------------------------------------------


def test_a_cap_stops_the_run_with_a_checkpoint_and_a_larger_one_goes_on(file, tmp_path, usual):
    out = tmp_path / "capped"
    with pytest.raises(BudgetError, match=r"llm.budget.calls: the cap of 9 is reached: 9 spent") as error:
        marketsim.run(file, overrides=["llm.budget.calls=9"], out=out)
    assert error.value.exit_code == 3
    assert marketsim.open_run(out).status == "interrupted"
    with pytest.raises(BudgetError):
        marketsim.resume(out)
    with pytest.raises(RunDirectoryError, match="--set llm.model: a run that goes on may change llm.budget, "):
        marketsim.resume(out, overrides=["llm.model=other"])
    finished = marketsim.resume(out, overrides=["llm.budget.calls=1000"])
    assert (finished.status, finished.digest) == ("complete", usual.digest)
    with RecordStore(out / "llm" / "record.sqlite") as store:
        assert store.spent("capped").calls == len(store) == CALLS


def test_the_command_exits_with_3_and_says_how_to_go_on(file, tmp_path):
    words = ["run", str(file), "--set", "llm.budget.calls=5", "--out", str(tmp_path / "run"), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 3
    assert "llm.budget.calls: the cap of 5 is reached" in result.stderr
    assert f"marketsim run --resume {tmp_path / 'run'} --set llm.budget.calls=" in result.stderr
    assert "Traceback" not in result.stderr
    assert json.loads(result.stdout)["status"] == "interrupted"
    words = ["run", "--resume", str(tmp_path / "run"), "--set", "llm.budget.calls=99", "--json"]
    assert json.loads(CliRunner().invoke(app, words).stdout)["status"] == "complete"


@pytest.mark.slow
def test_after_kill_9_a_resumed_run_asks_no_committed_answer_again(file, tmp_path, usual):
    out = tmp_path / "killed"
    with RespondentServer(delay_s=0.15) as server:
        more = [f"llm.endpoint={server.base_url}", "llm.model=trader", "llm.concurrency=2"]
        words = [word for change in more for word in ("--set", change)]
        command = [sys.executable, "-m", "marketsim.cli.main", "run"]
        process = subprocess.Popen([*command, str(file), *words, "--out", str(out)], stderr=subprocess.DEVNULL)
        while server.requests["answered"] < 8:
            time.sleep(0.01)
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.2)
        with RecordStore(out / "llm" / "record.sqlite") as store:
            committed = len(store)
        before = server.requests["answered"]
        assert before - committed <= 2
        finished = marketsim.resume(out)
        assert server.requests["answered"] - before == CALLS - committed
    assert finished.digest == usual.digest


# ---- Bad input -----------------------------------------------------------------------------------------------


def test_faults_of_the_section_are_located(file):
    with pytest.raises(ScenarioError) as caught:
        marketsim.load_scenario(file, ["llm.endpoint=https://api.example.com/v1"])
    assert "llm.model: found nothing, expected the name of a model" in str(caught.value)
    for change, message in (
        ("llm.endpoint=ftp://x", 'found "ftp://x", expected "respondents" or an address'),
        ("llm.sampling.regime=twoshot", "found"),
        ("llm.mode=replay", "llm.record: found nothing, expected the path of a record store to replay"),
        ("llm.sampling.tempertaure=1", "did you mean llm.sampling.temperature?"),
        ("agents.momentum.llm.mode=replay", "agents.momentum.llm"),
        ("agents.momentum.llm.modell=x", "did you mean agents.momentum.llm.model"),
    ):
        with pytest.raises(ScenarioError) as caught:
            marketsim.load_scenario(file, [change])
        assert message in str(caught.value)


def test_an_override_survives_in_the_resolved_scenario(file):
    scenario = marketsim.load_scenario(file)
    text = scenario.to_toml()
    assert '[agents.llm.sampling]\nregime = "logprob"' in text
    file.write_text(text)
    assert marketsim.load_scenario(file) == scenario
    table = scenario.asking[1]
    assert isinstance(table, LlmTraderConfig)
    merged = table.merged(scenario.llm)
    assert (merged.sampling.regime, merged.concurrency, merged.model) == ("logprob", 8, "trader")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (["llm.key_env=NO_SUCH_KEY"], AuthenticationError, "environment variable NO_SUCH_KEY, which is not set"),
        (["llm.model=echo"], CapabilityError, "model echo"),
        (["llm.endpoint=http://127.0.0.1:9/v1", "llm.model=m", "llm.retries=0"], EndpointError, "cannot be reached"),
        (["llm.mode=replay", "llm.record=nowhere.sqlite"], RecordError, "nowhere.sqlite: found no record store"),
    ],
)
def test_what_cannot_be_asked_stops_the_run_and_names_why(file, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        other_run(file, tmp_path, *changes)


def test_a_replay_miss_names_agent_step_and_difference(file, tmp_path, usual):
    record = f"llm.record={usual.path / 'llm' / 'record.sqlite'}"
    with pytest.raises(ReplayMissError) as caught:
        other_run(file, tmp_path, "llm.mode=replay", record, "agents.momentum.persona.style=bold")
    text = str(caught.value)
    assert "agent momentum-" in text
    assert "step 0" in text
    assert "- style: bold" in text.partition("(now ")[2]


def test_record_mode_does_not_write_into_a_store_that_is_there(file, tmp_path, usual):
    record = usual.path / "llm" / "record.sqlite"
    with pytest.raises(RecordError, match='exists already; llm.mode = "cache" goes on with it'):
        other_run(file, tmp_path, f"llm.record={record}")


def test_a_shared_store_answers_what_it_has_and_is_asked_for_the_rest(file, tmp_path, usual):
    shared = tmp_path / "shared.sqlite"
    shared.write_bytes((usual.path / "llm" / "record.sqlite").read_bytes())
    cached = other_run(file, tmp_path, "llm.mode=cache", f"llm.record={shared}", "duration=24s")
    with RecordStore(shared) as store:
        assert len(store) == cached.counts["llm/calls"] > CALLS
        assert store.spent("other").calls == len(store) - CALLS


def test_the_scenario_that_ships_says_what_it_would_cost():
    from marketsim.scenario.summary import summarize

    scenario = marketsim.load_scenario(
        ROOT / "scenarios" / "llm_traders.toml", ["llm.prices.prompt=2", "llm.invalid=retry"]
    )
    first = summarize(scenario)["llm"][0]
    assert (first["calls"], first["calls_at_most"], first["prompt_tokens"]) == (600, 1800, 300_000)
    assert (first["money"], first["currency"]) == ("0.6000", "USD")
    assert Path(ROOT / "scenarios" / "llm_traders.toml").is_file()


def test_the_key_is_in_no_file_of_a_run(file, tmp_path, monkeypatch, caplog):
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("MARKET_KEY", secret)
    caplog.set_level("DEBUG")
    with RespondentServer(api_key=secret) as server:
        models = [f"llm.endpoint={server.base_url}", "llm.model=trader", "llm.key_env=MARKET_KEY"]
        run = other_run(file, tmp_path, *models, "duration=9s")
    run.report()
    files = [path for path in run.path.rglob("*") if path.is_file()]
    assert len(files) > 8
    assert all(secret.encode() not in path.read_bytes() for path in files)
    assert secret not in caplog.text


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ("llm.model=nobody", 2, "404 The model `nobody` does not exist"),
        ("llm.model=echo", 2, "needs logprobs"),
        ("llm.key_env=NO_SUCH_KEY", 2, "the environment variable NO_SUCH_KEY, which is not set"),
    ],
)
def test_what_a_user_got_wrong_has_a_message_an_exit_code_and_no_traceback(file, tmp_path, change, code, message):
    words = ["run", str(file), "--set", change, "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == code
    assert "agent " in result.stderr
    assert message in result.stderr or "model echo" in result.stderr
    assert "Traceback" not in result.stderr
