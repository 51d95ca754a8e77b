"""Results of a sweep as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from marketsim.experiments.config import SAMPLED
from marketsim.report.words import count, decimal

if TYPE_CHECKING:
    from marketsim.experiments.study import Study

SHOWN_POINTS = 24
SHOWN_MEASURES = 6


def study_tables(study: Study) -> Iterator[Table]:
    """Yield what fits the design: means by point or what goes with what; what the arms change; Sobol' indices."""
    if study.config.design.kind in SAMPLED:
        yield association_table(study)
        if study.config.design.kind == "saltelli":
            yield from indices_tables(study)
    else:
        yield summary_table(study)
    if len(study.arms) > 1:
        yield effects_table(study)


def summary_table(study: Study) -> Table:
    """Return means over replicates with half-widths of their intervals, a row a point."""
    measures = study.measures[:SHOWN_MEASURES]
    summary = study.summary(measures)
    n = int(summary["n"].max()) if len(summary) else 0
    table = Table(box=SIMPLE_HEAD, title=f"means over {count(n, 'replicate')} ± half of the 95 % interval")
    for name in (*study.factors, *(["arm"] if study.arms else [])):
        table.add_column(name, justify="right")
    for measure in measures:
        table.add_column(measure, justify="right", overflow="fold")
    for number, (_, rows) in enumerate(summary.groupby("point", sort=True)):
        if number == SHOWN_POINTS:
            table.caption = (
                f"{summary['point'].nunique() - SHOWN_POINTS} more points: sweep export {study.path} --summary"
            )
            break
        first = rows.iloc[0]
        place = [study.word(name, first[name]) for name in study.factors] + ([str(first["arm"])] if study.arms else [])
        values = rows[["mean", "low", "high"]].to_numpy(float).tolist()
        cells = [_with_half(mean, low, high) for mean, low, high in values]
        table.add_row(*place, *cells)
    return table


def association_table(study: Study) -> Table:
    """Return rank correlations of each measure with each factor of numbers."""
    measures = study.measures[:SHOWN_MEASURES]
    found = study.associations(measures)
    table = Table(box=SIMPLE_HEAD, title=f"rank correlation over {count(study.counts['complete'], 'cell')}")
    table.add_column("factor")
    for measure in measures:
        table.add_column(measure, justify="right", overflow="fold")
    for factor, row in found.iterrows():
        table.add_row(str(factor), *(decimal(float(row[measure]), 2) for measure in measures))
    return table


def indices_tables(study: Study) -> Iterator[Table]:
    """Yield the Sobol' indices of each measure; none where a cell is missing."""
    for measure in study.measures[:SHOWN_MEASURES]:
        try:
            found = study.sensitivity(measure)
        except ValueError:
            continue
        table = Table(box=SIMPLE_HEAD, title=f"Sobol' indices of {measure}: shares of its variance")
        table.add_column("factor")
        for name in ("alone", "with interactions"):
            table.add_column(name, justify="right")
        shares = zip(found.factors, found.first, found.first_half, found.total, found.total_half, strict=True)
        for factor, first, first_half, total, total_half in shares:
            table.add_row(factor, f"{first:.2f} ± {first_half:.2f}", f"{total:.2f} ± {total_half:.2f}")
        yield table


def effects_table(study: Study) -> Table:
    """Return what the arms change against the first one."""
    effects = study.effects(study.measures[:SHOWN_MEASURES])
    table = Table(box=SIMPLE_HEAD, title=f"differences from arm {study.arms[0]}, replicate by replicate")
    for name in ("arm", "measure"):
        table.add_column(name, overflow="fold")
    for name in ("difference", "95 % interval", "p", "corr.", "var. ratio"):
        table.add_column(name, justify="right")
    for row in effects.to_dict(orient="records"):
        table.add_row(
            row["arm"],
            row["measure"],
            decimal(row["difference"]),
            f"{decimal(row['low'])} to {decimal(row['high'])}",
            f"{row['p_value']:.2g}",
            decimal(row["correlation"], 2),
            decimal(row["variance_ratio"], 2),
        )
    return table


def _with_half(mean: float, low: float, high: float) -> str:
    return decimal(mean) if low != low else f"{decimal(mean)} ± {decimal((high - low) / 2)}"
