"""``[storefront]``: the catalogue, its page, how products are ranked, what is randomised, and who shops.

Slots are counted from 1 here, row by row, as a reader counts them; tables count them from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from marketsim.core.config import Section
from marketsim.core.units import HOUR, Duration, Money

MAX_SHOPPERS = 16
"""Most populations of shoppers."""

MAX_SLOTS = 400
"""Most offers that one shopper is shown, all pages together."""

Utility = Annotated[float, Field(ge=-1000.0, le=1000.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Policy = Literal["random", "relevance", "velocity", "rating", "price", "margin", "weighted", "fixed"]
Regime = Literal["fixed", "permutation", "aces", "factorial", "sobol", "identical"]


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


class SponsoredConfig(Section):
    """``[storefront.sponsored]``: slots that are sold. The regimes that draw tags themselves do without."""

    auction: Literal["none"] = "none"
    """``"none"``: placed by hand."""
    slots: tuple[Annotated[int, Field(ge=1, le=MAX_SLOTS)], ...] = ()
    """Slots that are sold, counted from 1."""
    products: tuple[str, ...] = ()
    """Ids of the products that stand there, in this order, as far as they are on the shelf; then those with the
    greatest margin."""


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

    price_cut: Share = 0.0
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
    sponsored_chance: Share = 0.5
    """aces, sobol: probability that there are sponsored tags; then one to ``sponsored_most``, equally likely."""
    sponsored_most: int = Field(default=4, ge=1, le=4)
    """aces, sobol: most sponsored tags on a page."""
    overall_pick_chance: Share = 0.5
    """aces, sobol: probability that one of the rest is the overall pick."""
    scarcity_chance: Share = 0.5
    """aces, sobol: probability that one of the rest then is said to be scarce."""
    levels: FactorLevels = FactorLevels()
    """factorial: levels of each factor."""
    identical: IdenticalConfig = IdenticalConfig()
    """identical: what differs."""


class Coefficients(Section):
    """Utility of an offer: the sum of these numbers times what they are named after."""

    ln_price: Utility = 0.0
    """Logarithm of the price in currency."""
    price: Utility = 0.0
    """Price in currency."""
    ln_reviews: Utility = 0.0
    """Logarithm of the number of reviews plus one."""
    rating: Utility = 0.0
    """Rating in stars."""
    quality: Utility = 0.0
    """Quality of the catalogue: what only experience shows, or a shopper's taste."""
    need: Utility = 0.0
    """1 where the product has all attributes of ``needs``."""


class ChoiceConfig(Coefficients):
    """``choice``: what moves the shopper, the page included."""

    sponsored: Utility = 0.0
    """Tag: sponsored."""
    overall_pick: Utility = 0.0
    """Tag: overall pick."""
    best_seller: Utility = 0.0
    """Tag: best seller."""
    limited_time: Utility = 0.0
    """Tag: limited-time offer."""
    discounted: Utility = 0.0
    """Tag: on sale, with the price before."""
    scarcity: Utility = 0.0
    """Tag: only N left."""
    row: tuple[Utility, ...] = ()
    """Of rows 1, 2, ...; 0 for those beyond."""
    column: tuple[Utility, ...] = ()
    """Of columns 1, 2, ...; 0 for those beyond."""
    slot: tuple[Utility, ...] = ()
    """Of slots 1, 2, ...; 0 for those beyond. Added to those of row and column."""
    outside: Utility | None = None
    """Utility of leaving without buying. Default: the shopper always buys something if it can."""


class DeviationsConfig(Section):
    """``deviations``: the coefficients of a mixed logit are normal over shoppers with these standard deviations."""

    ln_price: float = Field(default=0.0, ge=0.0, le=100.0)
    price: float = Field(default=0.0, ge=0.0, le=100.0)
    ln_reviews: float = Field(default=0.0, ge=0.0, le=100.0)
    rating: float = Field(default=0.0, ge=0.0, le=100.0)
    quality: float = Field(default=0.0, ge=0.0, le=100.0)
    need: float = Field(default=0.0, ge=0.0, le=100.0)
    sponsored: float = Field(default=0.0, ge=0.0, le=100.0)
    overall_pick: float = Field(default=0.0, ge=0.0, le=100.0)
    best_seller: float = Field(default=0.0, ge=0.0, le=100.0)
    limited_time: float = Field(default=0.0, ge=0.0, le=100.0)
    discounted: float = Field(default=0.0, ge=0.0, le=100.0)
    scarcity: float = Field(default=0.0, ge=0.0, le=100.0)


class ClassConfig(Section):
    """``classes``: one latent class of shoppers."""

    share: float = Field(gt=0.0, le=1.0)
    """Share of the population; the shares sum to 1."""
    choice: ChoiceConfig = ChoiceConfig()
    """What moves this class."""
    deviations: DeviationsConfig = DeviationsConfig()
    """How coefficients vary within the class."""


class NestsConfig(Section):
    """``nests``: a nested logit, whose nests are the values of an attribute; leaving is a nest of its own."""

    by: str = Field(min_length=1, max_length=64)
    """``"category"``, or an attribute of the catalogue such as ``"brand"``; products without it share a nest."""
    dissimilarity: float = Field(gt=0.0, le=1.0)
    """Of the offers within a nest: 1 is the multinomial logit, near 0 they are perfect substitutes."""


class AttentionConfig(Section):
    """``attention``: which offers a shopper looks at.

    ``"full"``: all. ``"position"``: each slot with its own probability (Richardson et al. 2007). ``"cascade"``: from
    the first slot on, taking the first offer whose utility plus Gumbel noise beats that of leaving (after Craswell et
    al. 2008).
    """

    model: Literal["full", "position", "cascade"] = "full"
    """How they look."""
    probabilities: tuple[Share, ...] = ()
    """position: of slots 1, 2, ...; the last goes for those beyond. Default: slot k to the power -``decay``."""
    decay: float = Field(default=0.5, ge=0.0, le=10.0)
    """position: how fast attention falls."""
    persistence: Share = 0.9
    """cascade: probability to look on after an offer that was not taken."""


class ConsiderationConfig(Section):
    """``consideration``: of the offers looked at and within the budget, only so many are compared."""

    size: int = Field(ge=1, le=MAX_SLOTS)
    """Offers in the set at most."""
    by: Literal["slot", "price", "rating", "reviews"] = "slot"
    """Which stay: the first slots, the cheapest, the best rated, the most reviewed; ties by slot."""


class PoissonConfig(Section):
    """``arrivals = { rate = 30.0 }``: visits of a Poisson process."""

    rate: float = Field(gt=0.0, le=1e12)
    """Mean number of visits per hour, of the whole population, averaged over a day."""
    profile: tuple[Annotated[float, Field(ge=0.0, le=1e6)], ...] = ()
    """24 weights of the hours of the day from midnight; default: all alike."""

    @model_validator(mode="after")
    def _profile_is_a_day(self) -> Self:
        if self.profile and (len(self.profile) != 24 or not sum(self.profile)):
            raise ValueError(f"profile: expected 24 weights that are not all 0; found {len(self.profile)}")
        return self


class PrincipalConfig(Coefficients):
    """``principal``: utility of the person served, by which choices are judged. The page has no part in it."""

    outside: Utility | None = None
    """Utility of not buying. Default: that of ``choice``."""


class ShopperConfig(Section):
    """``[[storefront.shoppers]]``: rule-driven shoppers, who live in the kernel."""

    name: str = Field(default="shoppers", pattern=r"^[^.\s]{1,64}$")
    """Unique name of the table; it also addresses their random draws."""
    count: int = Field(default=1, ge=1, le=1 << 31)
    """Number of shoppers; each visit is one of theirs, drawn at random."""
    arrivals: Literal["trials"] | PoissonConfig = "trials"
    """``"trials"``: ``randomise.trials`` visits to each category, one category after the other, evenly over the run. Or
    ``{ rate = 30.0, profile = [...] }``."""
    categories: tuple[str, ...] = ()
    """What they look for; default: all categories. Each is equally likely at a visit that is no trial."""
    queries: tuple[str, ...] = ()
    """Searches over the whole catalogue, instead of categories."""
    choice: ChoiceConfig = ChoiceConfig()
    """What moves them: a multinomial logit."""
    deviations: DeviationsConfig = DeviationsConfig()
    """Where one is above 0: a mixed logit. A shopper keeps its coefficients from visit to visit."""
    classes: tuple[ClassConfig, ...] = Field(default=(), max_length=16)
    """Latent classes, instead of ``choice`` and ``deviations``."""
    nests: NestsConfig | None = None
    """A nested logit."""
    attention: AttentionConfig = AttentionConfig()
    """Which offers they look at."""
    consideration: ConsiderationConfig | None = None
    """How many of these they compare."""
    budget: Money | None = Field(default=None, ge=0)
    """Most that they pay at one visit, in currency."""
    wallet: Money | None = Field(default=None, ge=0)
    """Most that one shopper pays in all, in currency."""
    needs: dict[str, str] = Field(default_factory=dict)
    """Attributes that the person served asks for: ``{ colour = "black" }``."""
    principal: PrincipalConfig | None = None
    """Default: the coefficients of ``choice``, of its classes the mean."""

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        if self.classes:
            given = {"choice", "deviations"} & self.model_fields_set
            if given:
                raise ValueError(f"expected either classes or {' and '.join(sorted(given))}, not both")
            total = sum(one.share for one in self.classes)
            if abs(total - 1.0) > 1e-9:
                raise ValueError(f"classes: expected shares that sum to 1; found {total:g}")
        if self.queries and self.categories:
            raise ValueError("expected either queries or categories, not both")
        if len({choice.outside is None for choice in self.choices}) > 1:
            raise ValueError("classes: expected outside in all or in none")
        if self.attention.model == "cascade" and (self.nests or self.choices[0].outside is None):
            raise ValueError("attention: expected choice.outside and no nests for a cascade")
        if self.wallet is not None and self.count > 10_000_000:
            raise ValueError("wallet: expected at most 10,000,000 shoppers, as each one's money is counted")
        return self

    @property
    def choices(self) -> Sequence[ChoiceConfig]:
        """What moves each class; one where there are no classes."""
        return [one.choice for one in self.classes] or [self.choice]


class BuyersConfig(Section):
    """``[storefront.buyers]``: agents in Python who shop here."""

    principal: PrincipalConfig = PrincipalConfig()
    """Utility of the person served."""
    needs: dict[str, str] = Field(default_factory=dict)
    """Attributes that this person asks for."""


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

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        slots = self.page.slots
        if slots > MAX_SLOTS:
            raise ValueError(f"page: expected at most {MAX_SLOTS} slots; found {slots}")
        names = [table.name for table in self.shoppers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected unique names of shoppers; found more than one {', '.join(twice)}")
        sold = self.sponsored.slots
        if len(set(sold)) < len(sold) or any(slot > slots for slot in sold):
            raise ValueError(f"sponsored.slots: expected different slots of the page, from 1 to {slots}")
        if self.randomise.regime in ("aces", "sobol") and slots < self.randomise.sponsored_most + 2:
            raise ValueError(
                f"randomise.sponsored_most: expected at most {slots - 2}, so that others are left for the other tags"
            )
        if self.ranking.policy == "fixed" and len(set(self.ranking.order)) < len(self.ranking.order):
            raise ValueError("ranking.order: expected each product once")
        return self
