"""Error rates and power of every test of the audit, on planted respondents; and its speed.

Run from a checkout: ``marketsim bench audit`` or ``python benchmarks/audit.py [--repetitions 2000] [--write]``.
``--write`` writes docs/audit-error-rates.md. 2,000 repetitions take a quarter of an hour on two busy cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from marketsim.analysis.bias.catalogue import TESTS
from tests.analysis.bias.rates import EXACT, EXPERIMENTS, Experiment, draws, rates
from tests.oracles.coverage import exact_band

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "audit-error-rates.md"
FAMILY = sum(len(one.quiet) for one in EXPERIMENTS)


def measure(repetitions: int, names: list[str]) -> list[dict[str, Any]]:
    """Run every experiment, saying on stderr how long each took."""
    rows = []
    for experiment in EXPERIMENTS:
        if names and not any(name in experiment.name for name in names):
            continue
        began = time.process_time()
        found = rates(experiment, repetitions)
        rows += [row(experiment, name, rate, repetitions) for name, rate in found.items()]
        sys.stderr.write(f"{experiment.name}: {time.process_time() - began:.0f} s\n")
    return rows


def row(experiment: Experiment, name: str, rate: float, repetitions: int) -> dict[str, Any]:
    should = name in experiment.found
    low, high = exact_band(repetitions, nominal=0.05, family=FAMILY)
    floor = 0.0 if name in EXACT else low / repetitions
    fine = rate >= 0.8 if should else floor <= rate <= high / repetitions
    return {
        "design": experiment.name,
        "n": experiment.n,
        "test": name,
        "planted": should,
        "rate": rate,
        "as stated": fine,
    }


def naive_contrast(repetitions: int) -> list[tuple[float, float, float]]:
    """Correlation, and how often a plain two-sample z test and the clustered t find a difference that is not there."""
    from scipy.stats import norm

    from marketsim.llm.respondents import respondent_for
    from tests.analysis.bias.rates import contrast

    found = []
    for correlation in (0.0, 0.02, 0.05, 0.1, 0.3):
        model = f"beta_binomial?correlation={correlation}" if correlation else "bernoulli"
        shape = (repetitions, -1)
        batch = respondent_for(model).series(draws(model, 0), repetitions * 10, 50).reshape(shape).mean(axis=1)
        single = respondent_for("bernoulli").series(draws(model, 1), repetitions * 500, 1).reshape(shape).mean(axis=1)
        pooled = (batch + single) / 2
        z = (batch - single) / np.sqrt(pooled * (1 - pooled) * 2 / 500)
        clustered = contrast((model, 10, 50), ("bernoulli", 500, 1))(repetitions)
        rate = float(np.mean([one["regime_contrast"] <= 0.05 for one in clustered]))
        found.append((correlation, float((2 * norm.sf(abs(z)) <= 0.05).mean()), rate))
    return found


def speed() -> dict[str, float]:
    """CPU seconds of the command on a million answers, reading the file included."""
    import pandas as pd
    from typer.testing import CliRunner

    from marketsim.cli.main import app

    n = 1_000_000
    bits = draws("speed").integers(0, 2, n)
    table = pd.DataFrame({"call": np.arange(n) // 10, "draw": np.arange(n) % 10, "answer": bits})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.csv"
        table.to_csv(path, index=False)
        words = ["audit", "answers", str(path), "--call", "call", "--order", "draw", "--json"]
        CliRunner().invoke(app, words)  # loads the kernel
        began, wall = time.process_time(), time.perf_counter()
        outcome = CliRunner().invoke(app, words)
        seconds, elapsed = time.process_time() - began, time.perf_counter() - wall
    assert outcome.exit_code == 0, outcome.output
    return {"a million answers [CPU s]": seconds, "a million answers [s]": elapsed}


def document(rows: list[dict[str, Any]], naive: list[tuple[float, float, float]], repetitions: int) -> str:
    """The table as the docs show it."""
    low, high = exact_band(repetitions, nominal=0.05, family=FAMILY)
    quiet, planted = ([one for one in rows if one["planted"] is kind] for kind in (False, True))
    lines = [
        "# Error rates of the audit",
        "",
        f"Written by `marketsim bench audit --write`: {repetitions:,} repetitions of each design, level .05, single",
        "tests before any correction for many. Every series comes from a planted respondent, by the rule that also",
        "answers through the loopback server (`marketsim/llm/respondents/planted.py`).",
        "",
        "## Where there is nothing to find",
        "",
        f"Exact 99.8 % band of .05, shared over {FAMILY} rates: {low / repetitions:.3f} to {high / repetitions:.3f}.",
        "Exact and conservative tests (marked) may lie below. The rows of three answers alike have ten times as many.",
        "",
        "| design | answers | test | rate | |",
        "|---|---|---|---|---|",
        *(_line(one) for one in quiet),
        "",
        "## Where a behaviour is planted",
        "",
        "Power, wanted at least .8.",
        "",
        "| design | answers | test | power | |",
        "|---|---|---|---|---|",
        *(_line(one) for one in planted),
        "",
        "## Why contrasts are clustered by call",
        "",
        "Ten calls of fifty answers against five hundred calls of one, the same share in both: how often each test",
        "finds a difference.",
        "",
        "| correlation within calls | plain two-sample z | clustered t |",
        "|---|---|---|",
        *(f"| {rho:g} | {plain:.2f} | {clustered:.3f} |" for rho, plain, clustered in naive),
        "",
    ]
    return "\n".join(lines)


def _line(one: dict[str, Any]) -> str:
    title = TESTS[one["test"]].title if one["test"] in TESTS else one["test"].replace("_", " ")
    mark = " (exact)" if one["test"] in EXACT and not one["planted"] else ""
    verdict = "" if one["as stated"] else "**outside**"
    return f"| {one['design']} | {one['n']:,} | {title}{mark} | {one['rate']:.3f} | {verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000, help="of each design")
    parser.add_argument("--quick", action="store_true", help="100 repetitions")
    parser.add_argument("--only", nargs="*", default=[], metavar="WORD", help="designs whose name holds one of these")
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.relative_to(ROOT)}")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    repetitions = 100 if arguments.quick else arguments.repetitions
    rows = measure(repetitions, arguments.only)
    naive = naive_contrast(repetitions) if not arguments.only else []
    if arguments.write:
        TARGET.write_text(document(rows, naive, repetitions))
    result = {"rates": rows, "naive contrast": naive, "repetitions": repetitions, **({} if arguments.only else speed())}
    if arguments.json:
        print(json.dumps(result))
        return
    print(document(rows, naive, repetitions))
    print({name: value for name, value in result.items() if name.startswith("a million")})


if __name__ == "__main__":
    main()
