"""What an estimate of the conditional logit says, and how to take it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from marketsim.analysis.choice import rendering
from marketsim.analysis.choice.choice_sets import (
    ChoiceColumns,
    ChoiceSets,
    FloatArray,
    availability,
    require_column,
)
from marketsim.analysis.choice.design import Design
from marketsim.analysis.choice.errors import SpecificationError, nearest_name
from marketsim.analysis.choice.fixed_effects import FixedEffect
from marketsim.analysis.choice.likelihood import inclusive_values, probabilities
from marketsim.analysis.choice.regressors import Regressors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Covariance = Literal["model", "robust", "clustered"]


@dataclass(frozen=True)
class Sample:
    """What the estimate was made from.

    Attributes
    ----------
    n_sets, n_invalid : int
        All choice sets, and those without a choice, which no alternative is credited with.
    n_unavailable : int
        Rows that could not be chosen.
    n_valid : int
        Sets with a choice: the number that is reported as n.
    n_informative, n_rows : int
        Sets with two alternatives or more once products never or always chosen are out, and their rows.
    log_likelihood_null : float
        With equal shares among the alternatives of every valid set.
    min_choices : int
        Levels of fixed effects chosen less often were left out; above 1 this selects on the outcome.
    """

    n_sets: int
    n_invalid: int
    n_unavailable: int
    n_valid: int
    n_informative: int
    n_rows: int
    log_likelihood_null: float
    min_choices: int = 1


@dataclass(frozen=True, repr=False)
class LogitResult:
    """A conditional logit, estimated.

    Attributes
    ----------
    specification : str
        As typed.
    names : tuple of str
        Coefficients: the terms of the formula, then the fixed effects.
    estimate : float64 array, shape (k,)
        In the order of ``names``.
    covariance : dict of str to float64 array, shape (k, k)
        ``model`` (inverse information), ``robust`` (heteroskedasticity) and, where asked for, ``clustered``.
    log_likelihood : float
        At the maximum. Sets decided by products never or always chosen add nothing to it.
    sample : Sample
        What it was made from.
    design, effects, columns
        How to make the matrix of another table.
    iterations : int
        Steps of Newton's method.
    cluster : str or None
        Column of the clusters.
    invalid_by_arm : DataFrame or None
        Choice sets without a choice, by arm, with Wilson's interval.
    """

    specification: str
    names: tuple[str, ...]
    estimate: FloatArray
    covariance: dict[str, FloatArray]
    log_likelihood: float
    sample: Sample
    design: Design
    effects: tuple[FixedEffect, ...]
    columns: ChoiceColumns
    iterations: int
    cluster: str | None = None
    invalid_by_arm: pd.DataFrame | None = None

    @property
    def n(self) -> int:
        """Number of choice sets with a choice."""
        return self.sample.n_valid

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the formula's own coefficients, without the fixed effects."""
        return self.design.names

    @property
    def pseudo_r2(self) -> float:
        """McFadden's: 1 - log likelihood / log likelihood with equal shares."""
        return 1.0 - self.log_likelihood / self.sample.log_likelihood_null

    @property
    def preferred(self) -> Covariance:
        """The standard errors that intervals use unless told: clustered where asked for, otherwise the model's."""
        return "clustered" if "clustered" in self.covariance else "model"

    def place(self, name: str) -> int:
        """Return the place of a coefficient among ``names``.

        Raises
        ------
        SpecificationError
            There is none of that name.
        """
        if name not in self.names:
            hint = nearest_name(name, self.names) or f"; the coefficients are {', '.join(self.terms)}"
            raise SpecificationError(f"there is no coefficient {name}{hint}")
        return self.names.index(name)

    def coefficient(self, name: str) -> float:
        """Return one estimate; SpecificationError where there is none of that name."""
        return float(self.estimate[self.place(name)])

    def standard_error(self, covariance: Covariance | None = None) -> FloatArray:
        """Return the standard errors of all coefficients: float64[k].

        Raises
        ------
        SpecificationError
            Clustered ones are asked for and no cluster was given.
        """
        return np.sqrt(np.diag(self.covariance_of(covariance)))

    def covariance_of(self, covariance: Covariance | None = None) -> FloatArray:
        """Return a covariance matrix, float64[k, k]; None for the preferred kind."""
        kind = covariance or self.preferred
        if kind not in self.covariance:
            raise SpecificationError(f"there is no {kind} covariance; there are {', '.join(self.covariance)}")
        return self.covariance[kind]

    def to_frame(self, covariance: Covariance | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return a row a coefficient: estimate, all standard errors, z, p-value and interval bounds."""
        frame = pd.DataFrame({"estimate": self.estimate}, index=pd.Index(self.names, name="name"))
        for kind in self.covariance:
            frame["se" if kind == "model" else f"se_{kind}"] = self.standard_error(kind)  # type: ignore[arg-type]
        error = self.standard_error(covariance)
        half = float(norm.ppf(0.5 + level / 2)) * error
        frame["z"] = self.estimate / error
        frame["p_value"] = 2 * norm.sf(np.abs(frame["z"]))
        frame["low"], frame["high"] = self.estimate - half, self.estimate + half
        return frame

    def fit_against_equal_shares(self) -> tuple[float, int, float]:
        """Return the likelihood ratio against equal shares, its degrees of freedom and p-value."""
        ratio = 2 * (self.log_likelihood - self.sample.log_likelihood_null)
        return ratio, len(self.names), float(chi2.sf(ratio, len(self.names)))

    def as_dict(self) -> dict[str, Any]:
        """Return what ``marketsim fit choice --json`` prints."""
        rows = self.to_frame().to_dict(orient="index")
        return {
            "n": self.n,
            "log_likelihood": self.log_likelihood,
            "log_likelihood_null": self.sample.log_likelihood_null,
            "pseudo_r2": self.pseudo_r2,
            "specification": self.specification,
            "coefficients": {name: rows[name] for name in self.terms},
            "fixed_effects": {name: rows[name] for name in self.names[len(self.terms) :]},
            "bases": self.design.bases,
            "effects": [
                {
                    "column": effect.column,
                    "bases": list(effect.bases),
                    "never_chosen": list(effect.never_chosen),
                    "always_chosen": list(effect.always_chosen),
                    "below_threshold": [effect.levels[level] for level in effect.below_threshold],
                }
                for effect in self.effects
            ],
            "intervals": self.preferred,
            "cluster": self.cluster,
            "choice_sets": self.sample.n_sets,
            "invalid": self.sample.n_invalid,
            "invalid_by_arm": _records(self.invalid_by_arm),
            "unavailable_rows": self.sample.n_unavailable,
            "informative_choice_sets": self.sample.n_informative,
            "rows": self.sample.n_rows,
            "min_choices": self.sample.min_choices,
            "iterations": self.iterations,
        }

    def to_json(self) -> str:
        """Return ``as_dict`` as JSON."""
        return rendering.json_text(self.as_dict())

    def to_text(self, covariance: Covariance | None = None, show_effects: bool = False) -> str:
        """Return a plain table with what was left out and why."""
        return rendering.logit_text(self, covariance, show_effects)

    def to_latex(self) -> str:
        """Return a LaTeX ``tabular`` of the formula's coefficients with standard errors below them."""
        return rendering.logit_latex(self)

    def figure(self, others: dict[str, dict[str, float]] | None = None) -> Figure:
        """Return a forest plot; ``others`` are estimates of other models by name, drawn beside."""
        return rendering.forest_plot(self.to_frame().loc[list(self.terms)], others or {})

    def utility(self, table: pd.DataFrame) -> tuple[FloatArray, ChoiceSets]:
        """Return the utility of each row under the estimate, and the choice sets; nothing need have been chosen.

        Products that were never chosen, and the rivals of those always chosen, have utility minus infinity.

        Raises
        ------
        SpecificationError, ChoiceDataError
            A column or a level that is not known, or a cell that cannot be used.
        """
        sets = shown_sets(table, self.columns)
        alive = availability(table, self.columns)[sets.row]
        dummies = []
        for effect in self.effects:
            code = effect.code(table, sets.row)
            dummies.append(effect.dummies(code))
            alive &= ~np.isin(code, effect.below_threshold)
            for exclusion in effect.exclusions:
                alive = exclusion.surviving(code, alive, sets.set_number)
        value = Regressors(self.design.matrix(table, sets.row), tuple(dummies)).utility(self.estimate)
        return np.where(alive, value, -np.inf), sets

    def predict(self, table: pd.DataFrame) -> pd.Series[float]:
        """Return the probability of each row of a table within its choice set, under the estimate."""
        utility, sets = self.utility(table)
        share = np.empty(len(table))
        share[sets.row] = probabilities(utility, sets)
        return pd.Series(share, index=table.index, name="probability")

    def inclusive_value(self, table: pd.DataFrame) -> pd.Series[float]:
        """Return ln of the sum of e^utility of each choice set: what the set as a whole is worth to the chooser."""
        utility, sets = self.utility(table)
        name = self.columns.choice_set
        return pd.Series(
            inclusive_values(utility, sets),
            index=pd.Index(table[name].iloc[sets.row[sets.start]]),
            name="inclusive_value",
        )

    def __str__(self) -> str:
        """Return the plain table."""
        return self.to_text()

    def __repr__(self) -> str:
        """Return one line: the specification, n and the log likelihood."""
        return f"<LogitResult {self.specification!r}: n = {self.n:,}, log likelihood {self.log_likelihood:.3f}>"

    def _repr_html_(self) -> str:
        return str(self.to_frame().loc[list(self.terms)].to_html(float_format=lambda value: f"{value:.4g}"))


def shown_sets(table: pd.DataFrame, columns: ChoiceColumns) -> ChoiceSets:
    """Group the rows of a table into choice sets, whether or not anything was chosen."""
    require_column(table, columns.choice_set)
    number = pd.factorize(table[columns.choice_set])[0].astype(np.int64)
    row = np.argsort(number, kind="stable")
    start = np.flatnonzero(np.diff(number[row], prepend=-1))
    return ChoiceSets(row, start, np.zeros(len(row), dtype=bool))


def _records(frame: pd.DataFrame | None) -> list[Any] | None:
    return None if frame is None else list(frame.rename_axis("arm").reset_index().to_dict(orient="records"))
