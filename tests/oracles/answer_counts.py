"""Counts of answers one by one, and all orders of short calls: slow, and obviously right."""

from itertools import permutations, product

N_LAGS, MAX_STREAK, LONG = 10, 10, 3


def distinct_orders(bits):
    """Every distinct order of a short sequence."""
    return sorted(set(permutations(bits)))


def orders_within_calls(calls):
    """Every distinct order within each call, all calls together."""
    return list(product(*(distinct_orders(call) for call in calls)))


def n_runs(call):
    return sum(1 for t in range(len(call)) if t == 0 or call[t] != call[t - 1])


def count_words(calls, length):
    """How often each word of so many neighbouring answers occurs, never across calls."""
    counts = dict.fromkeys(product((0, 1), repeat=length), 0)
    for call in calls:
        for t in range(len(call) - length + 1):
            counts[tuple(call[t : t + length])] += 1
    return counts


def switches_by_streak(calls):
    """For each transition: the answer before it, length of its run so far (at most 10), whether it switches."""
    found = []
    for call in calls:
        for t in range(1, len(call)):
            streak = 1
            while t - 1 - streak >= 0 and call[t - 1 - streak] == call[t - 1]:
                streak += 1
            found.append((call[t - 1], streak, int(call[t] != call[t - 1])))
    return found


def lagged_products(calls, lag):
    """Sum over calls of products of deviations from the call's own share."""
    total = 0.0
    for call in calls:
        mean = sum(call) / len(call)
        for t in range(len(call) - lag):
            total += (call[t] - mean) * (call[t + lag] - mean)
    return total
