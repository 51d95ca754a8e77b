"""The shop's speed: ten million choices among eight offers, recorded and not, by regime; memory; first compilation.

    python benchmarks/storefront.py [--choices 10000000] [--rounds 3] [--quick] [--json]

Rounds of all settings alternate, so that what slows the machine slows all of them. Seconds are of processor time of one
core, medians with the lowest and the highest; figures are scaled to ten million choices. Memory is the largest resident
set of a fresh process, for a run of one part and of ten. Compilation is that of a process with an empty cache.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from marketsim.core.run_directory import create_run_directory
from marketsim.simulation import Simulation
from marketsim.simulation.recorder import RunRecorder
from marketsim.storefront.config import StorefrontConfig
from marketsim.storefront.engine import Storefront
from marketsim.storefront.tables import TABLES

CATEGORIES = 12
DURATION_NS = 10**16
SCALE = 10_000_000
TASTE = {
    "row": [1.22, 0.0],
    "column": [0.20, 0.60, 0.60, 0.0],
    "ln_price": -1.62,
    "ln_reviews": 0.42,
    "rating": 4.91,
    "sponsored": -0.14,
    "overall_pick": 1.06,
    "scarcity": -0.05,
    "quality": 1.0,
}
SETTINGS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "multinomial logit, fixed page": ("fixed", {"choice": TASTE}, False),
    "multinomial logit, permutation": ("permutation", {"choice": TASTE}, False),
    "multinomial logit, aces": ("aces", {"choice": TASTE}, False),
    "mixed logit, fixed page": ("fixed", {"choice": TASTE, "deviations": {"ln_price": 0.5}, "count": 1_000_000}, False),
    "nested logit, fixed page": ("fixed", {"choice": TASTE, "nests": {"by": "brand", "dissimilarity": 0.5}}, False),
    "multinomial logit, fixed page, recorded": ("fixed", {"choice": TASTE}, True),
}
"""Regime, keys of the shoppers, and whether impressions and choices are written to Parquet."""


def simulation(setting: str, choices: int, folder: Path) -> Simulation:
    """Return a run of about so many choices, compiled and ready."""
    regime, shopper, is_recorded = SETTINGS[setting]
    config = StorefrontConfig.model_validate(
        {
            "ranking": {"policy": "fixed"},
            "randomise": {"regime": regime, "trials": max(choices // CATEGORIES, 1)},
            "shoppers": [{"name": "all", **shopper}],
        }
    )
    venue = Storefront(config, seed=1, duration_ns=DURATION_NS, tables=None if is_recorded else ())
    venue.advance(0, inclusive=False)
    recorder = None
    if is_recorded:
        run = create_run_directory(folder / "run", {}, force=True)
        recorder = RunRecorder(run, TABLES.values(), "lz4")
    return Simulation([venue], DURATION_NS, seed=1, recorder=recorder)


def measure(setting: str, choices: int, folder: Path) -> tuple[float, float]:
    """Return processor and wall seconds, each for ten million choices."""
    line = simulation(setting, choices, folder)
    began = time.process_time(), time.perf_counter()
    line.run()
    scale = SCALE / line.venues[0].events
    return (time.process_time() - began[0]) * scale, (time.perf_counter() - began[1]) * scale


def memory(setting: str, choices: int) -> int:
    """Run; return the largest resident set of this process in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        simulation(setting, choices, Path(folder)).run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def elsewhere(code: str, **environment: str) -> str:
    """Return what a fresh process prints."""
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]; {code}"]
    result = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def compilation() -> float:
    """Return the processor seconds of the first call of the kernels, with an empty cache."""
    code = "import time, storefront as s; from pathlib import Path; b = time.process_time(); "
    code += "s.simulation('multinomial logit, fixed page', 100, Path('.')); print(time.process_time() - b)"
    with tempfile.TemporaryDirectory() as folder:
        return float(elsewhere(code, XDG_CACHE_HOME=folder))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choices", type=int, default=SCALE, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the choices, one round")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    choices = arguments.choices // 10 if arguments.quick else arguments.choices
    found: dict[str, Any] = {"compilation, processor seconds": compilation()}
    for setting in ("multinomial logit, fixed page", "multinomial logit, fixed page, recorded"):
        code = f"import storefront; print(storefront.memory({setting!r}, {{}}))"
        found[f"memory, {setting}, MB"] = [int(elsewhere(code.format(n))) for n in (choices // 10, choices)]
    figures: dict[str, list[tuple[float, float]]] = {setting: [] for setting in SETTINGS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(1 if arguments.quick else arguments.rounds):
            for setting in SETTINGS:
                figures[setting].append(measure(setting, choices, Path(folder)))
    for setting, values in figures.items():
        processor = sorted(value for value, _ in values)
        wall = statistics.median(value for _, value in values)
        found[setting] = {"median": statistics.median(processor), "range": [processor[0], processor[-1]], "wall": wall}
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            low, high = value["range"]
            print(f"{name:42} {value['median']:6.2f} s ({low:.2f} to {high:.2f}; wall {value['wall']:.2f})")
        else:
            print(f"{name:42} {value if isinstance(value, list) else round(value, 1)}")


if __name__ == "__main__":
    main()
