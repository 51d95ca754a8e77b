"""The exchange as a venue: commands, notices, accounts, samples, faults."""

import pytest

from marketsim.core.errors import PastError, PopulationError, SimulationError
from marketsim.core.venue import NEVER, Stop
from marketsim.exchange.codes import EventKind, OrderStatus, RejectReason, Side
from marketsim.exchange.commands import (
    Account,
    Depth,
    Level,
    Quote,
    cancel,
    cancel_all,
    limit_order,
    market_order,
    own_id,
    reduce,
    replace,
)
from marketsim.exchange.config import ExchangeConfig, FundamentalConfig, InstrumentConfig, PopulationConfig
from tests.exchange.markets import MS, SECOND, crowd, one_book, open_exchange, population, recorded, visited

END = 10 * SECOND


def two_traders(config=None, **keys):
    exchange = open_exchange(config or one_book(), **keys)
    return exchange, exchange.add_agent("ann", "test", "rule"), exchange.add_agent("bob", "test", "live")


def told(exchange, until=END):
    """Everything that is heard up to a time, in short."""
    _, heard = recorded(exchange, until)
    return [(notice.time_ns, notice.to, notice.topic, notice.data) for notice in heard]


# ---- Commands and notices ----------------------------------------------------------------------------------


def test_both_sides_hear_of_a_trade():
    exchange, ann, bob = two_traders()
    exchange.submit(limit_order(ann, 0, own_id(ann, 1), Side.SELL, 10_005, 30), at=5)
    exchange.submit(limit_order(bob, 0, own_id(bob, 1), Side.BUY, 10_006, 50), at=7)
    fill = {"instrument": 0, "price_ticks": 10_005, "size_lots": 30}
    accepted = {"instrument": 0, "price_ticks": 10_005, "size_lots": 30, "left_lots": 30, "side": -1}
    assert told(exchange) == [
        (5, ann, "accepted", {**accepted, "order_id": own_id(ann, 1)}),
        (7, bob, "fill", {**fill, "order_id": own_id(bob, 1), "left_lots": 20, "side": 1, "maker": 0}),
        (7, ann, "fill", {**fill, "order_id": own_id(ann, 1), "left_lots": 0, "side": -1, "maker": 1}),
        (
            7,
            bob,
            "accepted",
            {
                "instrument": 0,
                "order_id": own_id(bob, 1),
                "side": 1,
                "price_ticks": 10_006,
                "size_lots": 50,
                "left_lots": 20,
            },
        ),
    ]
    assert exchange.quote() == Quote(10_006, 20, 0, 0, 10_005)
    assert exchange.order_status("ACME", own_id(ann, 1)) is OrderStatus.FILLED
    assert exchange.order_status("ACME", own_id(bob, 1)) is OrderStatus.RESTING
    assert exchange.account(ann) == Account((-30,), (30 * 10_005,))
    assert exchange.account(bob) == Account((30,), (-30 * 10_005,))


def test_a_sweep_counts_down_what_is_left():
    exchange, ann, bob = two_traders()
    for n in (1, 2, 3):
        exchange.submit(limit_order(ann, 0, own_id(ann, n), Side.SELL, 10_000 + n, 10), at=n)
    exchange.submit(market_order(bob, 0, own_id(bob, 1), Side.BUY, 35), at=9)
    heard = [entry for entry in told(exchange) if entry[1] == bob]
    assert [(topic, data["left_lots"]) for _, _, topic, data in heard] == [
        ("fill", 25),
        ("fill", 15),
        ("fill", 5),
        ("expired", 0),
        ("accepted", 0),
    ]


def test_every_message_is_answered():
    exchange, ann, _ = two_traders()
    first, second = own_id(ann, 1), own_id(ann, 2)
    for at, command in enumerate(
        [
            limit_order(ann, 0, first, Side.BUY, 9_990, 30),
            reduce(ann, 0, first, 10),
            replace(ann, 0, first, 9_991, 25),
            limit_order(ann, 0, second, Side.BUY, 9_992, 0),
            cancel(ann, 0, second),
            cancel_all(ann, 0),
        ]
    ):
        exchange.submit(command, at)
    heard = told(exchange)
    assert [topic for _, _, topic, _ in heard] == [
        "accepted",
        "reduced",
        "replaced",
        "rejected",
        "rejected",
        "cancelled",
    ]
    assert heard[3][3]["reason"] == RejectReason.INVALID_SIZE
    assert heard[4][3]["reason"] == RejectReason.UNKNOWN_ORDER


def test_nobody_reaches_the_orders_of_another():
    exchange, ann, bob = two_traders()
    exchange.submit(limit_order(ann, 0, own_id(ann, 1), Side.BUY, 9_990, 30), at=0)
    exchange.submit(cancel(bob, 0, own_id(ann, 1)), at=1)
    assert told(exchange)[-1][1:3] == (bob, "rejected")
    assert exchange.quote().bid_size_lots == 30


def test_market_data_is_published_where_someone_listens():
    exchange, ann, bob = two_traders()
    exchange.listen("ACME.trades")
    exchange.listen("ACME.quotes")
    exchange.submit(limit_order(ann, 0, own_id(ann, 1), Side.SELL, 10_005, 30), at=5)
    exchange.submit(limit_order(bob, 0, own_id(bob, 1), Side.BUY, 10_005, 10), at=6)
    _, heard = recorded(exchange, END)
    public = [(notice.time_ns, notice.topic, notice.channel, notice.data) for notice in heard if notice.to == 0]
    quote = {"instrument": 0, "bid_price_ticks": 0, "bid_size_lots": 0, "ask_price_ticks": 10_005}
    assert public == [
        (5, "quote", "ACME.quotes", {**quote, "ask_size_lots": 30}),
        (6, "trade", "ACME.trades", {"instrument": 0, "price_ticks": 10_005, "size_lots": 10, "side": 1}),
        (6, "quote", "ACME.quotes", {**quote, "ask_size_lots": 20}),
    ]


def test_unknown_channels_are_refused():
    exchange, _, _ = two_traders()
    for channel in ("ACME", "ACME.depth", "BETA.quotes", ""):
        with pytest.raises(ValueError, match=r"expected a channel such as ACME\.quotes, ACME\.trades"):
            exchange.listen(channel)


def test_commands_of_one_instant_take_effect_in_the_order_of_their_submission():
    exchange, ann, bob = two_traders()
    exchange.submit(limit_order(bob, 0, own_id(bob, 1), Side.BUY, 9_990, 1), at=5)
    exchange.submit(limit_order(ann, 0, own_id(ann, 1), Side.BUY, 9_990, 2), at=5)
    exchange.submit(market_order(ann, 0, own_id(ann, 2), Side.SELL, 1), at=6)
    told(exchange)
    assert exchange.order_status("", own_id(bob, 1)) is OrderStatus.FILLED


def test_a_command_for_the_past_is_refused():
    exchange, ann, _ = two_traders()
    exchange.submit(limit_order(ann, 0, own_id(ann, 1), Side.BUY, 9_990, 1), at=5 * SECOND + 1)
    told(exchange)
    with pytest.raises(PastError, match="a message of agent 1 for 1s, but the exchange is at 9s already"):
        exchange.submit(cancel(ann, 0, own_id(ann, 1)), at=SECOND)


@pytest.mark.parametrize("command", [cancel(3, 0, 1), cancel(-1, 0, 1), cancel(1, 1, 1), cancel(1, -1, 1)])
def test_commands_of_nobody_or_for_nothing_are_refused(command):
    exchange, _, _ = two_traders()
    with pytest.raises(ValueError, match="expected an (account|instrument) from 0 to"):
        exchange.submit(command, at=0)


def test_many_messages_can_be_in_flight_at_once():
    exchange, ann, _ = two_traders()
    n = 5_000
    for k in range(n):
        exchange.submit(limit_order(ann, 0, own_id(ann, k + 1), Side.BUY, 9_000 + k % 7, 1), at=n - k)
    heard = told(exchange)
    assert [data["order_id"] for _, _, _, data in heard] == [own_id(ann, k) for k in range(n, 0, -1)]


def test_accounts_are_opened_before_the_start():
    exchange, _, _ = two_traders()
    exchange.advance(1, inclusive=False)
    with pytest.raises(SimulationError, match="agent carl: accounts must be opened before the exchange starts"):
        exchange.add_agent("carl", "test", "rule")


def test_depth_shows_the_best_levels_of_both_sides():
    exchange, ann, _ = two_traders()
    for n, (side, price, size) in enumerate(
        [(1, 9_990, 5), (1, 9_995, 7), (1, 9_995, 1), (-1, 10_001, 2), (-1, 10_400, 9)]
    ):
        exchange.submit(limit_order(ann, 0, own_id(ann, n + 1), side, price, size), at=0)
    told(exchange)
    bids, asks = (Level(9_995, 8, 2), Level(9_990, 5, 1)), (Level(10_001, 2, 1), Level(10_400, 9, 1))
    assert exchange.depth("ACME") == Depth(bids, asks)
    assert exchange.depth("ACME", 1) == Depth(bids[:1], asks[:1])


def test_prices_beyond_the_window_move_it():
    exchange, ann, bob = two_traders()
    for n, price in enumerate((10_000, 100_000, 200_000, 1)):
        exchange.submit(limit_order(ann, 0, own_id(ann, n + 1), Side.BUY, price, 1), at=n)
    exchange.submit(limit_order(bob, 0, own_id(bob, 1), Side.SELL, 10_000_000, 1), at=9)
    heard = told(exchange)
    assert [topic for _, _, topic, _ in heard] == ["accepted"] * 5
    assert exchange.quote() == Quote(200_000, 1, 10_000_000, 1, 10_000)
    assert exchange.depth() == Depth(
        tuple(Level(price, 1, 1) for price in (200_000, 100_000, 10_000, 1)), (Level(10_000_000, 1, 1),)
    )


def test_stub_quotes_trade_last_and_keep_nothing_out():
    exchange, ann, bob = two_traders()
    for n, price in enumerate((2_000_000_000, 10_005, 1 << 48)):
        exchange.submit(limit_order(ann, 0, own_id(ann, n + 1), Side.SELL, price, 10), at=n)
    exchange.submit(market_order(bob, 0, own_id(bob, 1), Side.BUY, 25), at=5)
    exchange.submit(limit_order(bob, 0, own_id(bob, 2), Side.BUY, (1 << 48) + 1, 25), at=6)
    heard = [(topic, data["price_ticks"], data["size_lots"]) for _, to, topic, data in told(exchange) if to == bob]
    assert heard == [
        ("fill", 10_005, 10),
        ("fill", 2_000_000_000, 10),
        ("fill", 1 << 48, 5),
        ("accepted", 0, 25),
        ("rejected", (1 << 48) + 1, 25),
    ]
    assert exchange.quote() == Quote(0, 0, 1 << 48, 5, 1 << 48)


# ---- Accounts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latency", ["0s", "2ms"])
def test_cash_and_shares_are_conserved_and_follow_from_the_trades(latency):
    exchange, rows, _ = visited(crowd(latency))
    n = exchange.n_in_kernel + 1
    position = {(agent, number): 0 for agent in range(n + 1) for number in range(2)}
    cash = dict(position)
    for _, _, number, price, size, side, _, _, taker, maker, _ in rows["exchange/trades"]:
        value = price * size * (1 if number == 0 else 500)  # a tick of BETA: 0.5 currency, 10 to the lot, in cents
        for agent, sign in ((taker, side), (maker, -side)):
            position[agent, number] += sign * size
            cash[agent, number] -= sign * value
    tables = {name: batch.to_pylist() for name, batch in exchange.finish()}
    written = {(row["agent"], row["instrument"]): row for row in tables["exchange/accounts"]}
    assert {key: row["position_lots"] for key, row in written.items()} == position
    assert {key: row["cash_minor"] for key, row in written.items()} == cash
    assert sum(position.values()) == sum(cash.values()) == 0
    assert exchange.account(n) == Account(*((book[n, 0], book[n, 1]) for book in (position, cash)))
    names = [(row["agent"], row["name"], row["kind"]) for row in tables["exchange/agents"]]
    assert names[0] == (1, "zero_intelligence-1", "zero_intelligence")
    assert names[-1] == (n, "visitor", "test")


@pytest.mark.parametrize("horizons", [[3 * SECOND], [2 * SECOND, 7], [SECOND // 3, 3 * SECOND + 1]], ids=str)
def test_accounts_are_those_of_the_instant_that_was_reached(horizons):
    """Not of the last event, which came at 5 ns or is a sample that came before the end."""
    exchange, ann, bob = two_traders()
    exchange.submit(limit_order(ann, 0, own_id(ann, 1), Side.SELL, 10_005, 30), at=4)
    exchange.submit(market_order(bob, 0, own_id(bob, 1), Side.BUY, 30), at=5)
    for horizon in horizons:
        told(exchange, horizon)
    [accounts] = [batch.to_pylist() for name, batch in exchange.finish() if name == "exchange/accounts"]
    assert {row["time_ns"] for row in accounts} == {max(horizons)}
    assert [row["position_lots"] for row in accounts] == [0, -30, 30]


def test_minor_units_hold_every_tick():
    for tick, lot, decimals, value in [("0.01", 1, 2, 1), ("0.5", 10, 2, 500), ("0.0001", 3, 4, 3), ("5", 1, 2, 500)]:
        instrument = InstrumentConfig(symbol="X", tick_size=tick, lot_size=lot, open_price="100")
        assert (instrument.cash_decimals, instrument.tick_value_minor) == (decimals, value)


# ---- Samples -----------------------------------------------------------------------------------------------


def test_the_book_is_sampled_at_fixed_times():
    exchange, ann, _ = two_traders(one_book().model_copy(update={"depth": crowd().depth}))
    exchange.submit(limit_order(ann, 0, own_id(ann, 1), Side.BUY, 9_990, 30), at=700 * MS)
    for n in range(2, 7):
        exchange.submit(limit_order(ann, 0, own_id(ann, n), Side.SELL, 10_000 + n, n), at=1_000 * MS)
    rows, _ = recorded(exchange, 2_200 * MS)
    bid = (0, 1, 1, 9_990, 30, 1)
    asks = [(0, -1, place, 10_001 + place, 1 + place, 1) for place in (1, 2, 3)]
    times = [700 * MS] + [1_400 * MS] * 4 + [2_100 * MS] * 4  # at 700 ms the sample comes behind the command
    expected = [(time, *row) for time, row in zip(times, [bid, bid, *asks, bid, *asks], strict=True)]
    assert rows["exchange/depth"] == expected


def test_more_samples_than_there_is_room_for_come_in_several_calls():
    config = one_book(fundamental=FundamentalConfig()).model_copy(
        update={"depth": crowd().depth.model_copy(update={"interval": 1000})}
    )
    rows, _ = recorded(open_exchange(config), 10_000 * 1000)
    assert [row[0] for row in rows["exchange/fundamentals"]] == list(range(0, 10_000 * 1000, 1000))


# ---- Users' populations ------------------------------------------------------------------------------------

MODULE = """
import numpy as np
from marketsim.exchange.config import PopulationConfig
from marketsim.exchange.population import Population, Start
from marketsim.exchange.rules import limit_order


def twice(price):
    return 2 * price


class Mine(Population):
    class Config(PopulationConfig):
        price: int = 5_000

    @classmethod
    def start(cls, config, context):
        state = np.full((context.count, 1), config.price)
        return Start(state, np.zeros((context.count, 0)), np.arange(context.count))

    {wake}
"""
WAKE = """@staticmethod
    def wake(state_i, state_f, agent, now, market, counters, out):
        limit_order(out, 1, twice(state_i[agent, 0]) + agent, 1 + agent, 0)
        return {result}"""


def user_exchange(tmp_path, source, name="mine"):
    (tmp_path / f"{name}.py").write_text(source)
    from marketsim.core.registry import load_user_module

    module = load_user_module(name, tmp_path)
    table = module.Mine.Config(kind=f"{name}:Mine", count=3)
    return open_exchange(one_book(table), folder_of=lambda kind: tmp_path)


def test_a_users_population_runs_with_its_helpers(tmp_path):
    source = MODULE.format(wake=WAKE.format(result="now + 3_000_000_000"))
    rows, _ = recorded(user_exchange(tmp_path, source), 3 * SECOND)
    assert [(row[1], row[3], row[8], row[9]) for row in rows["exchange/messages"]] == [
        (agent, agent + 1, 10_000 + agent, 1 + agent) for agent in range(3)
    ]


@pytest.mark.parametrize(
    ("wake", "message"),
    [
        (WAKE.format(result="now + 1.5"), r"bad0\.py:\d+: Mine\.wake: found a result of type float64, expected int64"),
        (WAKE.format(result="None"), r"found a result of type none, expected int64"),
        (WAKE.format(result="now + undefined"), r"found what cannot be compiled: .*undefined"),
        ("pass", r"Mine\.wake: found none, expected a static method wake\(state_i, .*\) -> int"),
        (
            "@staticmethod\n    def wake(state_i, now):\n        return 1",
            r"found wake\(state_i, now\), expected wake\(state_i,",
        ),
        ("def wake(self, a, b, c, d, e, f):\n        return 1", r"found a method with self, expected a static method"),
        ("wake = 7", r"Mine\.wake: found 7, expected a plain function"),
    ],
    ids=["float", "none", "unknown name", "no rule", "arity", "method", "number"],
)
def test_a_rule_that_breaks_the_contract_is_refused_before_the_run(tmp_path, wake, message, request):
    name = f"bad{request.node.callspec.indices['wake']}"
    with pytest.raises(PopulationError, match=message):
        user_exchange(tmp_path, MODULE.format(wake=wake), name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "np.full((context.count, 1)",
            "np.full((7, 1)",
            r"state_i: found shape \(7, 1\), expected \(count, width\) with count = 3",
        ),
        ("config.price)", "0.5)", "state_i: found dtype float64, expected int64"),
        ("np.arange(context.count)", "-np.ones(3, np.int64)", "found a first wake below 0"),
        ("return Start(", "return (state,) or (", "expected .state_i, state_f, first_wake_ns."),
    ],
    ids=["shape", "dtype", "past", "no tuple"],
)
def test_a_start_that_breaks_the_contract_is_refused_before_the_run(tmp_path, old, new, message, request):
    name = f"start{request.node.callspec.indices['old']}"
    source = MODULE.format(wake=WAKE.format(result="now + 1")).replace(old, new)
    with pytest.raises(PopulationError, match=message):
        user_exchange(tmp_path, source, name)


def test_keys_of_another_kind_are_refused():
    with pytest.raises(PopulationError, match="expected an instance of Noise"):
        open_exchange(one_book(PopulationConfig(kind="noise", count=1)))


def test_a_wake_that_is_not_later_is_stuck_and_named(tmp_path):
    exchange = user_exchange(tmp_path, MODULE.format(wake=WAKE.format(result="now - agent")), "stuck")
    assert exchange.advance(END, inclusive=False) is Stop.STUCK
    assert exchange.fault() == (
        "population stuck:Mine, agent stuck:Mine-1, at 0s: its rule asked to wake at 0 ns, "
        "expected a time later than now"
    )


def test_a_wake_that_sends_too_much_is_stuck_and_named(tmp_path):
    wake = WAKE.format(result="now + 1").replace("limit_order", "for _ in range(300): limit_order")
    exchange = user_exchange(tmp_path, MODULE.format(wake=wake), "flood")
    assert exchange.advance(END, inclusive=False) is Stop.STUCK
    assert exchange.fault().endswith(
        "agent flood:Mine-1, at 0s: its rule sent 300 messages in one wake, expected at most 255"
    )


# ---- The rest ----------------------------------------------------------------------------------------------


def test_an_exchange_of_its_own_has_only_samples_to_do():
    exchange = open_exchange(one_book())
    assert exchange.peek() == 0
    assert exchange.advance(1, inclusive=False) is Stop.HORIZON
    assert exchange.peek() == SECOND < NEVER
    assert exchange.advance(SECOND, inclusive=True) is Stop.HORIZON
    assert exchange.now == SECOND


def test_the_budget_ends_a_call():
    flow = population("zero_intelligence", count=10)
    exchange = open_exchange(one_book(flow), budget=5)
    assert exchange.advance(END, inclusive=False) is Stop.BUDGET


def test_unknown_tables_are_refused():
    with pytest.raises(ValueError, match="expected tables out of exchange/messages, .* found exchange/nothing"):
        open_exchange(one_book(), tables=["exchange/nothing"])


def test_replicates_differ_and_names_address_the_draws():
    def flow(name, replicate=0):
        table = population("zero_intelligence", name=name, count=5)
        return recorded(open_exchange(one_book(table), replicate=replicate), 20 * SECOND)[0]["exchange/messages"]

    assert flow("a") == flow("a") != flow("b")
    assert flow("a") != flow("a", replicate=1)


def test_agents_added_behind_change_nobody_elses_draws():
    def first_wakes(count):
        return open_exchange(one_book(population("noise", count=count))).populations[0].first_wake_ns

    assert first_wakes(20)[:5].tolist() == first_wakes(5).tolist()


def test_latencies_are_drawn_once_per_agent_within_their_range():
    table = population("noise", count=2_000, order_latency={"low": "20us", "high": "2ms"})
    latency = open_exchange(one_book(table)).populations[0].latency_ns
    assert 20_000 <= latency.min() < 30_000
    assert 1_990_000 < latency.max() <= 2_000_000
    assert abs(latency.mean() - 1_010_000) < 50_000


def test_an_order_arrives_its_latency_after_the_wake():
    table = population("noise", count=40, schedule="uniform", order_latency="3ms")
    exchange = open_exchange(one_book(table))
    trader = exchange.add_agent("ann", "test", "rule")
    for n, (side, price) in enumerate([(Side.BUY, 9_000), (Side.SELL, 11_000)]):
        exchange.submit(limit_order(trader, 0, own_id(trader, n + 1), side, price, 1_000_000), at=0)
    rows, _ = recorded(exchange, 11 * SECOND)
    wakes = exchange.populations[0].first_wake_ns.tolist()
    sent = [row[1] for row in rows["exchange/messages"] if row[3] <= 40 and row[4] == EventKind.ACCEPTED]
    assert sorted(sent) == sorted(wake + 3 * MS for wake in wakes)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"instruments": []}, "at least 1 item"),
        (
            {"instruments": [InstrumentConfig(symbol="A", open_price="1")] * 2},
            "expected unique symbols; found more than one A",
        ),
        ({"populations": [population("noise", count=1)] * 2}, "expected unique names of populations"),
        ({"populations": [population("noise", count=1, instrument="B")]}, 'expected one of A; found "B"'),
    ],
)
def test_faulty_sections_are_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        ExchangeConfig(**{"instruments": [InstrumentConfig(symbol="A", open_price="1")], **keys})


@pytest.mark.parametrize(
    "keys", [{"open_price": "100.005"}, {"open_price": "0"}, {"tick_size": "-0.01", "open_price": "1"}]
)
def test_faulty_prices_are_refused(keys):
    with pytest.raises(ValueError, match="expected"):
        InstrumentConfig(symbol="A", **keys)
