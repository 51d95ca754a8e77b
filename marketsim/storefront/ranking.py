"""Ranking: scores of products and the shelves that hold them in order.

A score is a weighted sum of parts between 0 and 1; what changes from visit to visit, velocity and exploration, is added
by the kernel. Ties go to the smaller product id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketsim.storefront.catalog import Catalog
from marketsim.storefront.config import RankingConfig, RankingWeights
from marketsim.storefront.search import SearchIndex

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SINGLE: Final[Mapping[str, str]] = {
    "random": "exploration",
    "relevance": "relevance",
    "velocity": "velocity",
    "rating": "rating",
    "price": "price",
    "margin": "margin",
}
"""Policies that rank by one part alone."""

QUERY_ENTITY = 1 << 41
CATEGORY_ENTITY = 1 << 40
"""First addresses of the draws of a whole page, beyond those of products."""


class Shelf(NamedTuple):
    """The products that a category or a search brings up."""

    products: IntArray
    """In the order of ids, or of the score where it does not change."""
    scores: FloatArray
    """The part of the score that does not change."""
    category: int
    """Number of the category; -1 for a search."""
    query: int
    """Number of the search; -1 for a category."""

    @property
    def entity(self) -> int:
        """Address of the draws of a whole page."""
        return QUERY_ENTITY + self.query if self.query >= 0 else CATEGORY_ENTITY + self.category


def weights_of(config: RankingConfig) -> RankingWeights:
    """Return the weights that a policy stands for."""
    if config.policy == "weighted":
        return config.weights
    zero = dict.fromkeys(RankingWeights.model_fields, 0.0)
    if config.policy in SINGLE:
        zero[SINGLE[config.policy]] = 1.0
    return RankingWeights(**zero)


def bayesian_rating(catalog: Catalog, prior_reviews: float) -> FloatArray:
    """Return (C m + sum of ratings) / (C + n) in stars, where m is the mean rating of the catalogue's reviews.

    Where there are no reviews at all, m is the plain mean of the listed ratings.
    """
    stars, n = catalog.rating_tenths / 10.0, catalog.reviews.astype(np.float64)
    mean = float(stars @ n / n.sum()) if n.sum() else float(stars.mean())
    weight = prior_reviews + n
    return np.where(weight > 0, (prior_reviews * mean + n * stars) / np.where(weight > 0, weight, 1.0), mean)


def fixed_score(catalog: Catalog, products: IntArray, config: RankingConfig, relevance: FloatArray) -> FloatArray:
    """Return the part of the score of some products that does not change from visit to visit."""
    if config.policy == "fixed":
        place = {name: number for number, name in enumerate(config.order)}
        listed = np.array([place.get(catalog.product_id[product], len(place)) for product in products], np.float64)
        return -(listed * len(catalog) + products)
    weights = weights_of(config)
    price = catalog.price_minor[products].astype(np.float64)
    margin = np.where(price > 0, (price - catalog.cost_minor[products]) / np.maximum(price, 1.0), 0.0)
    stars = bayesian_rating(catalog, config.prior_reviews)[products]
    return (
        weights.relevance * relevance / max(float(relevance.max(initial=0.0)), 1e-9)
        + weights.rating * stars / 5.0
        + weights.price * (1.0 - price / max(float(price.max(initial=0.0)), 1.0))
        + weights.margin * margin
    )


def is_dynamic(config: RankingConfig) -> bool:
    """Say whether the order changes from visit to visit."""
    weights = weights_of(config)
    return bool(weights.velocity or weights.exploration)


def build_shelves(
    catalog: Catalog, categories: Sequence[str], queries: Sequence[str], config: RankingConfig
) -> list[Shelf]:
    """Return a shelf per category, then one per query, of all products that the query finds."""
    needs_index = bool(queries) or weights_of(config).relevance != 0.0
    index = _index_of(catalog, [*categories, *queries], config) if needs_index else None
    shelves = []
    for number, category in enumerate(categories):
        products = catalog.products_of(category)
        relevance = index.scores(category)[products] if index is not None else np.zeros(len(products))
        shelves.append(_shelf(catalog, products, config, relevance, number, -1))
    for number, query in enumerate(queries):
        scores = index.scores(query) if index is not None else np.zeros(len(catalog))
        products = np.flatnonzero(scores > 0.0)
        shelves.append(_shelf(catalog, products, config, scores[products], -1, number))
    return shelves


def _index_of(catalog: Catalog, queries: Sequence[str], config: RankingConfig) -> SearchIndex:
    if config.embeddings is None:
        return SearchIndex(catalog)
    from marketsim.storefront.embeddings import Embeddings

    embeddings = Embeddings.load(config.embeddings.file, catalog, queries)
    return SearchIndex(catalog, embeddings, config.embeddings.weight, config.embeddings.least)


def _shelf(
    catalog: Catalog, products: IntArray, config: RankingConfig, relevance: FloatArray, category: int, query: int
) -> Shelf:
    by_id = np.array(sorted(range(len(products)), key=lambda i: catalog.product_id[products[i]]), np.int64)
    products, relevance = products[by_id], relevance[by_id]
    scores = fixed_score(catalog, products, config, relevance)
    if not is_dynamic(config):
        best_first = np.argsort(-scores, kind="stable")
        products, scores = products[best_first], scores[best_first]
    return Shelf(products, scores, category, query)
