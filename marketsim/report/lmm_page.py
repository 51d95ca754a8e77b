"""The judgement of generated order flow as one HTML page that needs nothing beside itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import marketsim
from marketsim.report.pages import page_template

RUNGS: Final = {
    0: "What tokens and files keep",
    1: "Bits per event",
    2: "Distributions",
    3: "Facts of returns",
    9: "Long rollouts",
}


class Judged(Protocol):
    """What a page needs of a judgement."""

    @property
    def title(self) -> str:
        """What was judged."""

    @property
    def scores(self) -> Sequence[Mapping[str, Any]]:
        """Entries of rung, name, value, low, high, floor, and perhaps null."""

    @property
    def notes(self) -> Sequence[str]:
        """What a reader must know."""


def render_judgement(judgement: Judged) -> str:
    """Return the page: one table a rung; value, 95 % interval, the reference's own floor, zero intelligence.

    Parameters
    ----------
    judgement : Judged
        Title, scores of {rung, name, value, low, high, floor} and perhaps null, notes.
    """
    rungs = []
    for rung, words in RUNGS.items():
        scores = [score for score in judgement.scores if score["rung"] == rung]
        if scores:
            rungs.append((rung, words, [_row(score) for score in scores]))
    return page_template("lmm_eval.html").render(
        title=judgement.title, notes=judgement.notes, rungs=rungs, version=marketsim.__version__
    )


def _row(score: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers as words, and the interval as shares of a bar that ends at the largest number of the row."""
    value, low, high, floor = (float(score[name]) for name in ("value", "low", "high", "floor"))
    null = float(score["null"]) if "null" in score else None
    known = [abs(x) for x in (value, low, high, floor, null) if x is not None and math.isfinite(x)]
    top = max(known, default=0.0) or 1.0
    return {
        "name": score["name"],
        "value": _number(value),
        "interval": f"{_number(low)} to {_number(high)}" if low != high else "",
        "floor": _number(floor) if low != high else "",
        "null": "" if null is None else _number(null),
        "bar": None if low == high or low < 0 else [_share(x, top) for x in (low, value, high, floor)],
    }


def _number(x: float) -> str:
    return f"{x:.3f}" if math.isfinite(x) else "–"


def _share(x: float, top: float) -> float:
    return round(100 * min(max(x / top, 0.0), 1.0), 1) if math.isfinite(x) else 0.0
