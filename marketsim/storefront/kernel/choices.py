"""What a shopper does with a page: looks, considers, chooses; and what that is worth to the person it serves."""

from marketsim.core.fmath import exp, log, normal_quantile
from marketsim.core.jit import spliced, stage
from marketsim.core.rng import uniforms
from marketsim.storefront.kernel.memory import (
    BEST_LISTED,
    BEST_SHOWN,
    BY_PRICE,
    BY_RATING,
    BY_REVIEWS,
    C_OUTSIDE,
    C_SHARE,
    CASCADE,
    H_NEED_SHOWN,
    KEY_CHOICE,
    KEY_TASTE,
    MEAN_SHOWN,
    N_FEATURES,
    N_INTRINSIC,
    O_BEST_SELLER,
    O_CONSIDERED,
    O_EXAMINED,
    O_LEFT,
    O_LIMITED,
    O_PICK,
    O_PRICE,
    O_PRODUCT,
    O_RATING,
    O_REVIEWS,
    O_SPONSORED,
    O_WAS,
    OF_WEIGHT,
    OF_WELFARE,
    P_PRICE,
    P_REVIEWS,
    PF_LN_PRICE,
    PF_LN_REVIEWS,
    PF_QUALITY,
    POSITION,
    S_COUNT,
    S_FIRST,
    W_ATTENTION,
    W_BUDGET,
    W_CLASSES,
    W_CONSIDER,
    W_CONSIDER_BY,
    W_FIRST_CLASS,
    W_FIRST_SHOPPER,
    W_FIRST_WALLET,
    W_HAS_NESTS,
    W_HAS_OUTSIDE,
    W_HAS_TASTES,
    W_NEED_PRICE,
    W_WALLET,
    WF_DISSIMILARITY,
    WF_PERSISTENCE,
    WF_PRINCIPAL_OUTSIDE,
    X_BEST_SELLER,
    X_DISCOUNTED,
    X_LIMITED,
    X_LN_PRICE,
    X_LN_REVIEWS,
    X_NEED,
    X_PICK,
    X_PRICE,
    X_QUALITY,
    X_RATING,
    X_SCARCITY,
    X_SPONSORED,
)
from marketsim.storefront.kernel.pages import address
from marketsim.storefront.kernel.views import choice_views

WORST = -1e300
"""Utility below any other."""


# ---- What coefficients multiply ---------------------------------------------------------------------------------


@stage
def describe(table, population, slots):
    """Fill ``features``. Logarithms of what is shown as listed are known already."""
    shop = choice_views(table)
    for slot in range(slots):
        offer, row = shop.offers[slot], shop.features[slot]
        product = offer[O_PRODUCT]
        known, listing = shop.product_floats[product], shop.products[product]
        for which in range(2):
            shown = offer[O_PRICE] if which == 0 else offer[O_REVIEWS]
            listed = listing[P_PRICE] if which == 0 else listing[P_REVIEWS]
            value = known[PF_LN_PRICE] if which == 0 else known[PF_LN_REVIEWS]
            if shown != listed:
                value = log(shown / 100.0 if which == 0 else shown + 1.0)
            row[X_LN_PRICE if which == 0 else X_LN_REVIEWS] = value
        row[X_PRICE], row[X_RATING], row[X_QUALITY] = offer[O_PRICE] / 100.0, offer[O_RATING] / 10.0, known[PF_QUALITY]
        is_cheap = offer[O_PRICE] <= shop.populations[population, W_NEED_PRICE]
        row[X_NEED] = shop.needs[population, product] if is_cheap else 0
        row[X_SPONSORED], row[X_PICK] = offer[O_SPONSORED], offer[O_PICK]
        row[X_BEST_SELLER], row[X_LIMITED] = offer[O_BEST_SELLER], offer[O_LIMITED]
        row[X_DISCOUNTED] = 1.0 if offer[O_WAS] > offer[O_PRICE] else 0.0
        row[X_SCARCITY] = 1.0 if offer[O_LEFT] > 0 else 0.0


@spliced
def settle_tastes(shop, population, shopper):
    """Fill ``beta`` with the shopper's coefficients; return the row of its class. Both stay its own at every visit."""
    words, beta = shop.populations[population], shop.beta
    row, member = words[W_FIRST_CLASS], shopper - words[W_FIRST_SHOPPER]
    if words[W_HAS_TASTES] == 0:
        for feature in range(N_FEATURES):
            beta[feature] = shop.tastes[row, feature]
        return row
    address(shop, population, KEY_TASTE, member, 0)
    for block in range(4):
        a, b, c, d = uniforms(shop.counters, block)
        if block == 0:
            last = row + words[W_CLASSES] - 1
            while row < last and a >= shop.classes[row, C_SHARE]:
                row += 1
        else:
            for word in range(4):
                feature = 4 * (block - 1) + word
                u = a if word == 0 else (b if word == 1 else (c if word == 2 else d))
                deviation = shop.deviations[row, feature]
                beta[feature] = shop.tastes[row, feature]
                if deviation > 0.0:
                    beta[feature] += deviation * normal_quantile(u)
    return row


# ---- Choice -----------------------------------------------------------------------------------------------------


@spliced
def weigh(shop, row, slots):
    """Fill ``OF_WEIGHT`` with utilities."""
    for slot in range(slots):
        value = shop.places[row, slot]
        for feature in range(N_FEATURES):
            value += shop.beta[feature] * shop.features[slot, feature]
        shop.offer_floats[slot, OF_WEIGHT] = value


@spliced
def narrow(shop, population, slots, money):
    """Drop offers that were not looked at or cost too much, then all but the best few by the population's yardstick."""
    words, offers = shop.populations[population], shop.offers
    left, by = 0, words[W_CONSIDER_BY]
    for slot in range(slots):
        offer = offers[slot]
        offer[O_CONSIDERED] = 1 if (offer[O_EXAMINED] != 0) & (offer[O_PRICE] <= money) else 0
        left += offer[O_CONSIDERED]
    while words[W_CONSIDER] > 0 and left > words[W_CONSIDER]:
        worst, most = 0, -(1 << 62)
        for slot in range(slots):
            offer = offers[slot]
            badness = slot
            if by == BY_PRICE:
                badness = offer[O_PRICE]
            elif by == BY_RATING:
                badness = -offer[O_RATING]
            elif by == BY_REVIEWS:
                badness = -offer[O_REVIEWS]
            if offer[O_CONSIDERED] != 0 and badness >= most:
                worst, most = slot, badness
        offers[worst, O_CONSIDERED] = 0
        left -= 1
    return left


@spliced
def purse(shop, population, shopper):
    """What the shopper can pay now, in minor units."""
    words = shop.populations[population]
    money = words[W_BUDGET]
    if words[W_FIRST_WALLET] >= 0:
        place = words[W_FIRST_WALLET] + shopper - words[W_FIRST_SHOPPER]
        money = min(money, words[W_WALLET] - shop.spent[place])
    return money


@spliced
def share_weights(shop, population, slots, greatest, scale):
    """Turn utilities into weights of the logit, in units of exp(greatest); return their sum."""
    floats, offers, total = shop.offer_floats, shop.offers, 0.0
    for slot in range(slots):
        weight = 0.0
        if offers[slot, O_CONSIDERED] != 0:
            weight = exp((floats[slot, OF_WEIGHT] - greatest) / scale)
        floats[slot, OF_WEIGHT] = weight
        total += weight
    return total


@spliced
def nest_weights(shop, population, slots, scale):
    """Turn weights within nests into weights of the nested logit; return their sum.

    P(offer) is proportional to e^(V/s) D^(s - 1), where D is the sum of e^(V/s) over its nest and s the dissimilarity.
    """
    floats, offers, total = shop.offer_floats, shop.offers, 0.0
    for slot in range(slots):
        sum_of_nest, nest = 0.0, shop.nests[population, offers[slot, O_PRODUCT]]
        for other in range(slots):
            if shop.nests[population, offers[other, O_PRODUCT]] == nest:
                sum_of_nest += floats[other, OF_WEIGHT]
        shop.best[slot] = sum_of_nest
    for slot in range(slots):
        if floats[slot, OF_WEIGHT] > 0.0:
            floats[slot, OF_WEIGHT] *= exp((scale - 1.0) * log(shop.best[slot]))
        total += floats[slot, OF_WEIGHT]
    return total


@spliced
def pick(shop, slots, mark):
    """The offer at which the running sum of weights passes ``mark``; -1 beyond all: leaving."""
    running, last = 0.0, -1
    for slot in range(slots):
        weight = shop.offer_floats[slot, OF_WEIGHT]
        if weight > 0.0:
            running += weight
            last = slot
            if mark < running:
                return slot
    return -1 - last


@spliced
def look(shop, population, number, entity, row, slots, attention, outside):
    """Draw the choice's number, and which offers are looked at; a cascade takes the first that is good enough.

    Returns the number and, for a cascade, the slot taken or -1.
    """
    floats, offers, looks = shop.offer_floats, shop.offers, shop.looks
    u, taken, is_on = 0.0, -1, True
    blocks = 1 if attention == 0 else 1 + (slots + 3) // 4
    address(shop, population, KEY_CHOICE, number, entity)
    for block in range(blocks):
        a, b, c, d = uniforms(shop.counters, block)
        if block == 0:
            u = a
        else:
            for word in range(4):
                slot = 4 * (block - 1) + word
                if slot < slots:
                    v = a if word == 0 else (b if word == 1 else (c if word == 2 else d))
                    if attention == POSITION:
                        offers[slot, O_EXAMINED] = 1 if v < looks[population, slot] else 0
                    else:
                        offers[slot, O_EXAMINED] = 1 if is_on else 0
                        if is_on:
                            chance = 0.0
                            if offers[slot, O_CONSIDERED] != 0:
                                chance = 1.0 / (1.0 + exp(outside - floats[slot, OF_WEIGHT]))
                            if v < chance:
                                taken, is_on = slot, False
                            elif v >= chance + (1.0 - chance) * shop.population_floats[population, WF_PERSISTENCE]:
                                is_on = False
    return u, taken


@stage
def examine(table, population, number, entity, shopper, slots):
    """Settle tastes and utilities, and which offers are looked at.

    Returns the number that decides the choice, the row of the shopper's class and, for a cascade, the slot taken or -1.
    """
    shop = choice_views(table)
    row = settle_tastes(shop, population, shopper)
    outside, attention = shop.classes[row, C_OUTSIDE], shop.populations[population, W_ATTENTION]
    weigh(shop, row, slots)
    if attention == CASCADE:
        narrow(shop, population, slots, purse(shop, population, shopper))
    u, taken = look(shop, population, number, entity, row, slots, attention, outside)
    return u, row, taken


@stage
def choose(table, population, shopper, slots, u, row):
    """Return the slot that a shopper buys from, of those it looked at; -1 where it leaves."""
    shop = choice_views(table)
    words, numbers = shop.populations[population], shop.population_floats[population]
    outside = shop.classes[row, C_OUTSIDE]
    left = narrow(shop, population, slots, purse(shop, population, shopper))
    if left == 0:
        return -1
    greatest = WORST
    for slot in range(slots):
        if shop.offers[slot, O_CONSIDERED] != 0:
            greatest = max(greatest, shop.offer_floats[slot, OF_WEIGHT])
    has_nests = words[W_HAS_NESTS] != 0
    scale = numbers[WF_DISSIMILARITY] if has_nests else 1.0
    total = share_weights(shop, population, slots, greatest, scale)
    if has_nests:
        total = nest_weights(shop, population, slots, scale)
    has_outside = words[W_HAS_OUTSIDE] != 0
    if has_outside:
        total += exp(outside - greatest)
    slot = pick(shop, slots, u * total)
    if slot < 0:
        slot = -1 if has_outside else -1 - slot
    return slot


# ---- Welfare ----------------------------------------------------------------------------------------------------


@stage
def judge(table, population, shelf, slots, page):
    """Fill ``OF_WELFARE`` and ``worth``: what each offer, the page and the shelf are worth to the person served.

    Where that person may leave, leaving counts among the best. A product that is not shown counts as it is listed.
    """
    shop = choice_views(table)
    best, total, need = WORST, 0.0, 0
    if shop.populations[population, W_HAS_OUTSIDE] != 0:
        best = shop.population_floats[population, WF_PRINCIPAL_OUTSIDE]
    for slot in range(slots):
        value = 0.0
        for feature in range(N_INTRINSIC):
            value += shop.principals[population, feature] * shop.features[slot, feature]
        shop.offer_floats[slot, OF_WELFARE] = value
        shop.marks[shop.offers[slot, O_PRODUCT]] = page + 1
        best = max(best, value)
        total += value
        need |= int(shop.features[slot, X_NEED])
    first, overall = shop.shelves[shelf, S_FIRST], best
    for entry in range(first, first + shop.shelves[shelf, S_COUNT]):
        product = shop.listed_order[population, entry]
        if shop.marks[product] != page + 1:
            overall = max(overall, shop.listed[population, product])
            break
    shop.header[H_NEED_SHOWN] = need
    shop.worth[BEST_SHOWN], shop.worth[BEST_LISTED], shop.worth[MEAN_SHOWN] = best, overall, total / slots
