"""What the report of a sweep is told: numbers that somebody else has computed."""

from __future__ import annotations

from dataclasses import dataclass

from marketsim.analysis.columns import FloatArray


@dataclass(frozen=True)
class Curve:
    """How one measure goes with one factor in one arm.

    Attributes
    ----------
    arm : str
        Name; empty where there are none.
    at : float64 array, shape (n,)
        Where the means stand: values of the factor, or 0, 1, 2, ... where it has words.
    mean, low, high : float64 array, shape (n,)
        Means over replicates and ends of their intervals, NaN where there is none.
    """

    arm: str
    at: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Response:
    """One factor's curves.

    Attributes
    ----------
    factor : str
        Name, with its unit.
    levels : tuple of (float, str)
        Values that get a label on the axis; empty where the axis is a plain one of numbers.
    is_log : bool
        Whether ratios are drawn alike.
    curves : tuple of Curve
        One an arm.
    """

    factor: str
    levels: tuple[tuple[float, str], ...]
    is_log: bool
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class HeatMap:
    """Means of a measure over two factors; NaN where there is no cell."""

    title: str
    row_factor: str
    column_factor: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    mean: FloatArray


@dataclass(frozen=True)
class Shares:
    """Sobol' indices of the factors, with half-widths of their intervals."""

    factors: tuple[str, ...]
    first: FloatArray
    first_half: FloatArray
    total: FloatArray
    total_half: FloatArray


@dataclass(frozen=True)
class Difference:
    """What one arm or point changes against the first."""

    name: str
    n: int
    base: float
    difference: float
    low: float
    high: float
    p_value: float
    correlation: float
    variance_ratio: float


@dataclass(frozen=True)
class MeasureView:
    """One measure in the page."""

    name: str
    title: str
    responses: tuple[Response, ...]
    heat_maps: tuple[HeatMap, ...]
    shares: Shares | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class SweepView:
    """A sweep as the page shows it.

    Attributes
    ----------
    name, status, digest : str
        Of the sweep; the digest tells it from others and is no digest of results.
    facts : tuple of (str, str)
        For the head of the page.
    provenance : tuple of str
        Where decisions came from in the runs: rule, respondent, recorded, live.
    complete, cells : int
        Cells that are complete, and all.
    repeats : str
        What the intervals of curves are over: ``"8 replicates"``.
    replicates : str
        What the means at a point are over.
    baseline : str
        What differences are from: the first arm, or the first point.
    factors : tuple of (str, str, str)
        Name, path and values of each factor.
    measures : tuple of MeasureView
    points : tuple of rows of cells, and ``heads`` above them
        Means at every point.
    failures : tuple of (str, str, str)
        Cell, attempts and error.
    command : str
        What to type to get the same sweep again.
    """

    name: str
    status: str
    digest: str
    facts: tuple[tuple[str, str], ...]
    provenance: tuple[str, ...]
    complete: int
    cells: int
    repeats: str
    replicates: str
    baseline: str
    factors: tuple[tuple[str, str, str], ...]
    measures: tuple[MeasureView, ...]
    heads: tuple[str, ...]
    points: tuple[tuple[str, ...], ...]
    n_points: int
    failures: tuple[tuple[str, str, str], ...]
    command: str
