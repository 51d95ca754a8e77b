"""Conditional logit: speed at 4,500 x 8 with 63 fixed effects, agreement with statsmodels, coverage of a planted truth.

The truth is planted twice: in a plain table of drawn trials, and in the shoppers of the storefront's quickstart, whose
choices the engine makes. Run from a checkout: ``marketsim bench choice`` or ``python benchmarks/choice.py
[--replications 2000] [--source table|shop] [--json]``.
statsmodels and xlogit are compared where they are installed (``pip install 'marketsim[bench]'``), and left out, saying
so, where they are not.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from marketsim.analysis.choice import ACES_SPECIFICATION, conditional_logit
from marketsim.core.rng import generator, stream_key
from tests.oracles import aces
from tests.oracles.coverage import exact_band
from tests.storefront.shops import quickstart_choices

SMALL = "row + col + ln(price) + rating + sponsored"


def trials(draw: int, n_categories: int = 9, n_trials: int = 500) -> pd.DataFrame:
    rng = generator(stream_key(1, draw, "benchmarks", "choice", "trials"), 0, 0)
    table = aces.draw_trials(rng, aces.catalogue(rng, n_categories), n_trials)
    return table.assign(chosen=aces.draw_choices(rng, table))


def small_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of SMALL, for packages without formulas."""
    columns = {"row": (table["row"] == 1) * 1.0}
    columns |= {f"col[{k}]": (table["col"] == k) * 1.0 for k in (1, 2, 3)}
    columns |= {"ln(price)": np.log(table["price"]), "rating": table["rating"], "sponsored": table["sponsored"] * 1.0}
    return pd.DataFrame(columns)


def statsmodels_seconds(table: pd.DataFrame) -> tuple[float, float, float]:
    """Seconds of statsmodels, and the largest difference of coefficients and of standard errors."""
    from statsmodels.discrete.conditional_models import ConditionalLogit

    result = conditional_logit(table, SMALL)
    matrix = small_matrix(table)
    began = time.perf_counter()
    peer = ConditionalLogit(table["chosen"], matrix, groups=table["choice_set"])
    fitted = peer.fit(method="newton", maxiter=100, tol=1e-12, disp=False, skip_hessian=False)
    seconds = time.perf_counter() - began
    error = np.abs(result.standard_error("model") - fitted.bse.to_numpy()).max()
    return seconds, float(np.abs(result.estimate - fitted.params.to_numpy()).max()), float(error)


def xlogit_seconds(table: pd.DataFrame) -> tuple[float, float]:
    """Seconds of xlogit, and the largest difference of coefficients."""
    from xlogit import MultinomialLogit

    result = conditional_logit(table, SMALL)
    matrix = small_matrix(table)
    slot = np.tile(np.arange(aces.N_OFFERS), len(table) // aces.N_OFFERS)
    began = time.perf_counter()
    peer = MultinomialLogit()
    peer.fit(matrix.to_numpy(), table["chosen"], list(matrix), slot, table["choice_set"], verbose=0)
    return time.perf_counter() - began, float(np.abs(result.estimate - peer.coeff_).max())


def speed() -> dict[str, Any]:
    table = trials(0)
    seconds = []
    for _ in range(7):
        began = time.perf_counter()
        conditional_logit(table, ACES_SPECIFICATION)
        seconds.append(time.perf_counter() - began)
    found: dict[str, Any] = {"fit 4,500 x 8, 63 fixed effects [s]": statistics.median(seconds[1:])}
    small = trials(1, n_categories=3, n_trials=100)
    began = time.perf_counter()
    conditional_logit(small, SMALL)
    found["fit 300 x 8, 7 columns [s]"] = time.perf_counter() - began
    if importlib.util.find_spec("statsmodels"):
        taken, b, se = statsmodels_seconds(small)
        found |= {"statsmodels [s]": taken, "statsmodels: largest difference": b, "... of standard errors": se}
    else:
        found["statsmodels"] = "not installed"
    if importlib.util.find_spec("xlogit"):
        taken, b = xlogit_seconds(small)
        found |= {"xlogit [s]": taken, "xlogit: largest difference": b}
    else:
        found["xlogit"] = "not installed"
    return found


def shop_trials(draw: int) -> pd.DataFrame:
    """Return the choices of a replicate of the quickstart, made by the engine."""
    table: pd.DataFrame = quickstart_choices(replicate=draw)[0]
    return table


def coverage(n_draws: int, draw_trials: Callable[[int], pd.DataFrame]) -> dict[str, Any]:
    """Share of replications whose 95 % interval holds the planted value, and the exact band of that share."""
    truth = np.array(list(aces.PLANTED.values()))
    hits = {kind: np.zeros(len(truth), dtype=int) for kind in ("model", "robust")}
    error = np.zeros(len(truth))
    began = time.perf_counter()
    for draw in range(n_draws):
        result = conditional_logit(draw_trials(10 + draw), ACES_SPECIFICATION)
        error += result.standard_error("model")[: len(truth)] / n_draws
        for kind, count in hits.items():
            frame = result.to_frame(kind).iloc[: len(truth)]
            count += ((frame["low"] <= truth) & (truth <= frame["high"])).to_numpy()
        if sys.stderr.isatty() and draw % 20 == 0:
            sys.stderr.write(f"\r{draw} of {n_draws} replications")
    low, high = exact_band(n_draws, family=2 * len(truth))
    return {
        "replications": n_draws,
        "seconds": time.perf_counter() - began,
        "band": [low / n_draws, high / n_draws],
        "in the band": all(((low <= count) & (count <= high)).all() for count in hits.values()),
        "mean standard error": dict(zip(aces.PLANTED, error.round(4).tolist(), strict=True)),
        **{kind: dict(zip(aces.PLANTED, (count / n_draws).tolist(), strict=True)) for kind, count in hits.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=2000, help="of the planted truth; 0 for none")
    parser.add_argument("--source", choices=["table", "shop"], help="where choices come from; default: both")
    parser.add_argument("--quick", action="store_true", help="50 replications")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, Any] = {"speed": speed()}
    if arguments.replications:
        n_draws = 50 if arguments.quick else arguments.replications
        for source, draw in {"table": trials, "shop": shop_trials}.items():
            if arguments.source in (None, source):
                found[f"coverage, {source}"] = coverage(n_draws, draw)
    if arguments.json:
        print(json.dumps(found))
        return
    for title, values in found.items():
        print(f"\n{title}")
        for name, value in values.items():
            print(f"  {name:<42}{value:.4g}" if isinstance(value, float) else f"  {name:<42}{value}")


if __name__ == "__main__":
    main()
