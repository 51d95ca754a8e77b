"""Teachers: they state the law that they draw from, and what a model reads of them is true."""

import math

import numpy as np
import pytest

from marketsim.lmm.conditions import condition_vector
from marketsim.lmm.events import KIND, N_PRICES, PRICE, SIZE
from marketsim.lmm.teacher import TEACHERS, Teacher, read_batch, teacher_law, teacher_scale
from tests.oracles.lots_book import LotsBook

NAMES = pytest.mark.parametrize("name", TEACHERS)
CHILDREN = 1.25 * np.array(
    [
        [0.20, 0.02, 0.10, 0.00, 0.12, 0.02],
        [0.02, 0.20, 0.00, 0.10, 0.02, 0.12],
        [0.02, 0.05, 0.33, 0.00, 0.00, 0.06],
        [0.05, 0.02, 0.00, 0.33, 0.06, 0.00],
        [0.10, 0.02, 0.00, 0.12, 0.25, 0.05],
        [0.02, 0.10, 0.12, 0.00, 0.05, 0.25],
    ]
)


def batch_of(teacher, n_events, condition=None, keep_laws=False):
    depth, quote = teacher.depth.copy(), teacher.quote.copy()
    flow = teacher.next(n_events, keep_laws)
    told = np.tile(condition_vector(condition), (len(quote), 1))
    return flow, read_batch(flow.record, depth, quote, teacher.scale, told, flow.log_chance)


@NAMES
def test_a_teacher_states_the_law_it_draws_from(name):
    flow, batch = batch_of(Teacher(name, 16, teacher_scale(name), seed=21), 1500, keep_laws=True)
    possible = batch.mask[..., None] >> np.arange(N_PRICES, dtype=np.uint64) & np.uint64(1)
    assert np.array_equal(flow.laws[:, :, KIND:] > 0, possible[:, :, KIND:] == 1)  # a late gap's chance rounds to 0
    np.testing.assert_allclose(flow.laws.sum(-1), 1, atol=1e-12)
    chosen = np.take_along_axis(flow.laws, batch.token[..., None], -1)[..., 0]
    np.testing.assert_allclose(flow.log_chance, np.log(chosen), rtol=1e-9, atol=1e-12)
    entropy = -(flow.laws * np.log(flow.laws, where=flow.laws > 0, out=np.zeros_like(flow.laws))).sum(-1)
    surprise = (-flow.log_chance - entropy).reshape(-1, 4)  # no trend and no correlation, if draws follow the laws
    error = surprise.std(0) / math.sqrt(len(surprise))
    assert (np.abs(surprise.mean(0)) < 4 * error).all()
    assert (error < 0.01).all()


@NAMES
@pytest.mark.parametrize("volatility", [1.0, 1.4])
def test_kinds_follow_base_rates_plus_a_plain_sum_over_the_past(name, volatility):
    flow, batch = batch_of(Teacher(name, 1, teacher_scale(name), 29, volatility), 900, keep_laws=True)
    kick = 8 * CHILDREN if name == "hawkes" else np.zeros((6, 6))
    time, kind = flow.record[0, :, 0].cumsum() * 1e-9, flow.record[0, :, KIND]
    for event in range(850, 900):  # what happened 800 events ago has faded
        feature = batch.feature[0, event].astype(float)
        spread, bids, asks = np.expm1(feature[[20, 22, 23]]).round()
        nearest = max(1, int(spread) - 16)
        limit = sum(1.5 / i**0.9 for i in range(nearest, max(24, nearest) + 1))
        lean = np.exp(feature[21] * np.array([-0.5, 0.5, 0.8, -0.8, 0, 0]))
        excited = kick[:, kind[:event]] @ np.exp(-8 * (time[event] - time[:event]))
        market = 1.4 * volatility
        rate = lean * [limit, limit, market, market, 0.1 * bids, 0.1 * asks] + excited
        rate *= [1, 1, asks > 0, bids > 0, bids > 0, asks > 0]
        np.testing.assert_allclose(flow.laws[0, event, KIND, :6], rate / rate.sum(), rtol=1e-5)


@NAMES
def test_features_show_the_book_just_before_each_event(name):
    teacher = Teacher(name, 2, teacher_scale(name), seed=22)
    book = LotsBook(teacher.depth[1].copy(), teacher.quote[1].copy())
    flow, batch = batch_of(teacher, 2000)
    late = 0
    for event, (_, *played) in enumerate(flow.record[1].tolist()):
        np.testing.assert_allclose(batch.feature[1, event], book.features(), atol=1e-6)
        late += event > 0 and not np.allclose(batch.feature[1, event - 1], book.features(), atol=1e-6)
        book.play(*played)
    assert late > 1900  # features that are one event late would be seen


def test_records_are_tokens_and_residuals(scale):
    flow, batch = batch_of(Teacher("hawkes", 2, scale, seed=23), 500)
    residual = scale.residuals(flow.record, batch.token)
    assert np.array_equal(scale.decode(batch.token, residual), flow.record)
    assert not residual[..., PRICE].any()  # a teacher's bins are single ticks and lots
    assert not residual[..., SIZE].any()


def test_books_draw_apart_and_a_longer_flow_begins_with_the_shorter(scale):
    short, long = (Teacher("hawkes", 3, scale, seed=24).next(n).record for n in (100, 150))
    assert np.array_equal(long[:, :100], short)
    assert not np.array_equal(long[0], long[1])


@pytest.mark.parametrize(("name", "volatility", "text"), [("garch", 1.0, "teacher"), ("hawkes", 0.0, "positive")])
def test_unknown_teachers_are_refused(name, volatility, text):
    with pytest.raises(ValueError, match=text):
        teacher_law(name, volatility)
