"""``Shopper``: a shopper with planted tastes, which reads the page that it is shown."""

from __future__ import annotations

import math

import numpy as np

from marketsim.llm.respondents.pages import SeenOffer, offers_in, page_in
from marketsim.llm.respondents.reading import labels_in, option_of, say
from marketsim.llm.respondents.respondent import Asked, Reply, Respondent, RespondentConfig

BUY = "buy "


class Shopper(Respondent):
    """Buys by a conditional logit on what the page says, at once, and leaves with the utility ``outside``.

    References
    ----------
    "What Is Your AI Agent Buying?" (arXiv 2508.02630): the coefficients of Claude Sonnet 4 are the defaults.
    """

    class Config(RespondentConfig):
        """Options in the name of the model: ``"shopper?ln_price=-2"``."""

        columns: int = 4
        """Offers in a row, which not every view tells."""
        first_row: float = 1.22
        """Utility of the first row, over the others."""
        column_1: float = 0.20
        column_2: float = 0.60
        column_3: float = 0.60
        ln_price: float = -1.62
        ln_reviews: float = 0.42
        """Of the logarithm of reviews + 1."""
        rating: float = 4.91
        """Per star."""
        sponsored: float = -0.14
        overall_pick: float = 1.06
        scarcity: float = -0.05
        """Of "only N left", whatever N."""
        outside: float = -1000.0
        """Utility of leaving; by default that of nobody who can help it."""

    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Return ``buy`` and an id, or ``leave``."""
        labels = labels_in(asked.last)
        names = {label: option_of(label, text) for label, text in labels.items()}
        utilities = self.utilities(offers_in(page_in(asked.last)))
        found = {}
        for label, name in names.items():
            if name.startswith(BUY) and name.removeprefix(BUY) in utilities:
                found[label] = utilities[name.removeprefix(BUY)]
            elif name == "leave":
                found[label] = self.config.outside
        if not found:
            return Reply("There is nothing here to buy.")
        most = max(found.values())
        weights = {label: math.exp(utility - most) for label, utility in found.items()}
        total = sum(weights.values())
        probabilities = {label: weight / total for label, weight in weights.items()}
        return say(asked, probabilities, generator, lambda _: {})

    def utilities(self, offers: list[SeenOffer]) -> dict[str, float]:
        """Return the utility of each offer of a page by its id."""
        config = self.config
        column = [config.column_1, config.column_2, config.column_3]
        result = {}
        for place, offer in enumerate(offers):
            row, at = divmod(place, config.columns)
            result[offer.id] = (
                (config.first_row if row == 0 else 0.0)
                + (column[at] if at < len(column) else 0.0)
                + config.ln_price * math.log(offer.price)
                + config.ln_reviews * math.log(offer.reviews + 1)
                + config.rating * offer.rating
                + config.sponsored * ("sponsored" in offer.tags)
                + config.overall_pick * ("overall_pick" in offer.tags)
                + config.scarcity * (offer.only_left > 0)
            )
        return result
