"""Search: BM25 over titles, categories, descriptions and attributes, and vectors of meaning where there are any."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from marketsim.storefront.catalog import Catalog

if TYPE_CHECKING:
    from marketsim.storefront.embeddings import Embeddings

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
    embeddings : Embeddings, optional
        Vectors of its products. With them the score of a product is (1 - weight) times its BM25 as a share of the best,
        plus weight times its cosine with the query; it is found where a word of the query occurs in it or the cosine is
        at least ``least``.
    weight : float
        0 to 1.
    least : float
        -1 to 1.

    Examples
    --------
    >>> from marketsim.storefront.catalog import Catalog
    >>> catalog = Catalog.builtin()
    >>> catalog.title[SearchIndex(catalog).scores("quiet coffee grinder").argmax()]
    'Lorimer Quiet Conical Burr Grinder'
    """

    def __init__(
        self, catalog: Catalog, embeddings: Embeddings | None = None, weight: float = 0.5, least: float = 0.5
    ) -> None:
        import bm25s

        self._tokenize: Callable[..., Any] = partial(
            bm25s.tokenize, token_pattern=WORD, stopwords="en", show_progress=False
        )
        self._n = len(catalog)
        self._embeddings, self._weight, self._least = embeddings, weight, least
        texts = [
            " ".join((title, category, description, *attributes.values()))
            for title, category, description, attributes in zip(
                catalog.title, catalog.category, catalog.description, catalog.attributes, strict=True
            )
        ]
        self._index = bm25s.BM25()
        self._index.index(self._tokenize(texts), show_progress=False)

    def scores(self, query: str) -> NDArray[np.float64]:
        """Return the score of every product, float64[n]; 0 where it is not found."""
        words = self._word_scores(query)
        if self._embeddings is None:
            return words
        cosine = np.round(self._embeddings.similarity(query), DIGITS)
        best = words.max(initial=0.0)
        total = (1.0 - self._weight) * words / (best if best > 0.0 else 1.0) + self._weight * np.maximum(cosine, 0.0)
        least = 10.0**-DIGITS  # whatever is found has a score above 0
        return np.where((words > 0.0) | (cosine >= self._least), np.maximum(np.round(total, DIGITS), least), 0.0)

    def _word_scores(self, query: str) -> NDArray[np.float64]:
        tokens = self._tokenize([query])
        words = [token for token in tokens.vocab if token in self._index.vocab_dict and token]
        if not words:
            return np.zeros(self._n)
        scores: NDArray[np.float64] = np.asarray(self._index.get_scores(words), dtype="float64")
        return np.asarray(np.round(scores, DIGITS), np.float64)
