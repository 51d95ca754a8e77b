"""The decoder: what it reads and when, its probabilities, its ring."""

import numpy as np
import pytest
import torch

from marketsim.lmm.conditions import condition_vector
from marketsim.lmm.events import FIELDS, GAP, N_VALUES
from marketsim.lmm.model import OrderModel, feature_scales, losses, rotary
from marketsim.lmm.sizes import SIZES, Shape, shape_from
from marketsim.lmm.teacher import Teacher
from marketsim.lmm.training import bits_per_window, fields_below

TINY = Shape(width=32, n_layers=2, window=8, n_heads=4, n_key_heads=2, feed=48, hidden=48)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def hawkes_batch(scale, books, n_events, seed=23):
    told = np.tile(condition_vector("hawkes"), (books, 1))
    return Teacher("hawkes", books, scale, seed).next_batch(n_events, told)


def tiny_model(batch):
    return OrderModel(TINY, *feature_scales(batch.feature), torch.Generator().manual_seed(1))


def shifted(batch, n_events):
    """The batch with features so many events late; negative: early, so that they show the future."""
    return batch._replace(feature=np.roll(batch.feature, n_events, axis=1))


def newest_features_read(model, batch, event, shift):
    """For each field, the last row of the true features that the logits of one event read."""
    feature = torch.from_numpy(batch.feature).clone().requires_grad_()
    told = torch.from_numpy(batch.condition)
    logits = model(torch.from_numpy(batch.token), torch.roll(feature, shift, dims=1), told)
    slopes = [torch.autograd.grad(field[:, event - 1].sum(), feature, retain_graph=True)[0] for field in logits]
    return [int(slope.abs().sum((0, 2)).nonzero().max()) for slope in slopes]


def test_the_model_reads_the_book_up_to_the_event_before_and_no_further(scale):
    batch = hawkes_batch(scale, 2, 40)
    model = tiny_model(batch)
    assert newest_features_read(model, batch, event=30, shift=0) == [30] * 4  # row 30 is the book before event 30
    assert newest_features_read(model, batch, event=30, shift=1) == [29] * 4  # one event late: the newest is not used
    assert newest_features_read(model, batch, event=30, shift=-1) == [31] * 4  # the future


def test_the_decoder_itself_reads_the_newest_book(scale):
    """Price and size heads see the live book even where the decoder does not; the gap's head shows the decoder."""
    batch = hawkes_batch(scale, 2, 40)
    assert newest_features_read(tiny_model(batch), batch, event=30, shift=0)[GAP] == 30


def test_the_trained_model_does_not_beat_the_teacher(shipped, network):
    batch = hawkes_batch(shipped.scale, 64, 129, seed=24)
    bits, truth = bits_per_window(network, iter([batch]))
    assert fields_below(bits, truth) == []
    excess = (bits - truth).mean(0).sum()
    assert 0.0 < excess < 0.25  # of 12.6 bits; the chained Markov model has 1.3


def test_fields_that_beat_the_truth_are_named():
    """Four fields, one of which knows the future a little."""
    rng = np.random.default_rng(3)
    truth = rng.normal(3, 0.1, (200, 4))
    bits = truth + rng.normal(0.01, 0.02, (200, 4))
    assert fields_below(bits, truth) == []
    bits[:, 2] -= 0.03
    assert fields_below(bits, truth) == ["price"]


def test_the_loss_is_a_probability_over_the_possible_values(shipped, network):
    batch = hawkes_batch(shipped.scale, 2, 20, seed=25)
    for field, n_values in enumerate(N_VALUES):
        total = np.zeros(2)
        for value in range(n_values):
            token = batch.token.copy()
            token[:, -1, field] = value  # the last event feeds no other
            possible = batch.mask[:, -1, field] >> np.uint64(value) & np.uint64(1)
            total += np.exp(-losses(network, batch._replace(token=token))[field][:, -1].numpy()) * possible
        np.testing.assert_allclose(total, 1, atol=1e-5, err_msg=FIELDS[field])


def test_the_ring_equals_a_full_pass_over_all_it_can_reach(shipped, network):
    reach = shipped.shape.reach
    batch = hawkes_batch(shipped.scale, 2, reach + 40, seed=26)
    token, feature, told = map(torch.from_numpy, (batch.token, batch.feature, batch.condition))
    cache = network.empty_cache(2)
    for event in range(token.shape[1] - 1):
        state = network.step(cache, token[:, event], feature[:, event + 1], told)
    ring = network.head_logits(GAP, state, feature[:, -1], token[:, -1])
    window = shipped.shape.window
    full, short = (network(token[:, -n - 1 :], feature[:, -n - 2 :], told)[GAP][:, -1] for n in (reach, window))
    assert (full - ring).abs().max() < 1e-5
    assert (short - ring).abs().max() > 1e-4  # a pass over one window only is another model


def test_reach_is_layers_times_window_less_one_plus_one(scale):
    batch = hawkes_batch(scale, 1, 40)
    model = tiny_model(batch).double()
    feature = torch.from_numpy(batch.feature).double().requires_grad_()
    model(torch.from_numpy(batch.token), feature, torch.from_numpy(batch.condition).double())[GAP][
        0, -1
    ].sum().backward()
    read = feature.grad.abs().sum((0, 2)).nonzero().flatten()
    assert int(read.max() - read.min() + 1) == TINY.reach


def test_both_sides_are_ruled_by_one_law(shipped, network):
    """A book seen in a mirror, and the mirrored kind: the price head says the same."""
    batch = hawkes_batch(shipped.scale, 4, 5, seed=27)
    feature, token = torch.from_numpy(batch.feature[:, 3]), torch.from_numpy(batch.token[:, 3])
    state = torch.zeros(4, shipped.shape.width)
    mirrored = feature[:, network.side_swap] * network.side_sign
    for kind in (0, 2, 4):
        own, other = (
            network.own_side(state, f, torch.full((4,), k)) for f, k in ((feature, kind), (mirrored, kind + 1))
        )
        assert torch.equal(own, other)
    assert token.shape == (4, 4)


def test_rotary_angles_stay_exact_after_a_hundred_million_events():
    angle = 100_000_003 * 10_000.0 ** (-np.arange(8) / 8)
    cosine, sine = rotary(torch.tensor([100_000_003]), 16)
    np.testing.assert_allclose(np.stack([cosine[0], sine[0]]), np.stack([np.cos(angle), np.sin(angle)]), atol=1e-6)


@pytest.mark.parametrize(("name", "millions"), [("ci", 0.25), ("small", 2.1), ("base", 10.9)])
def test_sizes_have_about_as_many_parameters_as_they_say(name, millions):
    with torch.device("meta"):
        model = OrderModel(SIZES[name], torch.zeros(28), torch.ones(28))
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.15)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="divide"):
        shape_from({**SIZES["ci"]._asdict(), "n_heads": 5})
    with pytest.raises(ValueError, match="expected width"):
        shape_from({"width": 64})
