"""Shops drawn by Hypothesis: every regime, policy, model of attention and of choice, in small."""

from hypothesis import strategies as st

from tests.storefront.shops import HOUR, catalogue

numbers = st.sampled_from([-2.0, -0.5, 0.0, 0.0, 0.7, 1.5])
small = st.sampled_from([-0.02, 0.0, 0.0, 0.01])
places = st.lists(numbers, max_size=5)


def some_of(names, values):
    """A table with some of the keys."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))


def coefficients(names):
    return st.builds(
        lambda one, price: {**one, **price},
        some_of([name for name in names if name != "price"], numbers),
        some_of(["price"], small),
    )


INTRINSIC = ("ln_price", "price", "ln_reviews", "rating", "quality", "need")
SHOWN = ("sponsored", "overall_pick", "best_seller", "limited_time", "discounted", "scarcity")


@st.composite
def choices(draw, outside):
    found = draw(coefficients((*INTRINSIC, *SHOWN)))
    for name in ("row", "column", "slot"):
        if draw(st.booleans()):
            found[name] = draw(places)
    return found if outside is None else {**found, "outside": outside}


@st.composite
def shoppers(draw, name):
    table = {"name": name, "count": draw(st.sampled_from([1, 1, 3, 40]))}
    attention = draw(st.sampled_from(["full", "full", "position", "decay", "cascade"]))
    outside = draw(st.sampled_from([-1.0, 0.0, 3.0] if attention == "cascade" else [None, -1.0, 3.0]))
    if draw(st.integers(0, 3)) == 0:
        deviations = some_of(("ln_price", "rating", "quality", "sponsored"), st.sampled_from([0.3, 1.0]))
        table["classes"] = [
            {"share": share, "choice": draw(choices(outside)), "deviations": draw(deviations)} for share in (0.3, 0.7)
        ]
    else:
        table["choice"] = draw(choices(outside))
        if draw(st.booleans()):
            table["deviations"] = draw(some_of(("ln_price", "rating", "need"), st.sampled_from([0.3, 1.0])))
    if attention == "position":
        table["attention"] = {"model": "position", "probabilities": [1.0, 0.6, 0.3]}
    elif attention == "decay":
        table["attention"] = {"model": "position", "decay": 0.7}
    elif attention == "cascade":
        table["attention"] = {"model": "cascade", "persistence": draw(st.sampled_from([0.3, 0.9, 1.0]))}
    elif draw(st.booleans()):
        table["nests"] = {"by": "brand", "dissimilarity": draw(st.sampled_from([0.3, 0.8, 1.0]))}
    if draw(st.booleans()):
        by = draw(st.sampled_from(["slot", "price", "rating", "reviews"]))
        table["consideration"] = {"size": draw(st.integers(1, 5)), "by": by}
    for key, values in (("budget", ["30.00", "60.00"]), ("wallet", ["90.00"]), ("need_price", ["50.00"])):
        if draw(st.integers(0, 3)) == 0:
            table[key] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        table["needs"] = {"colour": "red"}
    if draw(st.booleans()):
        table["principal"] = draw(coefficients(INTRINSIC))
    if draw(st.booleans()):
        profile = draw(st.sampled_from([(), tuple(float(hour % 3) for hour in range(24))]))
        table["arrivals"] = {"rate": draw(st.sampled_from([4.0, 20.0])), "profile": profile}
    return table


@st.composite
def regimes(draw):
    regime = draw(st.sampled_from(["fixed", "permutation", "aces", "aces", "factorial", "identical"]))
    table = {"regime": regime, "trials": draw(st.integers(1, 4))}
    if regime == "aces":
        table |= draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "price_deviation": st.sampled_from([0.0, 0.5]),
                    "a": st.sampled_from([0.0, 0.4, 1.0]),
                    "review_deviation": st.sampled_from([0.0, 2.0]),
                    "sponsored_chance": st.sampled_from([0.0, 1.0]),
                    "sponsored_most": st.integers(1, 4),
                    "overall_pick_chance": st.sampled_from([0.2, 1.0]),
                    "scarcity_chance": st.sampled_from([0.0, 0.9]),
                },
            )
        )
    elif regime == "factorial":
        levels = {"price": [0.5, 1.0], "rating": [-1.0, 0.0, 2.0], "reviews": [0.0, 3.0], "tags": ["scarcity"]}
        table["levels"] = draw(st.sampled_from([{}, levels, {"tags": ["sponsored", "overall_pick", "scarcity"]}]))
    elif regime == "identical":
        some = [{}, {"price_cut": 0.05}, {"price_cut_money": "0.01"}, {"price_deviation": 0.2}, {"rating_gain": 0.3}]
        table["identical"] = draw(st.sampled_from([*some, {"rating_deviation": 0.4}]))
    return table


@st.composite
def rankings(draw, products):
    policy = draw(st.sampled_from(["fixed", "random", "velocity", "rating", "price", "margin", "weighted"]))
    table = {"policy": policy, "half_life": draw(st.sampled_from(["1min", "1h"]))}
    if policy == "fixed":
        table["order"] = draw(st.lists(st.sampled_from(products), max_size=4, unique=True))
    elif policy == "weighted":
        parts = ("velocity", "rating", "price", "margin", "exploration")
        table["weights"] = {"relevance": 0.0, **draw(some_of(parts, st.sampled_from([0.3, 1.0])))}
    return table


@st.composite
def shops(draw):
    """Configuration, catalogue, seed, duration and time of day at the start."""
    products = catalogue(2, draw(st.integers(8, 11)), seed=draw(st.integers(0, 5)))
    ids = list(products.product_id)
    rows, columns, pages = draw(st.sampled_from([(2, 4, 1), (2, 3, 1), (1, 4, 2), (8, 1, 1)]))
    keys = {
        "page": {"rows": rows, "columns": columns, "pages": pages},
        "ranking": draw(rankings(ids)),
        "randomise": draw(regimes()),
        "shoppers": [draw(shoppers(name)) for name in draw(st.sampled_from([("some",), ("some", "more")]))],
    }
    if draw(st.booleans()):
        sold = draw(st.lists(st.integers(1, rows * columns * pages), max_size=3, unique=True))
        keys["sponsored"] = {"slots": sold, "products": draw(st.lists(st.sampled_from(ids), max_size=2, unique=True))}
    if draw(st.booleans()):
        keys["tags"] = {
            "overall_pick": ids[1:2],
            "best_seller": ids[2:4],
            "limited_time": ids[3:4],
            "left": {ids[4]: 3},
            "was_price": {ids[5]: "99.00"},
        }
    start = draw(st.sampled_from([0, 23 * HOUR]))
    return keys, products, draw(st.integers(0, 3)), HOUR, start
