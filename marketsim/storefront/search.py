"""Search: BM25 of a query over titles, descriptions and attributes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.storefront.catalog import Catalog

WORD = r"(?u)\b\w+\b"
"""A word may be a single character: the 4 of "4 mm"."""

DIGITS = 6
"""Scores are rounded, so that the last bits of logarithms, which differ between processors, can change no order."""


class SearchIndex:
    """A catalogue that can be searched.

    Parameters
    ----------
    catalog : Catalog
        What is searched.

    Examples
    --------
    >>> scores = SearchIndex(catalog).scores("quiet coffee grinder")  # doctest: +SKIP
    """

    def __init__(self, catalog: Catalog) -> None:
        import bm25s

        self._tokenize: Callable[..., Any] = partial(
            bm25s.tokenize, token_pattern=WORD, stopwords="en", show_progress=False
        )
        self._n = len(catalog)
        texts = [
            " ".join((title, category, description, *attributes.values()))
            for title, category, description, attributes in zip(
                catalog.title, catalog.category, catalog.description, catalog.attributes, strict=True
            )
        ]
        self._index = bm25s.BM25()
        self._index.index(self._tokenize(texts), show_progress=False)

    def scores(self, query: str) -> NDArray[np.float64]:
        """Return the BM25 score of every product, float64[n]; 0 where no word of the query occurs."""
        tokens = self._tokenize([query])
        words = [token for token, number in tokens.vocab.items() if token in self._index.vocab_dict and token]
        if not words:
            return np.zeros(self._n)
        scores: NDArray[np.float64] = np.asarray(self._index.get_scores(words), dtype="float64")
        return np.asarray(np.round(scores, DIGITS), np.float64)
