"""The conditional logit set by set, from its definition."""

import math

import numpy as np


def log_likelihood(x, sizes, chosen, beta):
    """Sum of ln P(chosen): rows ``x`` in sets of the given sizes, one row chosen in each."""
    total, first = 0.0, 0
    for size in sizes:
        utility = [float(row @ beta) for row in x[first : first + size]]
        pick = [k for k in range(size) if chosen[first + k]]
        total += utility[pick[0]] - math.log(sum(math.exp(u) for u in utility))
        first += size
    return total


def gradient(x, sizes, chosen, beta, step=1e-6):
    """First derivatives by central differences."""
    out = []
    for k in range(len(beta)):
        up, down = np.array(beta, float), np.array(beta, float)
        up[k] += step
        down[k] -= step
        out.append((log_likelihood(x, sizes, chosen, up) - log_likelihood(x, sizes, chosen, down)) / (2 * step))
    return np.array(out)


def information(x, sizes, beta):
    """Minus the second derivatives: covariance of the rows of each set under its probabilities, summed."""
    total, first = np.zeros((len(beta), len(beta))), 0
    for size in sizes:
        rows = x[first : first + size]
        weight = np.exp(rows @ beta)
        weight = weight / weight.sum()
        mean = sum(w * row for w, row in zip(weight, rows, strict=True))
        total += sum(w * np.outer(row - mean, row - mean) for w, row in zip(weight, rows, strict=True))
        first += size
    return total


def scores(x, sizes, chosen, beta):
    """First derivative of each set's own term: chosen row less the mean row."""
    out, first = [], 0
    for size in sizes:
        rows = x[first : first + size]
        weight = np.exp(rows @ beta)
        weight = weight / weight.sum()
        pick = next(k for k in range(size) if chosen[first + k])
        out.append(rows[pick] - weight @ rows)
        first += size
    return np.array(out)
