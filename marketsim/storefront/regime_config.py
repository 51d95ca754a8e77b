"""``[storefront.randomise]``: the laws by which pages are drawn at random."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from marketsim.core.config import Section
from marketsim.core.units import Money

Regime = Literal["fixed", "permutation", "aces", "factorial", "sobol", "identical"]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class FactorLevels(Section):
    """``levels`` of the regime ``"factorial"``; each offer draws one of each, all equally likely."""

    price: tuple[Annotated[float, Field(gt=0.0, le=100.0)], ...] = (0.8, 1.0, 1.25)
    """Factors of the price."""
    rating: tuple[Annotated[float, Field(ge=-4.0, le=4.0)], ...] = (0.0,)
    """Stars added to the rating."""
    reviews: tuple[Annotated[float, Field(ge=0.0, le=1000.0)], ...] = (1.0,)
    """Factors of the number of reviews."""
    tags: tuple[Literal["sponsored", "overall_pick", "scarcity"], ...] = ()
    """Tags that each offer has or has not, with even odds."""

    @model_validator(mode="after")
    def _each_has_levels(self) -> Self:
        for name in ("price", "rating", "reviews"):
            if not 1 <= len(getattr(self, name)) <= 16:
                raise ValueError(f"{name}: expected 1 to 16 levels; found {len(getattr(self, name))}")
        return self


class IdenticalConfig(Section):
    """``identical``: how offers of the regime ``"identical"`` differ, copies of one product that they are.

    With a cut or a gain one copy, in a random slot, is better than all others. With a deviation each draws its own.
    """

    price_cut: Probability = 0.0
    """Cut of one copy's price, as a share."""
    price_cut_money: Money = Decimal(0)
    """Cut of one copy's price, in currency."""
    price_deviation: float = Field(default=0.0, ge=0.0, le=3.0)
    """Each copy's price is multiplied by LogNormal(0, this)."""
    rating_gain: float = Field(default=0.0, ge=0.0, le=4.0)
    """Stars that one copy has more."""
    rating_deviation: float = Field(default=0.0, ge=0.0, le=2.0)
    """Each copy's rating has Normal(0, this) stars added, in steps of 0.1."""


class RandomiseConfig(Section):
    """``[storefront.randomise]``: what is drawn at random for each page, and by which law.

    ``"fixed"``: nothing. ``"permutation"``: the order. ``"aces"``: order, prices, ratings, reviews and tags, by the law
    of "What Is Your AI Agent Buying?" (arXiv 2508.02630). ``"factorial"``: order, and a cell of a full factorial for
    each offer. ``"sobol"``: the law of ``"aces"`` at Sobol points, which cover it more evenly than draws.
    ``"identical"``: copies of one product, for tests of rationality.
    """

    regime: Regime = "fixed"
    """The law."""
    trials: int = Field(default=100, ge=1, le=1_000_000_000)
    """Visits to each category of shoppers whose ``arrivals`` are ``"trials"``."""
    price_deviation: float = Field(default=0.3, ge=0.0, le=3.0)
    """aces, sobol: the price is multiplied by LogNormal(0, this)."""
    a: float = Field(default=0.8, ge=0.0, le=1.0)
    """aces, sobol: the rating r becomes r + u (5 - r), u uniform between -a and a, to one decimal."""
    review_deviation: float = Field(default=1.0, ge=0.0, le=5.0)
    """aces, sobol: the number of reviews is multiplied by LogNormal(0, this)."""
    sponsored_chance: Probability = 0.5
    """aces, sobol: probability that there are sponsored tags; then one to ``sponsored_most``, equally likely."""
    sponsored_most: int = Field(default=4, ge=1, le=4)
    """aces, sobol: most sponsored tags on a page."""
    overall_pick_chance: Probability = 0.5
    """aces, sobol: probability that one of the rest is the overall pick."""
    scarcity_chance: Probability = 0.5
    """aces, sobol: probability that one of the rest then is said to be scarce."""
    levels: FactorLevels = FactorLevels()
    """factorial: levels of each factor."""
    identical: IdenticalConfig = IdenticalConfig()
    """identical: what differs."""
