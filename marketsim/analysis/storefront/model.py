"""The choice model that a report fits to a run: what varies at random, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from marketsim.analysis.choice import (
    PUBLISHED,
    ChoiceDataError,
    ConvergenceError,
    SpecificationError,
    amce,
    conditional_logit,
)
from marketsim.analysis.columns import FloatArray
from marketsim.analysis.storefront.facts import TERMS, ShopFacts
from marketsim.analysis.storefront.long_table import bought_only
from marketsim.analysis.storefront.meter import N_STEPS, price_bin

MAX_SETS: Final = 50_000
"""Choice sets that an estimate is made from at most: the first ones of a run. More would only narrow its intervals."""

ENDOGENOUS: Final = (
    "Nothing was drawn at random: places and prices follow from what sells and what products are, so that an estimate "
    "would mistake the one for the other. Use a regime of [storefront.randomise]."
)
TOO_FEW: Final = "Nothing that was drawn at random differs between the offers of a page."

_BASES: Final = {"ln(price)": "price", "ln(reviews+1)": "reviews"}
"""Column of each term; the others are called like theirs."""
_TAGS: Final = ("sponsored", "overall_pick", "scarcity")


@dataclass(frozen=True)
class Coefficient:
    """One coefficient with its 95 % interval.

    Attributes
    ----------
    planted : float or None
        What the shoppers of the scenario were given.
    published : mapping of str to float
        Estimates for language models that shop, by model.
    """

    name: str
    estimate: float
    low: float
    high: float
    planted: float | None
    published: Mapping[str, float]


@dataclass(frozen=True)
class ComponentEffect:
    """One average marginal component effect beside what the model makes of the same offers, as probabilities.

    ``modelled`` is the mean difference of the model's probabilities between rows that have the level and rows that have
    the base; None without a model.
    """

    name: str
    estimate: float
    low: float
    high: float
    modelled: float | None


@dataclass(frozen=True)
class ChoiceModel:
    """A conditional logit of a run, its design-based effects and its price response.

    Attributes
    ----------
    specification : str
    coefficients : tuple of Coefficient
        Empty where there is no estimate; ``reason`` says why.
    effects : tuple of ComponentEffect
    n : int
        Choice sets that the estimate is made from.
    n_run : int
        Choice sets of the run.
    log_likelihood, pseudo_r2 : float
    n_fixed_effects : int
    never_chosen : tuple of str
        Products left out of every choice set, since nobody ever chose them.
    price_response : float64 array, shape (2 N_STEPS + 1,)
        Mean of the model's probability by bin of price; NaN where there is none.
    reason : str
        Why there is no estimate; empty where there is one.
    """

    specification: str
    coefficients: tuple[Coefficient, ...]
    effects: tuple[ComponentEffect, ...]
    n: int
    n_run: int
    log_likelihood: float
    pseudo_r2: float
    n_fixed_effects: int
    never_chosen: tuple[str, ...]
    price_response: FloatArray
    reason: str = ""


def specification_of(table: pd.DataFrame, facts: ShopFacts) -> str:
    """Return the specification that holds all that a run drew at random; empty where it drew nothing.

    Parameters
    ----------
    table : DataFrame
        From ``choice_table``.
    facts : ShopFacts
        The shop.
    """
    terms = _place_terms(facts) if facts.is_randomised else []
    terms += [term for term in TERMS if term != "price" and _varies(table, _BASES.get(term, term))]
    if not terms:
        return ""
    has_products = table.groupby("choice_set")["product"].nunique().max() > 1
    return " + ".join(terms) + (" | fe(product)" if has_products else "")


def fit_run(table: pd.DataFrame, facts: ShopFacts, listed: Mapping[str, int], n_run: int) -> ChoiceModel:
    """Fit a run.

    Parameters
    ----------
    table : DataFrame
        From ``choice_table``, of at most ``MAX_SETS`` choice sets.
    facts : ShopFacts
        The shop.
    listed : mapping of str to int
        Product to listed price, minor units.
    n_run : int
        Choice sets of the run.
    """
    specification = specification_of(table, facts) if len(table) else ""
    effects = _effects(table, facts, None) if facts.is_randomised and len(table) else ()
    if not facts.is_randomised or not specification:
        return _without(specification, effects, n_run, TOO_FEW if facts.is_randomised else ENDOGENOUS)
    bought = bought_only(table)
    try:
        result = conditional_logit(bought, specification)
    except (SpecificationError, ChoiceDataError, ConvergenceError) as error:
        return _without(specification, effects, n_run, f"There is no estimate: {error}.")
    probability = result.predict(bought)
    planted = facts.planted_terms(by_slot=facts.has_planted_slots)
    rows = result.as_dict()["coefficients"]
    return ChoiceModel(
        specification=specification,
        coefficients=tuple(
            Coefficient(name, row["estimate"], row["low"], row["high"], planted.get(name), _published(name))
            for name, row in rows.items()
        ),
        effects=_effects(table, facts, probability.set_axis(_keys(bought))),
        n=result.n,
        n_run=n_run,
        log_likelihood=result.log_likelihood,
        pseudo_r2=result.pseudo_r2,
        n_fixed_effects=sum(len(effect.estimated) for effect in result.effects),
        never_chosen=tuple(str(name) for effect in result.effects for name in effect.never_chosen),
        price_response=_response(bought, probability, listed),
    )


def _place_terms(facts: ShopFacts) -> list[str]:
    if facts.has_planted_slots or facts.pages > 1:
        return ["slot"] if facts.slots > 1 else []
    return [name for name, n in (("row", facts.rows), ("col", facts.columns)) if n > 1]


def _varies(table: pd.DataFrame, column: str) -> bool:
    """Tell whether a column differs between the offers of one product, so that no fixed effect takes it up."""
    if column not in table:
        return False
    groups = table.groupby("product", sort=False)[column]
    return bool((groups.max() != groups.min()).any())


def _without(specification: str, effects: tuple[ComponentEffect, ...], n_run: int, reason: str) -> ChoiceModel:
    nan, nothing = float("nan"), np.full(2 * N_STEPS + 1, np.nan)
    return ChoiceModel(specification, (), effects, 0, n_run, nan, nan, 0, (), nothing, reason)


def _published(name: str) -> dict[str, float]:
    """Return the published estimates of a coefficient."""
    return {model: values[name] for model, values in PUBLISHED.items() if name in values}


def _effects(
    table: pd.DataFrame, facts: ShopFacts, probability: pd.Series[float] | None
) -> tuple[ComponentEffect, ...]:
    """Estimate the effects of places and tags that were drawn; those that cannot be are left out."""
    names = [name for name, n in (("row", facts.rows), ("col", facts.columns)) if n > 1]
    names += [name for name in _TAGS if _varies(table, name) and (table[f"propensity_{name}"] < 1).any()]
    found = []
    for name in names:
        try:
            rows = amce(table, [name]).as_dict()["effects"]
        except (SpecificationError, ChoiceDataError):
            continue
        for label, row in rows.items():
            modelled = None
            if probability is not None:
                modelled = _mean_share(table, name, row["level"], probability)
                modelled -= _mean_share(table, name, row["base"], probability)
            found.append(ComponentEffect(label, row["estimate"], row["low"], row["high"], modelled))
    return tuple(found)


def _mean_share(table: pd.DataFrame, name: str, level: str, probability: pd.Series[float]) -> float:
    """Return the model's mean probability of rows with a level, weighted as the design-based effect weights them."""
    share = probability.reindex(_keys(table)).fillna(0.0).to_numpy()  # 0 in sets that were left: nothing was chosen
    propensity = table[f"propensity_{name}"].to_numpy() if name in _TAGS else np.ones(len(table))
    rows = (table[name].astype(str) == level).to_numpy() & ((propensity < 1) | (name not in _TAGS))
    return float(np.average(share[rows], weights=1.0 / propensity[rows]))


def _keys(table: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(table[["choice_set", "slot"]])


def _response(bought: pd.DataFrame, probability: pd.Series[float], listed: Mapping[str, int]) -> FloatArray:
    """Return the mean of the model's probability by bin of the price over the listed one."""
    known = bought["product"].map(listed).fillna(0).to_numpy(dtype=np.float64)
    rows = known > 0
    place = price_bin(np.log(100.0 * bought["price"].to_numpy()[rows] / known[rows]))
    total, n = (
        np.bincount(place, probability.to_numpy()[rows], 2 * N_STEPS + 1),
        np.bincount(place, minlength=2 * N_STEPS + 1),
    )
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)
