"""Overhead of a sweep's workers: cells of 50 ms against the ideal, going on with 10,000 cells, memory.

    marketsim bench sweep            all three
    marketsim bench sweep --quick    fewer cells

A cell of the first figure sleeps, so that it measures hand-over and not how many processors are free; the ideal is
cells x 50 ms / workers, counted from when the workers are ready. ProcessPoolExecutor and, where it is installed, Dask
do the same in turn. The second figure makes a sweep directory of 10,000 cells that are all complete but one hundred,
and times what comes before the first cell runs. Memory is that of the process that hands over.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

CELL_S = 0.05
WORKERS = 2


def sleep_cell(task: dict[str, Any]) -> dict[str, Any]:
    """A cell that takes 50 ms and does nothing."""
    time.sleep(CELL_S)
    return {"status": "complete", "measures": {"trades": float(task["cell"])}}


def tasks(n: int) -> Iterator[dict[str, Any]]:
    return ({"cell": number} for number in range(n))


def by_marketsim(n: int) -> float:
    from marketsim.experiments.local import LocalWorkers
    from marketsim.experiments.process import CellLimits

    sys.path.insert(0, str(Path(__file__).parent))
    with LocalWorkers(WORKERS, CellLimits(), function="benchmarks.sweep:sleep_cell") as workers:
        workers.start()
        list(workers.outcomes(tasks(WORKERS)))  # imports this file
        begun = time.perf_counter()
        assert sum(outcome.status == "complete" for outcome in workers.outcomes(tasks(n))) == n
        return time.perf_counter() - begun


def by_process_pool(n: int) -> float:
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        list(pool.map(sleep_cell, tasks(WORKERS * 2)))
        begun = time.perf_counter()
        assert len(list(pool.map(sleep_cell, tasks(n)))) == n
        return time.perf_counter() - begun


def by_dask(n: int) -> float:
    from distributed import Client, LocalCluster

    options = {"n_workers": WORKERS, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        client.gather(client.map(sleep_cell, list(tasks(WORKERS * 2)), pure=False))
        begun = time.perf_counter()
        assert len(client.gather(client.map(sleep_cell, list(tasks(n)), pure=False))) == n
        return time.perf_counter() - begun


def hand_over(n: int, rounds: int) -> None:
    ideal = n * CELL_S / WORKERS
    ways: dict[str, Callable[[int], float]] = {"marketsim": by_marketsim, "ProcessPool": by_process_pool}
    try:
        import distributed  # noqa: F401

        ways["dask"] = by_dask
    except ModuleNotFoundError:
        pass
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seconds[name].append(way(n))
    print(f"{n} cells of {CELL_S * 1e3:.0f} ms on {WORKERS} workers, ideal {ideal:.2f} s, median of {rounds}")
    for name, each in seconds.items():
        middle = statistics.median(each)
        print(f"  {name:<12} {middle:6.2f} s  {middle / ideal:5.3f} x ideal  ({min(each):.2f} to {max(each):.2f})")


RESUME = """
import json, resource, sys, time
from pathlib import Path
begun, cpu = time.perf_counter(), time.process_time()
import marketsim.experiments.sweep as sweep
first = {}
class Stop(Exception): pass
class Workers:
    def __init__(self, *a): pass
    def __enter__(self): return self
    def __exit__(self, *a): pass
    def start(self, warm=None): pass
    def outcomes(self, tasks):
        first["task"] = next(iter(tasks)); raise Stop
    def stop(self): pass
sweep._workers = Workers
try: sweep.run_sweep(sys.argv[1], out=sys.argv[2])
except Stop: pass
seconds = time.perf_counter() - begun
print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu, "cell": first["task"]["cell"],
                  "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def make_sweep(folder: Path, n: int) -> tuple[Path, Path]:
    """Write a sweep of n cells and a directory in which all but a hundred are complete, as far as it says."""
    from marketsim.experiments.directory import Outcome
    from marketsim.experiments.loader import load_sweep
    from marketsim.experiments.sweep import begin_sweep

    folder.joinpath("market.toml").write_text(
        'duration = "1s"\n[[exchange.instruments]]\nsymbol = "ACME"\ntick_size = "0.01"\nopen_price = "100"\n'
        '[[exchange.populations]]\nkind = "zero_intelligence"\ncount = 10\n'
    )
    file = folder / "study.toml"
    file.write_text(
        f'scenario = "market.toml"\nreplicates = {n // 100}\n[[factors]]\nname = "count"\n'
        f'path = "exchange.populations.zero_intelligence.count"\nvalues = {list(range(1, 101))}\n'
    )
    directory = begin_sweep(load_sweep(file), folder / "out")
    directory.claim()
    measures = {f"measure_{number}": 1.0 / (number + 1) for number in range(12)}
    for cell in range(n - 100):
        directory.write(Outcome(cell, "complete", "0" * 64, 0.1, measures=measures, provenance=["rule"]))
    directory.release()
    return file, directory.path


def going_on(n: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        file, out = make_sweep(Path(name), n)
        found = []
        for _ in range(rounds):
            words = [sys.executable, "-c", RESUME, str(file), str(out)]
            found.append(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))
    assert all(each["cell"] == n - 100 for each in found)
    middle = {key: statistics.median(each[key] for each in found) for key in ("seconds", "cpu", "megabytes")}
    print(
        f"going on with {n:,} cells: {middle['seconds']:.2f} s to the first cell, of which {middle['cpu']:.2f} s of "
        f"processor time; {middle['megabytes']:.0f} MB, imports included"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer cells and rounds")
    quick = parser.parse_args().quick
    hand_over(40 if quick else 200, 1 if quick else 3)
    for n in (1_000, 10_000) if quick else (1_000, 10_000, 100_000):
        going_on(n, 1 if quick else 3)


if __name__ == "__main__":
    main()
