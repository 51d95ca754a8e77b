"""A shop too simple to be wrong: one page and one choice at a time, from the same addressed draws.

It shares with the engine only ``core.rng``, the address book of random numbers, and knows the law of "What Is Your AI
Agent Buying?" (arXiv 2508.02630) and the multinomial logit from their texts.
"""

import math
from statistics import NormalDist

from marketsim.core import rng

CATEGORY_ENTITY = 1 << 40


def words(seed, name, purpose, number, entity, block):
    """Four uniform numbers."""
    key = rng.stream_key(seed, 0, "storefront", name, purpose)
    return rng.uniforms(rng.counters(key, number, entity), block)


def nearest(x):
    return math.floor(x + 0.5)


def aces_page(seed, name, trial, category, products, a=0.8):
    """Offers in slot order. ``products``: number -> (price_minor, rating_tenths, reviews), by the ranking."""
    quantile = NormalDist().inv_cdf
    drawn = []
    for product, (price, tenths, reviews) in products.items():
        place, for_price, for_rating, for_reviews = words(seed, name, "page", trial, product + 1, 0)
        stars = tenths / 10
        offer = {
            "product": product,
            "price_minor": max(1, nearest(price * math.exp(0.3 * quantile(for_price)))),
            "rating_tenths": min(50, max(10, nearest(10 * (stars + a * (2 * for_rating - 1) * (5 - stars))))),
            "reviews": nearest(reviews * math.exp(quantile(for_reviews))),
            "sponsored": 0,
            "overall_pick": 0,
            "scarcity": 0,
        }
        drawn.append((place, offer))
    offers = [offer for _, offer in sorted(drawn, key=lambda pair: pair[0])]
    tag_offers(
        offers, [u for block in range(3) for u in words(seed, name, "page", trial, CATEGORY_ENTITY + category, block)]
    )
    return offers


def tag_offers(offers, draws):
    """Sponsored tags, then an overall pick, then a scarcity tag, each among the offers without a tag."""

    def give(tag, u):
        free = [offer for offer in offers if not (offer["sponsored"] or offer["overall_pick"] or offer["scarcity"])]
        free[int(u * len(free))][tag] = 1

    if draws[0] < 0.5:
        for number in range(1 + int(draws[1] * 4)):
            give("sponsored", draws[2 + number])
    if draws[6] < 0.5:
        give("overall_pick", draws[7])
    if draws[8] < 0.5:
        give("scarcity", draws[9])


def utility(offer, slot, taste, coefficients, columns=4):
    """Utility of an offer in a slot; ``coefficients`` as in a scenario, ``taste`` the product's quality."""
    total = coefficients["row"][slot // columns] + coefficients["column"][slot % columns]
    total += coefficients["ln_price"] * math.log(offer["price_minor"] / 100)
    total += coefficients["ln_reviews"] * math.log(offer["reviews"] + 1)
    total += coefficients["rating"] * offer["rating_tenths"] / 10 + coefficients["quality"] * taste
    return total + sum(coefficients[tag] * offer[tag] for tag in ("sponsored", "overall_pick", "scarcity"))


def logit_choice(seed, name, trial, category, utilities):
    """The slot at which the running sum of probabilities passes the choice's draw."""
    u = words(seed, name, "choice", trial, CATEGORY_ENTITY + category, 0)[0]
    weights = [math.exp(value - max(utilities)) for value in utilities]
    running = 0.0
    for slot, weight in enumerate(weights):
        running += weight / sum(weights)
        if u < running:
            return slot
    return len(weights) - 1
