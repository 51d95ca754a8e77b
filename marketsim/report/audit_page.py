"""The report of an audit as one HTML page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import marketsim
from marketsim.analysis.bias.audit import Audit, Group
from marketsim.analysis.bias.battery import control_summary, independence_word
from marketsim.analysis.bias.catalogue import TESTS
from marketsim.analysis.bias.results import FOUND, SHOWN, UNREADABLE, TestResult
from marketsim.analysis.bias.wording import assumptions, p_text, sentence
from marketsim.report.audit_figures import (
    HeatMap,
    contrast_figure,
    correlation_figure,
    dispersion_figure,
    response_figure,
    run_length_figure,
    share_figure,
    swap_figure,
    temperature_figure,
    transition_rows,
)
from marketsim.report.audit_view import AuditInput
from marketsim.report.chart import Figure
from marketsim.report.pages import page_template
from marketsim.report.scales import MISSING
from marketsim.report.words import percent

MOST_SECTIONS: Final = 12
"""Groups drawn in full; those with findings first. The tables have all."""

MOST_SHARES: Final = 60
"""Groups that one chart of shares can hold."""


@dataclass(frozen=True)
class Section:
    """One group in the page."""

    anchor: str
    name: str
    lead: str
    figures: tuple[Figure, ...]
    heat: HeatMap
    heat_note: str
    tests: list[tuple[str, ...]]


def render_audit(view: AuditInput) -> str:
    """Return the page of an audit.

    Parameters
    ----------
    view : AuditInput
        What was found; nothing is computed here but places on paper.
    """
    return page_template("audit.html").render(_context(view))


def _context(view: AuditInput) -> dict[str, Any]:
    audit = view.audit
    shown = _drawn_in_full(audit)
    return {
        "view": view,
        "audit": audit,
        "version": marketsim.__version__,
        "synthetic": view.synthetic,
        "facts": _facts(view),
        "tiles": _tiles(audit),
        "findings": _findings(audit),
        "overview": _overview(audit),
        "group_rows": [_group_row(number + 1, group) for number, group in enumerate(audit.groups)],
        "across_rows": [_test_row(one.result, audit, with_group=True) for one in audit.across],
        "across_figures": _across_figures(audit),
        "sections": [_section(f"group-{number}", group, audit) for number, group in enumerate(shown, 1)],
        "n_hidden": len(audit.groups) - len(shown),
        "assumptions": [line.partition(": ")[::2] for line in assumptions({one.name for one in audit.tests})],
    }


def _facts(view: AuditInput) -> list[tuple[str, str]]:
    audit = view.audit
    facts = [
        ("Answers", f"{audit.n:,}"),
        ("Invalid", f"{audit.n_invalid:,}"),
        ("Groups", f"{len(audit.groups):,}"),
        ("Counted answer", audit.counted),
        ("Level", f"{audit.settings.alpha:g}"),
        ("Seed", str(audit.settings.seed)),
    ]
    return [*facts, *view.facts.items()]


def _tiles(audit: Audit) -> list[tuple[str, str, str]]:
    words = [independence_word(group.results) for group in audit.groups]
    readings = [one for group in audit.groups for one in group.results if one.name == "binomial"]
    fair = sum(one.verdict == SHOWN for group in audit.groups for one in group.results)
    biased, unread = (sum(one.verdict == word for one in readings) for word in (FOUND, UNREADABLE))
    tested, failed = control_summary([group.results for group in audit.groups], audit.settings.alpha)
    margin = f"within {100 * audit.settings.margin:g} points of the expected share"
    return [
        ("Dependent", f"{words.count('no')}", f"groups of {len(words)} whose answers depend on each other"),
        ("Not tested", f"{words.count('not tested')}", "groups without calls, order or variation"),
        ("Biased", f"{biased}", "groups whose share is not the expected one"),
        ("Not to be read", f"{unread}", "shares that dependence makes unreadable"),
        ("Shown fair", f"{fair}", margin),
        ("Control", f"{failed} of {tested}", "PCG64 series called dependent or biased"),
    ]


def _findings(audit: Audit) -> list[tuple[str, str, str]]:
    """What stands out: group, sentence, test with its p-value. Shares are in the table and the charts."""
    in_table = ("markov_order", "binomial", "equivalence") if len(audit.groups) > MOST_SECTIONS else ("markov_order",)
    across = {id(one.result) for one in audit.across}
    found = [one for one in audit.tests if one.verdict in (FOUND, SHOWN) and one.name not in in_table]
    found.sort(key=lambda one: id(one) not in across)
    return [
        (one.group or "all answers", sentence(one, audit.counted), f"{TESTS[one.name].title}, {p_text(one.p_adjusted)}")
        for one in found
    ]


def _drawn_in_full(audit: Audit) -> list[Group]:
    """Groups whose order or calls can be drawn, those with failed gates first."""
    drawable = [group for group in audit.groups if group.profile.memory is not None or len(group.profile.call_size)]
    failed = {group.name for group in drawable if independence_word(group.results) == "no"}
    chosen = sorted(drawable, key=lambda group: group.name not in failed)[:MOST_SECTIONS]
    return [group for group in audit.groups if group in chosen]


def _overview(audit: Audit) -> list[Figure]:
    """Shares over stated probabilities, family by family; otherwise the shares of the groups side by side."""
    steps = [one for one in audit.across if one.result.name == "calibration"]
    figures = []
    for number, one in enumerate(steps, 1):
        members = [group for group in audit.groups if one.covers(group.levels) and group.profile.n]
        title = "Share over stated probability" + (f": {one.result.group}" if one.result.group else "")
        if len(members) > 2:
            figures.append(response_figure(f"response-{number}", title, members, one.result, audit.counted))
    if not figures and len(audit.groups) <= MOST_SHARES:
        with_answers = [group for group in audit.groups if group.profile.n]
        figures = [share_figure("shares", with_answers, audit.counted)] if with_answers else []
    return figures


def _across_figures(audit: Audit) -> list[Figure]:
    results = [one.result for one in audit.across]
    figures = []
    regimes = [one for one in results if one.name == "regime_contrast"]
    swaps = [one for one in results if one.name in ("order_swap", "snapshot_drift")]
    if regimes:
        figures.append(contrast_figure("contrasts", regimes, audit.counted))
    if swaps:
        figures.append(swap_figure("swaps", swaps, audit.counted))
    for number, one in enumerate(audit.across, 1):
        if one.result.name == "temperature_law" and one.result.is_estimable:
            members = [group for group in audit.groups if one.covers(group.levels) and group.profile.n]
            factor = next(name for name in members[0].levels if name not in one.common)
            figures.append(temperature_figure(f"temperature-{number}", members, factor, one.result, audit.counted))
    return figures


def _section(anchor: str, group: Group, audit: Audit) -> Section:
    profile, memory = group.profile, group.profile.memory
    figures = []
    if memory is not None:
        figures.append(run_length_figure(f"{anchor}-runs", group, memory, audit.counted))
        if len(memory.correlation):
            figures.append(correlation_figure(f"{anchor}-correlation", group, memory, audit.counted))
    if len(profile.call_size):
        figures.append(dispersion_figure(f"{anchor}-dispersion", group, audit.counted))
    recency = next((one for one in group.results if one.name == "recency"), None)
    return Section(
        anchor=anchor,
        name=group.name or "All answers",
        lead=_lead(group, audit),
        figures=tuple(figures),
        heat=[] if memory is None else transition_rows(memory, audit.counted, audit.other),
        heat_note="" if recency is None else sentence(recency, audit.counted),
        tests=[_test_row(one, audit) for one in group.results],
    )


def _lead(group: Group, audit: Audit) -> str:
    """Say first whether the group's shares can be read at all."""
    profile = group.profile
    failed = [TESTS[one.name].title for one in group.results if one.verdict == FOUND and TESTS[one.name].role == "gate"]
    share = f'"{audit.counted}" in {percent(profile.share)} of {profile.n:,} answers'
    share = f"{share}; expected {percent(profile.expected)}."
    if failed:
        why = ", ".join(failed)
        return f"{share} Answers are not independent ({why}): read the share by calls, not the exact binomial."
    word = independence_word(group.results)
    return f"{share} Independence was {word}." if word == "not refuted" else f"{share} Independence: {word}."


def _group_row(number: int, group: Group) -> dict[str, Any]:
    profile, results = group.profile, {one.name: one for one in group.results}
    return {
        "number": str(number),
        "name": group.name or "all answers",
        "n": f"{profile.n:,}",
        "invalid": f"{profile.n_invalid:,}",
        "share": percent(profile.share),
        "low": 100 * profile.low,
        "high": 100 * profile.high,
        "dot": 100 * profile.share,
        "expected": 100 * profile.expected,
        "stated": percent(profile.expected),
        "has_share": profile.n > 0,
        "independent": independence_word(group.results),
        "bias": results["binomial"].verdict,
        "fair": results["equivalence"].verdict,
    }


def _test_row(one: TestResult, audit: Audit, with_group: bool = False) -> tuple[str, ...]:
    control = p_text(one.control_p_value) if one.control_p_value == one.control_p_value else MISSING
    p_value = p_text(one.p_value) if one.is_estimable else MISSING
    adjusted = p_text(one.p_adjusted) if one.p_adjusted == one.p_adjusted else MISSING
    head: Sequence[str] = (one.group or "all answers",) if with_group else ()
    cells = (TESTS[one.name].title, one.verdict, sentence(one, audit.counted), f"{one.n:,}", p_value, adjusted)
    return (*head, *cells) if with_group else (*cells, control)
