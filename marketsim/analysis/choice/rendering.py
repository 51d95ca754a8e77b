"""Plain text, LaTeX and figures of choice models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from marketsim.analysis.choice.component_effects import AmceResult
    from marketsim.analysis.choice.fixed_effects import FixedEffect
    from marketsim.analysis.choice.result import Covariance, LogitResult

_LISTED: Final = 12
_SPECIAL: Final = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


def logit_text(result: LogitResult, covariance: Covariance | None, show_effects: bool) -> str:
    """Return a conditional logit as plain text."""
    frame = result.to_frame(covariance)
    shown = frame if show_effects else frame.loc[list(result.terms)]
    ratio, degrees, p_value = result.fit_against_equal_shares()
    lines = [
        f"Conditional logit: {result.specification}",
        f"{result.n:,} choice sets, log likelihood {result.log_likelihood:.3f}, "
        f"McFadden pseudo R2 {result.pseudo_r2:.3f}",
        f"against equal shares: chi-square({degrees}) = {ratio:.1f}, p {_p(p_value)}",
        "",
        text_table(shown),
        "",
        f"z, p and the 95 % interval: {covariance or result.preferred} standard errors"
        + (f", clusters: {result.cluster}" if result.cluster else ""),
        *(f"base of {name}: {base}" for name, base in result.design.bases.items()),
        *_sample_lines(result),
    ]
    for effect in result.effects:
        lines += _effect_lines(effect, result.sample.min_choices, show_effects)
    return "\n".join(lines)


def text_table(frame: pd.DataFrame) -> str:
    """Return a frame of numbers as aligned plain text: p-values to three digits, the rest to four."""
    columns = [["", *map(str, frame.index)]]
    columns += [[str(name), *(_cell(str(name), value) for value in frame[name].tolist())] for name in frame.columns]
    cells = list(zip(*columns, strict=True))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in cells
    )


def logit_latex(result: LogitResult) -> str:
    """Return the coefficients as a LaTeX table: estimate, stars at 5, 1 and 0.1 %, standard error below."""
    lines = [r"\begin{tabular}{lr}", r"\hline", r" & Estimate \\", r"\hline"]
    frame = result.to_frame().loc[list(result.terms)]
    lines += _latex_rows(frame["estimate"], result.standard_error()[: len(frame)], frame["p_value"])
    lines += [
        r"\hline",
        *(f"Fixed effects: {latex_text(effect.column)} & {len(effect.estimated)} \\\\" for effect in result.effects),
        f"Choice sets & {result.n:,} \\\\",
        f"Log likelihood & ${result.log_likelihood:.3f}$ \\\\",
        f"McFadden pseudo $R^2$ & {result.pseudo_r2:.3f} \\\\",
        r"\hline",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def amce_text(result: AmceResult) -> str:
    """Return average marginal component effects as plain text."""
    lines = [
        f"Average marginal component effects on the probability of being chosen, {result.n:,} choice sets",
        "",
        text_table(result.frame),
        "",
        *result.assumptions,
    ]
    if result.n_invalid:
        share = 100 * result.n_invalid / result.n
        lines.append(f"invalid answers, credited to nobody: {result.n_invalid:,} of {result.n:,} sets ({share:.1f} %)")
    return "\n".join(lines)


def amce_latex(result: AmceResult) -> str:
    """Return average marginal component effects as a LaTeX table."""
    frame = result.frame
    return "\n".join(
        [
            *(r"\begin{tabular}{lr}", r"\hline", r" & Effect \\", r"\hline"),
            *_latex_rows(frame["estimate"], frame["se"], frame["p_value"]),
            *(r"\hline", f"Choice sets & {result.n:,} \\\\", r"\hline", r"\end{tabular}"),
        ]
    )


def json_text(data: dict[str, Any]) -> str:
    """Return JSON; what is not a number (NaN) becomes null."""
    return json.dumps(_jsonable(data), indent=2)


def _jsonable(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [_jsonable(item) for item in value]
        case np.generic():
            return _jsonable(value.item())
        case float():
            return value if np.isfinite(value) else None
        case None | bool() | int() | str():
            return value
    return str(value)


def _latex_rows(estimate: pd.Series[float], error: Iterable[float], p_value: Iterable[float]) -> list[str]:
    lines = []
    for (name, value), se, p in zip(estimate.items(), error, p_value, strict=True):
        stars = "*" * int(sum(p < level for level in (0.05, 0.01, 0.001)))
        mark = f"^{{{stars}}}" if stars else ""
        lines += [f"{latex_text(str(name))} & ${value:.3f}{mark}$ \\\\", f" & $({se:.3f})$ \\\\"]
    return lines


def latex_text(text: str) -> str:
    """Return text with the characters that LaTeX reads as commands escaped."""
    return text.translate(_SPECIAL)


def forest_plot(
    frame: pd.DataFrame, others: dict[str, dict[str, float]], label: str = "coefficient, with 95 % interval"
) -> Figure:
    """Return estimates with their intervals, one line a coefficient.

    Parameters
    ----------
    frame : DataFrame
        Index names; columns estimate, low, high.
    others : dict
        For each other model, its estimate by coefficient: points without intervals.
    label : str
        Of the horizontal axis.
    """
    from matplotlib.figure import Figure

    place = np.arange(len(frame))[::-1]
    figure = Figure(figsize=(7, 1.2 + 0.35 * len(frame)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color="0.6", linewidth=0.8)
    axes.hlines(place, frame["low"], frame["high"], color="C0", linewidth=2)
    axes.plot(frame["estimate"], place, "o", color="C0", label="this model")
    for number, (name, values) in enumerate(others.items()):
        known = [(values[str(term)], y) for term, y in zip(frame.index, place, strict=True) if str(term) in values]
        if known:
            x, y = zip(*known, strict=True)
            axes.plot(x, y, linestyle="", marker="sdv^<>"[number % 6], color=f"C{number + 1}", alpha=0.7, label=name)
    axes.set_yticks(place, [str(name) for name in frame.index])
    axes.set_xlabel(label)
    if others:
        axes.legend(fontsize="small")
    return figure


def _sample_lines(result: LogitResult) -> list[str]:
    sample = result.sample
    lines = []
    if sample.n_invalid:
        share = 100 * sample.n_invalid / sample.n_sets
        lines.append(
            f"invalid answers, credited to nobody: {sample.n_invalid:,} of {sample.n_sets:,} sets ({share:.1f} %)"
        )
    if result.invalid_by_arm is not None:
        lines.append(text_table(result.invalid_by_arm))
    if sample.n_unavailable:
        lines.append(f"rows that could not be chosen, left out: {sample.n_unavailable:,}")
    if sample.n_informative < sample.n_valid:
        lines.append(f"choice sets that say nothing about the coefficients: {sample.n_valid - sample.n_informative:,}")
    return lines


def _effect_lines(effect: FixedEffect, min_choices: int, show_all: bool) -> list[str]:
    limit = None if show_all else _LISTED
    lines = [f"fe({effect.column}): {len(effect.estimated)} effects; bases: {_list(effect.bases, limit)}"]
    if effect.never_chosen:
        lines.append(f"never chosen, left out of every choice set: {_list(effect.never_chosen, limit)}")
    if effect.always_chosen:
        lines.append(f"always chosen, their choice sets left out: {_list(effect.always_chosen, limit)}")
    if len(effect.below_threshold):
        names = [effect.levels[level] for level in effect.below_threshold]
        lines.append(
            f"WARNING: chosen fewer than {min_choices} times and left out, which selects the sample on the outcome: "
            + _list(names, limit)
        )
    return lines


def _list(values: Sequence[object], limit: int | None) -> str:
    words = [str(value) for value in values]
    if limit is None or len(words) <= limit:
        return ", ".join(words)
    return f"{', '.join(words[:limit])} and {len(words) - limit} more"


def _cell(column: str, value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return "-" if value != value else f"{value:.3f}" if column.startswith(("p_", "rate")) else f"{value:#.4g}"
    return str(value)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
