"""The page of one trial of a run, drawn anew from configuration and seed without the rest of the run."""

from __future__ import annotations

from marketsim.core.venue import Stop
from marketsim.storefront.engine import Storefront
from marketsim.storefront.page import Page
from marketsim.storefront.tables import CHOICES


def trial_page(shop: Storefront, trial: int, category: str | None = None) -> Page:
    """Return the page that a trial of a run shows.

    Parameters
    ----------
    shop : Storefront
        At time 0; where ``category`` is given, it is run as far as needed, and must record ``storefront/choices``.
    trial : int
        Number of the page, from 0, as ``choice_set`` in the tables counts them; of those of the category, if given.
    category : str, optional
        Count the pages of this category only.

    Raises
    ------
    ValueError
        The run has no such page, or does not sell the category.
    """
    return shop.page(trial if category is None else _choice_set(shop, trial, category))


def _choice_set(shop: Storefront, trial: int, category: str) -> int:
    if category not in shop.categories:
        raise ValueError(f"expected a category out of {', '.join(shop.categories)}; found {category}")
    number, n = shop.categories.index(category), 0
    stop = None
    while stop != Stop.HORIZON:
        stop = shop.advance(shop.duration_ns, inclusive=False)
        for name, batch in shop.tables():
            if name != CHOICES.name:
                continue
            rows = batch.to_pandas()
            found = rows.loc[rows["category"] == number, "choice_set"].tolist()
            if 0 <= trial - n < len(found):
                return int(found[trial - n])
            n += len(found)
    if n == 0:
        raise ValueError(f"expected a category that is visited; the run shows no page of {category}")
    raise ValueError(f"expected a trial from 0 to {n - 1} of {category}; found {trial}")
