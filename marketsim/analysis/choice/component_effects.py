"""Average marginal component effects: what an attribute does to the chance of being chosen, from the design alone.

No model of choice is needed, only how the attributes were drawn: each row counts with one over the probability of the
level that it got. The effect averages over everything else that the experiment varied, rivals included. A choice set
without a valid answer stays in, with nothing chosen: leaving it out would select on the outcome.

References
----------
Hainmueller, Hopkins & Yamamoto (2014), Political Analysis 22, 1-30. Horvitz & Thompson (1952), J. Am. Statist. Assoc.
47. Ham, Imai & Janson (2024), Political Analysis 32: randomisation inference by re-drawing the law.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from marketsim.analysis.choice import rendering
from marketsim.analysis.choice.choice_sets import (
    Answers,
    BoolArray,
    ChoiceColumns,
    ChoiceSets,
    FloatArray,
    IntArray,
    read_answers,
    require_column,
)
from marketsim.analysis.choice.design import POSITIONS, CodedFactor, code_levels
from marketsim.analysis.choice.errors import SpecificationError
from marketsim.analysis.choice.randomisation import (
    MAX_LEVELS,
    PREFIX,
    Assignment,
    Randomisation,
    permuted_sums,
    read_assignment,
    redraw,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Inference:
    """How uncertainty is measured.

    Attributes
    ----------
    cluster : str, optional
        Column of the clusters; default: the choice set.
    normalise : bool
        Divide by the sum of the weights (Hajek), not by the number of rows (Horvitz and Thompson): slightly biased,
        often less noisy.
    draws : int
        Draws of the law for the randomisation p-values; 0 for none.
    rng : Generator, optional
        Source of those draws, from ``marketsim.core.rng.generator``.
    """

    cluster: str | None = None
    normalise: bool = False
    draws: int = 0
    rng: np.random.Generator | None = None


@dataclass(frozen=True, repr=False)
class AmceResult:
    """Average marginal component effects.

    Attributes
    ----------
    frame : DataFrame
        Index name, as in the specification: ``row``, ``col[1]``; columns level, base, estimate (change of the
        probability of being chosen), se, z, p_value, low, high, p_randomisation where asked for, rows (that could have
        either level).
    assumptions : tuple of str
        What the effects rest on, one sentence an attribute.
    n, n_invalid : int
        Choice sets, and those of them without a choice.
    """

    frame: pd.DataFrame
    assumptions: tuple[str, ...]
    n: int
    n_invalid: int

    def as_dict(self) -> dict[str, Any]:
        """Return what ``marketsim fit amce --json`` prints."""
        return {
            "n": self.n,
            "invalid": self.n_invalid,
            "effects": self.frame.to_dict(orient="index"),
            "assumptions": list(self.assumptions),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table of effects."""
        return self.frame.copy()

    def to_json(self) -> str:
        """Return ``as_dict`` as JSON."""
        return rendering.json_text(self.as_dict())

    def to_text(self) -> str:
        """Return a plain table and what it rests on."""
        return rendering.amce_text(self)

    def to_latex(self) -> str:
        """Return a LaTeX ``tabular``."""
        return rendering.amce_latex(self)

    def figure(self) -> Figure:
        """Return a forest plot."""
        return rendering.forest_plot(
            self.frame, {}, label="change of the probability of being chosen, with 95 % interval"
        )

    def __str__(self) -> str:
        """Return the plain table."""
        return self.to_text()

    def __repr__(self) -> str:
        """Return one line."""
        return f"<AmceResult: {len(self.frame)} effects, n = {self.n:,}>"


def amce(
    table: pd.DataFrame,
    attributes: Sequence[str] | None = None,
    randomisation: Randomisation | None = None,
    inference: Inference | None = None,
    columns: ChoiceColumns | None = None,
) -> AmceResult:
    """Estimate average marginal component effects.

    Parameters
    ----------
    table : DataFrame
        One row an alternative: choice set, alternative, chosen, attributes, propensities.
    attributes : sequence of str, optional
        Columns or expressions of few levels: ``"sponsored"``, ``"col"``, ``"C(brand, base='A')"``, ``"I(price >
        100)"``. Default: what has a logged propensity, the place on the page, and every column of 0 and 1 that varies
        within choice sets.
    randomisation : Randomisation, optional
        How they were drawn.
    inference : Inference, optional
        Clusters, normalisation and draws.
    columns : ChoiceColumns, optional
        Names of the columns that say what was shown and chosen.

    Returns
    -------
    AmceResult

    Raises
    ------
    SpecificationError
        A column is not there, an attribute has too many levels, or draws are asked for without a generator.
    ChoiceDataError
        A propensity outside (0, 1], or another cell that cannot be used.
    """
    randomisation, inference = randomisation or Randomisation(), inference or Inference()
    if inference.draws and inference.rng is None:
        raise SpecificationError("randomisation inference needs a generator: rng=marketsim.core.rng.generator(...)")
    answers = read_answers(table, columns)
    names = (
        list(attributes) if attributes is not None else default_attributes(table, answers, columns or ChoiceColumns())
    )
    if not names:
        raise SpecificationError("no attribute to estimate: no column of few levels varies within choice sets")
    sets, cluster = answers.shown, _clusters(table, answers.shown, inference.cluster)
    rows: dict[str, dict[str, Any]] = {}
    assumptions = []
    for name in names:
        factor, level = code_levels(name, table, sets.row, MAX_LEVELS)
        assigned = read_assignment(factor, level, table, sets, randomisation)
        assumptions.append(_assumption(factor.name, assigned, randomisation))
        for number in range(1, len(factor.levels or ())):
            row = _effect(factor, number, assigned, sets, cluster, inference)
            if inference.draws:
                row["p_randomisation"] = _randomisation_p(factor, number, assigned, sets, randomisation, inference)
            rows[factor.coefficient(number)] = row
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")
    return AmceResult(frame, tuple(assumptions), answers.n_sets, answers.n_invalid)


def default_attributes(table: pd.DataFrame, answers: Answers, columns: ChoiceColumns) -> list[str]:
    """Return the attributes that ``amce`` estimates unless told."""
    own = {columns.choice_set, columns.alternative, columns.chosen, columns.available or "available"}
    found = []
    for name in map(str, table.columns):
        if name in own or name.startswith(PREFIX):
            continue
        values = table[name].iloc[answers.shown.row]
        is_wanted = PREFIX + name in table.columns or name.lower() in POSITIONS or set(values.unique()) <= {0, 1}
        codes = pd.factorize(values)[0]
        if is_wanted and (codes != codes[answers.shown.start][answers.shown.set_number]).any():
            found.append(name)
    return found


def _effect(
    factor: CodedFactor, number: int, assigned: Assignment, sets: ChoiceSets, cluster: IntArray, inference: Inference
) -> dict[str, Any]:
    score, usable = _scores(number, assigned, sets, inference.normalise)
    if not (score > 0).any() or not (score < 0).any():
        raise SpecificationError(f"{factor.coefficient(number)}: no row could have had both this level and the base")
    estimate = float(score[sets.chosen].sum())
    if inference.normalise:
        weight = np.where(usable, assigned.weight, 0.0)
        mean = [float(np.average(sets.chosen, weights=weight * (assigned.level == k))) for k in (0, number)]
        away = np.where(assigned.level == number, sets.chosen - mean[1], sets.chosen - mean[0]) * score
    else:
        counts = np.ones(sets.n_rows) if assigned.stands_for_all else usable
        away = sets.chosen * score - estimate * counts / counts.sum()
    total = np.bincount(cluster, away)
    small = len(total) / (len(total) - 1) if len(total) > 1 else np.nan
    error = float(np.sqrt(small * (total**2).sum()))
    half = float(norm.ppf(0.975)) * error
    z = estimate / error if error > 0 else np.nan
    levels = factor.levels or ()
    return {
        "level": str(levels[number]),
        "base": str(levels[0]),
        "estimate": estimate,
        "se": error,
        "z": z,
        "p_value": float(2 * norm.sf(abs(z))),
        "low": estimate - half,
        "high": estimate + half,
        "rows": int(usable.sum()),
    }


def _scores(number: int, assigned: Assignment, sets: ChoiceSets, normalise: bool) -> tuple[FloatArray, BoolArray]:
    """Return what each row adds to the effect if it is chosen, and the rows that count."""
    usable = assigned.usable(sets, number)
    plus = np.where(usable & (assigned.level == number), assigned.weight, 0.0)
    minus = np.where(usable & (assigned.level == 0), assigned.weight, 0.0)
    if normalise:
        return plus / max(plus.sum(), 1.0) - minus / max(minus.sum(), 1.0), usable
    return (plus - minus) / (sets.n_rows if assigned.stands_for_all else max(usable.sum(), 1)), usable


def _randomisation_p(
    factor: CodedFactor,
    number: int,
    assigned: Assignment,
    sets: ChoiceSets,
    randomisation: Randomisation,
    inference: Inference,
) -> float:
    """Return the share of draws, the data's own included, whose effect is at least as large."""
    if inference.rng is None:
        raise SpecificationError("randomisation inference needs a generator")
    score, usable = _scores(number, assigned, sets, inference.normalise)
    observed = abs(score[sets.chosen].sum())
    law = randomisation.laws.get(factor.name)
    if law is None:
        effects = permuted_sums(score, usable, sets, inference.draws, inference.rng)
    else:
        effects = np.empty(inference.draws)
        for draw in range(inference.draws):
            other = redraw(law, factor, inference.rng, sets, assigned)
            effects[draw] = _scores(number, other, sets, inference.normalise)[0][sets.chosen].sum()
    return float((1 + (np.abs(effects) >= observed - 1e-12).sum()) / (1 + inference.draws))


def _assumption(name: str, assigned: Assignment, randomisation: Randomisation) -> str:
    n_fixed = int((~assigned.may_differ).sum())
    if assigned.is_logged:
        text = f"{name}: weighted by its logged propensity"
    else:
        text = f"{name}: assumed that every order of the levels shown in a choice set was equally likely"
    if assigned.stands_for_all:
        return f"{text}; rows that could have it stand for all, weighted by {', '.join(randomisation.earlier(name))}"
    return f"{text}; {n_fixed:,} rows that could have no other level are left out" if n_fixed else text


def _clusters(table: pd.DataFrame, sets: ChoiceSets, cluster: str | None) -> IntArray:
    if cluster is None:
        return sets.set_number
    require_column(table, cluster)
    return pd.factorize(table[cluster].iloc[sets.row])[0].astype(np.int64)
