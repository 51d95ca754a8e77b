"""Small exchanges for tests: every population, ties on purpose, with and without latency."""

from marketsim.core.venue import Stop
from marketsim.exchange.commands import cancel, limit_order, market_order, own_id
from marketsim.exchange.config import ExchangeConfig, FundamentalConfig, InstrumentConfig
from marketsim.exchange.engine import Exchange
from marketsim.exchange.populations import KINDS

MS, SECOND = 10**6, 10**9


def population(kind, **keys):
    return KINDS.resolve(kind).Config(kind=kind, **keys)


def one_book(*populations, **keys):
    instrument = InstrumentConfig(symbol="ACME", open_price="100.00", **keys)
    return ExchangeConfig(instruments=[instrument], populations=populations)


def crowd(order_latency="0s"):
    """Every kind that ships, on two books, awake often enough that little time shows a lot."""
    value = FundamentalConfig(
        volatility=0.05, reversion_rate=0.01, jump_rate=0.5, jump_mean=0.2, jump_deviation=0.05, step="50ms"
    )
    acme = InstrumentConfig(symbol="ACME", open_price="100.00", fundamental=value)
    beta = InstrumentConfig(symbol="BETA", open_price="50.0", tick_size="0.5", lot_size=10)
    late = {"order_latency": order_latency}
    size = {"order_size": 20, "order_size_sigma": 0.5}
    return ExchangeConfig(
        instruments=[acme, beta],
        populations=[
            population(
                "zero_intelligence", count=20, limit_rate=2.0, market_rate=0.5, cancel_rate=0.3, reach=8, **late, **size
            ),
            population("noise", count=20, **late, **size),
            population("value", count=6, mean_wait="500ms", observation_deviation="0.05", **late, **size),
            population("momentum", count=3, mean_wait="200ms", fast=3, slow=7, **late, **size),
            population(
                "market_maker",
                count=2,
                mean_wait="1s",
                lookback="2s",
                levels=4,
                start_spread="0.04",
                spacing=1.5,
                **late,
            ),
            population("zero_intelligence", name="beta_flow", instrument="BETA", count=8, reach=4, **late),
            population(
                "gode_sunder", instrument="BETA", count=6, value_low="30", value_high="70", ceiling="100", **late
            ),
        ],
        depth={"interval": "700ms", "levels": 3},
    )


class Record:
    """What came out of an exchange: rows of every table, and what was heard."""

    def __init__(self):
        self.rows, self.heard = {}, []

    def take_tables(self, exchange):
        for name, batch in exchange.tables():
            columns = [column.to_pylist() for column in batch.columns]
            self.rows.setdefault(name, []).extend(zip(*columns, strict=True))

    def run(self, exchange, horizon):
        while True:
            stop = exchange.advance(horizon, inclusive=False)
            self.heard += exchange.notices()
            assert stop is not Stop.STUCK, exchange.fault()
            if stop is Stop.LOG_FULL:
                self.take_tables(exchange)
            if stop is Stop.HORIZON:
                return


def recorded(exchange, until, cuts=(), commands=(), latency=0):
    """Run to ``until`` in legs that end at ``cuts``; return the rows of every table and the notices.

    Commands, as (time, command), are submitted when everything before their time has happened.
    """
    record, plan = Record(), {}
    for at, command in commands:
        plan.setdefault(at, []).append(command)
    for horizon in sorted({cut for cut in cuts if cut < until} | {at for at in plan if at < until} | {until}):
        record.run(exchange, horizon)
        for command in plan.get(horizon, ()):
            exchange.submit(command, horizon + latency)
    record.take_tables(exchange)
    return record.rows, record.heard


def state_bytes(exchange):
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in exchange.state().items()}


def open_exchange(config, seed=1, until=10 * SECOND, **keys):
    return Exchange(config, seed=seed, duration_ns=until, **keys)


def visited(config, seed=1, until=5 * SECOND, cuts=(), latency=0, channels=(), **keys):
    """An exchange with a visitor in Python: return it, its tables and the notices."""
    exchange = open_exchange(config, seed, until, **keys)
    visitor = exchange.add_agent("visitor", "test", "rule")
    for channel in channels:
        exchange.listen(channel)
    rows, heard = recorded(exchange, until, cuts, visitor_commands(visitor), latency)
    return exchange, rows, heard


def visitor_commands(agent, n=40, step=130 * MS):
    """A Python agent's commands at fixed times: limit orders, cancellations, market orders, some of them bad.

    Every ninth is a stub quote, far beyond the price window; some of these are cancelled, and one reaches the market.
    """
    commands = []
    for k in range(1, n + 1):
        number, side = k % 2, 1 - 2 * (k % 3 == 0)
        price = (10_000 if number == 0 else 100) - side * (k % 5)
        if k % 9 == 4:
            price -= side * (10**k if k < 14 else 300_000 * k)
        order_id = own_id(agent, k)
        if k % 4 == 3:
            command = cancel(agent, number, own_id(agent, k - 2))
        elif k % 7 == 6:
            command = market_order(agent, number, order_id, side, 5 * k)
        else:
            command = limit_order(agent, number, order_id, side, price, 0 if k == 20 else 3 * k)
        commands.append((k * step, command))
    return commands
