"""What is drawn of a group: expected run lengths over all orders, correlations about chance."""

import numpy as np
import pytest

from marketsim.analysis.bias.answers import Answers
from marketsim.analysis.bias.profile import N_LENGTHS, expected_run_lengths, profile_of
from tests.analysis.bias.series import answers, coin, in_calls, markov
from tests.oracles import answer_counts as oracle


def run_lengths(call):
    lengths, length = [], 0
    for t, bit in enumerate(call):
        length = length + 1 if t and bit == call[t - 1] else 1
        if t + 1 == len(call) or call[t + 1] != bit:
            lengths.append(length)
    return lengths


@pytest.mark.parametrize("calls", [[[1, 1, 0, 0, 0, 1]], [[1, 0, 1, 1], [0, 0, 1], [1, 1, 1]]])
def test_expected_run_lengths_are_the_mean_over_all_orders(calls):
    orders = oracle.orders_within_calls(calls)
    counts = np.zeros(N_LENGTHS + 1)
    for order in orders:
        for call in order:
            counts += np.bincount(run_lengths(call), minlength=N_LENGTHS + 1) / len(orders)
    found = expected_run_lengths(np.array([sum(c) for c in calls]), np.array([len(c) for c in calls]))
    assert found == pytest.approx(counts[1:])


def test_a_profile_counts_runs_and_transitions_within_calls():
    calls = [[1, 1, 0, 1, 0, 0, 0, 1, 1, 0]] * 3
    memory = profile_of(answers(*calls), 2, 0.5).memory
    expected = np.bincount([length for call in calls for length in run_lengths(call)], minlength=N_LENGTHS + 1)
    assert memory.run_length.tolist() == expected[1:].tolist()
    for (before, after), times in oracle.count_words(calls, 2).items():
        assert memory.transitions[before, after] == times
    assert memory.transitions.sum() == pytest.approx(memory.chance_transitions.sum())


def test_correlations_are_about_what_random_orders_give():
    fair = profile_of(in_calls(coin(71, 6000), 10), 0, 0.5).memory
    assert (np.abs(fair.correlation) < 1.6 * fair.band).all()
    chain = profile_of(in_calls(markov(1, 6000, 0.3), 6000), 0, 0.5).memory
    assert chain.correlation[0] == pytest.approx(0.4, abs=0.05)
    assert chain.correlation[1] == pytest.approx(0.16, abs=0.05)


def test_calls_of_one_answer_have_no_shares_to_draw():
    one_shot = profile_of(Answers.of(coin(72, 100), np.arange(100), np.arange(100)), 0, 0.5)
    assert len(one_shot.call_size) == 0
    assert one_shot.n_calls == 100
    assert one_shot.memory is not None
    assert profile_of(Answers.of(coin(72, 100)), 0, 0.5).memory is None
