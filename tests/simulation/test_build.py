"""From a scenario to a run directory and back: the whole road, in this process and in others."""

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from marketsim.core.errors import AgentError, RunDirectoryError, SimulationError
from marketsim.core.run_directory import open_run_directory
from marketsim.scenario import load_scenario
from marketsim.simulation import Simulation
from marketsim.simulation.build import build_simulation, resume_run, start_run
from marketsim.simulation.recorder import InMemory

SCENARIO = """
    name = "small"
    seed = 11
    duration = "20s"

    [[exchange.instruments]]
    symbol = "ACME"
    open_price = "100.00"

    [[exchange.populations]]
    kind = "zero_intelligence"
    count = 50
    limit_rate = 2.0

    [[agents]]
    kind = "twap"
    side = "buy"
    size_lots = 40
    interval = "1s"
    slices = 10
    order_latency = "3ms"

    [[agents]]
    kind = "quote_watcher"
    market_data_latency = "1ms"
"""

OWN_AGENT = """
    import os, signal
    from marketsim.agents import AgentConfig, Trader

    class Presser(Trader):
        class Config(AgentConfig):
            at: int = 0
            how: str = "interrupt"

        def on_start(self):
            self.n = 0
            self.wake_in(1_000_000_000)

        def on_wake(self, payload):
            self.n += 1
            self.buy(price_ticks=9_000 + self.n)
            if self.n == self.config.at and "RESUMING" not in os.environ:
                if self.config.how == "raise":
                    raise RuntimeError("I give up")
                os.kill(os.getpid(), {"interrupt": signal.SIGINT, "kill": signal.SIGKILL}[self.config.how])
            self.wake_in(1_000_000_000)

        def state(self):
            return {"n": self.n}

        def restore(self, state):
            self.n = state["n"]
"""

PRESSER = """
    [[agents]]
    kind = "presser:Presser"
    at = {at}
    how = "{how}"

    [record]
    checkpoint_every = "{every}"
"""


@pytest.fixture
def scenario(tmp_path):
    def write(extra: str = "") -> str:
        (tmp_path / "presser.py").write_text(textwrap.dedent(OWN_AGENT))
        file = tmp_path / "small.toml"
        file.write_text(textwrap.dedent(SCENARIO) + textwrap.dedent(extra))
        return str(file)

    return write


def run(file, path):
    assert start_run(load_scenario(file), path).run()
    return open_run_directory(path)


RUN = "import sys; from pathlib import Path; from marketsim.scenario import load_scenario; "
RUN += "from marketsim.simulation.build import start_run; "
RUN += "simulation = start_run(load_scenario(sys.argv[1]), Path(sys.argv[2])); print(simulation.run())"


def run_elsewhere(file, path, **options):
    return subprocess.run([sys.executable, "-c", RUN, file, str(path)], capture_output=True, text=True, **options)


def test_a_run_directory_says_what_ran_and_holds_its_tables(scenario, tmp_path):
    done = run(scenario(PRESSER.format(at=0, how="interrupt", every="1min")), tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert done.status == manifest["status"] == "complete"
    assert (manifest["name"], manifest["seed"], manifest["replicate"]) == ("small", 11, 0)
    assert manifest["duration"] == 20 * 10**9
    assert manifest["instruments"] == [
        {"symbol": "ACME", "tick_size": "0.01", "lot_size": 1, "currency": "USD", "cash_decimals": 2}
    ]
    assert manifest["provenance"] == ["rule"]
    assert {name.rpartition("/")[2] for name in manifest["inputs"]} == {"small.toml", "presser.py"}
    assert {"exchange/messages", "exchange/trades", "exchange/quotes", "exchange/depth"} <= done.counts.keys()
    agents = done.frame("exchange/agents")
    assert agents["name"].tolist()[-3:] == ["twap", "quote_watcher", "presser:Presser"]
    assert agents["agent"].tolist() == list(range(1, 54))
    twap = done.frame("exchange/accounts").query("agent == 51")
    assert twap["position_lots"].tolist() == [40]
    assert set(done.frame("exchange/accounts")["time_ns"]) == {manifest["duration"]}


def test_two_processes_and_the_resolved_scenario_give_one_digest(scenario, tmp_path):
    file = scenario()
    first = run(file, tmp_path / "first")
    elsewhere = run_elsewhere(file, tmp_path / "second")
    assert elsewhere.stdout.strip() == "True", elsewhere.stderr
    assert open_run_directory(tmp_path / "second").digest == first.digest
    assert run(tmp_path / "first" / "scenario.toml", tmp_path / "third").digest == first.digest
    assert run(scenario("\n[record]\ncompression = 'zstd'\n"), tmp_path / "fourth").digest == first.digest


def test_without_jit_a_run_has_the_same_digest(scenario, tmp_path):
    file = scenario().replace("small.toml", "short.toml")
    (tmp_path / "short.toml").write_text((tmp_path / "small.toml").read_text().replace('"20s"', '"2s"'))
    interpreted = run_elsewhere(file, tmp_path / "interpreted", env=os.environ | {"NUMBA_DISABLE_JIT": "1"})
    assert interpreted.stdout.strip() == "True", interpreted.stderr
    compiled = run(file, tmp_path / "compiled")
    assert compiled.counts["exchange/messages"] > 200
    assert open_run_directory(tmp_path / "interpreted").digest == compiled.digest


def test_an_interrupted_run_is_resumed_to_the_digest_of_a_whole_one(scenario, tmp_path, monkeypatch):
    file = scenario(PRESSER.format(at=7, how="interrupt", every="1min"))
    stopped = start_run(load_scenario(file), tmp_path / "run")
    assert not stopped.run()
    assert open_run_directory(tmp_path / "run").status == "interrupted"
    monkeypatch.setenv("RESUMING", "1")
    resumed = resume_run(tmp_path / "run")
    assert resumed.now == stopped.now > 0
    assert resumed.run()
    assert open_run_directory(tmp_path / "run").digest == run(file, tmp_path / "whole").digest
    assert set(open_run_directory(tmp_path / "run").frame("exchange/accounts")["time_ns"]) == {20 * 10**9}
    with pytest.raises(RunDirectoryError, match="is complete; there is nothing to resume"):
        resume_run(tmp_path / "run")


@pytest.mark.parametrize(("every", "has_checkpoint"), [("1ms", True), ("1h", False)])
def test_a_killed_run_is_resumed_to_the_digest_of_a_whole_one(scenario, tmp_path, monkeypatch, every, has_checkpoint):
    file = scenario(PRESSER.format(at=15, how="kill", every=every))
    killed = run_elsewhere(file, tmp_path / "run")
    assert killed.returncode == -signal.SIGKILL
    assert open_run_directory(tmp_path / "run").status == "running"
    assert (tmp_path / "run" / "checkpoint" / "checkpoint.json").exists() is has_checkpoint
    monkeypatch.setenv("RESUMING", "1")
    resumed = resume_run(tmp_path / "run")
    assert (resumed.now > 0) is has_checkpoint
    assert resumed.run()
    assert open_run_directory(tmp_path / "run").digest == run(file, tmp_path / "whole").digest


def test_a_failed_run_can_be_resumed_once_its_cause_is_gone(scenario, tmp_path, monkeypatch):
    file = scenario(PRESSER.format(at=15, how="raise", every="1ms"))
    with pytest.raises(AgentError, match=r"agent presser:Presser failed at 15s: RuntimeError: I give up"):
        start_run(load_scenario(file), tmp_path / "run").run()
    failed = open_run_directory(tmp_path / "run")
    assert failed.status == "failed"
    assert 'raise RuntimeError("I give up")' in failed.manifest["error"]["traceback"]
    assert failed.table("exchange/trades").num_rows > 10
    monkeypatch.setenv("RESUMING", "1")
    assert resume_run(tmp_path / "run").run()
    done = open_run_directory(tmp_path / "run")
    assert done.status == "complete"
    assert "error" not in done.manifest
    assert done.digest == run(file, tmp_path / "whole").digest


def test_other_code_or_another_version_is_refused_where_a_run_is_resumed(scenario, tmp_path):
    file = scenario(PRESSER.format(at=7, how="interrupt", every="1min"))
    assert not start_run(load_scenario(file), tmp_path / "run").run()
    manifest = open_run_directory(tmp_path / "run").manifest
    changed = manifest | {"versions": manifest["versions"] | {"numba": "0.1"}}
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(changed))
    with pytest.raises(RunDirectoryError, match=r"cannot be resumed: numba 0.1 made it, and this is"):
        resume_run(tmp_path / "run")
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    with (tmp_path / "presser.py").open("a") as module:
        module.write("# changed\n")
    with pytest.raises(RunDirectoryError, match=r"cannot be resumed: .*presser.py changed since it began"):
        resume_run(tmp_path / "run")


def test_an_agent_class_without_state_is_refused_by_name_where_a_run_is_resumed(tmp_path):
    text = textwrap.dedent(OWN_AGENT).partition("    def state")[0]
    (tmp_path / "presser.py").write_text(text)
    file = tmp_path / "small.toml"
    extra = PRESSER.format(at=7, how="interrupt", every="1min")
    file.write_text(textwrap.dedent(SCENARIO) + textwrap.dedent(extra))
    assert not start_run(load_scenario(file), tmp_path / "run").run()
    with pytest.raises(SimulationError, match=r"class Presser \(agent presser:Presser\) lacks state and restore"):
        resume_run(tmp_path / "run")
    left = open_run_directory(tmp_path / "run")
    assert left.status == "interrupted"
    assert left.counts["exchange/messages"] == left.table("exchange/messages").num_rows > 0


def test_ctrl_c_in_another_process_leaves_a_run_that_can_be_resumed(scenario, tmp_path):
    file = scenario("\n[exchange.depth]\ninterval = '10us'\n")  # takes minutes
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, file, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "exchange" / "depth" / "part-00000.partial").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output.strip() == "False"
    assert process.returncode == 0
    stopped = open_run_directory(tmp_path / "run")
    assert stopped.status == "interrupted"
    assert stopped.table("exchange/depth").num_rows == stopped.counts["exchange/depth"] > 0
    assert resume_run(tmp_path / "run").now >= 0


def test_a_disk_that_is_really_full_fails_the_run(scenario, tmp_path):
    file = scenario("\n[exchange.depth]\ninterval = '10us'\n")

    def limit_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    result = run_elsewhere(file, tmp_path / "run", preexec_fn=limit_files, env=os.environ | {"NUMBA_CACHE_DIR": ""})
    assert "SimulationError: cannot record" in result.stderr
    assert open_run_directory(tmp_path / "run").status == "failed"


def test_the_tables_that_a_scenario_does_not_record_are_not_made(scenario, tmp_path):
    done = run(scenario("\n[record]\ntables = ['exchange/trades']\n"), tmp_path / "run")
    assert done.counts.keys() == {"exchange/trades"}
    whole = run(scenario(), tmp_path / "whole")
    assert done.table("exchange/trades").equals(whole.table("exchange/trades"))


def test_a_directory_that_exists_is_refused_before_anything_is_compiled(scenario, tmp_path):
    loaded = load_scenario(scenario())
    run(scenario(), tmp_path / "run")
    with pytest.raises(RunDirectoryError, match="exists already; --force replaces it"):
        Simulation.from_scenario(loaded, tmp_path / "run")
    assert Simulation.from_scenario(loaded, tmp_path / "run", force=True).run()


def test_without_a_run_directory_nothing_is_written(scenario, tmp_path, monkeypatch):
    loaded = load_scenario(scenario())
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    recorder = InMemory()
    simulation = build_simulation(loaded, recorder)
    assert simulation.run()
    assert recorder.table("exchange/trades").num_rows > 10
    assert not list((tmp_path / "here").iterdir())
    assert Simulation.from_scenario(loaded).run()
