"""Sweeps from a file to a directory: what they leave, going on, failures, crashes, limits and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import marketsim
from marketsim.core.errors import RunDirectoryError
from marketsim.experiments import load_sweep, open_study, run_sweep
from marketsim.experiments.directory import JOURNAL
from marketsim.experiments.sweep import begin_sweep, default_path
from tests.experiments.markets import GRID, write_market, write_sweep

JOKER = "agents.joker"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A sweep of eight cells that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return marketsim.sweep(write_sweep(folder, GRID), out=folder / "out", jobs=2)


def digests(study) -> list[str]:
    return study.results.sort_values("cell")["digest"].tolist()


def workers_of(pid: int) -> list[int]:
    """Numbers of the worker processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task")
    children = [int(word) for file in tasks.glob("*/children") for word in file.read_text().split()]
    return [child for child in children if b"experiments.worker" in Path(f"/proc/{child}/cmdline").read_bytes()]


# ---- What a sweep leaves -------------------------------------------------------------------------------------


def test_each_cell_is_the_run_that_its_overrides_describe(undisturbed, tmp_path):
    row = undisturbed.results.set_index("cell").loc[7]
    assert (row["traders"], row["arm"], row["replicate"], row["status"]) == (60, "coarse", 1, "complete")
    changes = {
        "replicate": 1,
        "exchange.populations.zero_intelligence.count": 60,
        "exchange.instruments.ACME.tick_size": "0.05",
    }
    alone = marketsim.run(undisturbed.config.scenario, overrides=changes, out=tmp_path / "alone")
    assert alone.digest == row["digest"] == marketsim.open_run(undisturbed.run_path(7)).digest
    assert alone.measures()[0]["spread_mean_ticks"] == row["spread_mean_ticks"]


def test_the_directory_says_what_ran_and_can_be_swept_again(undisturbed, tmp_path):
    assert undisturbed.status == "complete"
    assert undisturbed.counts == {"cells": 8, "complete": 8, "failed": 0, "pending": 0}
    assert undisturbed.measures == ["trades", "spread_mean_ticks", "volume_lots"]
    assert undisturbed.provenance == ("rule",)
    again = marketsim.sweep(undisturbed.path / "sweep.toml", out=tmp_path / "again", jobs=1)
    assert digests(again) == digests(undisturbed)


def test_the_arms_share_their_random_numbers(undisturbed):
    table = undisturbed.results.set_index("cell")
    seeds = {json.loads((undisturbed.run_path(cell) / "manifest.json").read_text())["seed"] for cell in range(8)}
    assert seeds == {5}
    assert undisturbed.effects(["trades"])["correlation"].notna().all()
    assert len(set(table["digest"])) == 8


# ---- Going on ------------------------------------------------------------------------------------------------


def test_a_finished_sweep_is_left_as_it_is(undisturbed):
    before = (undisturbed.path / JOURNAL).read_bytes()
    file = undisturbed.path.parent / "study.toml"
    again = marketsim.sweep(file, out=undisturbed.path, jobs=2)
    assert again.status == "complete"
    assert (undisturbed.path / JOURNAL).read_bytes() == before


def test_more_replicates_add_cells_and_repeat_none(undisturbed, tmp_path):
    file = write_sweep(tmp_path, GRID.replace("replicates = 2", "replicates = 1"))
    first = marketsim.sweep(file, out=tmp_path / "out", jobs=1)
    assert first.counts["cells"] == 4
    write_sweep(tmp_path, GRID)
    second = marketsim.sweep(file, out=tmp_path / "out", jobs=1)
    lines = [json.loads(line)["cell"] for line in (tmp_path / "out" / JOURNAL).read_text().splitlines()]
    assert sorted(lines) == list(range(8))
    assert digests(second) == digests(undisturbed)
    write_sweep(tmp_path, GRID.replace("replicates = 2", "replicates = 1"))
    with pytest.raises(RunDirectoryError, match="has 2 replicates, more than the 1 of"):
        run_sweep(file, out=tmp_path / "out")


def test_a_lost_journal_line_costs_no_run_and_a_cut_one_no_error(undisturbed, tmp_path):
    file = write_sweep(tmp_path, GRID)
    study = marketsim.sweep(file, out=tmp_path / "out", jobs=1)
    made = [study.run_path(cell).joinpath("manifest.json").stat().st_mtime_ns for cell in range(8)]
    journal = tmp_path / "out" / JOURNAL
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:6]) + lines[6][:40])
    assert open_study(tmp_path / "out").counts["complete"] == 6
    again = marketsim.sweep(file, out=tmp_path / "out", jobs=1)
    assert digests(again) == digests(undisturbed)
    assert [study.run_path(cell).joinpath("manifest.json").stat().st_mtime_ns for cell in range(8)] == made


def test_another_sweep_or_a_changed_scenario_does_not_mix_with_it(tmp_path):
    file, out = write_sweep(tmp_path, GRID), tmp_path / "out"
    begin_sweep(load_sweep(file), out)  # nothing has run
    write_sweep(tmp_path, GRID.replace("[40, 60]", "[40, 61]"))
    with pytest.raises(RunDirectoryError, match="holds another sweep than"):
        run_sweep(file, out=out)
    write_sweep(tmp_path, GRID)
    market = tmp_path / "small.toml"
    market.write_text(market.read_text() + "# a word\n")
    with pytest.raises(RunDirectoryError, match=r"small.toml changed since it began"):
        run_sweep(file, out=out)
    with pytest.raises(RunDirectoryError, match="exists and is no sweep directory"):
        run_sweep(file, out=tmp_path)
    write_market(tmp_path)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["versions"]["numba"] = "0.1"
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunDirectoryError, match=r"cannot go on: numba 0.1 made it"):
        run_sweep(file, out=out)


def test_the_same_file_goes_on_in_the_same_place_without_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = write_sweep(tmp_path, "set = { duration = '1s' }\nkeep = 'measures'\n")
    first, second = marketsim.sweep(file, jobs=1), marketsim.sweep(file, jobs=1)
    assert first.path == second.path
    assert first.path.parent == Path("sweeps")
    assert first.counts["complete"] == 1
    assert not first.run_path(0).exists()  # keep = "measures"
    write_sweep(tmp_path, "set = { duration = '2s' }\n")
    assert default_path(load_sweep(file)) != first.path


# ---- Failures ------------------------------------------------------------------------------------------------


def pranks(*arms: str, more: str = "") -> str:
    text = "".join(f'[[arms]]\nname = "{arm}"\nset = {{ "{JOKER}.prank" = "{arm}" }}\n' for arm in arms)
    return f"{more}{text}"


@pytest.mark.slow
def test_crashes_errors_and_limits_are_listed_and_end_no_sweep(tmp_path):
    limits = '[limits]\nretries = 0\ntime = "15s"\nmemory = "700MB"\n'
    file = write_sweep(tmp_path, pranks("none", "kill", "exit", "fail", "sleep", "eat", more=limits), pranks=True)
    study = marketsim.sweep(file, out=tmp_path / "out", jobs=2)
    assert study.status == "incomplete"
    assert study.counts == {"cells": 6, "complete": 1, "failed": 5, "pending": 0}
    errors = study.failures.set_index("arm")["error"]
    assert errors["kill"] == "its process was ended by SIGKILL"
    assert errors["exit"] == "its process ended with exit code 7"
    assert errors["fail"] == "agent joker failed at 1s: RuntimeError: a prank"
    assert errors["sleep"] == "took more than 15 s, the limit of time"
    assert "above the limit of 700 MB" in errors["eat"]
    assert study.results.set_index("arm").loc["none", "trades"] > 0


@pytest.mark.slow
def test_what_failed_once_is_tried_again_and_equals_what_never_failed(tmp_path):
    file = write_sweep(tmp_path, pranks("none", "kill", "fail"), pranks=True)
    text = file.read_text()
    for arm in ("kill", "fail"):
        mark = tmp_path / f"{arm}.mark"
        text = text.replace(f'"{JOKER}.prank" = "{arm}"', f'"{JOKER}.prank" = "{arm}", "{JOKER}.once" = "{mark}"')
    file.write_text(text)
    study = marketsim.sweep(file, out=tmp_path / "out", jobs=2)
    table = study.results.set_index("arm")
    assert study.status == "complete"
    assert table["attempts"].to_dict() == {"none": 1, "kill": 2, "fail": 2}
    assert len(set(table["digest"])) == 1  # the joker never trades


@pytest.mark.slow
def test_a_sweep_whose_cells_failed_tries_them_again(tmp_path):
    mark = tmp_path / "mark"
    text = f'limits = {{ retries = 0 }}\nset = {{ "{JOKER}.prank" = "kill", "{JOKER}.once" = "{mark}" }}\n'
    file = write_sweep(tmp_path, text, pranks=True)
    assert marketsim.sweep(file, out=tmp_path / "out").counts["failed"] == 1
    assert marketsim.sweep(file, out=tmp_path / "out").counts["complete"] == 1


def test_a_scenario_that_changes_under_a_sweep_fails_its_cells_at_once(tmp_path):
    file = write_sweep(tmp_path, GRID)
    market = tmp_path / "small.toml"

    def change(what: str, done: int, of: int) -> None:
        if what == "running" and done == 1:
            market.write_text(market.read_text() + "# a word\n")

    study = open_study(run_sweep(file, out=tmp_path / "out", jobs=1, progress=change).path)
    assert study.counts["failed"] >= 6
    assert set(study.failures["attempts"]) == {1}
    assert study.failures["error"].str.contains("another file than when the sweep began").all()


# ---- Ctrl-C and kill -----------------------------------------------------------------------------------------


def test_ctrl_c_has_running_cells_stop_and_the_sweep_goes_on(tmp_path, undisturbed):
    file = write_sweep(tmp_path, GRID)

    def press(what: str, done: int, of: int) -> None:
        if what == "running" and done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    study = marketsim.sweep(file, out=tmp_path / "out", jobs=2, progress=press)
    assert study.status == "interrupted"
    assert 2 <= study.counts["complete"] < 8
    assert study.counts["failed"] == 0
    assert workers_of(os.getpid()) == []
    assert digests(marketsim.sweep(file, out=tmp_path / "out", jobs=2)) == digests(undisturbed)


def test_two_sweeps_do_not_write_one_directory(tmp_path):
    file = write_sweep(tmp_path, f'set = {{ "{JOKER}.prank" = "sleep" }}\n', pranks=True)
    out = tmp_path / "out"
    seen: list[str] = []

    def second() -> None:
        while not workers_of(os.getpid()):
            time.sleep(0.05)
        try:
            run_sweep(file, out=out)
        except RunDirectoryError as error:
            seen.append(str(error))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=second)
    thread.start()
    study = marketsim.sweep(file, out=out, jobs=1)
    thread.join()
    assert seen == [f"{out}: another process is running this sweep"]
    assert study.status == "interrupted"


@pytest.mark.slow
def test_workers_killed_at_random_change_no_digest(tmp_path):
    """Kill a worker every half second until four are dead, each at whatever it is doing."""
    grid = GRID.replace("replicates = 2", "replicates = 5")
    longer = "set = { duration = '2min' }\n[limits]\nretries = 5\n"
    calm = write_sweep(tmp_path, grid.replace("[[factors]]", f"{longer}[[factors]]", 1))
    expected = digests(marketsim.sweep(calm, out=tmp_path / "calm", jobs=2))
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(0.5) and len(killed) < 4:
            for pid in workers_of(os.getpid())[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    study = marketsim.sweep(calm, out=tmp_path / "wild", jobs=2)
    ended.set()
    thread.join()
    assert len(killed) >= 2
    assert study.counts["failed"] == 0
    assert digests(study) == expected


@pytest.mark.slow
def test_a_killed_sweep_leaves_no_worker_behind_and_goes_on(tmp_path, undisturbed):
    longer = GRID.replace("[[factors]]", "set = { duration = '10min' }\n[[factors]]", 1)
    file, out = write_sweep(tmp_path, longer), tmp_path / "out"
    words = [sys.executable, "-m", "marketsim.cli.main", "sweep", file, "--out", out, "-j", "2"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = out / JOURNAL
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.05)
    workers = workers_of(process.pid)
    process.kill()
    process.wait()
    assert len(workers) == 2
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    before = open_study(out).counts["complete"]
    assert 1 <= before < 8
    study = marketsim.sweep(file, out=out, jobs=2)
    calm = marketsim.sweep(file, out=tmp_path / "calm", jobs=2)
    assert digests(study) == digests(calm)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_dask_cluster_of_two_processes_gives_the_same_digests(tmp_path, undisturbed):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        study = marketsim.sweep(write_sweep(tmp_path, GRID), out=tmp_path / "out", cluster=cluster.scheduler_address)
    assert study.status == "complete"
    assert digests(study) == digests(undisturbed)
    rest = [name for name in study.results.columns if name != "seconds"]
    assert study.results[rest].equals(undisturbed.results[rest])
