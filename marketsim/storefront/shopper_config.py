"""``[[storefront.shoppers]]``: who shops by rule, what moves them, and what they look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from marketsim.core.config import Section
from marketsim.core.units import Money

MAX_SLOTS = 400
"""Most offers that one shopper is shown, all pages together."""

Utility = Annotated[float, Field(ge=-1000.0, le=1000.0)]
Deviation = Annotated[float, Field(ge=0.0, le=100.0)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


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
    """1 where the offer has all attributes of ``needs`` and costs at most ``need_price``."""


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

    ln_price: Deviation = 0.0
    """Of ``choice.ln_price``."""
    price: Deviation = 0.0
    """Of ``choice.price``."""
    ln_reviews: Deviation = 0.0
    """Of ``choice.ln_reviews``."""
    rating: Deviation = 0.0
    """Of ``choice.rating``."""
    quality: Deviation = 0.0
    """Of ``choice.quality``."""
    need: Deviation = 0.0
    """Of ``choice.need``."""
    sponsored: Deviation = 0.0
    """Of ``choice.sponsored``."""
    overall_pick: Deviation = 0.0
    """Of ``choice.overall_pick``."""
    best_seller: Deviation = 0.0
    """Of ``choice.best_seller``."""
    limited_time: Deviation = 0.0
    """Of ``choice.limited_time``."""
    discounted: Deviation = 0.0
    """Of ``choice.discounted``."""
    scarcity: Deviation = 0.0
    """Of ``choice.scarcity``."""


class ClassConfig(Section):
    """``classes``: one latent class of shoppers."""

    share: float = Field(gt=0.0, le=1.0)
    """Probability of the population; the shares sum to 1."""
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
    probabilities: tuple[Probability, ...] = ()
    """position: of slots 1, 2, ...; the last goes for those beyond. Default: slot k to the power -``decay``."""
    decay: float = Field(default=0.5, ge=0.0, le=10.0)
    """position: how fast attention falls."""
    persistence: Probability = 0.9
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
    need_price: Money | None = Field(default=None, ge=0)
    """Price up to which an offer meets the needs, in currency; ``budget`` rules out what costs more."""
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
