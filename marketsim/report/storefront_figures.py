"""Figures of a shop: what moved the choice, where on the page it fell, and who sold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from marketsim.analysis.choice.choice_sets import wilson_interval
from marketsim.analysis.columns import FloatArray
from marketsim.analysis.storefront.model import MAX_SETS, ChoiceModel
from marketsim.analysis.storefront.summary import StorefrontSummary
from marketsim.report.chart import Figure, Key, Panel
from marketsim.report.scales import Axis, number_axis, padded, signed
from marketsim.report.words import count, decimal, percent

IMPRESSIONS, CHOICES = "storefront/impressions", "storefront/choices"
MAX_CATEGORIES = 20
"""Categories that the figure of shares draws."""
MIN_ROWS = 30
"""Offers below which a bin of prices is not drawn."""
_SHADES = ("shade-2", "shade-1", "shade-0")


# ---- Coefficients -------------------------------------------------------------------------------------------


def coefficient_figure(shop: StorefrontSummary) -> Figure:
    """Draw the coefficients with their intervals, the planted ones beside."""
    model = shop.model
    names = [one.name for one in model.coefficients]
    planted = np.array([math.nan if one.planted is None else one.planted for one in model.coefficients])
    has_planted = bool(np.isfinite(planted).any())
    panels: tuple[tuple[Panel, ...], ...] = ()
    if names:
        estimate, low, high = (
            np.array([getattr(one, key) for one in model.coefficients]) for key in ("estimate", "low", "high")
        )
        panel = _forest(names, (estimate, low, high), planted, "coefficient: change of utility")
        panels = ((panel,),)
    keys = [Key("dot", "estimate", "estimate, with 95 % interval")]
    if has_planted:
        keys.append(Key("ring", "planted", "planted in the scenario"))
    return Figure(
        name="shop-coefficients",
        title="What moved the choice",
        panels=panels,
        keys=tuple(keys),
        alternative=f"Forest plot of the coefficients of a conditional logit. {_coefficients_found(model, planted)}",
        reading=(
            "A conditional logit: how much each attribute adds to the utility of an offer, other things equal. Right "
            "of zero it wins choices, left of it it loses them. All of these were drawn at random, so that the numbers "
            "are effects, and compare with those of other runs of the same specification. Those of places hold "
            "attention and taste together."
        ),
        found=_coefficients_found(model, planted),
    )


def _coefficients_found(model: ChoiceModel, planted: FloatArray) -> str:
    if not model.coefficients:
        return model.reason
    text = (
        f"{model.specification}: {count(model.n, 'choice set')}, log likelihood {signed(model.log_likelihood, 1)}, "
        f"McFadden pseudo R\u00b2 {model.pseudo_r2:.3f}."
    )
    if model.n < model.n_run:
        first = f", of the first {MAX_SETS:,}" if model.n_run > MAX_SETS else ""
        text += f" Made from those of the {model.n_run:,} that were bought from{first}."
    if np.isfinite(planted).any():
        inside = [one.low <= one.planted <= one.high for one in model.coefficients if one.planted is not None]
        text += f" {sum(inside)} of {len(inside)} intervals hold the planted number; by chance about 1 in 20 misses it."
    if model.never_chosen:
        listed = ", ".join(model.never_chosen[:8]) + (" and others" if len(model.never_chosen) > 8 else "")
        text += f" Never chosen, and left out of every choice set: {listed}."
    return text


def effect_figure(shop: StorefrontSummary) -> Figure:
    """Draw the design-based effects with their intervals, the model's beside."""
    effects = shop.model.effects
    panels: tuple[tuple[Panel, ...], ...] = ()
    found = "Nothing that takes few levels was drawn at random."
    if effects:
        scale = 100.0
        bounds = tuple(scale * np.array([getattr(one, key) for one in effects]) for key in ("estimate", "low", "high"))
        modelled = scale * np.array([math.nan if one.modelled is None else one.modelled for one in effects])
        panel = _forest(
            [one.name for one in effects], bounds, modelled, "change of the chance of being chosen (percentage points)"
        )
        panels = ((panel,),)
        strongest = max(effects, key=lambda one: abs(one.estimate))
        found = (
            f"The strongest, {strongest.name}, moves the chance of being chosen by "
            f"{signed(100 * strongest.estimate, 1)} percentage points ({signed(100 * strongest.low, 1)} to "
            f"{signed(100 * strongest.high, 1)})."
        )
    keys = [Key("dot", "estimate", "from the design alone, with 95 % interval")]
    if any(one.modelled is not None for one in effects):
        keys.append(Key("ring", "planted", "what the model makes of the same pages"))
    return Figure(
        name="shop-effects",
        title="Without a model",
        panels=panels,
        keys=tuple(keys),
        alternative=f"Average marginal component effects beside those of the logit. {found}",
        reading=(
            "Average marginal component effects: the mean change of the chance of being chosen, against the last row, "
            "the last column, or no tag, from how the page was drawn and nothing else. Rings far from the intervals "
            "mean that the logit is not how these shoppers choose."
        ),
        found=found,
    )


def _forest(names: Sequence[str], bounds: tuple[FloatArray, ...], beside: FloatArray, title: str) -> Panel:
    """One line a name from top to bottom: an interval with its middle, and a ring."""
    estimate, low, high = bounds
    place = np.arange(len(names), 0, -1.0)
    values = np.concatenate([low, high, beside[np.isfinite(beside)], [0.0]])
    upward = Axis(0.4, len(names) + 0.6, tuple(zip(place.tolist(), names, strict=True)), "")
    panel = Panel(
        number_axis(*padded(float(values.min()), float(values.max())), title, 8), upward, 2.0 + 1.7 * len(names)
    )
    panel.upright(0.0, "zero")
    panel.spans(low, high, place, "estimate")
    panel.dots(estimate, place, "head estimate")
    known = np.isfinite(beside)
    panel.rings(beside[known], place[known], "planted")
    return panel


# ---- The page -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PageMap:
    """The page as a grid of cells, each as dark as it is often chosen; a figure like those of ``chart``."""

    name: str
    title: str
    panels: tuple[tuple[tuple[float, int], ...], ...]
    """Pages of results, each a share and a number of purchases for every slot."""
    columns: int
    keys: tuple[Key, ...]
    alternative: str
    reading: str
    found: str

    def chart(self) -> Markup:
        """Return the grids, one a page of results."""
        most = max((share for page in self.panels for share, _ in page), default=0.0) or 1.0
        grids = []
        for page in self.panels:
            cells = Markup("").join(
                Markup('<div class="cell" style="--heat:{}%"><b>{}</b><small>{}</small></div>').format(
                    round(62 * share / most), percent(share), f"{bought:,}"
                )
                for share, bought in page
            )
            grids.append(Markup('<div class="heat" style="--columns:{}">{}</div>').format(self.columns, cells))
        return Markup("").join(grids)


def page_map(shop: StorefrontSummary) -> PageMap:
    """Draw how often each slot was chosen when it was shown."""
    facts, (shown, looked, chosen) = shop.facts, shop.by_slot
    share = chosen / np.maximum(shown, 1)
    per_page = facts.rows * facts.columns
    cells = list(zip(share.tolist(), chosen.tolist(), strict=True))
    pages = tuple(tuple(cells[first : first + per_page]) for first in range(0, len(cells), per_page))
    found = "Nothing was shown." if IMPRESSIONS in shop.recorded else f"The table {IMPRESSIONS} was not recorded."
    if shown.sum():
        best, worst = int(share.argmax()), int(share.argmin())
        found = (
            f"Slot {best + 1} was chosen {percent(float(share[best]))} of the times that it was shown, slot "
            f"{worst + 1} {percent(float(share[worst]))}. With no taste for places, each would be at "
            f"{percent(float(chosen.sum() / shown.sum()))}{_attribution(shop)}."
        )
        if looked.sum() < shown.sum():
            found += f" Shoppers looked at {percent(float(looked.sum() / shown.sum()))} of the offers."
    return PageMap(
        name="shop-page",
        title="Where on the page",
        panels=pages if shown.sum() else (),
        columns=facts.columns,
        keys=(),
        alternative=f"Heat map of the page: how often each slot is chosen. {found}",
        reading=(
            "Each cell is a slot of the page, row by row: the share of times that it was chosen when it was shown, and "
            "the purchases. The darker, the more often."
        ),
        found=found,
    )


def _attribution(shop: StorefrontSummary) -> str:
    return "" if shop.facts.is_randomised else ", were offers spread over the page at random, which they were not"


# ---- Prices and shares --------------------------------------------------------------------------------------


def price_figure(shop: StorefrontSummary) -> Figure:
    """Draw how often offers are chosen by their price over the listed one."""
    shown, chosen = shop.by_price
    drawn = np.flatnonzero(shown >= MIN_ROWS)
    panels: tuple[tuple[Panel, ...], ...] = ()
    found = "Prices did not vary: each offer was shown at its listed price, or too few were shown."
    keys = [Key("dot", "estimate", "share chosen, with 95 % interval")]
    if len(drawn) > 1:
        ratio = np.exp(shop.log_ratio[drawn])
        share = 100.0 * chosen[drawn] / shown[drawn]
        bounds = np.array([wilson_interval(int(k), int(n)) for k, n in zip(chosen[drawn], shown[drawn], strict=True)])
        low, high = 100.0 * bounds.T
        panel = Panel(
            number_axis(*padded(float(ratio.min()), float(ratio.max())), "price as shown / listed price", 8),
            number_axis(0.0, 1.06 * float(high.max()), "Share chosen (%)"),
            17.0,
        )
        response = shop.model.price_response[drawn]
        if np.isfinite(response).any():
            panel.line(ratio, 100.0 * response, "reference")
            keys.append(Key("line", "reference", "the model's mean probability"))
        panel.uprights(ratio, low, high, "estimate")
        panel.dots(ratio, share, "head estimate")
        panels = ((panel,),)
        found = (
            f"At {decimal(float(ratio[0]), 2)} times the listed price {decimal(float(share[0]), 1)} % of the offers "
            f"were chosen, at {decimal(float(ratio[-1]), 2)} times {decimal(float(share[-1]), 1)} %."
        )
    return Figure(
        name="shop-price",
        title="Price response",
        panels=panels,
        keys=tuple(keys),
        alternative=f"Share of offers chosen by their price over the listed price. {found}",
        reading=(
            "Offers in steps of about 10 % of the price over the listed one. Where the regime draws prices, the slope "
            "is what a price does; the model's line beside it says whether the logit has the right shape."
        ),
        found=found,
    )


def share_figure(shop: StorefrontSummary) -> Figure:
    """Draw the market shares of each category's products, best sold first."""
    shares = [one for one in shop.shares if len(one.product) > 1][:MAX_CATEGORIES]
    panels: tuple[tuple[Panel, ...], ...] = ()
    found = "There is nothing to share: no category had several products on its pages, or nothing was recorded."
    if shares:
        place = np.arange(len(shares), 0, -1.0)
        ticks = tuple(zip(place.tolist(), (one.category for one in shares), strict=True))
        panel = Panel(
            number_axis(0.0, 100.0, "share of the category's purchases (%)", 5),
            Axis(0.4, len(shares) + 0.6, ticks, ""),
            2.0 + 1.9 * len(shares),
        )
        for rank in range(max(len(one.share) for one in shares)):
            rows = [number for number, one in enumerate(shares) if len(one.share) > rank]
            before = np.array([100.0 * shares[number].share[:rank].sum() for number in rows])
            after = before + np.array([100.0 * shares[number].share[rank] for number in rows])
            middle = place[rows]
            panel.bars(before, after - 0.25, middle - 0.34, middle + 0.34, f"buy {_SHADES[rank % len(_SHADES)]}")
        panels = ((panel,),)
        hhi = [one.hhi for one in shares]
        closest = max(shares, key=lambda one: one.hhi)
        found = (
            f"The index of Herfindahl and Hirschman runs from {min(hhi):.3f} to {max(hhi):.3f}; the most concentrated "
            f"category is {closest.category}, where {closest.product[0]} has {percent(float(closest.share[0]))}."
        )
    return Figure(
        name="shop-shares",
        title="Market shares",
        panels=panels,
        keys=(),
        alternative=f"Stacked bars of market shares by category. {found}",
        reading=(
            "One bar a category, one piece a product, the best sold first. The index is the sum of squared shares: one "
            "over the number of products where all sell alike, 1 where one sells everything."
        ),
        found=found,
    )
