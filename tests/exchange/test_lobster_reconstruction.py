"""The rebuilt book agrees with a dict of levels, and what does not fit it is met by rule and counted."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.exchange.codes import Side
from marketsim.exchange.lobster import LobsterMessages, Reconstruction, reconstruction
from marketsim.exchange.lobster.reconstruction import ReconstructionCounts, common_tick
from tests.exchange.lobster_samples import books_after, invented_messages
from tests.oracles.level_book import ADD, BUY, DELETE, EXECUTE, REDUCE, SELL, replayed

SEED = [10_300, 40, 10_000, 50, 10_400, 7, 9_900, 20]
FITS = ReconstructionCounts()


def messages_of(rows):
    return LobsterMessages(Path("m.csv"), *np.array(rows, np.int64).reshape(-1, 6).T)


def untimed(rows):
    """Messages of (kind, order_id, size, price, direction), one a nanosecond."""
    return messages_of([(time_ns, *row) for time_ns, row in enumerate(rows)])


def all_books(rebuilt, messages, levels, start=0):
    return np.concatenate([values for _, values in rebuilt.books(messages, levels, start)]).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_stream_gives_the_book_of_the_dict(seed):
    rows = invented_messages(800, seed)
    rebuilt = Reconstruction(100)
    assert all_books(rebuilt, messages_of(rows), 5) == books_after(rows, 5)
    assert rebuilt.counts == FITS


def test_a_stream_can_start_from_any_row_of_its_book():
    rows = invented_messages(600, seed=3)
    books = books_after(rows, 50)
    rebuilt = Reconstruction(100, first_seed_id=10**6)
    rebuilt.seed(np.array(books[199]))
    assert all_books(rebuilt, messages_of(rows), 50, start=200) == books[200:]
    assert rebuilt.counts.unknown_ids > 0  # orders of the seed
    assert (rebuilt.counts.nowhere, rebuilt.counts.gone) == (0, 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ADD, REDUCE, DELETE, EXECUTE, 5]),
            st.integers(1, 12),
            st.integers(1, 9).map(lambda lots: 10 * lots),
            st.integers(1, 5).map(lambda ticks: 100 * ticks),
            st.sampled_from([BUY, SELL]),
        ),
        max_size=60,
    )
)
def test_any_removals_take_what_the_dict_takes(stream):
    rows, used = [], set()
    for kind, order_id, size, price, side in stream:
        if kind == ADD and order_id in used:
            continue  # an id seen anew has a rule of its own
        used |= {order_id} if kind == ADD else set()
        away = 1000 if side == SELL else 0  # nothing crosses
        rows.append((kind, order_id, size, price + away, side))
    rebuilt = Reconstruction(100)
    found = all_books(rebuilt, untimed(rows), 5) if rows else []
    assert found == replayed([(kind, size, price, side) for kind, _, size, price, side in rows], 5)


def test_a_seed_has_one_order_a_level_that_is_older_than_all_others():
    rebuilt = Reconstruction(100, first_seed_id=1000)
    rebuilt.seed(np.array(SEED))
    rebuilt.apply(ADD, 7, 30, 10_000, BUY)
    assert [(order.order_id, order.size_lots) for order in rebuilt.book.orders(Side.BUY)] == [
        (1001, 50),
        (7, 30),
        (1003, 20),
    ]
    assert rebuilt.resting == 5


def test_empty_levels_of_a_seed_hold_no_order():
    rebuilt = Reconstruction(100)
    rebuilt.seed(np.array([10_300, 40, -9_999_999_999, 0]))
    assert rebuilt.resting == 1


def test_an_unknown_order_is_taken_from_the_seed_first():
    rebuilt = Reconstruction(100, first_seed_id=1000)
    rebuilt.seed(np.array(SEED))
    rebuilt.apply(ADD, 7, 30, 10_000, BUY)
    rebuilt.apply(EXECUTE, 99, 50, 10_000, BUY)
    assert [(order.order_id, order.size_lots) for order in rebuilt.book.orders(Side.BUY)] == [(7, 30), (1003, 20)]
    assert rebuilt.counts == ReconstructionCounts(unknown_ids=1)


def test_a_known_order_keeps_its_place_when_it_shrinks():
    rebuilt = Reconstruction(100)
    rebuilt.apply(ADD, 1, 30, 10_000, BUY)
    rebuilt.apply(ADD, 2, 20, 10_000, BUY)
    rebuilt.apply(REDUCE, 1, 10, 10_000, BUY)
    assert [(order.order_id, order.size_lots) for order in rebuilt.book.orders(Side.BUY)] == [(1, 20), (2, 20)]


def test_a_removal_where_nothing_is_known_is_counted_and_changes_nothing():
    rebuilt = Reconstruction(100)
    rebuilt.apply(ADD, 1, 30, 10_000, BUY)
    rebuilt.apply(DELETE, 5, 10, 9_900, BUY)
    rebuilt.apply(DELETE, 6, 10, 10_000, SELL)
    assert rebuilt.counts == ReconstructionCounts(unknown_ids=2, nowhere=2)
    assert rebuilt.resting == 1


def test_a_removal_of_more_than_there_was_is_counted():
    rebuilt = Reconstruction(100)
    rebuilt.apply(ADD, 1, 30, 10_000, BUY)
    rebuilt.apply(DELETE, 1, 40, 10_000, BUY)
    assert rebuilt.counts == ReconstructionCounts(nowhere=1)
    assert rebuilt.resting == 0


def test_a_new_order_that_would_cross_shows_that_older_ones_are_gone():
    rebuilt = Reconstruction(100)
    rebuilt.seed(np.array(SEED))
    rebuilt.apply(ADD, 1, 5, 10_300, BUY)
    assert all_books(rebuilt, untimed([(5, 0, 1, 1, 1)]), 2) == [[10_400, 7, 10_300, 5, 9_999_999_999, 0, 10_000, 50]]
    assert rebuilt.counts == ReconstructionCounts(gone=1)


def test_an_id_seen_anew_shows_that_the_earlier_order_is_gone():
    rebuilt = Reconstruction(100)
    rebuilt.apply(ADD, 1, 30, 10_000, BUY)
    rebuilt.apply(ADD, 1, 20, 9_900, BUY)
    assert [(order.order_id, order.size_lots) for order in rebuilt.book.orders(Side.BUY)] == [(1, 20)]
    assert rebuilt.counts == ReconstructionCounts(gone=1)


def test_an_order_far_from_all_others_rests_and_one_beyond_every_book_is_counted():
    rebuilt = Reconstruction(1)
    rebuilt.apply(ADD, 1, 30, 10_000, BUY)
    far, beyond = (ADD, 2, 5, 1_999_999_900, SELL), (ADD, 3, 5, (1 << 48) + 1, SELL)
    [(_, values)] = rebuilt.books(untimed([far, beyond]), 1)
    assert values.tolist() == [[1_999_999_900, 5, 10_000, 30]] * 2
    assert rebuilt.counts.refused == 1


def test_the_place_where_the_work_is_cut_does_not_matter(monkeypatch):
    rows = invented_messages(100, seed=5)
    whole = all_books(Reconstruction(100), messages_of(rows), 3)
    monkeypatch.setattr(reconstruction, "CHUNK_ROWS", 7)
    assert all_books(Reconstruction(100), messages_of(rows), 3) == whole


def test_the_tick_is_what_divides_all_visible_prices():
    messages = untimed([(ADD, 1, 1, 5_853_300, BUY), (5, 0, 1, 5_853_350, BUY), (ADD, 2, 1, 5_854_100, BUY)])
    assert common_tick(messages) == 100
    assert common_tick(messages, [np.array([5_853_350, 1, -9_999_999_999, 0])]) == 50
    assert common_tick(untimed([(7, 0, 0, -1, -1)])) == 1
