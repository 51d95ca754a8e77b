"""Figures of a sweep: responses to a factor, and Sobol' indices."""

from __future__ import annotations

import numpy as np

from marketsim.analysis.columns import FloatArray
from marketsim.report.chart import Figure, Key, Panel
from marketsim.report.scales import Axis, number_axis, padded
from marketsim.report.sweep_view import MeasureView, Response, Shares
from marketsim.report.words import decimal

STYLES = ("buy", "sell", "value", "mid", "neutral")
"""Colours of the arms, in order; further arms begin again."""

PANELS_A_ROW = 3
MARGIN = 0.06


def response_figure(measure: MeasureView, repeats: str) -> Figure:
    """Draw a measure against each factor, a line an arm with its interval, all panels on one vertical axis."""
    curves = [curve for response in measure.responses for curve in response.curves]
    values = [series[np.isfinite(series)] for curve in curves for series in (curve.mean, curve.low, curve.high)]
    joined = np.concatenate(values) if values else np.zeros(0)
    panels = []
    if len(joined):
        axis = number_axis(*padded(float(joined.min()), float(joined.max())), measure.title)
        panels = [_panel(response, axis) for response in measure.responses]
    arms = list(dict.fromkeys(curve.arm for curve in curves))
    return Figure(
        name=f"{measure.name}-response",
        title="By factor",
        panels=tuple(tuple(panels[first : first + PANELS_A_ROW]) for first in range(0, len(panels), PANELS_A_ROW)),
        keys=tuple(Key("line", _style(number), arm or "mean") for number, arm in enumerate(arms)),
        alternative=f"Line charts of {measure.title} against {', '.join(each.factor for each in measure.responses)}.",
        reading=(
            f"Dots are means over {repeats}, and over everything that is not on the axis; the band is the 95 % "
            "interval of each mean. All panels have one vertical axis, so the factor with the steepest line moves most."
        ),
        found=_response_found(measure),
    )


def shares_figure(measure: MeasureView, shares: Shares) -> Figure:
    """Draw first-order and total indices of each factor with their intervals."""
    at = np.arange(len(shares.factors), dtype=np.float64)
    ends = np.concatenate([shares.first + shares.first_half, shares.total + shares.total_half, [1.0]])
    starts = np.concatenate([shares.first - shares.first_half, shares.total - shares.total_half, [0.0]])
    ticks = tuple((float(place), name) for place, name in zip(at, shares.factors, strict=True))
    panel = Panel(
        Axis(-0.5, len(at) - 0.5, ticks, "factor"),
        number_axis(*padded(float(starts.min()), float(ends.max())), "share of the variance"),
        14.0,
    )
    for share, half, shift, style in (
        (shares.first, shares.first_half, -0.12, "buy"),
        (shares.total, shares.total_half, 0.12, "sell"),
    ):
        place = at + shift
        panel.bars(place - 0.1, place + 0.1, np.zeros(len(at)), share, f"{style} shade-1")
        for x, low, high in zip(place, share - half, share + half, strict=True):
            panel.line(np.array([x, x]), np.array([low, high]), style)
    panel.level(0.0, "zero")
    largest = int(np.argmax(shares.total))
    return Figure(
        name=f"{measure.name}-shares",
        title="Which factor moves it",
        panels=((panel,),),
        keys=(Key("box", "buy", "alone (first order)"), Key("box", "sell", "with all interactions (total)")),
        alternative=f"Bar chart of the Sobol' indices of {', '.join(shares.factors)}.",
        reading=(
            "Sobol' indices: the share of the variance that a factor causes alone, and together with all others. The "
            "upright lines are 95 % intervals; an interval that reaches below zero says that the share may be none."
        ),
        found=(
            f"{shares.factors[largest]} takes part in most of the variance: total index "
            f"{shares.total[largest]:.2f} \u00b1 {shares.total_half[largest]:.2f}."
        ),
    )


def _panel(response: Response, y: Axis) -> Panel:
    places = np.concatenate([curve.at for curve in response.curves])
    panel = Panel(_across(response, places), y, 15.0, wide=False)
    for number, curve in enumerate(response.curves):
        style, at = _style(number), _scaled(curve.at, response.is_log)
        order = np.argsort(at)
        at, mean, low, high = at[order], curve.mean[order], curve.low[order], curve.high[order]
        panel.band(at, low, high, f"{style} shade-0")
        panel.line(at, mean, style)
        present = np.isfinite(mean)
        panel.dots(at[present], mean[present], f"head {style}")
    return panel


def _across(response: Response, places: FloatArray) -> Axis:
    at = _scaled(places, response.is_log)
    low, high = float(at.min()), float(at.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    low, high = padded(low, high, MARGIN)
    if response.levels:
        levels = _scaled(np.array([value for value, _ in response.levels]), response.is_log)
        ticks = tuple((float(place), words) for place, (_, words) in zip(levels, response.levels, strict=True))
        return Axis(low, high, ticks, response.factor)
    if response.is_log:
        powers = range(int(np.ceil(low)), int(np.floor(high)) + 1)
        return Axis(low, high, tuple((float(power), f"{10.0**power:g}") for power in powers), response.factor)
    return number_axis(low, high, response.factor, 4)


def _scaled(value: FloatArray, is_log: bool) -> FloatArray:
    scaled: FloatArray = np.log10(value) if is_log else np.asarray(value, dtype=np.float64)
    return scaled


def _style(number: int) -> str:
    return STYLES[number % len(STYLES)]


def _response_found(measure: MeasureView) -> str:
    """Say which factor moves the means furthest."""
    spans = [
        (float(np.nanmax(curve.mean) - np.nanmin(curve.mean)), response.factor, curve)
        for response in measure.responses
        for curve in response.curves
        if np.isfinite(curve.mean).any()
    ]
    if not spans:
        return "There is no value to show."
    _, factor, curve = max(spans, key=lambda each: each[0])
    order = np.argsort(curve.at)
    mean = curve.mean[order]
    mean = mean[np.isfinite(mean)]
    arm = f" in arm {curve.arm}" if curve.arm else ""
    if len(mean) < 2:
        return f"Mean {decimal(float(mean[0]))}{arm}."
    first, last = decimal(float(mean[0])), decimal(float(mean[-1]))
    return f"From the first to the last value of {factor} the mean goes from {first} to {last}{arm}."
