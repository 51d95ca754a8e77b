"""The page of one trial of a run, drawn anew from configuration and seed without the rest of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from marketsim.core.venue import Stop
from marketsim.storefront.engine import Storefront
from marketsim.storefront.page import Page
from marketsim.storefront.tables import CHOICES

if TYPE_CHECKING:
    import pandas as pd


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
    if category is None:
        return shop.page(trial)
    return shop.page(choice_set_of(_choices(shop), shop.categories, trial, category))


def choice_set_of(choices: Iterable[pd.DataFrame], categories: Sequence[str], trial: int, category: str) -> int:
    """Return the number of the page that a trial of a category has, in a run with these rows of ``storefront/choices``.

    Raises
    ------
    ValueError
        There is no such trial, or no such category.
    """
    if category not in categories:
        raise ValueError(f"expected a category out of {', '.join(categories)}; found {category}")
    number, n = list(categories).index(category), 0
    for rows in choices:
        found = rows.loc[rows["category"] == number, "choice_set"].tolist()
        if 0 <= trial - n < len(found):
            return int(found[trial - n])
        n += len(found)
    if n == 0:
        raise ValueError(f"expected a category that is visited; the run shows no page of {category}")
    raise ValueError(f"expected a trial from 0 to {n - 1} of {category}; found {trial}")


def _choices(shop: Storefront) -> Iterator[pd.DataFrame]:
    """Run a shop as far as the choices are asked for."""
    stop = None
    while stop != Stop.HORIZON:
        stop = shop.advance(shop.duration_ns, inclusive=False)
        for name, batch in shop.tables():
            if name == CHOICES.name:
                yield batch.to_pandas()
