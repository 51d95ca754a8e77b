"""Names of models to respondents. A name may carry options, ``"bernoulli?p=0.43&order=2"``.

A respondent of one's own is named ``"my_module:MyModel"``, as everywhere else.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from pydantic import ValidationError

from marketsim.core.registry import Registry
from marketsim.llm.respondents.respondent import Respondent

PLANTED: Final = {
    "bernoulli": "Bernoulli",
    "temperature_law": "TemperatureLaw",
    "drift": "Drift",
    "markov": "Markov",
    "order_2": "Order2",
    "recency": "Recency",
    "count_balancer": "CountBalancer",
    "history_polarity": "HistoryPolarity",
    "beta_binomial": "BetaBinomial",
    "mixture": "Mixture",
    "first_item": "FirstItem",
    "refuser": "Refuser",
    "invalid_json": "InvalidJson",
}
PLANTED_CHOICES: Final = {
    "position_logit": "PositionLogit",
    "always_a": "AlwaysA",
    "bradley_terry": "BradleyTerry",
    "cycle": "Cycle",
    "prospect_theory": "ProspectTheory",
    "hyperbolic": "Hyperbolic",
    "persona_gap": "PersonaGap",
    "step_mixer": "StepMixer",
}
"""Respondents with a planted behaviour, for tests of tests."""

RESPONDENTS: Final = Registry(
    {
        "echo": "marketsim.llm.respondents.echo:Echo",
        "shopper": "marketsim.llm.respondents.shopper:Shopper",
        **{name: f"marketsim.llm.respondents.planted:{kind}" for name, kind in PLANTED.items()},
        **{name: f"marketsim.llm.respondents.planted_choices:{kind}" for name, kind in PLANTED_CHOICES.items()},
        "trader": "marketsim.llm.respondents.trader:TraderRespondent",
        "uniform": "marketsim.llm.respondents.uniform:Uniform",
    },
    what="respondent",
)
"""Name of the model to class."""


@lru_cache(maxsize=256)
def respondent_for(model: str, folder: Path | None = None) -> Respondent:
    """Return the respondent that a model's name stands for.

    Parameters
    ----------
    model : str
        Name, and its options after a question mark.
    folder : Path, optional
        Where a user's own module is looked for.

    Raises
    ------
    ValueError
        There is no such respondent, or it has no such option; the text begins with ``expected``.
    PluginError
        The user's module cannot be imported.
    """
    name, _, options = model.partition("?")
    found = RESPONDENTS.resolve(name, folder)
    if not issubclass(found, Respondent):
        raise ValueError(f"expected a class derived from marketsim.llm.respondents.Respondent; found {name}")
    try:
        given = dict(parse_qsl(options, keep_blank_values=True, strict_parsing=bool(options)))
        config = found.Config.model_validate(given)
    except (ValidationError, ValueError) as error:
        known = ", ".join(found.Config.model_fields) or "none"
        what = f"{options!r} ({_first_line(error)})"
        raise ValueError(f"expected options of {name} among: {known}; found {what}") from None
    respondent: Respondent = found(config)
    return respondent


def _first_line(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
