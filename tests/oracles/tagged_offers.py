"""A design small enough to list: three offers in three slots, at most one sponsored, then at most one pick.

With probability 1/2 one offer is sponsored, each equally likely; then with probability 1/2 one of the
others is picked.
"""

import itertools
from fractions import Fraction

N = 3


def assignments():
    """Every (slots, sponsored offer or None, picked offer or None) with its probability."""
    for slots in itertools.permutations(range(1, N + 1)):
        for sponsored in (None, *range(N)):
            p_sponsored = Fraction(1, 2) if sponsored is None else Fraction(1, 2 * N)
            rest = [k for k in range(N) if k != sponsored]
            for pick in (None, *rest):
                p_pick = Fraction(1, 2) if pick is None else Fraction(1, 2 * len(rest))
                yield slots, sponsored, pick, Fraction(1, 6) * p_sponsored * p_pick


def propensity(offer, sponsored, pick):
    """Probability of an offer's sponsored tag, and of its pick given who is sponsored; both of what it got."""
    first = Fraction(1, 2 * N) if offer == sponsored else 1 - Fraction(1, 2 * N)
    if offer == sponsored:
        return first, Fraction(1)
    n_rest = N - (sponsored is not None)
    has = Fraction(1, 2 * n_rest)
    return first, has if offer == pick else 1 - has


def mean(choose, condition, offer):
    """Chance that an offer is chosen, given a condition on (slots, sponsored, pick)."""
    hits = total = Fraction(0)
    for slots, sponsored, pick, p in assignments():
        if condition(slots, sponsored, pick):
            total += p
            hits += p * (choose(slots, sponsored, pick) == offer)
    return hits / total


def chance(condition):
    """Probability of a condition."""
    return sum(p for slots, sponsored, pick, p in assignments() if condition(slots, sponsored, pick))


def slot_effect(choose, slot):
    """Effect of a slot against the last one, averaged over offers."""
    total = Fraction(0)
    for i in range(N):
        total += mean(choose, lambda s, a, b, i=i: s[i] == slot, i) - mean(choose, lambda s, a, b, i=i: s[i] == N, i)
    return total / N


def sponsored_effect(choose):
    """Effect of being sponsored, averaged over offers."""
    total = Fraction(0)
    for i in range(N):
        total += mean(choose, lambda s, a, b, i=i: a == i, i) - mean(choose, lambda s, a, b, i=i: a != i, i)
    return total / N


def pick_effect(choose, weight):
    """Effect of the pick on offers that are not sponsored; or of those, weighted to stand for all offers."""
    top = bottom = Fraction(0)
    for i in range(N):
        for who in (None, *(k for k in range(N) if k != i)):
            gain = mean(choose, lambda s, a, b, i=i, who=who: a == who and b == i, i) - mean(
                choose, lambda s, a, b, i=i, who=who: a == who and b != i, i
            )
            p = chance(lambda s, a, b, who=who: a == who)
            if weight:
                p = p / chance(lambda s, a, b, i=i: a != i)
            top += p * gain
            bottom += p
    return top / bottom
