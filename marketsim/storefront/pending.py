"""Pages that agents in Python were shown and have not answered yet, as they lie in memory and in a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketsim.storefront.kernel import memory
from marketsim.storefront.kernel.views import Shop

FACTS = (memory.H_CHOICE_SET, memory.H_SHOPPER, memory.H_SHELF, memory.H_SHOWN, memory.H_NEED_SHOWN)


class OpenPage(NamedTuple):
    """A page that waits for its answer."""

    facts: NDArray[np.int64]
    """Words of the header that belong to it, then the time at which it was shown."""
    offers: NDArray[np.int64]
    offer_floats: NDArray[np.float64]
    features: NDArray[np.float64]
    worth: NDArray[np.float64]
    """What the page is worth to the person served."""

    @property
    def shopper(self) -> int:
        """Account of the buyer."""
        return int(self.facts[1])

    @property
    def shown(self) -> int:
        """Number of offers."""
        return int(self.facts[3])

    @property
    def shown_at(self) -> int:
        """Time at which it was shown."""
        return int(self.facts[-1])


def take(shop: Shop) -> OpenPage:
    """Copy the page at hand."""
    facts = np.append(shop.header[list(FACTS)], shop.header[memory.H_NOW])
    return OpenPage(facts, shop.offers.copy(), shop.offer_floats.copy(), shop.features.copy(), shop.worth.copy())


def put_back(shop: Shop, page: OpenPage) -> None:
    """Make a page the one at hand."""
    shop.header[list(FACTS)] = page.facts[:-1]
    for name in OpenPage._fields[1:]:
        getattr(shop, name)[...] = getattr(page, name)


def save(pages: Mapping[int, OpenPage]) -> dict[str, NDArray[np.int64] | NDArray[np.float64]]:
    """Return pages as arrays, in the order of their choice sets."""
    ordered = [pages[number] for number in sorted(pages)]
    if not ordered:
        return {"open.facts": np.zeros((0, len(FACTS) + 1), np.int64)}
    return {f"open.{name}": np.stack([getattr(page, name) for page in ordered]) for name in OpenPage._fields}


def load(state: Mapping[str, NDArray[np.int64]]) -> dict[int, OpenPage]:
    """Return the pages that ``save`` wrote."""
    pages = {}
    for row in range(len(state["open.facts"])):
        page = OpenPage(*(state[f"open.{name}"][row].copy() for name in OpenPage._fields))
        pages[int(page.facts[0])] = page
    return pages
