"""Panels of a chart, drawn as SVG that stretches with the page while its strokes and letters keep their size.

The marks of a panel are paths in a square of 1000 by 1000 units that is stretched to the panel; labels are HTML, so
that they are as large on a telephone as on a desk. Colours come from the classes of the style sheet. Data are drawn
to a tenth of a unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup, escape

from marketsim.analysis.columns import FloatArray
from marketsim.report.scales import Axis

UNITS = 1000

MAX_NARROW_TICKS = 6
"""Of more labels than this along a horizontal axis, narrow screens show every other one, zero included."""


@dataclass
class Panel:
    """One pair of axes and what is drawn in it; marks lie in the order in which they are added.

    Attributes
    ----------
    x, y : Axis
        Horizontal and vertical.
    height : float
        In units of the letter size.
    wide : bool
        Whether it takes three quarters of a row that it shares.
    """

    x: Axis
    y: Axis
    height: float = 17.0
    wide: bool = True
    marks: list[str] = field(default_factory=list)

    def line(self, x: FloatArray, y: FloatArray, style: str) -> None:
        """Draw a line, broken where a value is NaN."""
        parts = ["M" + "L".join(self._points(x[run], y[run])) for run in _runs(np.isfinite(y))]
        self._path(parts, f"line {style}")

    def band(self, x: FloatArray, low: FloatArray, high: FloatArray, style: str) -> None:
        """Fill the space between two lines, broken where either is NaN."""
        parts = []
        for run in _runs(np.isfinite(low) & np.isfinite(high)):
            there, back = self._points(x[run], high[run]), self._points(x[run], low[run])[::-1]
            parts.append("M" + "L".join(there + back) + "Z")
        self._path(parts, f"fill {style}")

    def dots(self, x: FloatArray, y: FloatArray, style: str) -> None:
        """Draw dots: lines of no length with round ends, so that they stay round when the panel is stretched."""
        self._path([f"M{point}h0" for point in self._points(x, y)], f"dots {style}")

    def bars(self, left: FloatArray, right: FloatArray, bottom: FloatArray, top: FloatArray, style: str) -> None:
        """Fill rectangles; those without height are left out."""
        corners = zip(self._points(left, bottom), self._points(right, top), strict=True)
        split = ((*low.split(" "), *high.split(" ")) for low, high in corners)
        parts = [f"M{x0} {y0}V{y1}H{x1}V{y0}Z" for x0, y0, x1, y1 in split if y0 != y1]
        self._path(parts, f"fill {style}")

    def stems(self, x: FloatArray, y: FloatArray, style: str) -> None:
        """Draw an upright from zero to each value, with a dot at its end."""
        zero = np.zeros(len(y))
        feet, heads = self._points(x, zero), self._points(x, y)
        self._path([f"M{foot}V{head.split(' ')[1]}" for foot, head in zip(feet, heads, strict=True)], f"stem {style}")
        self.dots(x, y, f"head {style}")

    def level(self, y: float, style: str) -> None:
        """Draw a line across the panel."""
        height = self._points(np.zeros(1), np.array([y]))[0].split(" ")[1]
        self.marks.append(f'<path class="line {style}" d="M0 {height}H{UNITS}"/>')

    def upright(self, x: float, style: str) -> None:
        """Draw a line from the bottom of the panel to its top."""
        place = self._points(np.array([x]), np.zeros(1))[0].split(" ")[0]
        self.marks.append(f'<path class="line {style}" d="M{place} 0V{UNITS}"/>')

    def spans(self, left: FloatArray, right: FloatArray, y: FloatArray, style: str) -> None:
        """Draw level strokes, such as intervals of a forest plot."""
        ends = zip(self._points(left, y), self._points(right, y), strict=True)
        self._path([f"M{start}H{end.split(' ')[0]}" for start, end in ends], f"stem {style}")

    def uprights(self, x: FloatArray, low: FloatArray, high: FloatArray, style: str) -> None:
        """Draw upright strokes, such as intervals of a value."""
        ends = zip(self._points(x, low), self._points(x, high), strict=True)
        self._path([f"M{foot}V{head.split(' ')[1]}" for foot, head in ends], f"stem {style}")

    def rings(self, x: FloatArray, y: FloatArray, style: str) -> None:
        """Draw rings: dots with a smaller dot in the colour of the paper on each."""
        points = [f"M{point}h0" for point in self._points(x, y)]
        self._path(points, f"dots ring {style}")
        self._path(points, "dots core")

    @property
    def gutter(self) -> int:
        """Letters of the longest label of the vertical axis."""
        return max((len(label) for _, label in self.y.ticks), default=1)

    def html(self, gutter: int) -> Markup:
        """Return the panel with its axes, room for ``gutter`` letters on its left.

        Screen readers pass over it, since the chart has a description.
        """
        across = [(float(self.x.place(value)), label) for value, label in self.x.ticks]
        upward = [(float(self.y.place(value)), label) for value, label in self.y.ticks]
        grid = "".join(f"M0 {_unit(1 - place)}H{UNITS}" for place, _ in upward)
        labels = [f'<span class="ty" style="bottom:{place:.2%}">{escape(label)}</span>' for place, label in upward]
        kept = next((number for number, (value, _) in enumerate(self.x.ticks) if value == 0), 0) % 2
        for number, (place, label) in enumerate(across):
            rare = " rare" if number % 2 != kept and len(across) > MAX_NARROW_TICKS else ""
            labels.append(f'<span class="tx{rare}" style="left:{place:.2%}">{escape(label)}</span>')
        below = f'<div class="axis below">{escape(self.x.title)}</div>' if self.x.title else ""
        return Markup(
            f'<div class="panel{" wide" if self.wide else ""}" style="--gutter:{gutter}ch;--height:{self.height:g}rem">'
            f'<div class="axis">{escape(self.y.title)}</div><div class="plot">'
            f'<svg viewBox="0 0 {UNITS} {UNITS}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
            f'<path class="grid" d="{grid}"/>{"".join(self.marks)}</svg>{"".join(labels)}</div>'
            f"{below}</div>"
        )

    def _path(self, parts: Sequence[str], style: str) -> None:
        if parts:
            self.marks.append(f'<path class="{style}" d="{"".join(parts)}"/>')

    def _points(self, x: FloatArray, y: FloatArray) -> list[str]:
        across = np.round(UNITS * self.x.place(x), 1).tolist()
        down = np.round(UNITS * (1.0 - self.y.place(y)), 1).tolist()
        return [f"{a:g} {b:g}" for a, b in zip(across, down, strict=True)]


@dataclass(frozen=True)
class Key:
    """One entry of a legend: the shape (``line``, ``dot``, ``ring``, ``box``), the colour's class and the words."""

    shape: str
    style: str
    words: str


@dataclass(frozen=True)
class Figure:
    """A chart with its title, legend, description for screen readers and words below.

    Attributes
    ----------
    name : str
        Its anchor in the page.
    panels : tuple of rows of panels
        Rows from top to bottom; empty where there is nothing to draw, and ``found`` says why.
    reading : str
        How to read it, whatever the run.
    found : str
        What this run shows.
    """

    name: str
    title: str
    panels: tuple[tuple[Panel, ...], ...]
    keys: tuple[Key, ...]
    alternative: str
    reading: str
    found: str

    def chart(self) -> Markup:
        """Return the rows of panels; those that stand first in their rows begin at one left edge."""
        gutter = max((row[0].gutter for row in self.panels), default=1)
        rows = []
        for first, *others in self.panels:
            panels = [first.html(gutter), *(panel.html(panel.gutter) for panel in others)]
            rows.append(Markup('<div class="row">{}</div>').format(Markup("").join(panels)))
        return Markup("").join(rows)


def _runs(present: np.ndarray) -> list[slice]:
    """Return the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]]).astype(np.int8)))
    return [slice(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _unit(share: float) -> str:
    return f"{round(UNITS * share, 1):g}"
