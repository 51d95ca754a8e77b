"""Recording a run: digests of whole, cut, interrupted, killed and failed runs."""

import json
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.core.errors import AgentError, RunDirectoryError, SimulationError
from marketsim.core.run_directory import create_run_directory, open_run_directory
from marketsim.simulation import Simulation
from marketsim.simulation.recorder import InMemory, RunRecorder, digest_of_tables, saved_state
from tests.simulation.toy_market import END, Diarist, Setting, add, instants, logs, market, reference, rows
from tests.simulation.toy_venue import events_table

TABLES = [events_table("exchange"), events_table("shop")]
SETTING = Setting()


def recorded(path: Path, every: float | None = 3600.0, **options) -> Simulation:
    run = create_run_directory(path, {"name": "toy", "seed": 5})
    recorder = RunRecorder(run, TABLES, options.pop("compression", "lz4"), every)
    return market(SETTING, recorder=recorder, **options)


def resumed(path: Path, *classes: tuple[type, str]) -> Simulation:
    run = open_run_directory(path)
    state = saved_state(run)
    line = market(SETTING)
    for kind, name in classes:
        add(line, kind, name)
    if state is not None:
        line.restore(state)
    line.recorder = RunRecorder(run, TABLES, "lz4", 3600.0)
    line.recorder.go_on(state)
    return line


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run"
    assert recorded(path).run()
    return open_run_directory(path)


def test_a_complete_run_holds_what_happened(whole):
    line = market(SETTING)
    line.run()
    assert [rows(whole.table(table.name)) for table in TABLES] == logs(line)
    assert whole.status == "complete"
    assert whole.counts == {table.name: len(log) for table, log in zip(TABLES, logs(line), strict=True)}
    assert whole.seconds > 0
    assert not (whole.path / "checkpoint").exists()
    entry = whole.manifest["tables"]["exchange/events"]
    assert set(entry["columns"]) == {"time_ns", "kind", "who", "value", "price"}
    assert len(entry["digest"]) == len(whole.digest) == 64


def test_the_digest_is_that_of_the_same_market_all_in_mesa(whole):
    import pyarrow as pa

    events, _ = reference(SETTING)
    tables = {
        table.name: pa.Table.from_arrays([pa.array(column) for column in zip(*log, strict=True)], schema=table.schema)
        for table, log in zip(TABLES, events, strict=True)
    }
    assert digest_of_tables(tables, TABLES) == whole.digest


@settings(max_examples=15, deadline=None)
@given(st.lists(instants, max_size=5), st.integers(1, 60), st.sampled_from(["none", "zstd"]))
def test_cuts_sizes_and_codecs_do_not_change_the_digest(whole, tmp_path_factory, cuts, log_rows, codec):
    path = tmp_path_factory.mktemp("cut") / "run"
    line = recorded(path, log_rows=log_rows, compression=codec)
    for instant in sorted(cuts):
        line.run(until=instant)
    line.run()
    assert open_run_directory(path).digest == whole.digest


def test_checkpoints_in_between_do_not_change_the_digest(whole, tmp_path):
    line = recorded(tmp_path / "run", every=0.0, budget=3, log_rows=20)
    assert line.run()
    run = open_run_directory(tmp_path / "run")
    assert run.digest == whole.digest
    assert len(run.parts("exchange/events")) > 3


class Interrupter(Diarist):
    """Presses Ctrl-C when it has heard so much, and again later."""

    presses = (8, 16)

    def on_start(self):
        if "exchange" in self.accounts:
            self.listen("exchange.ticks")

    def act(self, notice):
        if len(self.diary) in self.presses:
            os.kill(os.getpid(), signal.SIGINT)


class Bystander(Interrupter):
    presses = ()


def test_an_interrupted_run_goes_on_to_the_digest_of_a_whole_one(tmp_path):
    line = recorded(tmp_path / "whole")
    add(line, Bystander, "interrupter")
    line.run()
    line = recorded(tmp_path / "run")
    add(line, Interrupter, "interrupter")
    assert not line.run()
    for is_last in (False, True):
        run = open_run_directory(tmp_path / "run")
        assert run.status == "interrupted"
        assert run.digest is None
        assert sum(run.counts.values()) == sum(run.table(name).num_rows for name in run.counts) > 0
        line = resumed(tmp_path / "run", (Interrupter, "interrupter"))
        assert line.run() is is_last
    run = open_run_directory(tmp_path / "run")
    assert run.status == "complete"
    assert run.digest == open_run_directory(tmp_path / "whole").digest


def test_an_interrupted_run_can_go_on_in_the_same_process(whole, tmp_path):
    line = recorded(tmp_path / "run")
    line.run(until=END // 2)
    line.interrupt()
    line._checkpoint(interrupted=True)
    assert open_run_directory(tmp_path / "run").status == "interrupted"
    assert line.run()
    assert open_run_directory(tmp_path / "run").digest == whole.digest


@pytest.mark.parametrize("checkpoints", [True, False])
def test_a_killed_run_goes_on_to_the_digest_of_a_whole_one(whole, tmp_path, checkpoints):
    """Without a checkpoint it begins again; rows that were on disk already are dropped."""
    line = recorded(tmp_path / "run", every=0.0 if checkpoints else 3600.0, budget=5, log_rows=20)
    line.run(until=END // 2)
    line.recorder.take(line.venues[0].tables())
    for writer in line.recorder._writers.values():
        writer.close_part()  # on disk, but behind the checkpoint; then nothing more comes from this process
    line.recorder.run.release()  # as the end of a process does
    run = open_run_directory(tmp_path / "run")
    assert run.status == "running"
    assert (run.path / "checkpoint").exists() is checkpoints
    assert resumed(tmp_path / "run").run()
    assert open_run_directory(tmp_path / "run").digest == whole.digest


class Broken(Diarist):
    def act(self, notice):
        if len(self.diary) == 30:
            raise ZeroDivisionError("too much")


def test_a_failed_run_can_be_read_and_says_why(tmp_path):
    line = recorded(tmp_path / "run")
    add(line, Broken, "broken")
    with pytest.raises(AgentError, match="too much"):
        line.run()
    run = open_run_directory(tmp_path / "run")
    assert run.status == "failed"
    assert "agent broken failed" in run.manifest["error"]["message"]
    assert "ZeroDivisionError: too much" in run.manifest["error"]["traceback"]
    assert "test_recording.py" in run.manifest["error"]["traceback"]
    assert run.table("exchange/events").num_rows == run.counts["exchange/events"] > 30
    assert line.complete


def test_a_second_ctrl_c_leaves_an_interrupted_run_that_can_be_read(tmp_path):
    class Impatient(Diarist):
        def act(self, notice):
            if len(self.diary) == 20:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)

    line = recorded(tmp_path / "run")
    add(line, Impatient, "impatient")
    with pytest.raises(KeyboardInterrupt):
        line.run()
    run = open_run_directory(tmp_path / "run")
    assert run.status == "interrupted"
    assert run.table("exchange/events").num_rows == run.counts["exchange/events"]


def test_a_full_disk_fails_the_run_and_leaves_closed_parts_readable(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    line = recorded(tmp_path / "run", every=0.0, log_rows=20)
    line.run(until=END // 2)
    before = open_run_directory(tmp_path / "run").counts["exchange/events"]

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", full)
    with pytest.raises(SimulationError, match="No space left on device"):
        line.run()
    run = open_run_directory(tmp_path / "run")
    assert run.status == "failed"
    assert run.table("exchange/events").num_rows >= before > 0


def test_a_run_that_is_over_stays_over(whole, tmp_path):
    line = recorded(tmp_path / "run")
    assert line.run()
    assert line.run()
    assert line.complete
    assert open_run_directory(tmp_path / "run").digest == whole.digest


def test_tables_that_are_not_declared_are_dropped(tmp_path):
    run = create_run_directory(tmp_path / "run", {})
    line = market(SETTING, recorder=RunRecorder(run, TABLES[:1]))
    line.run()
    assert open_run_directory(tmp_path / "run").counts.keys() == {"exchange/events"}
    assert not (tmp_path / "run" / "shop").exists()


def test_rows_kept_in_memory_are_copies(whole):
    line = market(SETTING, recorder=InMemory(), log_rows=10)
    line.run()
    assert line.recorder.tables() == [table.name for table in TABLES]
    assert rows(line.recorder.table("exchange/events")) == rows(whole.table("exchange/events"))


def test_progress_is_told_in_simulated_time_and_events(tmp_path):
    told = []
    line = market(SETTING, budget=5, log_rows=10)
    line.run(progress=lambda now, events: told.append((now, events)))
    assert len(told) > 10
    assert told == sorted(told)
    assert told[-1] == (END, line.events)


def test_the_manifest_is_json_that_anyone_can_read(whole):
    text = (whole.path / "manifest.json").read_text()
    assert json.loads(text)["tables"]["shop/events"]["rows"] == whole.counts["shop/events"]


def test_a_run_that_is_still_being_written_is_left_alone(tmp_path):
    line = recorded(tmp_path / "run")
    line.run(until=END // 2)
    with pytest.raises(RunDirectoryError, match="another process is writing this run"):
        resumed(tmp_path / "run")
    with pytest.raises(RunDirectoryError, match="another process is writing this run"):
        create_run_directory(tmp_path / "run", {}, force=True)
    assert line.run()
    assert create_run_directory(tmp_path / "run", {}, force=True).status == "running"
