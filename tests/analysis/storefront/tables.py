"""Hand-made tables of a shop: four pages of two offers in two categories."""

import pyarrow as pa

from marketsim.analysis.storefront import ShopFacts

FACTS = ShopFacts(
    currency="USD",
    rows=1,
    columns=2,
    pages=1,
    regime="permutation",
    categories=("Lamps", "Pens"),
    shoppers=("some",),
    has_needs=True,
)

_SHOWN = [  # choice set, category, slot, product, price, sponsored, examined, chosen
    (0, 0, 0, 0, 1000, 1, 1, 1),
    (0, 0, 1, 1, 2000, 0, 1, 0),
    (1, 0, 0, 1, 2200, 0, 1, 1),
    (1, 0, 1, 0, 1000, 0, 0, 0),
    (2, 1, 0, 2, 300, 1, 1, 0),
    (2, 1, 1, 3, 400, 0, 1, 0),
    (3, 1, 0, 3, 400, 0, 1, 0),
    (3, 1, 1, 2, 300, 0, 1, 0),
]
_CHOSEN = [  # choice set, category, outcome, price, need met, need shown, welfare, best shown, best listed, mean
    (0, 0, 1, 1000, 1, 1, 4.0, 4.0, 5.0, 3.0),
    (1, 0, 1, 2200, 0, 1, 2.0, 4.0, 4.0, 3.0),
    (2, 1, 0, 0, 0, 0, 0.0, 1.0, 1.0, 0.5),
    (3, 1, 2, 0, 0, 0, 0.0, 9.0, 9.0, 9.0),
]


def impressions():
    rows = []
    for choice_set, category, slot, product, price, sponsored, examined, chosen in _SHOWN:
        row = {"choice_set": choice_set, "time_ns": choice_set, "shopper": 1, "category": category, "page": 1}
        row |= {"slot": slot, "row": 1, "column": slot + 1, "product": product, "price_minor": price}
        row |= {"was_price_minor": 2500 if product == 1 else 0, "rating_tenths": 40 + product, "reviews": 10}
        row |= {
            "sponsored": sponsored,
            "overall_pick": 0,
            "best_seller": 0,
            "limited_time": 0,
            "scarcity": 0,
            "left": 0,
        }
        row |= {"examined": examined, "chosen": chosen, "propensity_sponsored": 0.5}
        rows.append(row | {"propensity_overall_pick": 1.0, "propensity_scarcity": 1.0})
    return pa.Table.from_pylist(rows)


def choices():
    names = ("choice_set", "category", "outcome", "price_minor", "need_met", "need_shown", "welfare")
    names += ("welfare_best_shown", "welfare_best_listed", "welfare_mean_shown")
    rows = [dict(zip(names, row, strict=True)) for row in _CHOSEN]
    return pa.Table.from_pylist([row | {"time_ns": 10 * row["choice_set"]} for row in rows])


def listings():
    names, price = ("lamp-a", "lamp-b", "pen-a", "pen-b"), (1000, 2000, 300, 400)
    rows = [
        {"product": n, "product_id": names[n], "category": n // 2, "title": names[n], "price_minor": price[n]}
        for n in range(4)
    ]
    return pa.Table.from_pylist(rows)


def agents():
    return pa.Table.from_pylist([{"name": "some", "kind": "rule", "provenance": "rule", "count": 7}])


def all_tables():
    made = {"impressions": impressions(), "choices": choices(), "listings": listings(), "agents": agents()}
    return {f"storefront/{name}": table for name, table in made.items()}
