"""A ``Study`` as the report of a sweep sees it."""

from __future__ import annotations

import shlex
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from marketsim.core.errors import RunDirectoryError
from marketsim.core.run_directory import REPORT, write_whole
from marketsim.experiments.config import SAMPLED
from marketsim.experiments.design_table import is_duration
from marketsim.experiments.measures import title_of
from marketsim.experiments.study import MAX_LEVELS
from marketsim.report.sweep_html import render_sweep
from marketsim.report.sweep_view import Curve, Difference, HeatMap, MeasureView, Response, Shares, SweepView
from marketsim.report.words import count, decimal

if TYPE_CHECKING:
    import pandas as pd

    from marketsim.experiments.study import Study

SHOWN_POINTS = 60
SHOWN_FAILURES = 100
SHOWN_DIFFERENCES = 24
MAX_HEAT_MAPS = 3
LOG_RATIO = 20.0
"""Values of a factor whose largest is so many times the least are drawn on a logarithmic axis."""


def write_sweep_report(study: Study, out: str | Path | None = None) -> Path:
    """Write the report of a sweep and return where it is.

    Parameters
    ----------
    study : Study
        The sweep, whether it has ended or not.
    out : path, optional
        File to write; by default ``report.html`` in the sweep directory.

    Raises
    ------
    RunDirectoryError
        The report cannot be written.
    """
    target = study.path / REPORT if out is None else Path(out)
    page = render_sweep(read_study(study))
    try:
        write_whole(target, page)
    except OSError as error:
        raise RunDirectoryError(f"{target}: cannot be written: {error.strerror or error}") from error
    return target


def read_study(study: Study) -> SweepView:
    """Compute everything that the report shows."""
    manifest, counts, config = study.directory.manifest, study.counts, study.config
    complete = counts["complete"]
    heads, points = _points(study) if complete else ((), ())
    sampled = config.design.kind in SAMPLED
    repeats = count(complete, "cell") if sampled else count(config.replicates, "replicate")
    command = f"marketsim sweep {shlex.quote(str(manifest['file']))} --out {shlex.quote(str(study.path))}"
    return SweepView(
        name=config.name,
        status=study.status,
        digest=str(manifest["digest"]),
        facts=_facts(study),
        provenance=study.provenance,
        complete=complete,
        cells=counts["cells"],
        repeats=repeats,
        replicates=count(config.replicates, "replicate"),
        baseline=f"arm {study.arms[0]}" if study.arms else "the first point",
        factors=tuple((f.name, f.path, _values(f)) for f in config.factors),
        measures=tuple(_measure(study, name) for name in study.measures) if complete else (),
        heads=heads,
        points=points,
        n_points=study.directory.n_points,
        failures=tuple(
            (str(row["cell"]), str(row["attempts"]), row["error"])
            for row in study.failures.head(SHOWN_FAILURES).to_dict(orient="records")
        ),
        command=command,
    )


def _facts(study: Study) -> tuple[tuple[str, str], ...]:
    counts, config = study.counts, study.config
    design = (
        f"{config.design.kind}, {count(study.directory.n_points, 'point')} x {count(config.replicates, 'replicate')}"
    )
    seconds = float(study.results["seconds"].fillna(0.0).sum())
    facts = [
        ("Scenario", Path(study.directory.manifest["scenario"]).name),
        ("Seed", str(study.directory.manifest["seed"])),
        ("Design", design),
        ("Cells", f"{counts['complete']:,} of {counts['cells']:,} complete"),
        ("Random numbers", "common to all points" if config.common_random_numbers else "apart for each point"),
        ("Simulated in", f"{decimal(seconds)} s, all cells together"),
    ]
    if study.arms:
        facts.insert(3, ("Arms", ", ".join(study.arms)))
    return tuple(facts)


def _values(factor: Any) -> str:
    if factor.is_range:
        scale = ", logarithmic" if factor.scale == "log" else ""
        return f"{factor.low}{factor.unit} to {factor.high}{factor.unit}{scale}"
    return ", ".join(str(value) for value in factor.values)


# ---- Measures ------------------------------------------------------------------------------------------------


def _measure(study: Study, name: str) -> MeasureView:
    return MeasureView(
        name=name,
        title=title_of(name),
        responses=tuple(_response(study, factor, name) for factor in study.factors),
        heat_maps=tuple(_heat_maps(study, name)),
        shares=_shares(study, name),
        differences=_differences(study, name),
    )


def _response(study: Study, factor: str, measure: str) -> Response:
    table = study.response(factor, measure)
    numeric = table[factor].dtype.kind in "if"
    values = sorted(table[factor].unique()) if numeric else list(dict.fromkeys(study.results[factor]))
    is_log = numeric and values[0] > 0 and values[-1] >= LOG_RATIO * values[0]
    listed = not study.factor(factor).is_range and len(values) <= MAX_LEVELS
    if numeric:
        levels = tuple((float(value), study.word(factor, value)) for value in values) if listed else ()
    else:
        levels = tuple((float(place), str(value)) for place, value in enumerate(values))
    curves = []
    for arm, rows in table.groupby("arm", sort=False):
        at = rows[factor] if numeric else rows[factor].map({value: place for place, value in enumerate(values)})
        mean, low, high = (rows[key].to_numpy(np.float64) for key in ("mean", "low", "high"))
        curves.append(Curve(str(arm), at.to_numpy(np.float64), mean, low, high))
    order = {arm: place for place, arm in enumerate(study.arms)}
    title = f"{factor} (s)" if is_duration(study.factor(factor)) and not levels else factor
    return Response(title, levels, is_log, tuple(sorted(curves, key=lambda curve: order.get(curve.arm, 0))))


def _heat_maps(study: Study, measure: str) -> list[HeatMap]:
    """Return means over each pair of listed factors, one heat map an arm."""
    if study.config.design.kind != "grid":
        return []
    listed = [name for name in study.factors if 1 < study.results[name].nunique() <= MAX_LEVELS]
    maps = []
    for first, second in list(combinations(listed, 2))[:MAX_HEAT_MAPS]:
        for arm in study.arms or [""]:
            table = study.results[study.results["arm"] == arm]
            mean = table.pivot_table(index=first, columns=second, values=measure, aggfunc="mean")
            if mean.isna().to_numpy().any() or mean.empty:  # factors that move together leave holes
                continue
            title = f"{title_of(measure)}: means over {first} and {second}" + (f", arm {arm}" if arm else "")
            rows = tuple(study.word(first, value) for value in mean.index)
            columns = tuple(study.word(second, value) for value in mean.columns)
            maps.append(HeatMap(title, first, second, rows, columns, mean.to_numpy(np.float64)))
    return maps


def _shares(study: Study, measure: str) -> Shares | None:
    """Return the Sobol' indices; None where the design gives none, or a cell is missing."""
    if study.config.design.kind != "saltelli":
        return None
    try:
        found = study.sensitivity(measure)
    except ValueError:
        return None
    return Shares(found.factors, found.first, found.first_half, found.total, found.total_half)


def _differences(study: Study, measure: str) -> tuple[Difference, ...]:
    if study.config.design.kind in SAMPLED and not study.arms:
        return ()
    if not study.arms and study.directory.n_points > SHOWN_DIFFERENCES + 1:
        return ()
    effects = study.effects([measure])
    if effects.empty or (effects["n"] < 2).all():
        return ()
    labels = {} if study.arms else study.point_labels
    rows = []
    for found in effects.drop(columns=["measure", "deviation"]).to_dict(orient="records"):
        row: dict[str, Any] = {str(name): value for name, value in found.items()}
        key = row.pop("arm" if study.arms else "point")
        rows.append(Difference(name=str(labels.get(key, key)), **row))
    return tuple(rows)


# ---- Points --------------------------------------------------------------------------------------------------


def _points(study: Study) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the head and the rows of the table of means."""
    arm = ["arm"] if study.arms else []
    summary = study.summary()
    if summary.empty:
        return (), ()
    heads = ("point", *study.factors, *arm, *(title_of(measure) for measure in study.measures))
    rows = []
    for point, found in summary[summary["point"] < SHOWN_POINTS].groupby("point", sort=True):
        first = found.iloc[0]
        place = [study.word(name, first[name]) for name in study.factors] + [first[name] for name in arm]
        rows.append((str(point), *place, *_means(found)))
    return heads, tuple(rows)


def _means(found: pd.DataFrame) -> list[str]:
    half = (found["high"] - found["low"]) / 2
    return [
        decimal(mean) if half_ != half_ else f"{decimal(mean)} \u00b1 {decimal(half_)}"
        for mean, half_ in zip(found["mean"], half, strict=True)
    ]
