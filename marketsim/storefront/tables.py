"""The tables that a shop writes."""

from __future__ import annotations

from typing import Final

from marketsim.core.tables import Column, Table

OUTCOMES: Final = {0: "left", 1: "bought", 2: "invalid", 3: "open"}

_CHOICE_SET = Column("choice_set", "int64", "", "number of the page that was shown, from 0")
_SHOPPER = Column("shopper", "int64", "", "number of the shopper, or account of the buyer, from 1")
_CATEGORY = Column(
    "category", "int32", "", "number of the category, from 0, in the manifest's order; -1: a search of all"
)
_FLAG = "1 where the offer was tagged so"

IMPRESSIONS: Final = Table(
    "storefront/impressions",
    "What was shown: one row per offer of each page, written once the shopper has chosen.",
    (
        _CHOICE_SET,
        Column("time_ns", "int64", "ns", "simulated time at which it was shown"),
        _SHOPPER,
        _CATEGORY,
        Column("page", "int16", "", "page of the results, from 1"),
        Column("slot", "int16", "", "place of the offer, from 0, running on from page to page"),
        Column("row", "int8", "", "row on its page, from 1"),
        Column("column", "int8", "", "column on its page, from 1"),
        Column("product", "int32", "", "number of the product, from 0: its row in storefront/listings"),
        Column("price_minor", "int64", "minor units", "price as shown"),
        Column("was_price_minor", "int64", "minor units", "price before the sale as shown; 0: none"),
        Column("rating_tenths", "int16", "tenths of a star", "rating as shown"),
        Column("reviews", "int64", "", "number of reviews as shown"),
        Column("sponsored", "int8", "", _FLAG),
        Column("overall_pick", "int8", "", _FLAG),
        Column("best_seller", "int8", "", _FLAG),
        Column("limited_time", "int8", "", _FLAG),
        Column("scarcity", "int8", "", '1 where "only N left" was said'),
        Column("left", "int16", "", "the N of it; 0 where nothing was said"),
        Column(
            "examined", "int8", "", "1 where the shopper looked at it; pages of buyers in Python count as looked at"
        ),
        Column("chosen", "int8", "", "1 where it was bought"),
        Column(
            "propensity",
            "float64",
            "",
            "probability, under the regime, that this product got this slot, these drawn tags and, in a factorial, "
            "this cell; prices, ratings and reviews that are drawn from a density do not count",
        ),
        Column("propensity_sponsored", "float64", "", "probability of the offer's sponsored tag, or of having none"),
        Column(
            "propensity_overall_pick",
            "float64",
            "",
            "the same of the overall pick, given the sponsored tags; 1: no choice",
        ),
        Column(
            "propensity_scarcity", "float64", "", "the same of the scarcity tag, given both tags before; 1: no choice"
        ),
    ),
)

CHOICES: Final = Table(
    "storefront/choices",
    "What became of each page. Utilities are those of the person served, as the regime showed the offers.",
    (
        _CHOICE_SET,
        Column("time_ns", "int64", "ns", "simulated time of the choice"),
        _SHOPPER,
        Column("population", "int16", "", "number of the table of shoppers, from 0; buyers in Python follow the last"),
        _CATEGORY,
        Column("query", "int32", "", "number of the search, from 0, in the manifest's order; -1: a category"),
        Column("outcome", "int8", "", "what the shopper did; open: no answer by the end", labels=OUTCOMES),
        Column("slot", "int16", "", "slot bought, from 0; -1: none"),
        Column("product", "int32", "", "product bought; -1: none"),
        Column("price_minor", "int64", "minor units", "price paid; 0: none"),
        Column("need_met", "int8", "", "1 where the offer bought met all needs: attributes, and the price"),
        Column("need_shown", "int8", "", "1 where an offer of the page met all needs"),
        Column("welfare", "float64", "", "utility of what was chosen"),
        Column(
            "welfare_best_shown",
            "float64",
            "",
            "utility of the best that was shown, or of leaving where that is better",
        ),
        Column("welfare_best_listed", "float64", "", "the same over all products on the shelf, unseen ones as listed"),
        Column("welfare_mean_shown", "float64", "", "mean utility of the offers shown: of one drawn at random"),
    ),
)

LISTINGS: Final = Table(
    "storefront/listings",
    "The catalogue at the start, one row per product.",
    (
        Column("product", "int32", "", "number of the product, from 0"),
        Column("product_id", "string", "", "its id in the catalogue"),
        _CATEGORY,
        Column("title", "string", "", "title"),
        Column("price_minor", "int64", "minor units", "listed price"),
        Column("cost_minor", "int64", "minor units", "unit cost"),
        Column("rating_tenths", "int16", "tenths of a star", "listed rating"),
        Column("reviews", "int64", "", "listed number of reviews"),
        Column("quality", "float64", "", "utility of experience"),
    ),
)

AGENTS: Final = Table(
    "storefront/agents",
    "Who shops: one row per table of shoppers, then one per buyer in Python.",
    (
        Column("first_shopper", "int64", "", "number of the first of them"),
        Column("count", "int64", "", "how many there are, numbered on from the first"),
        Column("name", "string", "", "name of the scenario table"),
        Column("kind", "string", "", "rule for shoppers in the kernel, else the kind of the scenario table"),
        Column(
            "provenance", "string", "", "where decisions come from: rule, respondent, recorded or live", digest=False
        ),
    ),
)

TABLES: Final = {table.name: table for table in (IMPRESSIONS, CHOICES, LISTINGS, AGENTS)}
"""Every table of the shop by name."""
