"""Neither cuts nor sizes nor processes change what a shop does; buyers in Python are served; states come back."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.core.errors import PastError, SimulationError
from marketsim.core.venue import NEVER, Stop
from marketsim.storefront.commands import LEAVE, BuyCommand, VisitCommand
from tests.storefront.shops import HOUR, PLANTED, SECOND, pages, rows_of, shop

CROWD = (
    {"name": "trialists", "choice": PLANTED},
    {
        "name": "crowd",
        "count": 30,
        "arrivals": {"rate": 600.0, "profile": [1.0, 2.0] * 12},
        "choice": {**PLANTED, "outside": 15.0},
        "deviations": {"ln_price": 0.5},
        "wallet": "200.00",
        "attention": {"model": "position"},
    },
)
DYNAMIC = {"policy": "weighted", "weights": {"relevance": 0.0, "velocity": 1.0, "exploration": 0.2}}


def crowded(**keys):
    keys = {"ranking": DYNAMIC, "randomise": {"regime": "permutation", "trials": 50}, **keys}
    return shop(CROWD, **keys)


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name, frame in one.items():
        assert frame.equals(other[name]), name


def test_cuts_and_small_logs_and_small_budgets_change_nothing():
    whole = rows_of(crowded())
    cuts = sorted(np.random.default_rng(3).integers(0, HOUR, 40).tolist())
    assert len(whole["choices"]) > 300
    assert_equal(whole, rows_of(crowded(), cuts=cuts))
    assert_equal(whole, rows_of(crowded(log_rows=17, budget=3), cuts=cuts))


GRID = HOUR // 60
"""Trials, commands and cuts fall on few instants, so that many of them tie."""

commands = st.lists(
    st.tuples(
        st.integers(0, 59),
        st.builds(VisitCommand, st.sampled_from([32, 33]), st.integers(0, 1))
        | st.builds(BuyCommand, st.sampled_from([32, 33]), st.integers(0, 40), st.integers(-1, 8)),
        st.integers(0, 3),
    ),
    max_size=25,
)


def visited(sent, cuts, **options):
    """Rows, notices and final state of a shop that is driven from cut to cut; commands are sent at their instants."""
    shoppers = ({"name": "trialists", "choice": PLANTED}, {**CROWD[1], "arrivals": {"rate": 120.0}})
    venue = shop(shoppers, buyers=2, ranking=DYNAMIC, randomise={"regime": "aces", "trials": 30}, **options)
    venue.listen("storefront.sales")
    tables, heard = {}, []

    def drain(until, inclusive=False):
        while (stop := venue.advance(until, inclusive)) != Stop.HORIZON:
            heard.extend(venue.notices())
            if stop == Stop.LOG_FULL:
                take(venue.tables())
        take(venue.tables())

    def take(batches):
        for name, batch in batches:
            tables.setdefault(name, []).extend(batch.to_pylist())

    for instant in sorted({*(at for at, _, _ in sent), *cuts}):
        drain(instant * GRID)
        for at, command, delay in sent:
            if at == instant:
                venue.submit(command, (at + delay) * GRID)
    drain(HOUR)
    state = {name: array.tobytes() for name, array in venue.state().items()}
    take(venue.finish())
    return tables, heard, state


@settings(max_examples=25)
@given(commands, st.lists(st.integers(0, 59), max_size=12), st.integers(1, 5), st.integers(16, 60))
def test_cuts_with_buyers_at_tied_instants_change_neither_rows_nor_notices_nor_state(sent, cuts, budget, log_rows):
    whole = visited(sent, ())
    assert visited(sent, cuts, budget=budget, log_rows=log_rows) == whole
    assert whole[1]


@settings(max_examples=15)
@given(commands, st.integers(0, 59))
def test_a_shop_with_open_pages_that_is_saved_and_restored_goes_on_as_before(sent, cut):
    """Everything that is sent before the cut is under way or on its way when the state is taken."""
    early = [(at, command, delay) for at, command, delay in sent if at < cut]
    late = [(at, command, delay) for at, command, delay in sent if at >= cut]

    def run(is_restored):
        venue = shop(CROWD[:1], buyers=2, randomise={"regime": "aces", "trials": 30})
        rows = []

        def advance(until):
            while (stop := venue.advance(until, inclusive=False)) != Stop.HORIZON:
                rows.extend(venue.notices())
                if stop == Stop.LOG_FULL:
                    list(venue.tables())
            rows.extend(row for _, batch in venue.tables() for row in batch.to_pylist())

        for part, end in ((early, cut * GRID), (late, HOUR)):
            for instant in sorted({at for at, _, _ in part}):
                advance(instant * GRID)
                for at, command, delay in part:
                    if at == instant:
                        venue.submit(command._replace(agent=command.agent - 30), (at + delay) * GRID)
            advance(end)
            if is_restored and part is early:
                state, venue = venue.state(), shop(CROWD[:1], buyers=2, randomise={"regime": "aces", "trials": 30})
                venue.restore({name: array.copy() for name, array in state.items()})
        return rows

    assert run(is_restored=True) == run(is_restored=False)


def test_a_state_that_is_restored_goes_on_as_if_nothing_had_happened():
    whole, first, second = rows_of(crowded()), crowded(), crowded()
    before = rows_of(first, until=HOUR // 2)
    second.restore(first.state())
    after = rows_of(second)
    n = len(before["choices"])
    assert whole["choices"].iloc[n:].reset_index(drop=True).equals(after["choices"])
    for name, array in first.state().items():
        uncut = crowded()
        rows_of(uncut, until=HOUR // 2, cuts=(HOUR // 3,))
        assert array.tobytes() == uncut.state()[name].tobytes(), name


def test_a_state_of_another_shop_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        crowded().restore(shop().state())


PROGRAM = """
from tests.storefront.test_engine_laws import crowded
from tests.storefront.shops import rows_of
import hashlib
frames = rows_of(crowded(), until=10**12)
print(hashlib.sha256(b"".join(frames[name].to_numpy().tobytes() for name in ("choices", "impressions"))).hexdigest())
"""


@pytest.mark.slow
def test_rows_are_equal_in_another_process_without_jit():
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "NUMBA_DISABLE_JIT": flag},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for flag in ("0", "1")
    ]
    assert outputs[0] == outputs[1]


def test_time_stands_at_the_last_event_and_peek_at_the_next():
    venue = shop(randomise={"trials": 2}, duration_ns=8 * SECOND)
    assert venue.peek() == 0
    assert venue.advance(5 * SECOND, inclusive=False) == Stop.HORIZON
    assert (venue.now, venue.peek(), venue.events) == (4 * SECOND, 6 * SECOND, 3)
    assert venue.advance(6 * SECOND, inclusive=True) == Stop.HORIZON
    assert venue.peek() == NEVER


def test_buyers_in_python_are_shown_pages_and_answer_them():
    venue = shop(CROWD[:1], buyers=2, randomise={"regime": "aces", "trials": 30})
    venue.submit(VisitCommand(2, 1), 5 * SECOND)
    assert venue.advance(HOUR, inclusive=False) == Stop.NOTICE
    (page,) = venue.notices()
    number = page.data["choice_set"]
    assert (page.to, page.topic, page.time_ns, page.data["offers"]) == (2, "page", 5 * SECOND, 8)
    offer = venue.page_shown(number).offers[3]
    venue.submit(BuyCommand(3, number, 0), 6 * SECOND)  # not the other's page
    venue.submit(BuyCommand(2, number, 3), 6 * SECOND)
    venue.submit(BuyCommand(2, number, 3), 6 * SECOND)  # a second time
    heard = []
    while venue.advance(HOUR // 2, inclusive=False) == Stop.NOTICE:
        heard += [(notice.to, notice.topic, notice.data.get("price_minor")) for notice in venue.notices()]
    assert heard == [(3, "invalid", None), (2, "bought", offer.price_minor), (2, "invalid", None)]
    choice = rows_of(venue)["choices"].set_index("choice_set").loc[number]
    assert (choice.shopper, choice.population, choice["product"], choice.outcome) == (2, 1, offer.product, 1)
    assert choice.time_ns == 6 * SECOND


def test_a_slot_that_is_not_there_is_an_outcome_of_its_own_and_an_open_page_another():
    venue = shop((), buyers=1, randomise={"regime": "aces"})
    for _ in range(3):
        venue.submit(VisitCommand(1, 0), SECOND)
    numbers = []
    while len(numbers) < 3:
        assert venue.advance(HOUR, inclusive=False) == Stop.NOTICE
        numbers += [notice.data["choice_set"] for notice in venue.notices()]
    venue.submit(BuyCommand(1, numbers[0], 8), 2 * SECOND)
    venue.submit(BuyCommand(1, numbers[1], LEAVE), 2 * SECOND)
    assert [venue.advance(HOUR, inclusive=False) for _ in range(3)] == [Stop.NOTICE, Stop.NOTICE, Stop.HORIZON]
    assert [notice.topic for notice in venue.notices()] == ["invalid", "left"]
    tables = rows_of(venue)
    assert tables["choices"].outcome.tolist() == [2, 0, 3]
    assert tables["choices"]["product"].tolist() == [-1, -1, -1]
    assert not tables["impressions"].chosen.any()
    orders = pages(tables["impressions"], "product")
    assert orders[0].tolist() != orders[1].tolist()


def test_pages_of_a_buyer_do_not_depend_on_other_buyers():
    def first_page(busy):
        venue = shop((), buyers=2, randomise={"regime": "aces"})
        if busy:
            venue.submit(VisitCommand(1, 0), 0)
        venue.submit(VisitCommand(2, 1), SECOND)
        while True:
            assert venue.advance(HOUR, inclusive=False) == Stop.NOTICE
            for notice in venue.notices():
                if notice.to == 2:
                    return [offer[1:2] + offer[5:] for offer in venue.page_shown(notice.data["choice_set"]).offers]

    assert first_page(busy=True) == first_page(busy=False)


def test_open_pages_and_waiting_commands_survive_a_checkpoint():
    def begun():
        return shop((), buyers=1, randomise={"regime": "aces"})

    venue, other = begun(), begun()
    venue.submit(VisitCommand(1, 0), SECOND)
    venue.advance(HOUR, inclusive=False)
    venue.submit(BuyCommand(1, 0, 2), 3 * SECOND)
    other.restore(venue.state())
    assert other.page_shown(0).offers == venue.page_shown(0).offers
    assert rows_of(other)["choices"].equals(rows_of(venue)["choices"])


def test_sales_are_published_to_those_who_listen():
    venue = shop(CROWD[:1], randomise={"trials": 2})
    venue.listen("storefront.sales")
    assert venue.advance(HOUR, inclusive=False) == Stop.NOTICE
    (sale,) = venue.notices()
    assert (sale.topic, sale.channel, sale.data["choice_set"]) == ("sale", "storefront.sales", 0)
    with pytest.raises(ValueError, match=r"storefront\.sales"):
        venue.listen("storefront.prices")


def test_commands_for_the_past_and_of_strangers_are_refused():
    venue = shop(CROWD[:1], buyers=1, randomise={"trials": 10})
    venue.advance(HOUR // 2, inclusive=False)
    with pytest.raises(PastError, match="buyer 2"):
        venue.submit(VisitCommand(2, 0), SECOND)
    with pytest.raises(ValueError, match="account"):
        venue.submit(VisitCommand(7, 0), HOUR)
    with pytest.raises(ValueError, match="category"):
        venue.submit(VisitCommand(2, 9), HOUR)
    with pytest.raises(SimulationError, match="before the storefront starts"):
        venue.add_agent("late", "test", "rule")


def test_tables_that_nobody_wants_are_not_made():
    assert set(rows_of(shop(tables=["storefront/choices"]))) == {"choices"}
    with pytest.raises(ValueError, match="storefront/choices"):
        shop(tables=["storefront/sales"])
