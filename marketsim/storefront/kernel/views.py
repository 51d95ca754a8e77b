"""The arrays of a shop, and how compiled code reaches them.

Compiled code makes views of the arrays from a table of addresses and shapes: views without an owner cost no reference
counts. Each stage makes only those of its kind, since what a function holds of them is what it takes to compile.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import carray

from marketsim.core.jit import JIT_DISABLED, inlined, pointer, spliced


class Shop(NamedTuple):
    """The arrays of one shop: NumPy arrays in Python, views without an owner in the kernel."""

    header: Any  # int64[N_HEADER]
    law: Any  # float64[N_LAW]
    levels: Any  # float64[LEVEL_ROWS, MAX_LEVELS]
    products: Any  # int64[products, PRODUCT_WORDS]
    product_floats: Any  # float64[products, PRODUCT_FLOATS]
    shelves: Any  # int64[shelves, SHELF_WORDS]
    entries: Any  # int64[entries, ENTRY_WORDS], of all shelves: those that paid first
    scores: Any  # float64[entries], the part of the score that does not change
    populations: Any  # int64[populations, POPULATION_WORDS]; the last one are Python's buyers
    population_floats: Any  # float64[populations, POPULATION_FLOATS]
    profiles: Any  # float64[populations, HOURS], share of the greatest
    visited: Any  # int64[places], shelves of the populations
    keys: Any  # uint64[populations * purposes, 2]
    classes: Any  # float64[classes, CLASS_WORDS]
    tastes: Any  # float64[classes, N_FEATURES], means
    deviations: Any  # float64[classes, N_FEATURES]
    places: Any  # float64[classes, slots], utility of a slot
    looks: Any  # float64[populations, slots], probability to look there
    nests: Any  # int64[populations, products]
    needs: Any  # int64[populations, products]
    principals: Any  # float64[populations, N_INTRINSIC]
    listed: Any  # float64[populations, products], utility as listed to the principal
    listed_order: Any  # int64[populations, entries], each shelf's products by it, best first
    counters: Any  # uint64[4]
    sales: Any  # float64[products], velocity when it was last brought up to date
    sold_at: Any  # int64[products]
    spent: Any  # int64[shoppers with a wallet]
    marks: Any  # int64[products], number of the page that showed it last, plus one
    chosen: Any  # int64[slots], products that are shown, before they are shuffled
    best: Any  # float64[slots], their scores
    worth: Any  # float64[N_WORTH], of the page at hand to the person served
    draws: Any  # float64[slots + 3, 4]: of each product, then of the tags
    order: Any  # int64[slots], slot of each of them
    beta: Any  # float64[N_FEATURES], coefficients of the shopper at hand
    offers: Any  # int64[slots, OFFER_WORDS]
    offer_floats: Any  # float64[slots, OFFER_FLOATS]
    features: Any  # float64[slots, N_FEATURES]
    sobol: Any  # int64[4 * (slots + 3), SOBOL_LOG], direction numbers
    impressions: Any  # int64[N_IMPRESSION_COLUMNS, rows]
    impression_floats: Any  # float64[N_IMPRESSION_FLOATS, rows]
    choices: Any  # int64[N_CHOICE_COLUMNS, rows]
    choice_floats: Any  # float64[N_CHOICE_FLOATS, rows]


# ---- rows of the table of addresses: the fields of ``Shop``, in their order ---------------------------------------
(
    A_HEADER,
    A_LAW,
    A_LEVELS,
    A_PRODUCTS,
    A_PRODUCT_FLOATS,
    A_SHELVES,
    A_ENTRIES,
    A_SCORES,
    A_POPULATIONS,
    A_POPULATION_FLOATS,
    A_PROFILES,
    A_VISITED,
    A_KEYS,
    A_CLASSES,
    A_TASTES,
    A_DEVIATIONS,
    A_PLACES,
    A_LOOKS,
    A_NESTS,
    A_NEEDS,
    A_PRINCIPALS,
    A_LISTED,
    A_LISTED_ORDER,
    A_COUNTERS,
    A_SALES,
    A_SOLD_AT,
    A_SPENT,
    A_MARKS,
    A_CHOSEN,
    A_BEST,
    A_WORTH,
    A_DRAWS,
    A_ORDER,
    A_BETA,
    A_OFFERS,
    A_OFFER_FLOATS,
    A_FEATURES,
    A_SOBOL,
    A_IMPRESSIONS,
    A_IMPRESSION_FLOATS,
    A_CHOICES,
    A_CHOICE_FLOATS,
) = range(42)


@spliced
def ints(table, row):
    """A flat view of int64."""
    return carray(pointer(table[row, 0]), table[row, 1], np.int64)


@spliced
def int_rows(table, row):
    """A view of int64[., .]."""
    return carray(pointer(table[row, 0]), (table[row, 1], table[row, 2]), np.int64)


@spliced
def floats(table, row):
    """A flat view of float64."""
    return carray(pointer(table[row, 0]), table[row, 1], np.float64)


@spliced
def float_rows(table, row):
    """A view of float64[., .]."""
    return carray(pointer(table[row, 0]), (table[row, 1], table[row, 2]), np.float64)


class PageViews(NamedTuple):
    """What decides what a page shows."""

    header: Any
    law: Any
    levels: Any
    products: Any
    shelves: Any
    entries: Any
    scores: Any
    keys: Any
    counters: Any
    sales: Any
    sold_at: Any
    chosen: Any
    best: Any
    draws: Any
    order: Any
    offers: Any
    offer_floats: Any
    sobol: Any


@inlined
def page_views(table):
    """Views for ``PageViews``; without JIT the shop itself, which has them all."""
    return PageViews(
        ints(table, A_HEADER),
        floats(table, A_LAW),
        float_rows(table, A_LEVELS),
        int_rows(table, A_PRODUCTS),
        int_rows(table, A_SHELVES),
        int_rows(table, A_ENTRIES),
        floats(table, A_SCORES),
        carray(pointer(table[A_KEYS, 0]), (table[A_KEYS, 1], 2), np.uint64),
        carray(pointer(table[A_COUNTERS, 0]), 4, np.uint64),
        floats(table, A_SALES),
        ints(table, A_SOLD_AT),
        ints(table, A_CHOSEN),
        floats(table, A_BEST),
        float_rows(table, A_DRAWS),
        ints(table, A_ORDER),
        int_rows(table, A_OFFERS),
        float_rows(table, A_OFFER_FLOATS),
        int_rows(table, A_SOBOL),
    )


class ChoiceViews(NamedTuple):
    """What decides what a shopper does with a page."""

    header: Any
    products: Any
    product_floats: Any
    shelves: Any
    populations: Any
    population_floats: Any
    keys: Any
    counters: Any
    classes: Any
    tastes: Any
    deviations: Any
    places: Any
    looks: Any
    nests: Any
    needs: Any
    principals: Any
    listed: Any
    listed_order: Any
    spent: Any
    marks: Any
    best: Any
    worth: Any
    beta: Any
    offers: Any
    offer_floats: Any
    features: Any


@inlined
def choice_views(table):
    """Views for ``ChoiceViews``; without JIT the shop itself, which has them all."""
    return ChoiceViews(
        ints(table, A_HEADER),
        int_rows(table, A_PRODUCTS),
        float_rows(table, A_PRODUCT_FLOATS),
        int_rows(table, A_SHELVES),
        int_rows(table, A_POPULATIONS),
        float_rows(table, A_POPULATION_FLOATS),
        carray(pointer(table[A_KEYS, 0]), (table[A_KEYS, 1], 2), np.uint64),
        carray(pointer(table[A_COUNTERS, 0]), 4, np.uint64),
        float_rows(table, A_CLASSES),
        float_rows(table, A_TASTES),
        float_rows(table, A_DEVIATIONS),
        float_rows(table, A_PLACES),
        float_rows(table, A_LOOKS),
        int_rows(table, A_NESTS),
        int_rows(table, A_NEEDS),
        float_rows(table, A_PRINCIPALS),
        float_rows(table, A_LISTED),
        int_rows(table, A_LISTED_ORDER),
        ints(table, A_SPENT),
        ints(table, A_MARKS),
        floats(table, A_BEST),
        floats(table, A_WORTH),
        floats(table, A_BETA),
        int_rows(table, A_OFFERS),
        float_rows(table, A_OFFER_FLOATS),
        float_rows(table, A_FEATURES),
    )


class VisitViews(NamedTuple):
    """What decides who comes, and what is written down."""

    header: Any
    law: Any
    shelves: Any
    populations: Any
    population_floats: Any
    profiles: Any
    visited: Any
    keys: Any
    counters: Any
    sales: Any
    sold_at: Any
    spent: Any
    worth: Any
    offers: Any
    offer_floats: Any
    features: Any
    impressions: Any
    impression_floats: Any
    choices: Any
    choice_floats: Any


@inlined
def visit_views(table):
    """Views for ``VisitViews``; without JIT the shop itself, which has them all."""
    return VisitViews(
        ints(table, A_HEADER),
        floats(table, A_LAW),
        int_rows(table, A_SHELVES),
        int_rows(table, A_POPULATIONS),
        float_rows(table, A_POPULATION_FLOATS),
        float_rows(table, A_PROFILES),
        ints(table, A_VISITED),
        carray(pointer(table[A_KEYS, 0]), (table[A_KEYS, 1], 2), np.uint64),
        carray(pointer(table[A_COUNTERS, 0]), 4, np.uint64),
        floats(table, A_SALES),
        ints(table, A_SOLD_AT),
        ints(table, A_SPENT),
        floats(table, A_WORTH),
        int_rows(table, A_OFFERS),
        float_rows(table, A_OFFER_FLOATS),
        float_rows(table, A_FEATURES),
        int_rows(table, A_IMPRESSIONS),
        float_rows(table, A_IMPRESSION_FLOATS),
        int_rows(table, A_CHOICES),
        float_rows(table, A_CHOICE_FLOATS),
    )


if JIT_DISABLED:

    def page_views(table):
        """The shop itself: without JIT it holds its arrays."""
        return table

    choice_views = visit_views = page_views
