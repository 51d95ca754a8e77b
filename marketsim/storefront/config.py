"""``[storefront]``: the catalogue, its page, how products are ranked, what is randomised, and who shops.

Slots are counted from 1 here, row by row, as a reader counts them; tables count them from 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from marketsim.core.config import Section
from marketsim.core.units import HOUR, Duration, Money
from marketsim.storefront.regime_config import RandomiseConfig
from marketsim.storefront.shopper_config import MAX_SLOTS, PrincipalConfig, ShopperConfig, Utility

MAX_SHOPPERS = 16
"""Most populations of shoppers."""

Policy = Literal["random", "relevance", "velocity", "rating", "price", "margin", "weighted", "fixed"]


class GridConfig(Section):
    """``page``: the grid of offers."""

    rows: int = Field(default=2, ge=1, le=20)
    """Rows of one page."""
    columns: int = Field(default=4, ge=1, le=20)
    """Offers in a row."""
    pages: int = Field(default=1, ge=1, le=20)
    """Pages of results; slots run on from one to the next."""

    @property
    def slots(self) -> int:
        """Offers on all pages."""
        return self.rows * self.columns * self.pages

    @model_validator(mode="after")
    def _slots_have_a_limit(self) -> Self:
        if self.slots > MAX_SLOTS:
            raise ValueError(f"expected at most {MAX_SLOTS} slots, all pages together; found {self.slots}")
        return self


class RankingWeights(Section):
    """``weights``: of the parts of a score, each of which lies between 0 and 1."""

    relevance: Utility = 1.0
    """BM25 of the query, as a share of the best on the shelf."""
    velocity: Utility = 0.0
    """Sales lately, as a share of the best seller's on the shelf."""
    rating: Utility = 0.0
    """Bayesian mean rating, as a share of five stars."""
    price: Utility = 0.0
    """One minus the price as a share of the dearest's on the shelf: cheap is good."""
    margin: Utility = 0.0
    """Price minus cost, as a share of the price."""
    exploration: Utility = 0.0
    """A fresh uniform draw for each product and visit."""


class EmbeddingsConfig(Section):
    """``embeddings``: vectors, by which a search also finds what means the same in other words."""

    file: Path
    """Parquet or CSV: a column ``key``, with the ids of all products, the names of all categories that are sold and the
    texts of all searches, and one column for each number of the vectors."""
    weight: float = Field(default=0.5, ge=0.0, le=1.0)
    """Of the cosine in the relevance; the rest is BM25 as a share of the best."""
    least: float = Field(default=0.5, ge=-1.0, le=1.0)
    """Cosine from which a product is found without a word of the search."""


class RankingConfig(Section):
    """``[storefront.ranking]``: which products are on the page, and in which order where no regime shuffles them."""

    policy: Policy = "relevance"
    """What the score is: one part alone, ``"weighted"`` for a sum, ``"fixed"`` for an order of your own."""
    weights: RankingWeights = RankingWeights()
    """For ``"weighted"``."""
    order: tuple[str, ...] = ()
    """For ``"fixed"``: ids of products, best first. The others follow in the order of the catalogue."""
    half_life: Annotated[Duration, Field(ge=1)] = HOUR
    """After this time a sale counts half for the velocity."""
    prior_reviews: float = Field(default=20.0, ge=0.0, le=1e9)
    """C of the Bayesian mean rating (C m + sum of ratings) / (C + n), where m is the mean of the catalogue."""
    embeddings: EmbeddingsConfig | None = None
    """Default: searches go by words alone."""

    @model_validator(mode="after")
    def _order_names_each_once(self) -> Self:
        twice = sorted({name for name in self.order if self.order.count(name) > 1})
        if twice:
            raise ValueError(f"order: expected each product once; found more than one {', '.join(twice)}")
        return self


class SponsoredConfig(Section):
    """``[storefront.sponsored]``: slots that are sold. The regimes that draw tags themselves do without."""

    auction: Literal["none"] = "none"
    """``"none"``: placed by hand."""
    slots: tuple[Annotated[int, Field(ge=1, le=MAX_SLOTS)], ...] = ()
    """Slots that are sold, counted from 1."""
    products: tuple[str, ...] = ()
    """Ids of the products that stand there, in this order, as far as they are on the shelf; then those with the
    greatest margin."""

    @model_validator(mode="after")
    def _slots_differ(self) -> Self:
        if len(set(self.slots)) < len(self.slots):
            raise ValueError("slots: expected each slot once")
        return self


class TagsConfig(Section):
    """``[storefront.tags]``: tags placed by hand, by id of the product; regimes that draw a tag replace it."""

    overall_pick: tuple[str, ...] = ()
    """Products marked as overall pick."""
    best_seller: tuple[str, ...] = ()
    """Products marked as best seller."""
    limited_time: tuple[str, ...] = ()
    """Products on a limited-time offer."""
    was_price: dict[str, Money] = Field(default_factory=dict)
    """Products on sale: the price before."""
    left: dict[str, Annotated[int, Field(ge=1, le=99)]] = Field(default_factory=dict)
    """Products of which "only N left" is said."""


class BuyersConfig(Section):
    """``[storefront.buyers]``: agents in Python who shop here."""

    principal: PrincipalConfig = PrincipalConfig()
    """Utility of the person served."""
    needs: dict[str, str] = Field(default_factory=dict)
    """Attributes that this person asks for."""
    need_price: Money | None = Field(default=None, ge=0)
    """Price up to which an offer meets the needs, in currency."""


class StorefrontConfig(Section):
    """``[storefront]``: a shop."""

    catalog: Literal["builtin"] | Path = "builtin"
    """``"builtin"``: 12 categories of 12 invented products. Or a CSV or Parquet file."""
    categories: tuple[str, ...] = ()
    """Categories that are sold; default: all of the catalogue."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3,8}$")
    """What is paid in; its minor unit is a hundredth."""
    page: GridConfig = GridConfig()
    """The grid of offers."""
    ranking: RankingConfig = RankingConfig()
    """Which products are shown, and where."""
    sponsored: SponsoredConfig = SponsoredConfig()
    """Slots that are sold."""
    tags: TagsConfig = TagsConfig()
    """Tags placed by hand."""
    randomise: RandomiseConfig = RandomiseConfig()
    """What is drawn at random."""
    shoppers: tuple[ShopperConfig, ...] = Field(default=(), max_length=MAX_SHOPPERS)
    """Who shops by rule."""
    buyers: BuyersConfig = BuyersConfig()
    """Agents in Python who shop."""

    @property
    def files(self) -> list[Path]:
        """Files of data that are read: the catalogue and the vectors of searches."""
        embeddings = self.ranking.embeddings
        named = [self.catalog, None if embeddings is None else embeddings.file]
        return [file for file in named if isinstance(file, Path)]

    @property
    def has_needs(self) -> bool:
        """Whether somebody who is served asks for attributes or a price."""
        asked = [(table.needs, table.need_price) for table in self.shoppers]
        return any(needs or price is not None for needs, price in [*asked, (self.buyers.needs, self.buyers.need_price)])

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [table.name for table in self.shoppers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected unique names of shoppers; found more than one {', '.join(twice)}")
        return self
