"""The part of a report that tells of a shop."""

from __future__ import annotations

from dataclasses import dataclass

from marketsim.analysis.choice import PUBLISHED
from marketsim.analysis.storefront.summary import Rate, StorefrontSummary
from marketsim.report.chart import Figure
from marketsim.report.scales import MISSING, signed
from marketsim.report.storefront_figures import (
    PageMap,
    coefficient_figure,
    effect_figure,
    page_map,
    price_figure,
    share_figure,
)
from marketsim.report.words import count, decimal, percent


@dataclass(frozen=True)
class Tile:
    """A figure in large letters, with what it is and a line below."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class ShopSection:
    """The shop in the page."""

    tiles: tuple[Tile, ...]
    figures: tuple[Figure | PageMap, ...]
    rates: tuple[tuple[str, ...], ...]
    """Failures: what, how many, of how many, share, interval."""
    published_heads: tuple[str, ...]
    published: tuple[tuple[str, ...], ...]
    """Coefficients beside those of language models; empty where none has a name in common."""
    shares: tuple[tuple[str, ...], ...]
    shoppers: tuple[tuple[str, ...], ...]


def shop_section(shop: StorefrontSummary) -> ShopSection:
    """Lay out what the report says about a shop."""
    models, published = _published(shop)
    return ShopSection(
        tiles=_tiles(shop),
        figures=(coefficient_figure(shop), effect_figure(shop), page_map(shop), price_figure(shop), share_figure(shop)),
        rates=_rates(shop),
        published_heads=("Coefficient", "This run", "95 % interval", *_planted_head(shop), *models),
        published=published,
        shares=tuple(
            (one.category, f"{len(one.product)}", f"{one.hhi:.3f}", one.product[0], percent(float(one.share[0])))
            for one in shop.shares
            if len(one.product) > 1
        ),
        shoppers=tuple((one.name, one.kind, one.provenance, f"{one.count:,}") for one in shop.shoppers),
    )


def _tiles(shop: StorefrontSummary) -> tuple[Tile, ...]:
    currency = shop.facts.currency
    missed, what = (shop.missed, "best") if shop.needs_missed is None else (shop.needs_missed, "needs")
    others = [
        f"{n:,} {word}" for n, word in ((shop.n_left, "left"), (shop.n_invalid, "invalid"), (shop.n_open, "open")) if n
    ]
    return (
        Tile("Purchases", f"{shop.n_bought:,}", "; ".join([f"of {count(shop.n_sets, 'choice set')}", *others])),
        Tile("Revenue", decimal(shop.revenue, 0), f"{currency}; {decimal(shop.price_mean, 2)} a purchase"),
        Tile(
            "Sponsored",
            percent(shop.sponsored_bought.share),
            f"of purchases; {percent(shop.sponsored_shown.share)} of offers shown",
        ),
        Tile(f"Missed the {what}", percent(missed.share), _interval(missed)),
        Tile("Welfare share", percent(shop.welfare_share), "0: offers at random, 100: always the best shown"),
        Tile(
            "Regret",
            decimal(shop.regret_shown, 3),
            f"utility a choice; {decimal(shop.regret_listed, 3)} over all listed",
        ),
    )


def _interval(rate: Rate) -> str:
    low, high = rate.interval
    return f"{percent(low)} to {percent(high)} (Wilson, 95 %)" if rate.trials else "of nothing"


def _rates(shop: StorefrontSummary) -> tuple[tuple[str, ...], ...]:
    rows = [("The best offer shown was not chosen", shop.missed)]
    if shop.needs_missed is not None:
        rows.append(("The needs were not met, though an offer met them", shop.needs_missed))
    if shop.n_invalid:
        rows.append(("The answer named no offer of the page", Rate(shop.n_invalid, shop.n_sets)))
    return tuple(
        (name, f"{one.successes:,}", f"{one.trials:,}", percent(one.share), _interval(one)) for name, one in rows
    )


def _planted_head(shop: StorefrontSummary) -> tuple[str, ...]:
    """Return the head of the column of planted numbers; none where nothing was planted."""
    return ("Planted",) if all(one.planted is not None for one in shop.model.coefficients) else ()


def _published(shop: StorefrontSummary) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the models, and the coefficients beside theirs."""
    coefficients = shop.model.coefficients
    has_them = shop.facts.regime in ("aces", "sobol") and any(one.published for one in coefficients)
    models = tuple(PUBLISHED) if has_them else ()
    return models, tuple(
        (
            one.name,
            signed(one.estimate, 2),
            f"{signed(one.low, 2)} to {signed(one.high, 2)}",
            *(signed(one.planted, 2) for _ in _planted_head(shop) if one.planted is not None),
            *(signed(one.published[model], 2) if model in one.published else MISSING for model in models),
        )
        for one in coefficients
    )
