"""The report of a sweep as one HTML page that needs nothing beside itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

import marketsim
from marketsim.report.chart import Figure
from marketsim.report.pages import page_template
from marketsim.report.provenance import RESPONDENT
from marketsim.report.sweep_figures import response_figure, shares_figure
from marketsim.report.sweep_view import Difference, HeatMap, MeasureView, SweepView
from marketsim.report.words import decimal

_PROVENANCE = {
    "rule": "written rules",
    RESPONDENT: "synthetic respondents, which are neither people nor large language models",
    "recorded": "recorded answers of a language model",
    "live": "a language model that was asked during the runs",
}


@dataclass(frozen=True)
class HeatCell:
    """One square of a heat map: its words, and how strong its colour is, from 0 to 1."""

    words: str
    strength: float


@dataclass(frozen=True)
class HeatTable:
    """A heat map as the page draws it."""

    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]


def render_sweep(sweep: SweepView) -> str:
    """Return the page.

    Parameters
    ----------
    sweep : SweepView
        Facts and numbers; nothing is computed here but places on paper.
    """
    return page_template("sweep.html").render(_context(sweep))


def _context(sweep: SweepView) -> dict[str, Any]:
    return {
        "sweep": sweep,
        "version": marketsim.__version__,
        "warning": _warning(sweep),
        "provenance": _provenance(sweep),
        "synthetic": RESPONDENT in sweep.provenance,
        "sections": [_section(measure, sweep) for measure in sweep.measures],
    }


def _section(measure: MeasureView, sweep: SweepView) -> dict[str, Any]:
    figures: list[Figure] = []
    if measure.responses:
        figures.append(response_figure(measure, sweep.repeats))
    if measure.shares is not None:
        figures.append(shares_figure(measure, measure.shares))
    return {
        "name": measure.name,
        "title": measure.title,
        "figures": figures,
        "heat_maps": [_heat_table(each) for each in measure.heat_maps],
        "differences": [_difference_row(each) for each in measure.differences],
    }


def _heat_table(heat: HeatMap) -> HeatTable:
    finite = heat.mean[np.isfinite(heat.mean)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)

    def cell(value: float) -> HeatCell:
        share = (value - low) / (high - low) if high > low and math.isfinite(value) else 0.0
        return HeatCell(decimal(value), round(share, 3))

    rows = tuple(
        (name, tuple(cell(float(value)) for value in values)) for name, values in zip(heat.rows, heat.mean, strict=True)
    )
    return HeatTable(heat.title, f"{heat.row_factor} \\ {heat.column_factor}", heat.columns, rows)


def _difference_row(row: Difference) -> tuple[str, ...]:
    return (
        row.name,
        f"{row.n:,}",
        decimal(row.base),
        decimal(row.difference),
        f"{decimal(row.low)} to {decimal(row.high)}",
        "< 0.0001" if row.p_value < 1e-4 else decimal(row.p_value, 4),
        decimal(row.correlation, 2),
        decimal(row.variance_ratio, 2),
    )


def _warning(sweep: SweepView) -> str:
    """What the reader must know of a sweep that is not whole; empty for one that is."""
    missing = sweep.cells - sweep.complete
    if not missing:
        return ""
    failed = f"; {len(sweep.failures):,} failed" if sweep.failures else ""
    return f"{missing:,} of {sweep.cells:,} cells are missing{failed}: every figure covers the cells that are complete."


def _provenance(sweep: SweepView) -> str:
    if not sweep.provenance:
        return "Where decisions came from was not recorded."
    if sweep.provenance == ("rule",):
        return "Rule-driven: every decision in these runs followed written rules; no language model took part."
    sources = "; ".join(_PROVENANCE.get(kind, kind) for kind in sweep.provenance)
    stamp = "SYNTHETIC: " if RESPONDENT in sweep.provenance else ""
    return f"{stamp}decisions in these runs came from {sources}."
