"""What ``marketsim audit run`` does: decisions of agents as a table of answers, and what their design leaves open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from marketsim.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from marketsim.analysis.bias import AnswerTable, Audit, Settings

TABLE: Final = "llm/calls"
COLUMNS: Final = (
    *("agent", "arm", "step", "question", "regime", "attempt", "k", "answer", "shown", "model", "provenance"),
)
MOST_OPTIONS: Final = 12

STATES: Final = (
    "States: one agent's decisions meet states that move together, so what looks like memory of its own answers may be "
    "its reaction to them; this design cannot separate the two."
)
CALLS: Final = (
    "Matched states: answers of one call were given to one state. Calls that differ in their share may differ in their "
    "state, which dispersion cannot separate."
)
ORDER: Final = (
    "Order: options stood in one order, so a taste for an option and one for its place cannot be separated; regime "
    "relabel can."
)


def audit_run(path: Path, by: str, settings: Settings) -> tuple[Audit, dict[str, Any], bool]:
    """Audit the decisions of a run; return what was found, the provenance, and whether it is synthetic.

    Raises
    ------
    InputError
        No agent asked a language model, or the options are too many to audit one by one.
    RunDirectoryError
        There is no such run, or its files are damaged.
    """
    from marketsim.analysis.bias import Columns, audit_categorical, audit_table
    from marketsim.core.run_directory import open_run_directory

    opened = open_run_directory(path)
    if TABLE not in opened.manifest["tables"] or not opened.parts(TABLE):
        raise InputError(path, 0, "no decision of a language model", f"a run with rows in {TABLE}")
    calls = opened.frame(TABLE, list(COLUMNS))
    calls = calls[calls["attempt"] == 0]  # what was asked again was selected
    several = calls.groupby(["arm", "question", "regime"])["k"].transform("max") > 0
    shown = calls["shown"].map(_names)
    chosen = calls["answer"].map(_option)
    table = _table(calls, chosen, shown, by, several)
    groups = Columns(tuple(name for name in ("arm", "model", "regime", "question") if name in table.factors))
    if by == "first":
        found = audit_table(table, groups, counted="first", expected=_equal_share(path, shown), settings=settings)
    elif chosen[chosen != ""].nunique() > 2:
        _require_few(path, chosen)
        found = audit_categorical(table, groups, settings=settings)
    else:
        found = audit_table(table, groups, settings=settings)
    sources = sorted(set(calls["provenance"]))
    synthetic = "respondent" in sources
    one_order = shown.map(tuple).nunique() == 1
    provenance = {
        "decisions": ("SYNTHETIC: " if synthetic else "") + f"decisions of agents in a run, {', '.join(sources)}",
        "file": str(path),
        "digest": opened.digest,
        "cannot_separate": [
            *([STATES] if not several.all() else []),
            *([CALLS] if several.any() else []),
            *([ORDER] if one_order else []),
        ],
    }
    return found, provenance, synthetic


def _table(
    calls: pd.DataFrame, chosen: pd.Series[str], shown: pd.Series[Any], by: str, several: pd.Series[bool]
) -> AnswerTable:
    """Answers with their groups; a call is one state where several answers were given to it, otherwise an agent."""
    import numpy as np

    from marketsim.analysis.bias import AnswerTable, Factor

    answers = chosen.tolist()
    if by == "first":
        firsts = [names[0] for names in shown]
        answers = [
            word and ("first" if word == first else "later") for word, first in zip(answers, firsts, strict=True)
        ]
    state = calls["step"].where(several, -1)
    call = calls.groupby([calls["arm"], calls["agent"], calls["question"], state], sort=False).ngroup()
    order = calls["k"].where(several, calls["step"])
    kept = [name for name in ("arm", "model", "regime", "question") if name == "arm" or calls[name].nunique() > 1]
    factors = {name: Factor.of([str(word) for word in calls[name]]) for name in kept}
    return AnswerTable(Factor.of(answers), factors, call.to_numpy().astype(np.int64), order.to_numpy(np.float64))


def _option(answer: str) -> str:
    """Name of the option that was chosen; empty where the answer could not be used."""
    return str(json.loads(answer).get("answer", "")) if answer else ""


def _names(shown: str) -> list[str]:
    """Names of the options in the order shown."""
    return [str(name) for _, name in json.loads(shown)] or [""]


def _equal_share(path: Path, shown: pd.Series[Any]) -> float:
    """Share of the first place where no place matters.

    Raises
    ------
    InputError
        Decisions had different numbers of options.
    """
    counts = sorted(set(shown.map(len)))
    if len(counts) > 1:
        found = f"decisions with {' and '.join(map(str, counts))} options"
        raise InputError(path, 0, found, "as many in each, for --by first")
    return 1.0 / float(counts[0])


def _require_few(path: Path, chosen: pd.Series[str]) -> None:
    n = chosen[chosen != ""].nunique()
    if n > MOST_OPTIONS:
        raise InputError(path, 0, f"{n} options", f"{MOST_OPTIONS} at most; --by first audits the place on the page")
