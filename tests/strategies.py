"""Hypothesis strategies that several test files share."""

from hypothesis import strategies as st

ADD, CANCEL, REDUCE, REPLACE, CANCEL_ALL, CANCEL_OWN = range(6)
IOC, FOK, POST_ONLY, MARKET, CANCEL_RESTING, CANCEL_INCOMING, DECREMENT = (1 << bit for bit in range(7))

sides = st.sampled_from([1, -1])
near_prices = st.integers(95, 105)  # few, so that orders meet and share queues
# Stub quotes and fat fingers, at most one window of 2**18 ticks away, a few, and as far as prices go.
far_centres = [95 + s * d for s in (1, -1) for d in (130_000, 1 << 18, 300_000, 2_000_000, 1 << 40, (1 << 47) - 200)]
far_prices = st.builds(int.__add__, st.sampled_from(far_centres), st.integers(0, 3))
sizes = st.integers(1, 9)
owners = st.sampled_from([0, 0, 1, 2, 3])
preventions = st.sampled_from([0, CANCEL_RESTING, CANCEL_INCOMING, CANCEL_RESTING | CANCEL_INCOMING, DECREMENT])
instructions = st.sampled_from([0, 0, 0, IOC, FOK, POST_ONLY, MARKET, MARKET | IOC, MARKET | FOK])
flags = st.builds(int.__or__, instructions, preventions)
known_ids = st.integers(1, 30)

odd_sizes = st.sampled_from([0, -1, 1 << 41])
odd_flags = st.sampled_from([POST_ONLY | IOC, POST_ONLY | MARKET, DECREMENT | CANCEL_RESTING, 1 << 7, -1])
odd_owners = st.sampled_from([-1, 1 << 24, 1 << 40])
odd_prices = st.sampled_from([-50, 0, 1 << 48, -(1 << 48), (1 << 48) + 1, -(1 << 62), (1 << 63) - 1, -(1 << 63)])
callers_ids = st.sampled_from([5, 17, 28, 1_000, (1 << 32) + 1, (1 << 63) - 1, -1])


def one_in(n, rare, common):
    """Draw from ``rare`` once in n times."""
    return st.integers(1, n).flatmap(lambda place: rare if place == n else common)


prices = one_in(4, far_prices, near_prices)


@st.composite
def messages(draw, plain=False):
    """A message ``(kind, order_id, side, price, size, flags, owner)``; not ``plain``: a faulty one now and then too."""
    kind = draw(st.sampled_from([ADD] * 8 + [CANCEL, CANCEL, REDUCE, REPLACE, REPLACE, CANCEL_ALL, CANCEL_OWN]))
    side, price, size, flag, owner = (draw(some) for some in (sides, prices, sizes, flags, owners))
    order_id = draw(known_ids)
    if kind == ADD:
        order_id = 0 if plain else draw(one_in(6, callers_ids | known_ids, st.just(0)))
    elif kind == CANCEL_OWN:
        order_id = draw(st.integers(-1, 3))
    elif kind == REPLACE:
        flag &= POST_ONLY | CANCEL_RESTING | CANCEL_INCOMING | DECREMENT
    if not plain:
        price, size = draw(one_in(25, odd_prices, st.just(price))), draw(one_in(25, odd_sizes, st.just(size)))
        flag, owner = draw(one_in(25, odd_flags, st.just(flag))), draw(one_in(25, odd_owners, st.just(owner)))
        side, kind = (
            draw(one_in(40, st.just(0), st.just(side))),
            draw(one_in(40, st.sampled_from([-1, 6]), st.just(kind))),
        )
    return kind, order_id, side, price, size, flag, owner


streams = st.lists(messages(), max_size=60)
plain_streams = st.lists(messages(plain=True), max_size=60)
