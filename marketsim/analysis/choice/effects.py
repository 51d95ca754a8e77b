"""What coefficients mean: changes of a choice probability, prices that make up for them, shares, welfare."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from marketsim.analysis.choice.choice_sets import read_answers, require_column
from marketsim.analysis.choice.errors import SpecificationError
from marketsim.analysis.choice.result import Covariance, LogitResult

_LOGARITHM: Final = re.compile(r"(ln|log)\([^()+*/-]+\)")


@dataclass(frozen=True)
class Effect:
    """An estimate with its standard error and 95 % interval."""

    estimate: float
    se: float
    low: float
    high: float


def marginal_effect(
    result: LogitResult, name: str, baseline: float = 0.1, change: float = 1.0, covariance: Covariance | None = None
) -> Effect:
    """Change of the probability of an alternative that starts at ``baseline``, once a regressor is ``change`` higher.

    Returns
    -------
    Effect
        p1 - p0 with p1 = p0 e^(b c) / (1 - p0 + p0 e^(b c)); the interval is the coefficient's, carried through.

    Raises
    ------
    SpecificationError
        No coefficient of that name.
    ValueError
        ``baseline`` is not strictly between 0 and 1.
    """
    if not 0 < baseline < 1:
        raise ValueError(f"baseline must be strictly between 0 and 1; found {baseline}")
    place = result.place(name)
    b, error = float(result.estimate[place]) * change, float(result.standard_error(covariance)[place]) * abs(change)

    def reached(value: float) -> float:
        return baseline / (baseline + (1 - baseline) * math.exp(-value))

    p1, half = reached(b), float(norm.ppf(0.975)) * error
    return Effect(p1 - baseline, p1 * (1 - p1) * error, reached(b - half) - baseline, reached(b + half) - baseline)


def price_equivalent(
    result: LogitResult, name: str, price: str = "ln(price)", covariance: Covariance | None = None
) -> Effect:
    """Price change that moves a choice as much as a regressor does.

    Parameters
    ----------
    result : LogitResult
    name : str
        The coefficient.
    price : str
        The coefficient of the price: of its logarithm (the answer is a share of the price, 0.1 = 10 % dearer) or of the
        price itself (the answer is money).
    covariance : "model", "robust" or "clustered", optional

    Returns
    -------
    Effect
        For a logarithm exp(-b / b_price) - 1, otherwise -b / b_price: positive where the regressor is worth paying for.
        Standard error and interval by the delta method, on the exponent for a logarithm.

    Raises
    ------
    SpecificationError
        No coefficient of that name.
    """
    i, j = result.place(name), result.place(price)
    b, b_price = float(result.estimate[i]), float(result.estimate[j])
    spread = result.covariance_of(covariance)[np.ix_([i, j], [i, j])]
    slope = np.array([-1 / b_price, b / b_price**2])
    ratio, error = -b / b_price, float(np.sqrt(slope @ spread @ slope))
    half = float(norm.ppf(0.975)) * error
    if not is_logarithm(price):
        return Effect(ratio, error, ratio - half, ratio + half)
    return Effect(
        float(np.expm1(ratio)),
        float(np.exp(ratio)) * error,
        float(np.expm1(ratio - half)),
        float(np.expm1(ratio + half)),
    )


def is_logarithm(name: str) -> bool:
    """Tell whether a coefficient is that of the logarithm of a column."""
    return _LOGARITHM.fullmatch(name.strip()) is not None


def effects_table(
    result: LogitResult, price: str | None = None, baseline: float = 0.1, covariance: Covariance | None = None
) -> pd.DataFrame:
    """Return each coefficient's effect on a probability of ``baseline``, and its price equivalent where there is a
    price.

    Returns
    -------
    DataFrame
        Index name; columns effect, se, low, high in percentage points; price_equivalent (a share of the price, or
        money).
    """
    rows: dict[str, dict[str, float]] = {}
    for name in result.terms:
        effect = marginal_effect(result, name, baseline, covariance=covariance)
        rows[name] = {key: 100 * getattr(effect, attribute) for key, attribute in _COLUMNS.items()}
        if price is not None and name != price:
            rows[name]["price_equivalent"] = price_equivalent(result, name, price, covariance).estimate
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


_COLUMNS: Final = {"effect": "estimate", "se": "se", "low": "low", "high": "high"}


def shares(table: pd.DataFrame, result: LogitResult, by: str | None = None, within: str | None = None) -> pd.DataFrame:
    """Return observed and predicted market shares.

    Parameters
    ----------
    table : DataFrame
        Choices, as for the estimate.
    result : LogitResult
        The estimate that predicts.
    by : str, optional
        Column of what has a share; default: the column of alternatives.
    within : str, optional
        Column of the market, such as ``category``; default: one market.

    Returns
    -------
    DataFrame
        Index (market,) ``by``; columns shown (times), chosen, observed (share of the market's valid choices),
        predicted.

    Raises
    ------
    SpecificationError
        A column is not there.
    """
    name = by or result.columns.alternative
    for column in (name, *([within] if within else [])):
        require_column(table, column)
    sets = read_answers(table, result.columns).valid
    rows = table.iloc[sets.row]
    keys = [rows[column].reset_index(drop=True) for column in ([within] if within else []) + [name]]
    frame = pd.DataFrame({"shown": 1, "chosen": sets.chosen.astype(int), "predicted": result.predict(rows).to_numpy()})
    total: pd.DataFrame = frame.groupby(keys, observed=True).sum()
    market = total["chosen"].groupby(level=0).transform("sum") if within else total["chosen"].sum()
    total["observed"] = total["chosen"] / market
    total["predicted"] = total["predicted"] / market
    return total[["shown", "chosen", "observed", "predicted"]]


def concentration(share: pd.Series[Any]) -> float:
    """Return Herfindahl and Hirschman's index: the sum of squared shares, from 1/n to 1.

    Raises
    ------
    ValueError
        The shares do not sum to 1.

    Examples
    --------
    >>> concentration(pd.Series([0.5, 0.5]))
    0.5
    """
    if abs(float(share.sum()) - 1) > 1e-6:
        raise ValueError(f"shares must sum to 1; found {float(share.sum())}")
    return float((share**2).sum())


def modal_product(share: pd.Series[Any]) -> tuple[Any, float]:
    """Return what has the largest share, and that share; the first of several equals."""
    return share.idxmax(), float(share.max())


def compensating_price_factor(
    result: LogitResult, before: pd.DataFrame, after: pd.DataFrame, price: str = "ln(price)"
) -> pd.Series[float]:
    """Return by how much all prices could rise, after a change, until the choosers are as well off as before.

    Parameters
    ----------
    result : LogitResult
        An estimate with the logarithm of the price.
    before, after : DataFrame
        The same choice sets, otherwise shown.
    price : str
        The coefficient of the logarithm.

    Returns
    -------
    Series
        exp(-dIV / b) by choice set, with IV the inclusive value: above 1 where the change is a gain. With an outside
        option that has no price this is not exact, since a factor on all prices does not touch it.

    Raises
    ------
    SpecificationError
        ``price`` is not a logarithm (with a linear price, see ``money_surplus``), or the choice sets differ.
    """
    if not is_logarithm(price):
        raise SpecificationError(f"{price} is no logarithm of a price; with a linear price use money_surplus")
    factor = (-_gain(result, before, after) / result.coefficient(price)).map(math.exp)
    return factor.rename("compensating_price_factor")


def money_surplus(
    result: LogitResult, before: pd.DataFrame, after: pd.DataFrame, price: str = "price"
) -> pd.Series[float]:
    """Return the money that a change is worth to the choosers: dIV / -b, by choice set.

    Only where the price enters as it is: with its logarithm the value of money is not constant.

    Raises
    ------
    SpecificationError
        ``price`` is a logarithm, or the choice sets differ.

    References
    ----------
    Small & Rosen (1981), Econometrica 49, 105-130.
    """
    if is_logarithm(price):
        raise SpecificationError(
            f"{price} is a logarithm; money surplus needs a linear price, see compensating_price_factor"
        )
    surplus: pd.Series[float] = _gain(result, before, after) / -result.coefficient(price)
    return surplus.rename("money_surplus")


def _gain(result: LogitResult, before: pd.DataFrame, after: pd.DataFrame) -> pd.Series[float]:
    first, second = result.inclusive_value(before), result.inclusive_value(after)
    if set(first.index) != set(second.index):
        raise SpecificationError("the tables before and after must hold the same choice sets")
    return second.reindex(first.index) - first
