"""The trained model on both backends: same tokens, legal on the live book, addressed draws."""

import numpy as np
import pytest

from marketsim.lmm.conditions import condition_vector
from marketsim.lmm.events import FIELDS, GAP, KIND, PRICE, SIZE
from marketsim.lmm.kernel.network import draw
from marketsim.lmm.pool import Pool
from marketsim.lmm.teacher import Teacher
from marketsim.lmm.torch_pool import TorchPool
from tests.oracles.lots_book import LotsBook

CONTEXT = 80
BACKENDS = pytest.mark.parametrize("backend", ["numba", "torch"])


@pytest.fixture(scope="module")
def start(shipped):
    """Sixteen books of the Hawkes teacher, and the events that follow."""
    teacher = Teacher("hawkes", 16, shipped.scale, seed=5)
    depth, quote = teacher.depth.copy(), teacher.quote.copy()
    return depth, quote, teacher.next(CONTEXT).record


def pool_of(backend, shipped, network, start, books=range(16), seed=3):
    books = list(books)
    depth, quote, record = (array[books] for array in start)
    told = np.tile(condition_vector("hawkes"), (len(books), 1))
    args = depth, quote, told, seed, books
    pool = Pool(shipped, *args) if backend == "numba" else TorchPool(shipped, network, *args)
    pool.watch(record)
    return pool


def test_backends_agree_and_draw_the_same_events(shipped, network, start):
    twin, pool = (pool_of(backend, shipped, network, start) for backend in ("numba", "torch"))
    for _ in range(60):
        hidden, feature = pool.hidden.clone(), pool.feature.clone()
        assert np.array_equal(pool.advance(1), twin.advance(1))
        np.testing.assert_allclose(pool.state.hidden, twin.state.hidden, atol=1e-5)
        work = (twin.work.gap_logits, twin.work.kind_logits, twin.work.price_logits, twin.work.size_logits)
        for field in (GAP, KIND, PRICE, SIZE):  # the gap's logits are the next event's
            logits = network.head_logits(field, pool.hidden if field == GAP else hidden, feature, pool.token)
            np.testing.assert_allclose(logits, work[field], atol=2e-5, err_msg=FIELDS[field])


@BACKENDS
def test_every_draw_is_possible_on_the_live_book(shipped, network, start, backend):
    pool = pool_of(backend, shipped, network, start, range(4))
    oracles = [LotsBook(*book) for book in zip(pool.state.depth, pool.state.quote, strict=False)][:4]
    record = pool.advance(200)
    for book, oracle in enumerate(oracles):
        for _, *event in record[book].tolist():
            oracle.play(*event)
        np.testing.assert_allclose(pool.state.feature[book], oracle.features(), atol=1e-6)


@BACKENDS
def test_a_longer_rollout_begins_with_the_shorter(shipped, network, start, backend):
    whole, cut = (pool_of(backend, shipped, network, start, range(4)) for _ in range(2))
    parts = np.concatenate([cut.advance(n) for n in (1, 30, 29)], axis=1)
    assert np.array_equal(whole.advance(80)[:, :60], parts)


@pytest.mark.parametrize(("backend", "chosen"), [("numba", [5]), ("numba", [5, 9, 2]), ("torch", [5, 9, 2])])
def test_a_book_alone_draws_what_it_draws_in_a_pool(shipped, network, start, backend, chosen):
    pool, alone = (pool_of(backend, shipped, network, start, books) for books in (range(16), chosen))
    assert np.array_equal(pool.advance(80)[chosen], alone.advance(80))
    assert np.array_equal(pool.state.hidden[chosen], alone.state.hidden[: len(chosen)])  # to the last bit


def test_seeds_and_books_draw_apart(shipped, network, start):
    one, other = (pool_of("numba", shipped, network, start, [0], seed).advance(50) for seed in (3, 4))
    assert not np.array_equal(one, other)


@BACKENDS
def test_an_order_in_between_makes_no_later_one_illegal_and_drops_the_time_that_waited(
    shipped, network, start, backend
):
    """Somebody sweeps the best offer after the time of the model's next event was drawn."""
    pool = pool_of(backend, shipped, network, start, range(4))
    oracles = [LotsBook(*book) for book in zip(pool.state.depth, pool.state.quote, strict=False)][:4]
    for _ in range(30):
        waiting = pool.state.next_ns.copy()
        agents = np.zeros((4, 1, 4), np.int64)
        for book, oracle in enumerate(oracles):
            best = oracle.lots[1].get(oracle.best[1], 0)
            spread = oracle.best[1] - oracle.best[0]
            agents[book, 0] = (1000, 2, 0, min(best, 3)) if best else (1000, 1, max(1, spread - 16) - spread, 2)
            oracle.play(*agents[book, 0, 1:].tolist())
        pool.watch(agents)
        assert not np.array_equal(pool.state.next_ns, waiting)
        for book, (_, *event) in enumerate(pool.advance(1)[:, 0].tolist()):
            oracles[book].play(*event)
            np.testing.assert_allclose(pool.state.feature[book], oracles[book].features(), atol=1e-6)


def test_an_order_in_between_shifts_no_address(shipped, network, start):
    """Draws belong to the model's own event number: kind and place follow the same uniforms with and without it."""
    with_agent, without = (pool_of("numba", shipped, network, start, [0]) for _ in range(2))
    with_agent.watch(np.array([[[1000, 1, 20, 1]]]))  # a far offer
    assert with_agent.state.n_drawn[0] == without.state.n_drawn[0]
    assert (with_agent.state.redraws[0], without.state.redraws[0]) == (2, 1)
    assert with_agent.state.position[0] == without.state.position[0] + 1


def test_conditions_change_what_is_drawn(shipped, network, start):
    depth, quote, record = (array[:4] for array in start)
    played = []
    for regime in ("hawkes", "zero_intelligence"):
        pool = Pool(shipped, depth, quote, np.tile(condition_vector(regime), (4, 1)), 3)
        pool.watch(record)
        played.append(pool.advance(20))
    assert not np.array_equal(*played)


def test_a_draw_follows_the_masked_softmax():
    logits, mask = np.random.default_rng(1).normal(0, 2, 64).astype(np.float32), np.uint64(0x00F0_5A01_0000_8003)
    possible = np.array([int(mask) >> value & 1 for value in range(64)])
    share = np.exp(logits.astype(float)) * possible
    count = np.bincount([draw(logits, mask, (i + 0.5) / 20_000) for i in range(20_000)], minlength=64)
    assert (count[possible == 0] == 0).all()
    np.testing.assert_allclose(count / 20_000, share / share.sum(), atol=1e-4)
    assert draw(logits, mask, 1 - 2.0**-53) == 55  # the highest possible value
