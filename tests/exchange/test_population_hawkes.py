"""The Hawkes population against closed forms and its own parameters, found again in what it sent."""

import numpy as np
import pytest
from pydantic import ValidationError

from marketsim.exchange.codes import EventKind
from tests.exchange.markets import SECOND, one_book, open_exchange, population, recorded
from tests.exchange.wakes import Asked

CHILDREN = [[0.3, 0.05, 0.2, 0.0], [0.05, 0.3, 0.0, 0.2], [0.0, 0.1, 0.35, 0.0], [0.1, 0.0, 0.0, 0.35]]
BASE = np.array([1.0, 1.0, 0.4, 0.4])
DECAY = 6.0


def flow_of(until, seed=5, **keys):
    """Times in seconds and kinds of the orders of one agent."""
    keys = {"limit_rate": 2.0, "market_rate": 0.8, "cancel_rate": 0.4, "decay": DECAY, "children": CHILDREN, **keys}
    exchange = open_exchange(
        one_book(population("hawkes", count=1, **keys)), seed=seed, until=until, tables=["exchange/messages"]
    )
    rows, _ = recorded(exchange, until)
    accepted = [row for row in rows["exchange/messages"] if row[4] == EventKind.ACCEPTED]
    time = np.array([row[1] for row in accepted]) / SECOND
    kind = np.array([2 * (row[8] == 0) + (row[7] < 0) for row in accepted])
    return time, kind


def maximum_likelihood(time, kind, until, decay, rounds=60):
    """Base rates and mean children by expectation maximisation; the decay is known (Veen & Schoenberg 2008)."""
    memory, seen, last = np.zeros((len(time), 4)), np.zeros(4), 0.0
    for event, (now, which) in enumerate(zip(time, kind, strict=True)):
        seen *= np.exp(-decay * (now - last))
        memory[event] = seen
        seen[which] += 1
        last = now
    counts = np.bincount(kind, minlength=4)
    base, children = counts / until / 2, np.full((4, 4), 0.1)
    for _ in range(rounds):
        excited = children[kind] * decay * memory
        rate = base[kind] + excited.sum(1)
        base = np.bincount(kind, base[kind] / rate, 4) / until
        children = np.array([(excited[kind == k] / rate[kind == k, None]).sum(0) for k in range(4)]) / counts
    return base, children


def test_base_rates_children_and_branching_ratio_are_found_again():
    until = 4000
    time, kind = flow_of(until * SECOND)
    base, children = maximum_likelihood(time, kind, until, DECAY)
    np.testing.assert_allclose(base, BASE, atol=0.09)  # four standard errors or more
    np.testing.assert_allclose(children, CHILDREN, atol=0.06)
    ratio = abs(np.linalg.eigvals(children)).max()
    assert ratio == pytest.approx(abs(np.linalg.eigvals(np.array(CHILDREN))).max(), abs=0.05)


def test_mean_rates_are_those_of_the_closed_form():
    until, n = 2000, 8
    counts = np.array([np.bincount(flow_of(until * SECOND, seed=seed)[1], minlength=4) for seed in range(n)])
    expected = np.linalg.solve(np.eye(4) - CHILDREN, BASE)
    error = counts.std(0, ddof=1) / np.sqrt(n) / until
    assert (np.abs(counts.mean(0) / until - expected) < 5 * np.maximum(error, 0.01)).all()


def test_without_children_orders_come_as_a_poisson_process():
    time, _ = flow_of(2000 * SECOND, children=[[0.0] * 4] * 4)
    gaps = np.diff(time)
    assert gaps.mean() == pytest.approx(1 / 2.8, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)


def test_an_order_raises_the_rates_of_its_children_and_the_excitation_fades():
    flow = Asked("hawkes", limit_rate=2.0, market_rate=0.8, cancel_rate=0.0, decay=DECAY, children=CHILDREN)
    now, following, heat = 10**9, 0, np.zeros(4)
    flow.state_i[0, 2] = now  # the last wake
    for _ in range(200):
        following, sent = flow.wake(now=now, bid=9_990, bid_size=1, ask=10_010, ask_size=1)
        (_, side, price, _) = sent[0]
        kind = 2 * (price == 0) + (side < 0)
        heat = heat + DECAY * 1e-9 * np.array(CHILDREN)[:, kind]
        np.testing.assert_allclose(flow.state_f[0, :4], heat, rtol=1e-12)
        heat = heat * np.exp(-DECAY * 1e-9 * (following - now))
        assert following > now
        now = following


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"limit_rate": 0.0, "market_rate": 0.0}, "limit_rate"),
        ({"children": [[0.5]]}, "4 rows of 4"),
        ({"children": [[0.6, 0.6, 0.0, 0.0], [0.6, 0.6, 0.0, 0.0], [0.0] * 4, [0.0] * 4]}, "spectral radius"),
        ({"children": [[-0.1, 0.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4, [0.0] * 4]}, "from 0 on"),
    ],
)
def test_keys_that_make_no_stationary_flow_are_refused(keys, text):
    with pytest.raises(ValidationError, match=text):
        population("hawkes", count=1, **keys)
