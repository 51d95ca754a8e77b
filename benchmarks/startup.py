"""What a user waits for before anything happens: imports, ``--help``, ``validate``, the first compile.

    python benchmarks/startup.py [--runs 5] [--json]

Each figure is the median wall time of fresh processes, in seconds, after one that warms the disk's cache. "cold" runs
have an empty folder of compiled kernels.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUICKSTART = str(ROOT / "scenarios" / "quickstart.toml")
MARKETSIM = [sys.executable, "-m", "marketsim.cli.main"]
RUN = [*MARKETSIM, "run", QUICKSTART, "--set", "duration=1s", "--force"]

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import marketsim": [sys.executable, "-c", "import marketsim"],
    "import numpy": [sys.executable, "-c", "import numpy"],
    "import marketsim.core.jit (Numba)": [sys.executable, "-c", "import marketsim.core.jit"],
    "import marketsim.exchange.OrderBook": [sys.executable, "-c", "from marketsim.exchange import OrderBook"],
    "marketsim --help": [*MARKETSIM, "--help"],
    "marketsim validate": [*MARKETSIM, "validate", QUICKSTART],
}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return the wall time of one process."""
    begin = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - begin


def measure(runs: int) -> dict[str, float]:
    """Return seconds by figure; commands take turns, so that a busy moment spoils none alone."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    with tempfile.TemporaryDirectory() as folder:
        environment["XDG_CACHE_HOME"] = folder
        run = [*RUN, "--out", str(Path(folder) / "run")]
        results = {"run of 1 s simulated, cold": seconds(run, environment)}
        for command in COMMANDS.values():
            seconds(command, environment)
        times: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "run of 1 s simulated, warm")}
        for _ in range(runs):
            for name, command in COMMANDS.items():
                times[name].append(seconds(command, environment))
            times["run of 1 s simulated, warm"].append(seconds(run, environment))
    results |= {name: statistics.median(values) for name, values in times.items()}
    results["first compile"] = results["run of 1 s simulated, cold"] - results["run of 1 s simulated, warm"]
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="fresh processes per figure")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    results = measure(arguments.runs)
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    for name, value in results.items():
        print(f"{name:<40}{value:8.3f} s")


if __name__ == "__main__":
    main()
