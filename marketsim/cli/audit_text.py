"""An audit as a table, sentences and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from marketsim import __version__
from marketsim.analysis.bias.battery import control_summary, independence_word, untested_gates
from marketsim.analysis.bias.catalogue import role_of
from marketsim.analysis.bias.results import FOUND, INESTIMABLE, SHOWN, TestResult
from marketsim.analysis.bias.wording import assumptions, p_text, percent, sentence

if TYPE_CHECKING:
    from marketsim.analysis.bias import Audit, Group

_FEW: Final = 12
"""With more groups than this, the table alone says which are biased."""

_HEADS: Final = ("group", "n", "invalid", "share", "95 % interval", "stated", "independent", "bias", "fair")


def audit_json(found: Audit, provenance: dict[str, Any]) -> str:
    """Return the JSON object of ``marketsim audit --json``."""
    from marketsim.analysis.choice.rendering import json_text

    return json_text(
        {
            "tests": [_record(one, found.counted) for one in found.tests],
            "groups": [
                {
                    "group": group.name,
                    "levels": group.levels,
                    "n": group.profile.n,
                    "n_invalid": group.profile.n_invalid,
                    "share": group.profile.share,
                    "low": group.profile.low,
                    "high": group.profile.high,
                    "stated": group.profile.expected,
                }
                for group in found.groups
            ],
            "counted": found.counted,
            "alpha": found.settings.alpha,
            "seed": found.settings.seed,
            "provenance": {**provenance, "marketsim": __version__},
        }
    )


def _record(one: TestResult, counted: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "group": one.group,
        "statistic": one.statistic,
        "p_value": one.p_value,
        "verdict": one.verdict,
        "n": one.n,
        "unit": one.unit,
        "role": role_of(one.name),
        "p_adjusted": one.p_adjusted,
        "control_p_value": one.control_p_value,
        "estimate": one.estimate,
        "low": one.low,
        "high": one.high,
        "reason": one.reason,
        "facts": one.facts,
        "sentence": sentence(one, counted),
    }


def audit_text(found: Audit, provenance: dict[str, Any], show_all: bool = False) -> str:
    """Return an audit as plain text: a row a group, findings in sentences, what could not be tested."""
    rows = [_HEADS, *(_row(group) for group in found.groups)]
    lines = [
        f"{provenance['file']}: {found.n:,} answers"
        + (f" and {found.n_invalid:,} invalid ones" if found.n_invalid else "")
        + f" in {len(found.groups):,} group{'s' if len(found.groups) != 1 else ''}; counted: {found.counted}",
        f"decisions: {provenance['decisions']}",
        "",
        *_aligned(rows),
        "",
        *_findings(found),
        *_inestimable(found),
        *_control(found),
        *([""] if provenance.get("cannot_separate") else []),
        *provenance.get("cannot_separate", []),
    ]
    if show_all:
        lines += ["", *_every_test(found), "", "What each test assumes"]
        lines += [f"  {line}" for line in assumptions({one.name for one in found.tests})]
    return "\n".join(lines)


def _row(group: Group) -> tuple[str, ...]:
    profile, results = group.profile, {one.name: one for one in group.results}
    return (
        group.name or "all answers",
        f"{profile.n:,}",
        f"{profile.n_invalid:,}",
        percent(profile.share) if profile.n else "-",
        f"{100 * profile.low:.1f} to {100 * profile.high:.1f}" if profile.n else "-",
        percent(profile.expected),
        independence_word(group.results),
        results["binomial"].verdict,
        results["equivalence"].verdict,
    )


def _findings(found: Audit) -> list[str]:
    in_table = ("binomial", "equivalence", "markov_order") if len(found.groups) > _FEW else ("markov_order",)
    shown = [one for one in found.tests if one.verdict in (FOUND, SHOWN) and one.name not in in_table]
    if not shown:
        return ["Findings: none."]
    lines = [f"Findings (level {found.settings.alpha:g} after Holm among gates, Benjamini-Hochberg among the rest)"]
    for one in shown:
        place = f"{one.group}: " if one.group else ""
        lines.append(f"  {place}{sentence(one, found.counted)} [{one.name}, {p_text(one.p_adjusted)}]")
    return lines


def _inestimable(found: Audit) -> list[str]:
    """Group what could not be tested by its reason."""
    reasons: dict[str, dict[str, int]] = {}
    for one in found.tests:
        if one.verdict == INESTIMABLE:
            by_name = reasons.setdefault(one.reason, {})
            by_name[one.name] = by_name.get(one.name, 0) + 1
    if not reasons:
        return []
    lines = ["", "Inestimable"]
    for reason, names in reasons.items():
        most = max(names.values())
        lines.append(f"  {', '.join(names)} ({most:,} group{'s' if most != 1 else ''}): {reason}")
    if any(untested_gates(group.results) for group in found.groups):
        lines.append("  Figures of such groups hold if their answers are independent, which was not tested in full.")
    return lines


def _control(found: Audit) -> list[str]:
    tested, failed = control_summary([group.results for group in found.groups], found.settings.alpha)
    if not tested:
        return []
    return [
        "",
        f"Negative control: a PCG64 series of the same design beside each group; {failed} of {tested:,} would "
        f"be called dependent or biased (chance: up to {2 * found.settings.alpha * tested:.1f}).",
    ]


def _every_test(found: Audit) -> list[str]:
    heads = ("group", "test", "n", "statistic", "p", "adjusted", "control", "verdict")
    rows: list[Sequence[str]] = [heads]
    for one in found.tests:
        numbers = ("-" if value != value else f"{value:.4g}" for value in (one.statistic, one.p_value, one.p_adjusted))
        control = "-" if one.control_p_value != one.control_p_value else f"{one.control_p_value:.3f}"
        rows.append((one.group or "all answers", one.name, f"{one.n:,}", *numbers, control, one.verdict))
    return _aligned(rows, words=2)


def _aligned(rows: Sequence[Sequence[str]], words: int = 1) -> list[str]:
    """Align columns: the first ``words`` to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if place < words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
