"""Trials under the ACES law with a planted vector: who chooses what, drawn the slow and obvious way round.

"What Is Your AI Agent Buying?" (arXiv 2508.02630). Each trial shows the 8 products of a category in 2 rows of 4:
uniform permutation; price x LogNormal(0, 0.3); rating r + a (5 - r) with a uniform on (-width, width), one decimal;
reviews x LogNormal(0, 1); with probability 0.5 one to four sponsored tags; then with 0.5 one overall pick among the
rest; then with 0.5 one scarcity tag among the rest.
"""

import numpy as np
import pandas as pd

N_OFFERS = 8
PLANTED = {
    "row": 1.22,
    "col[1]": 0.20,
    "col[2]": 0.60,
    "col[3]": 0.60,
    "ln(price)": -1.62,
    "ln(reviews+1)": 0.42,
    "rating": 4.91,
    "sponsored": -0.14,
    "overall_pick": 1.06,
    "scarcity": -0.05,
}
SPECIFICATION = "row + col + ln(price) + ln(reviews+1) + rating + sponsored + overall_pick + scarcity | fe(product)"


def catalogue(rng, n_categories=9):
    """Price, rating, reviews and taste of each product: arrays [category, product]."""
    shape = (n_categories, N_OFFERS)
    return {
        "price": rng.uniform(20, 200, (n_categories, 1)) * rng.uniform(0.7, 1.4, shape),
        "rating": rng.uniform(3.9, 4.8, shape),
        "reviews": np.exp(rng.normal(6, 1, shape)),
        "taste": rng.normal(0, 0.5, shape),
    }


def draw_tags(rng, n_trials):
    """The nested tags of each trial and the probability that each offer got what it got, given the tags before.

    Returns dicts of arrays [trial, offer] for sponsored, overall_pick and scarcity.
    """
    tags = {name: np.zeros((n_trials, N_OFFERS), dtype=int) for name in ("sponsored", "overall_pick", "scarcity")}
    chance = {name: np.ones((n_trials, N_OFFERS)) for name in tags}
    for trial in range(n_trials):
        if rng.random() < 0.5:
            tags["sponsored"][trial, rng.permutation(N_OFFERS)[: rng.integers(1, 5)]] = 1
        taken = tags["sponsored"][trial] == 1
        mean_share = 0.5 * np.mean([1, 2, 3, 4]) / N_OFFERS
        chance["sponsored"][trial] = np.where(taken, mean_share, 1 - mean_share)
        for name in ("overall_pick", "scarcity"):
            free = np.flatnonzero(~taken)
            if rng.random() < 0.5:
                tags[name][trial, rng.choice(free)] = 1
            has = tags[name][trial] == 1
            chance[name][trial] = np.where(taken, 1.0, np.where(has, 0.5 / len(free), 1 - 0.5 / len(free)))
            taken = taken | has
    return tags, chance


def draw_trials(rng, products, n_trials, rating_width=0.8):
    """``n_trials`` trials of each category, without choices: a long table, one row an offer."""
    n_categories = products["price"].shape[0]
    total = n_categories * n_trials
    category = np.repeat(np.arange(n_categories), n_trials)
    slot = np.argsort(rng.random((total, N_OFFERS)), axis=1)  # slot[trial, offer]
    tags, chance = draw_tags(rng, total)
    rating = products["rating"][category]
    rating = rating + rng.uniform(-rating_width, rating_width, (total, N_OFFERS)) * (5 - rating)
    product = category[:, None] * N_OFFERS + np.arange(N_OFFERS)
    columns = {
        "choice_set": np.repeat(np.arange(total), N_OFFERS),
        "alternative": product.ravel(),
        "category": np.repeat(category, N_OFFERS),
        "product": product.ravel(),
        "row": (slot // 4 + 1).ravel(),
        "col": (slot % 4 + 1).ravel(),
        "price": (products["price"][category] * rng.lognormal(0, 0.3, (total, N_OFFERS))).ravel(),
        "reviews": np.round(products["reviews"][category] * rng.lognormal(0, 1, (total, N_OFFERS))).ravel(),
        "rating": np.round(np.clip(rating, 0, 5), 1).ravel(),
        "taste": products["taste"][category].ravel(),
    }
    columns |= {name: values.ravel() for name, values in tags.items()}
    columns |= {f"propensity_{name}": values.ravel() for name, values in chance.items()}
    return pd.DataFrame(columns)


def utility(table):
    """The planted utility of each row."""
    value = table["taste"] + PLANTED["row"] * (table["row"] == 1)
    for col in (1, 2, 3):
        value = value + PLANTED[f"col[{col}]"] * (table["col"] == col)
    value = (
        value + PLANTED["ln(price)"] * np.log(table["price"]) + PLANTED["ln(reviews+1)"] * np.log(table["reviews"] + 1)
    )
    for name in ("rating", "sponsored", "overall_pick", "scarcity"):
        value = value + PLANTED[name] * table[name]
    return value


def draw_choices(rng, table):
    """1 on the row with the greatest utility plus Gumbel noise in each trial of 8 rows."""
    noisy = (utility(table).to_numpy() + rng.gumbel(size=len(table))).reshape(-1, N_OFFERS)
    return (noisy.argmax(axis=1)[:, None] == np.arange(N_OFFERS)).astype(int).ravel()


def probabilities(table):
    """Logit probability of each row, trial by trial."""
    value = utility(table).to_numpy().reshape(-1, N_OFFERS)
    return np.concatenate([np.exp(v - v.max()) / np.exp(v - v.max()).sum() for v in value])


def regressors(table, base_product=0):
    """The matrix of the planted model, column by column in the order of PLANTED, then products less one a category."""
    columns = [table["row"] == 1, *(table["col"] == col for col in (1, 2, 3))]
    columns += [np.log(table["price"]), np.log(table["reviews"] + 1), table["rating"]]
    columns += [table[name] for name in ("sponsored", "overall_pick", "scarcity")]
    products = sorted(set(table["product"]))
    columns += [table["product"] == product for product in products if product % N_OFFERS != base_product]
    return np.column_stack([np.asarray(column, dtype=float) for column in columns])


def information(table):
    """Minus the expected second derivative of the log likelihood at the planted vector, one trial after the other."""
    x, p = regressors(table), probabilities(table)
    total = np.zeros((x.shape[1], x.shape[1]))
    for first in range(0, len(table), N_OFFERS):
        rows = slice(first, first + N_OFFERS)
        away = x[rows] - p[rows] @ x[rows]
        total += away.T @ (away * p[rows, None])
    return total
