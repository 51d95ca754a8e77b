"""How a shop lies in memory, and how compiled code reaches it.

Compiled code makes views of the arrays from a table of addresses and shapes: views without an owner cost no reference
counts. Each stage makes only those of its kind, since what a function holds of them is what it takes to compile.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import carray

from marketsim.core.jit import JIT_DISABLED, inlined, pointer, spliced

# ---- header -----------------------------------------------------------------------------------------------------
(
    H_NOW,  # time of the last event
    H_NEXT,  # time of the next event of a population: what peek reads
    H_SEQUENCE,  # of the next event that is planned
    H_CHOICE_SETS,  # pages shown so far
    H_EVENTS,  # events carried out so far
    H_IMPRESSIONS,  # rows of the log of impressions
    H_CHOICES,  # rows of the log of choices
    H_RECORD_IMPRESSIONS,
    H_RECORD_CHOICES,
    H_HEARS,  # whether Python hears of each sale
    H_REGIME,
    H_SLOTS,  # offers shown at a visit
    H_SLOTS_PER_PAGE,
    H_COLUMNS,
    H_IS_DYNAMIC,  # whether the ranking changes from visit to visit
    H_POPULATIONS,
    H_START,  # time of day at which the run begins, ns
    H_SHOPPER,  # of the page that lies in ``offers``
    H_SHELF,
    H_CHOICE_SET,
    H_SHOWN,  # its offers
    H_CHOSEN,  # slot, -1: left
    H_NEED_SHOWN,  # whether an offer meets all needs
) = range(23)
N_HEADER = 24
STATE_WORDS = (H_NOW, H_NEXT, H_SEQUENCE, H_CHOICE_SETS, H_EVENTS)

# ---- regimes ----------------------------------------------------------------------------------------------------
FIXED, PERMUTATION, ACES, FACTORIAL, SOBOL, IDENTICAL = range(6)
REGIMES = ("fixed", "permutation", "aces", "factorial", "sobol", "identical")

# ---- law: numbers of a regime -----------------------------------------------------------------------------------
(
    L_PRICE_DEVIATION,
    L_RATING_WIDTH,
    L_REVIEW_DEVIATION,
    L_SPONSORED_CHANCE,
    L_SPONSORED_MOST,
    L_PICK_CHANCE,
    L_SCARCITY_CHANCE,
    L_PRICE_LEVELS,  # numbers of levels
    L_RATING_LEVELS,
    L_REVIEW_LEVELS,
    L_TAG_SPONSORED,  # whether the factorial has the tag
    L_TAG_PICK,
    L_TAG_SCARCITY,
    L_PRICE_CUT,
    L_PRICE_CUT_MINOR,
    L_RATING_GAIN_TENTHS,
    L_RATING_DEVIATION,
    L_VELOCITY_WEIGHT,
    L_EXPLORATION_WEIGHT,
    L_VELOCITY_DECAY,  # per ns
) = range(20)
N_LAW = 24
LEVEL_ROWS = 3  # price, rating, reviews
MAX_LEVELS = 16

# ---- products ---------------------------------------------------------------------------------------------------
P_PRICE, P_WAS, P_RATING, P_REVIEWS, P_CATEGORY, P_PICK, P_BEST_SELLER, P_LIMITED, P_LEFT = range(9)
PRODUCT_WORDS = 10
PF_LN_PRICE, PF_LN_REVIEWS, PF_QUALITY = range(3)
PRODUCT_FLOATS = 3

# ---- shelves: the products that a category or a query brings up -------------------------------------------------
S_FIRST, S_COUNT, S_CATEGORY, S_QUERY, S_ENTITY = range(5)
SHELF_WORDS = 6
E_PRODUCT, E_PAID = range(2)  # E_PAID: the slot that is sold to it, or -1
ENTRY_WORDS = 2

# ---- populations ------------------------------------------------------------------------------------------------
(
    W_NEXT,  # time of the next arrival
    W_SEQUENCE,
    W_ARRIVALS,  # arrivals so far, those that did not come in among them
    W_MODE,
    W_COUNT,
    W_FIRST_SHOPPER,
    W_FIRST_CLASS,
    W_CLASSES,
    W_HAS_TASTES,  # whether coefficients vary over shoppers
    W_ATTENTION,
    W_CONSIDER,  # size of the consideration set; 0: no limit
    W_CONSIDER_BY,
    W_BUDGET,
    W_WALLET,
    W_FIRST_WALLET,  # place in ``spent``; -1: none
    W_FIRST_SHELF,  # place in ``visited``
    W_SHELVES,
    W_TRIALS,  # per shelf
    W_STEP,  # time between two trials
    W_HAS_NESTS,
    W_HAS_OUTSIDE,
    W_NEED_PRICE,  # most that the person served wants to pay
) = range(22)
POPULATION_WORDS = 24
TRIALS, POISSON, GUESTS = range(3)
FULL, POSITION, CASCADE = range(3)
BY_SLOT, BY_PRICE, BY_RATING, BY_REVIEWS = range(4)
WF_RATE, WF_PERSISTENCE, WF_DISSIMILARITY, WF_PRINCIPAL_OUTSIDE = range(4)
POPULATION_FLOATS = 4
HOURS = 24

# ---- streams of draws, per population ---------------------------------------------------------------------------
KEY_PAGE, KEY_CHOICE, KEY_ARRIVAL, KEY_TASTE = range(4)
PURPOSES = ("page", "choice", "arrival", "taste")

# ---- features of an offer: what coefficients multiply -----------------------------------------------------------
(
    X_LN_PRICE,
    X_PRICE,
    X_LN_REVIEWS,
    X_RATING,
    X_QUALITY,
    X_NEED,
    X_SPONSORED,
    X_PICK,
    X_BEST_SELLER,
    X_LIMITED,
    X_DISCOUNTED,
    X_SCARCITY,
) = range(12)
N_FEATURES = 12
N_INTRINSIC = 6
"""Features that the principal cares about: the first ones."""
FEATURES = (
    "ln_price",
    "price",
    "ln_reviews",
    "rating",
    "quality",
    "need",
    "sponsored",
    "overall_pick",
    "best_seller",
    "limited_time",
    "discounted",
    "scarcity",
)
C_SHARE, C_OUTSIDE = range(2)  # of a class: its share and those before, utility of leaving
CLASS_WORDS = 2

# ---- offers: the page at hand -----------------------------------------------------------------------------------
(
    O_PRODUCT,
    O_PRICE,
    O_WAS,
    O_RATING,
    O_REVIEWS,
    O_SPONSORED,
    O_PICK,
    O_BEST_SELLER,
    O_LIMITED,
    O_LEFT,
    O_EXAMINED,
    O_CONSIDERED,
) = range(12)
OFFER_WORDS = 12
(OF_PLACE, OF_SPONSORED, OF_PICK, OF_SCARCITY, OF_CELL, OF_WEIGHT, OF_WELFARE) = range(7)
OFFER_FLOATS = 8
"""The first five are propensities: of the place, of the tags, of the cell of a factorial."""

# ---- worth: of a page to the person served ----------------------------------------------------------------------
BEST_SHOWN, BEST_LISTED, MEAN_SHOWN = range(3)
N_WORTH = 3

# ---- outcomes ---------------------------------------------------------------------------------------------------
LEFT, BOUGHT, INVALID, OPEN = range(4)
OUTCOMES = {LEFT: "left", BOUGHT: "bought", INVALID: "invalid", OPEN: "open"}

# ---- logs -------------------------------------------------------------------------------------------------------
N_IMPRESSION_COLUMNS = 21
N_IMPRESSION_FLOATS = 4
N_CHOICE_COLUMNS = 12
N_CHOICE_FLOATS = 4
SOBOL_BITS = 30
SOBOL_LOG = 16
"""Points of a Sobol sequence before it begins again with another digital shift: 2 to this power."""


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
