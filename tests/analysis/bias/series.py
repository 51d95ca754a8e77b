"""Answers for the tests of the audit."""

import numpy as np

from marketsim.analysis.bias import Answers
from marketsim.core.rng import generator, stream_key


def rng(number, entity=0):
    return generator(stream_key(7, 0, "tests", "bias", "answers"), number, entity)


def key(number):
    return stream_key(number, 0, "tests", "bias", "orders")


def answers(*calls):
    """Answers of calls written as lists."""
    bits = np.concatenate([np.array(call) for call in calls])
    call = np.repeat(np.arange(len(calls)), [len(call) for call in calls])
    order = np.concatenate([np.arange(len(call)) for call in calls])
    return Answers.of(bits, call, order)


def in_calls(bits, size):
    """Answers of calls of one size."""
    return Answers.of(bits, np.arange(len(bits)) // size, np.arange(len(bits)))


def coin(draw, n, p=0.5):
    return (rng(draw).random(n) < p).astype(int)


def markov(draw, n, switch):
    """A chain that switches with a given probability."""
    flips = (rng(draw).random(n) < switch).astype(int)
    flips[0] = draw & 1
    return np.cumsum(flips) % 2
