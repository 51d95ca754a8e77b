"""Results of a sweep as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from marketsim.report.words import decimal

if TYPE_CHECKING:
    from marketsim.experiments.study import Study

SHOWN_POINTS = 24
SHOWN_MEASURES = 6


def summary_table(study: Study) -> Table:
    """Return means over replicates with half-widths of their intervals, a row a point."""
    measures = study.measures[:SHOWN_MEASURES]
    summary = study.summary(measures)
    n = int(summary["n"].max()) if len(summary) else 0
    table = Table(box=SIMPLE_HEAD, title=f"means over {n} replicates ± half of the 95 % interval")
    for name in (*study.factors, *(["arm"] if study.arms else [])):
        table.add_column(name, justify="right")
    for measure in measures:
        table.add_column(measure, justify="right")
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


def effects_table(study: Study) -> Table | None:
    """Return what the arms change against the first one; None where there is nothing to compare."""
    if len(study.arms) < 2:
        return None
    effects = study.effects(study.measures[:SHOWN_MEASURES])
    table = Table(box=SIMPLE_HEAD, title=f"differences from arm {study.arms[0]}, replicate by replicate")
    for name in ("arm", "measure"):
        table.add_column(name)
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
