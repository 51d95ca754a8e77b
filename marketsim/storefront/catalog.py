"""``Catalog``: the products of a shop, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

BUILTIN = Path(__file__).resolve().parent / "data" / "builtin.csv"


@dataclass(frozen=True, eq=False)
class Catalog:
    """The products of a shop; entry i of each column is product i.

    Attributes
    ----------
    product_id : tuple of str
        Unique names.
    category, title, description : tuple of str
        Texts.
    price_minor, cost_minor : int64 array
        In minor units of the currency, a hundredth each.
    rating_tenths : int64 array
        Mean rating in tenths of a star, 10 to 50.
    reviews : int64 array
        Number of reviews.
    quality : float64 array
        Utility of experience.
    attributes : tuple of mapping of str to str
        Such as ``{"brand": "Alder", "colour": "black"}``.
    image : tuple of str
        A picture as a ``data:`` URI; empty: it is drawn from category, title and attributes.
    filled : mapping of str to str
        Column to how many of its cells were missing, and the rule by which they were filled.

    Examples
    --------
    >>> catalog = Catalog.builtin()
    >>> len(catalog), catalog.categories[:2]
    (144, ['Coffee grinder', 'Desk lamp'])
    """

    product_id: tuple[str, ...]
    category: tuple[str, ...]
    title: tuple[str, ...]
    description: tuple[str, ...]
    price_minor: IntArray
    cost_minor: IntArray
    rating_tenths: IntArray
    reviews: IntArray
    quality: FloatArray
    attributes: tuple[Mapping[str, str], ...]
    image: tuple[str, ...]
    filled: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.product_id)

    @property
    def categories(self) -> list[str]:
        """The categories, in the order of their first products."""
        return list(dict.fromkeys(self.category))

    def products_of(self, category: str) -> IntArray:
        """Return the products of a category, int64[n], in the order of the catalogue."""
        return np.array([i for i, name in enumerate(self.category) if name == category], np.int64)

    @classmethod
    def load(cls, path: str | Path, columns: Mapping[str, str] | None = None) -> Catalog:
        """Read a CSV or Parquet file; ``catalog_import.read_catalog`` says which columns it has.

        Parameters
        ----------
        columns : mapping of str to str, optional
            Name of a column here to its name in the file, where they differ: ``{"title": "product_name"}``.

        Raises
        ------
        InputError
            The file is missing or unreadable, or rows of it are faulty.
        """
        from marketsim.storefront.catalog_import import read_catalog

        return read_catalog(Path(path), columns)

    @classmethod
    def builtin(cls) -> Catalog:
        """Return the catalogue that ships: 12 categories of 12 invented products."""
        return cls.load(BUILTIN)
