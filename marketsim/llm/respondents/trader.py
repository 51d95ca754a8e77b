"""``TraderRespondent``: a trader with planted tastes, which reads the state that it is shown."""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from marketsim.llm.request import Json
from marketsim.llm.respondents.reading import labels_in, option_of, persona_in, say, state_in
from marketsim.llm.respondents.respondent import Asked, Reply, Respondent, RespondentConfig


class TraderRespondent(Respondent):
    """Chooses to buy, sell or hold by a multinomial logit.

    With r the return of the last prices shown, in ticks, q the position as a share of its limit, and s = +1 for the
    persona ``style: momentum``, -1 for ``style: contrarian`` and 0 otherwise: utilities are ``bias + trend s r -
    inventory q`` to buy, minus that to sell, and ``patience`` to hold.
    """

    class Config(RespondentConfig):
        """Options in the name of the model: ``"trader?trend=0.2"``."""

        trend: float = 0.15
        """Taste for the last return, per tick."""
        inventory: float = 1.5
        """Aversion to a position at its limit."""
        patience: float = 0.0
        """Utility of holding."""
        bias: float = 0.0
        """Taste for buying."""
        size_lots: int = Field(default=2, ge=1)
        """Lots of an order."""

    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Return buy, sell or hold, with a size and no limit price."""
        labels = labels_in(asked.last)
        names = {label: option_of(label, text) for label, text in labels.items()}
        if not {"buy", "sell", "hold"} <= set(names.values()):
            return Reply("I can only say whether to buy, sell or hold.")
        utilities = self.utilities(state_in(asked.last), persona_in(asked.last))
        weights = {label: math.exp(utilities[name]) for label, name in names.items() if name in utilities}
        total = sum(weights.values())
        probabilities = {label: weight / total for label, weight in weights.items()}
        return say(asked, probabilities, generator, lambda label: self._fields(names[label], asked))

    def utilities(self, state: Json, persona: dict[str, str]) -> dict[str, float]:
        """Return the utility of each option in a state."""
        config = self.config
        prices: list[float] = state.get("recent_mids") or []
        move = (prices[-1] - prices[-2]) / state["tick_size"] if len(prices) > 1 else 0.0
        sign = {"momentum": 1.0, "contrarian": -1.0}.get(persona.get("style", ""), 0.0)
        account = state.get("account") or {}
        share = float(account.get("position_lots", 0)) / max(1.0, float(account.get("limit_lots", 1)))
        drive = config.bias + config.trend * sign * move - config.inventory * share
        return {"buy": drive, "sell": -drive, "hold": config.patience}

    def _fields(self, name: str, asked: Asked) -> Json:
        if '"size_lots"' not in asked.last:
            return {}
        return {"size_lots": 0 if name == "hold" else self.config.size_lots, "limit_price": None}
