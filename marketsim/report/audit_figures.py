"""Figures of an audit: shares over stated probabilities, runs, correlations, calls, temperatures."""

from __future__ import annotations

import numpy as np

from marketsim.analysis.bias.audit import Group
from marketsim.analysis.bias.profile import N_LENGTHS, Memory
from marketsim.analysis.bias.results import TestResult
from marketsim.analysis.bias.wording import sentence
from marketsim.analysis.columns import FloatArray
from marketsim.report.chart import Figure, Key, Panel
from marketsim.report.scales import Axis, number_axis
from marketsim.report.words import count, percent

HeatMap = list[tuple[str, list[tuple[str, str, float]]]]

_PERCENT = tuple((k / 4, f"{25 * k} %") for k in range(5))


def _result(group: Group, name: str) -> TestResult | None:
    return next((one for one in group.results if one.name == name), None)


def _said(group: Group, name: str, counted: str) -> str:
    one = _result(group, name)
    return "" if one is None else sentence(one, counted)


def response_figure(name: str, title: str, groups: list[Group], step: TestResult | None, counted: str) -> Figure:
    """Draw the share of the counted answer over the stated probability, with intervals and the diagonal."""
    ordered = sorted(groups, key=lambda group: group.profile.expected)
    stated = np.array([group.profile.expected for group in ordered])
    share = np.array([group.profile.share for group in ordered])
    panel = Panel(Axis(-0.02, 1.02, _PERCENT, "stated probability"), Axis(-0.03, 1.03, _PERCENT, "Share given"), 19.0)
    panel.line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "reference")
    _intervals(panel, stated, ordered)
    panel.dots(stated, share, "quantile")
    found = "" if step is None else sentence(step, counted)
    return Figure(
        name=name,
        title=title,
        panels=((panel,),),
        keys=(
            Key("dot", "quantile", f'share of "{counted}", with 95 % interval'),
            Key("line", "reference", "as stated"),
        ),
        alternative=f"Share of the answer {counted} over the stated probability. {found}",
        reading=(
            "A model that answers with the probability that it is told lies on the dashed diagonal. One that answers "
            "with what is likelier jumps from the bottom to the top where the stated probability passes one half."
        ),
        found=found,
    )


def _intervals(panel: Panel, x: FloatArray, groups: list[Group]) -> None:
    gap = np.full(len(x), np.nan)
    across = np.stack([x, x, x], axis=1).ravel()
    low, high = (np.array([getattr(group.profile, end) for group in groups]) for end in ("low", "high"))
    panel.line(across, np.stack([low, high, gap], axis=1).ravel(), "buy")


def share_figure(name: str, groups: list[Group], counted: str) -> Figure:
    """Draw the share of each group with its interval, in the order of the table."""
    place = np.arange(1.0, len(groups) + 1)
    ticks = tuple((float(k), str(int(k))) for k in place)
    panel = Panel(Axis(0.4, len(groups) + 0.6, ticks, "group, as numbered in the table"), _share_axis(groups), 15.0)
    for x, group in zip(place, groups, strict=True):
        ends = np.array([x - 0.3, x + 0.3])
        panel.line(ends, np.full(2, group.profile.expected), "reference")
    _intervals(panel, place, groups)
    panel.dots(place, np.array([group.profile.share for group in groups]), "quantile")
    biased = sum(one.verdict == "found" for group in groups for one in group.results if one.name == "binomial")
    unread = sum(one.verdict == "unreadable" for group in groups for one in group.results if one.name == "binomial")
    found = f"{count(biased, 'group')} of {len(groups)} biased; {unread} not to be read: answers depend on each other."
    return Figure(
        name=name,
        title="Answer share",
        panels=((panel,),),
        keys=(
            Key("dot", "quantile", f'share of "{counted}", with 95 % interval'),
            Key("line", "reference", "expected"),
        ),
        alternative=f"Share of the answer {counted} in each group. {found}",
        reading=(
            "The upright is the exact 95 % interval of the share, which holds for independent answers; the dashed line "
            "the expected share. Where the table says that answers are not independent, the true interval is another."
        ),
        found=found,
    )


def _share_axis(groups: list[Group]) -> Axis:
    low = min(min(group.profile.low, group.profile.expected) for group in groups)
    high = max(max(group.profile.high, group.profile.expected) for group in groups)
    margin = max(0.08 * (high - low), 0.01)
    axis = number_axis(max(100 * (low - margin), -2.0), min(100 * (high + margin), 102.0), "Share (%)", 5)
    return Axis(axis.low / 100, axis.high / 100, tuple((value / 100, label) for value, label in axis.ticks), axis.title)


def run_length_figure(name: str, group: Group, memory: Memory, counted: str) -> Figure:
    """Draw how often runs of each length occur, beside what random orders give."""
    length = np.arange(1.0, N_LENGTHS + 1)
    top = 1.1 * max(float(memory.run_length.max()), float(memory.chance_run_length.max()))
    labels = tuple((float(k), f"{int(k)}{'+' if k == N_LENGTHS else ''}") for k in length if k % 2 or k == N_LENGTHS)
    panel = Panel(Axis(0.4, N_LENGTHS + 0.6, labels, "length of the run"), number_axis(0.0, top, "Runs", 4), 13.0)
    panel.bars(length - 0.38, length + 0.38, np.zeros(N_LENGTHS), memory.run_length.astype(np.float64), "neutral")
    panel.line(length, memory.chance_run_length, "reference")
    panel.dots(length, memory.chance_run_length, "reference")
    found = " ".join(_said(group, test, counted) for test in ("runs", "trend"))
    return Figure(
        name=name,
        title="Run lengths",
        panels=((panel,),),
        keys=(Key("box", "neutral", "runs of equal answers"), Key("line", "reference", "in random orders")),
        alternative=f"Lengths of runs of equal answers. {found}",
        reading=(
            "How often the same answer came so many times in a row, within calls. People who imitate a coin make long "
            "runs too seldom; the dashed line is what random orders of the same calls give."
        ),
        found=found,
    )


def correlation_figure(name: str, group: Group, memory: Memory, counted: str) -> Figure:
    """Draw the autocorrelation of the answers within calls."""
    lag = np.arange(1.0, len(memory.correlation) + 1)
    n_lags = len(lag)
    reach = max(0.06, 1.15 * float(np.abs(memory.correlation).max()), 1.3 * float(memory.band.max()))
    panel = Panel(
        number_axis(0.0, n_lags + 1.0, "lag (answers)", min(6, n_lags + 1), 0),
        number_axis(-reach, reach, "Autocorrelation", 5),
        13.0,
    )
    wide = np.concatenate([[0.0], lag, [n_lags + 1.0]])
    band = np.concatenate([memory.band[:1], memory.band, memory.band[-1:]])
    panel.band(wide, -band, band, "chance")
    panel.level(0.0, "zero")
    panel.stems(lag, memory.correlation, "stem")
    found = _said(group, "ljung_box", counted)
    return Figure(
        name=name,
        title="Autocorrelation",
        panels=((panel,),),
        keys=(Key("dot", "stem", "autocorrelation"), Key("box", "chance", "95 % by chance")),
        alternative=f"Autocorrelation of the answers by lag. {found}",
        reading=(
            "Whether an answer resembles (above zero) or avoids (below) the one so many answers before it in its call, "
            "about what random orders of the call give. One lag of twenty leaves the band by chance."
        ),
        found=found,
    )


def dispersion_figure(name: str, group: Group, counted: str) -> Figure:
    """Draw the shares of the calls, beside those of independent answers."""
    from scipy.stats import binom

    profile = group.profile
    n_bins = int(min(max(profile.call_size.max() + 1, 5), 21))
    edge = np.linspace(0.0, 1.0 + 1e-9, n_bins + 1)
    observed = np.histogram(profile.call_ones / profile.call_size, edge)[0].astype(np.float64)
    chance = np.zeros(n_bins)
    for size, times in zip(*np.unique(profile.call_size, return_counts=True), strict=True):
        k = np.arange(size + 1)
        chance += times * np.histogram(k / size, edge, weights=binom.pmf(k, size, profile.share))[0]
    top = 1.1 * max(float(observed.max()), float(chance.max()))
    panel = Panel(Axis(0.0, 1.0, _PERCENT, "share within a call"), number_axis(0.0, top, "Calls", 4), 13.0)
    width = 0.06 / n_bins
    panel.bars(edge[:-1] + width, edge[1:] - width, np.zeros(n_bins), observed, "neutral")
    panel.line((edge[:-1] + edge[1:]) / 2, chance, "reference")
    panel.dots((edge[:-1] + edge[1:]) / 2, chance, "reference")
    found = _said(group, "dispersion", counted)
    return Figure(
        name=name,
        title="Dispersion within calls",
        panels=((panel,),),
        keys=(Key("box", "neutral", "calls"), Key("line", "reference", "independent answers")),
        alternative=f"Shares of the answer {counted} within calls. {found}",
        reading=(
            "How many calls gave the answer how often. Independent answers spread as the dashed line does; wider means "
            "that answers of one call resemble each other, narrower that a call balances its answers."
        ),
        found=found,
    )


def temperature_figure(name: str, groups: list[Group], factor: str, law: TestResult, counted: str) -> Figure:
    """Draw the share over the temperature, with the fitted law."""
    warm = [group for group in groups if float(group.levels[factor]) > 0]
    ordered = sorted(warm, key=lambda group: float(group.levels[factor]))
    temperature = np.array([float(group.levels[factor]) for group in ordered])
    panel = Panel(
        number_axis(0.0, 1.08 * float(temperature.max()), "temperature", 6), Axis(-0.03, 1.03, _PERCENT, "Share"), 15.0
    )
    if law.is_estimable:
        curve = np.linspace(0.05, 1.05 * float(temperature.max()), 200)
        panel.line(curve, 1 / (1 + np.exp(-law.facts["logit"] / curve)), "reference")
    _intervals(panel, temperature, ordered)
    panel.dots(temperature, np.array([group.profile.share for group in ordered]), "quantile")
    found = sentence(law, counted)
    return Figure(
        name=name,
        title="Temperature law" + (f": {law.group}" if law.group else ""),
        panels=((panel,),),
        keys=(
            Key("dot", "quantile", f'share of "{counted}", with 95 % interval'),
            Key("line", "reference", "logit p(T) = logit p(1) / T"),
        ),
        alternative=f"Share of the answer {counted} over the temperature. {found}",
        reading=(
            "Sampling divides logits by the temperature, so a share moves towards one half as it rises, and towards 0 "
            "or 1 as it falls. A bias in the model cannot be sampled away: 98.5 % at 1 is still 89 % at 2."
        ),
        found=found,
    )


def contrast_figure(name: str, contrasts: list[TestResult], counted: str) -> Figure:
    """Draw the differences between ways of asking, with intervals that count each call once."""
    known = [one for one in contrasts if one.is_estimable]
    place = np.arange(1.0, len(known) + 1)
    reach = 110 * max((max(abs(one.low), abs(one.high)) for one in known), default=0.1)
    ticks = tuple((float(k), str(int(k))) for k in place)
    panel = Panel(
        Axis(0.4, len(known) + 0.6, ticks, "contrast, as numbered in the words below"),
        number_axis(-reach, reach, "Difference of shares (points)", 5),
        14.0,
    )
    panel.level(0.0, "reference")
    ends = np.array([[one.low, one.high, np.nan] for one in known]).reshape(-1)
    panel.line(np.repeat(place, 3), 100 * ends, "buy")
    panel.dots(place, 100 * np.array([one.estimate for one in known]), "quantile")
    found = " ".join(f"{number}: {one.group}. {sentence(one, counted)}" for number, one in enumerate(known, 1))
    return Figure(
        name=name,
        title="Regime contrasts",
        panels=((panel,),) if known else (),
        keys=(Key("dot", "quantile", "difference of shares, with 95 % interval"), Key("line", "reference", "none")),
        alternative=f"Differences of the share of {counted} between ways of asking. {found}",
        reading=(
            "Each call counts once, however many answers it gave: answers of one call may depend on each other. An "
            "interval off zero means that the way of asking changes the answers."
        ),
        found=found or "No contrast could be estimated.",
    )


def swap_figure(name: str, swaps: list[TestResult], counted: str) -> Figure:
    """Draw the share of items whose answer changes with order, labels or snapshot."""
    known = [one for one in swaps if one.is_estimable]
    place = np.arange(1.0, len(known) + 1)
    share = 100 * np.array([one.estimate for one in known])
    ticks = tuple((float(k), str(int(k))) for k in place)
    panel = Panel(
        Axis(0.4, len(known) + 0.6, ticks, "comparison, as numbered in the words below"),
        number_axis(0.0, 1.15 * float(share.max(initial=1.0)), "Pairs that differ (%)", 4),
        12.0,
    )
    panel.bars(place - 0.25, place + 0.25, np.zeros(len(known)), share, "neutral")
    found = " ".join(f"{number}: {one.group}. {sentence(one, counted)}" for number, one in enumerate(known, 1))
    return Figure(
        name=name,
        title="Order, labels and snapshots",
        panels=((panel,),) if known else (),
        keys=(Key("box", "neutral", "pairs of answers to one item that differ"),),
        alternative=f"Pairs of answers that differ. {found}",
        reading=(
            "The same item asked twice. Chance makes some pairs differ in both directions alike; an effect makes them "
            "differ in one direction more than in the other, which is what the test looks at."
        ),
        found=found or "No pair could be compared.",
    )


def transition_rows(memory: Memory, counted: str, other: str) -> HeatMap:
    """Return the transition heat map: for each answer before, (share, chance, colour 0 to 1) of each next."""
    rows = []
    for before, name in ((1, counted), (0, other)):
        total, chance = memory.transitions[before].sum(), memory.chance_transitions[before]
        cells = []
        for after in (1, 0):
            share = memory.transitions[before, after] / total if total else np.nan
            expected = chance[after] / chance.sum() if chance.sum() else np.nan
            colour = float(np.nan_to_num(min(max(share, 0.0), 1.0)))
            cells.append((percent(share), percent(expected), colour))
        rows.append((name, cells))
    return rows
