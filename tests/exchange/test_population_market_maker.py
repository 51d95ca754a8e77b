"""The adaptive market maker's ladder, number by number."""

import pytest

from marketsim.exchange.populations.market_maker import LOOKS, MID, NEXT_LADDER, SPREAD
from tests.exchange.wakes import Asked, cancels_first, orders

SECOND = 10**9
TOUCH = {"bid": 9_980, "bid_size": 5, "ask": 10_000, "ask_size": 7}


def maker(**keys):
    settings = {"levels": 3, "spacing": 2.0, "smoothing": 0.75, "start_spread": "0.40", "skew": "0.40"}
    return Asked("market_maker", **{**settings, "share_of_volume": 0.1, "lookback": "60s", **keys})


def ladder(asked, **fields):
    """Wake it for its next ladder."""
    now = int(asked.state_i[0, NEXT_LADDER])
    return asked.wake(now=now, **{**TOUCH, **fields})[1]


def test_the_ladder_leans_spaces_and_sizes_as_it_should():
    asked = maker()
    sent = ladder(asked, volume=1_000, buy_volume=750)
    spread = 0.75 * 20 + 0.25 * 40  # 25
    middle = 9_990 + int(40 * (2 * 0.75 - 1))  # 10,010
    assert asked.state_f[0, SPREAD] == spread
    bid, ask, step = middle - 12, middle + 13, 50
    assert cancels_first(sent)
    assert orders(sent) == [
        (1, bid - 100, 100),
        (1, bid - 50, 100),
        (1, bid, 100),
        (-1, ask, 100),
        (-1, ask + step, 100),
        (-1, ask + 2 * step, 100),
    ]


def test_the_spread_is_smoothed_from_ladder_to_ladder():
    asked, spread = maker(), 40.0
    for ask in (10_000, 9_982, 9_981, 9_981, 9_990):
        ladder(asked, ask=ask)
        spread = 0.25 * spread + 0.75 * (ask - 9_980)
        assert asked.state_f[0, SPREAD] == pytest.approx(spread)


def test_only_the_volume_of_the_lookback_counts():
    """Volume grows by one lot a second: at any later time the last 60 s hold 60 lots, to one look."""
    asked, now, sizes = maker(share_of_volume=1.0, mean_wait="7s"), 0, []
    while now < 300 * SECOND:
        traded = now // SECOND
        now_next, sent = asked.wake(now=now, volume=traded, buy_volume=traded, **TOUCH)
        if sent and now > 61 * SECOND:
            sizes.append(orders(sent)[0][2])
        assert now_next > now
        now = now_next
    assert len(sizes) > 10
    assert set(sizes) <= {60, 61}


def test_volume_counts_from_the_start_at_first():
    asked = maker(share_of_volume=1.0, mean_wait="10ms")
    asked.wake(now=0, volume=0, **TOUCH)
    assert orders(ladder(asked, volume=17))[0][2] == 17
    assert LOOKS == 60


def test_without_a_market_it_waits_for_its_next_wake():
    asked = maker()
    for _ in range(3):
        sent = ladder(asked, bid_size=0)
        assert cancels_first(sent)
        assert orders(sent) == []
    assert len(orders(ladder(asked))) == 6
    assert asked.state_i[0, MID] == 9_990
    assert len(orders(ladder(asked, ask_size=0))) == 6  # from the last mid


def test_the_smallest_size_holds_without_volume():
    asked = maker(min_order_size=8)
    assert {size for _, _, size in orders(ladder(asked))} == {8}
