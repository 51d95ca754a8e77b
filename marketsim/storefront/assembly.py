"""Builds the memory of a shop from its scenario section and its catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketsim.core import rng
from marketsim.core.errors import Fault, ScenarioError
from marketsim.core.jit import JIT_DISABLED
from marketsim.core.units import to_minor
from marketsim.core.venue import NEVER
from marketsim.storefront import checks, regimes, shoppers, welfare
from marketsim.storefront.catalog import Catalog
from marketsim.storefront.config import MAX_SHOPPERS, BuyersConfig, StorefrontConfig
from marketsim.storefront.kernel import memory
from marketsim.storefront.kernel.views import Shop
from marketsim.storefront.ranking import Shelf, build_shelves, is_dynamic
from marketsim.storefront.shopper_config import ShopperConfig
from marketsim.storefront.sponsored import placements

IntArray = NDArray[np.int64]

BUYERS = "buyers"
"""Name that addresses the draws of pages for agents in Python."""


class Layout(NamedTuple):
    """What stands behind the numbers of a shop."""

    catalog: Catalog
    categories: list[str]
    """By number."""
    queries: list[str]
    """By number."""
    shelves: list[Shelf]
    """Those of the categories, then those of the queries."""


def lay_out(config: StorefrontConfig, catalog: Catalog) -> Layout:
    """Return the shelves of a shop.

    Raises
    ------
    ScenarioError
        Configuration and catalogue disagree.
    """
    checks.refuse(checks.disagreements(config, catalog))
    categories = checks.sold_categories(config, catalog)
    queries = list(dict.fromkeys(query for table in config.shoppers for query in table.queries))
    shelves = build_shelves(catalog, categories, queries, config.ranking)
    checks.refuse(checks.shelf_faults(config, queries, shelves))
    return Layout(catalog, categories, queries, shelves)


def build_shop(
    config: StorefrontConfig,
    layout: Layout,
    *,
    seed: int,
    replicate: int,
    duration_ns: int,
    start_ns: int,
    log_rows: int,
) -> Shop:
    """Return the arrays of a shop at time 0, nobody having come yet.

    Raises
    ------
    ScenarioError
        The run is too short for its trials.
    """
    catalog, shelves, tables = layout.catalog, layout.shelves, config.shoppers
    n_products, slots, n_populations = len(catalog), config.page.slots, len(tables) + 1
    features = welfare.listed_features(catalog)
    served: tuple[ShopperConfig | BuyersConfig, ...] = (*tables, config.buyers)
    needs = np.array([shoppers.needs_met(table, catalog) for table in served])
    principals = [welfare.principal_of(table)[0] for table in tables]
    principals.append(welfare.principal_coefficients(config.buyers.principal))
    listed = np.array(
        [
            welfare.listed_utilities(
                catalog, features, row, met * (catalog.price_minor <= shoppers.need_price_minor(table))
            )
            for row, met, table in zip(principals, needs, served, strict=True)
        ]
    )
    entries, scores, shelf_rows = _enter_shelves(config, catalog, shelves)
    classes = [shoppers.class_rows(table) for table in tables]
    populations, floats, visited = _enter_populations(config, layout, seed, replicate, duration_ns)
    shop = Shop(
        header=np.zeros(memory.N_HEADER, np.int64),
        law=regimes.law_of(config.randomise, config.ranking),
        levels=regimes.level_table(config.randomise),
        products=_enter_products(config, layout),
        product_floats=features,
        shelves=shelf_rows,
        entries=entries,
        scores=scores,
        populations=populations,
        population_floats=floats,
        profiles=np.array([*(shoppers.daily_profile(table) for table in tables), np.ones(memory.HOURS)]),
        visited=visited,
        keys=_stream_keys([table.name for table in tables], seed, replicate),
        classes=np.concatenate([*(one[0] for one in classes), np.zeros((1, memory.CLASS_WORDS))]),
        tastes=np.concatenate([*(one[1] for one in classes), np.zeros((1, memory.N_FEATURES))]),
        deviations=np.concatenate([*(one[2] for one in classes), np.zeros((1, memory.N_FEATURES))]),
        places=np.array(
            [
                *(shoppers.place_utilities(choice, config.page) for table in tables for choice in table.choices),
                np.zeros(slots),
            ]
        ),
        looks=np.array([*(shoppers.look_probabilities(table.attention, slots) for table in tables), np.ones(slots)]),
        nests=np.array([*(shoppers.nest_codes(table, catalog) for table in tables), np.zeros(n_products, np.int64)]),
        needs=needs,
        principals=np.array(principals),
        listed=listed,
        listed_order=np.array([welfare.best_first(shelves, row) for row in listed]),
        counters=np.zeros(rng.N_COUNTERS, np.uint64),
        sales=np.zeros(n_products),
        sold_at=np.zeros(n_products, np.int64),
        spent=np.zeros(max(1, sum(table.count for table in tables if table.wallet is not None)), np.int64),
        marks=np.zeros(n_products, np.int64),
        chosen=np.zeros(slots, np.int64),
        best=np.zeros(slots),
        worth=np.zeros(memory.N_WORTH),
        draws=np.zeros((slots + 3, 4)),
        order=np.zeros(slots, np.int64),
        beta=np.zeros(memory.N_FEATURES),
        offers=np.zeros((slots, memory.OFFER_WORDS), np.int64),
        offer_floats=np.zeros((slots, memory.OFFER_FLOATS)),
        features=np.zeros((slots, memory.N_FEATURES)),
        sobol=_sobol(config),
        impressions=np.zeros((memory.N_IMPRESSION_COLUMNS, max(log_rows, slots)), np.int64),
        impression_floats=np.zeros((memory.N_IMPRESSION_FLOATS, max(log_rows, slots))),
        choices=np.zeros((memory.N_CHOICE_COLUMNS, max(log_rows // slots, 1)), np.int64),
        choice_floats=np.zeros((memory.N_CHOICE_FLOATS, max(log_rows // slots, 1))),
    )
    _fill_header(shop, config, n_populations, start_ns)
    return shop


def address_table(shop: Shop) -> Any:
    """Return what the kernel takes for the shop: addresses and shapes, int64[arrays, 3]; without JIT the shop."""
    if JIT_DISABLED:
        return shop
    return np.array([(array.ctypes.data, array.shape[0], array.shape[-1]) for array in shop], np.int64)


def _stream_keys(names: Sequence[str], seed: int, replicate: int) -> NDArray[np.uint64]:
    keys = [
        rng.stream_key(seed, replicate, "storefront", name, purpose)
        for name in (*names, BUYERS)
        for purpose in memory.PURPOSES
    ]
    return np.array(keys, np.uint64)


def _sobol(config: StorefrontConfig) -> IntArray:
    if config.randomise.regime != "sobol":
        return np.zeros((1, memory.SOBOL_LOG), np.int64)
    return regimes.sobol_directions(4 * (config.page.slots + 3))


def _enter_products(config: StorefrontConfig, layout: Layout) -> IntArray:
    catalog, tags = layout.catalog, config.tags
    number = {name: product for product, name in enumerate(catalog.product_id)}
    category = {name: place for place, name in enumerate(layout.categories)}
    rows = np.zeros((len(catalog), memory.PRODUCT_WORDS), np.int64)
    rows[:, memory.P_PRICE] = catalog.price_minor
    rows[:, memory.P_RATING] = catalog.rating_tenths
    rows[:, memory.P_REVIEWS] = catalog.reviews
    rows[:, memory.P_CATEGORY] = [category.get(name, -1) for name in catalog.category]
    marked = (
        (memory.P_PICK, tags.overall_pick),
        (memory.P_BEST_SELLER, tags.best_seller),
        (memory.P_LIMITED, tags.limited_time),
    )
    for word, products in marked:
        rows[[number[name] for name in products], word] = 1
    for name, price in tags.was_price.items():
        rows[number[name], memory.P_WAS] = to_minor(price, regimes.CURRENCY_DECIMALS)
    for name, left in tags.left.items():
        rows[number[name], memory.P_LEFT] = left
    return rows


def _enter_shelves(
    config: StorefrontConfig, catalog: Catalog, shelves: Sequence[Shelf]
) -> tuple[IntArray, NDArray[np.float64], IntArray]:
    """Return entries, their scores, and the rows of shelves. Those that paid for a slot stand first on a shelf."""
    rows, entries, scores = np.zeros((len(shelves), memory.SHELF_WORDS), np.int64), [], []
    has_sold = config.randomise.regime in ("fixed", "permutation")
    first = 0
    for number, shelf in enumerate(shelves):
        shown = min(config.page.slots, len(shelf.products))
        sold = placements(catalog, shelf, config.sponsored) if has_sold else {}
        slot = np.array([sold.get(product, -1) for product in shelf.products.tolist()], np.int64)
        slot[slot >= shown] = -1
        order = np.argsort(slot < 0, kind="stable")
        entries.append(np.column_stack([shelf.products, slot])[order])
        scores.append(shelf.scores[order])
        rows[number, :5] = first, len(order), shelf.category, shelf.query, shelf.entity
        first += len(order)
    return np.concatenate(entries).astype(np.int64), np.concatenate(scores), rows


def _enter_populations(
    config: StorefrontConfig, layout: Layout, seed: int, replicate: int, duration_ns: int
) -> tuple[IntArray, NDArray[np.float64], IntArray]:
    rows, floats, visited = [], [], []
    first_shopper = shoppers.numbers_of_shoppers(config.shoppers)
    place, wallet, first_class = 0, 0, 0
    for number, table in enumerate(config.shoppers):
        shelves = _shelves_of(layout, table.categories, table.queries)
        total = config.randomise.trials * len(shelves)
        if table.arrivals == "trials" and total > duration_ns:
            expected = f"at least {total} ns, one for each trial"
            raise ScenarioError([Fault("", 0, "duration", f"{duration_ns} ns", expected)])
        key = rng.stream_key(seed, replicate, "storefront", table.name, "start")
        first_gap = rng.uniforms(rng.counters(key, 0, 0), 0)[0]
        words, numbers = shoppers.population_row(table, config.randomise.trials, len(shelves), duration_ns, first_gap)
        words[memory.W_SEQUENCE] = number
        words[memory.W_FIRST_SHOPPER] = first_shopper[number]
        words[memory.W_FIRST_CLASS] = first_class
        words[memory.W_FIRST_SHELF] = place
        words[memory.W_FIRST_WALLET] = -1 if table.wallet is None else wallet
        numbers[memory.WF_PRINCIPAL_OUTSIDE] = welfare.principal_of(table)[1]
        wallet += 0 if table.wallet is None else table.count
        first_class += len(table.choices)
        place += len(shelves)
        rows.append(words)
        floats.append(numbers)
        visited += shelves
    guests, numbers = np.zeros(memory.POPULATION_WORDS, np.int64), np.zeros(memory.POPULATION_FLOATS)
    outside = config.buyers.principal.outside
    guests[[memory.W_NEXT, memory.W_SEQUENCE]] = NEVER
    guests[memory.W_MODE], guests[memory.W_FIRST_CLASS], guests[memory.W_FIRST_WALLET] = memory.GUESTS, first_class, -1
    guests[memory.W_HAS_OUTSIDE] = outside is not None
    guests[memory.W_NEED_PRICE] = shoppers.need_price_minor(config.buyers)
    numbers[memory.WF_PRINCIPAL_OUTSIDE] = shoppers.DEFAULT_OUTSIDE if outside is None else outside
    return np.array([*rows, guests]), np.array([*floats, numbers]), np.array(visited or [0], np.int64)


def _shelves_of(layout: Layout, categories: Sequence[str], queries: Sequence[str]) -> list[int]:
    if queries:
        return [len(layout.categories) + layout.queries.index(query) for query in queries]
    return [layout.categories.index(name) for name in categories or layout.categories]


def _fill_header(shop: Shop, config: StorefrontConfig, n_populations: int, start_ns: int) -> None:
    header, page = shop.header, config.page
    header[memory.H_NEXT] = shop.populations[:, memory.W_NEXT].min()
    header[memory.H_SEQUENCE] = MAX_SHOPPERS
    header[memory.H_REGIME] = memory.REGIMES.index(config.randomise.regime)
    header[memory.H_SLOTS] = page.slots
    header[memory.H_SLOTS_PER_PAGE] = page.rows * page.columns
    header[memory.H_COLUMNS] = page.columns
    header[memory.H_IS_DYNAMIC] = is_dynamic(config.ranking)
    header[memory.H_POPULATIONS] = n_populations
    header[memory.H_START] = start_ns
