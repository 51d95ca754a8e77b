"""How fast agents in the kernel wake: zero intelligence, on books of eleven thousand and of a million resting orders.

    python benchmarks/agents.py [--quick]

Every wake draws one Philox block, sends one message (50 % limit orders, 10 % market orders, 40 % cancels) and moves
the heap of wakes once; messages and trades stay in the event log in memory, nothing is recorded. The market grows in
two ways: more agents with eleven resting orders each, and a thousand agents with more orders each, where a cancel
walks along its owner's list to the order it names. The last column divides the growth of the time by that of the C++
twin of ``book.py``, which applies a stream of messages: the goal is at most 1.3. Settings take turns; medians, lowest
and highest.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from decimal import Decimal

from book import compile_twin, stream, theirs

from marketsim.core.venue import Stop
from marketsim.exchange import Exchange
from marketsim.exchange.config import ExchangeConfig, InstrumentConfig
from marketsim.exchange.populations import KINDS

SECOND = 1_000_000_000
LIMIT, MARKET = 0.5, 0.1  # of all messages
END = 1 << 60


class Market:
    """An exchange with one share, run until its book holds about ``agents * orders`` orders."""

    def __init__(self, agents: int, orders: int) -> None:
        kind = "zero_intelligence"
        population = KINDS.resolve(kind).Config(
            kind=kind,
            count=agents,
            limit_rate=LIMIT,
            market_rate=MARKET,
            cancel_rate=(LIMIT - MARKET) / orders,
            reach=276,
        )
        instrument = InstrumentConfig(symbol="ACME", open_price=Decimal("1000.00"))
        config = ExchangeConfig(instruments=[instrument], populations=[population])
        self.exchange = Exchange(config, seed=1, duration_ns=END, tables=(), log_rows=1 << 20)
        self.play(6 * agents * orders)  # from an empty book to within 2 % of what it will hold

    @property
    def resting(self) -> int:
        """Orders in the book."""
        book = self.exchange.depth(n=100_000)
        return sum(level.orders for level in (*book.bids, *book.asks))

    def play(self, messages: int) -> float:
        """Run on for at least that many messages; return nanoseconds per message."""
        exchange = self.exchange
        first, begun = exchange.events, time.perf_counter()
        while exchange.events < first + messages:
            if exchange.advance(END, False) is Stop.LOG_FULL:
                for _ in exchange.tables():  # makes none: what is logged gives way to what comes
                    pass
        return (time.perf_counter() - begun) / (exchange.events - first) * 1e9


def settings(large: int) -> dict[str, tuple[int, int]]:
    """Agents, and orders of each that rest on average."""
    return {"small": (1000, 11), "more agents": (large // 11, 11), "more orders": (1000, 100)}


def report(name: str, market: Market, times: dict[str, list[float]]) -> str:
    """One line of the table."""
    middle = {key: statistics.median(values) for key, values in times.items() if values}
    rates, growth = sorted(1e3 / value for value in times[name]), middle[name] / middle["small"]
    line = f"{name:13}{market.exchange.n_in_kernel:>8,}{market.resting:>11,}{middle[name]:>9.0f} ns"
    line += f"{1e3 / middle[name]:>8.2f} M/s ({rates[0]:.2f} to {rates[-1]:.2f}){growth:>8.2f}"
    if name == "more agents" and "twin large" in middle:
        line += f"{growth / (middle['twin large'] / middle['twin small']):>12.2f}"
    return line


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smaller large book, fewer rounds")
    quick = parser.parse_args().quick
    large, rounds, n = (110_000, 3, 300_000) if quick else (1_000_000, 7, 1_000_000)
    markets = {name: Market(*sizes) for name, sizes in settings(large).items()}
    times: dict[str, list[float]] = {name: [] for name in (*markets, "twin small", "twin large")}
    with tempfile.TemporaryDirectory() as folder:
        twin = compile_twin(folder) if shutil.which("g++") else None
        sizes = {"twin small": 11_000, "twin large": large} if twin else {}
        messages = {name: stream(resting, n) for name, resting in sizes.items()}
        for _ in range(rounds):
            for name, market in markets.items():
                times[name].append(market.play(n))
            for name, resting in sizes.items():
                times[name].append(theirs(twin, messages[name], resting)[0])
    print("              agents    resting      a wake       wakes                   growth   over twin's")
    for name, market in markets.items():
        print(report(name, market, times))
    if sizes:
        small, big = (statistics.median(times[name]) for name in sizes)
        print(f"twin: {small:.1f} ns a message, {big:.1f} with {large:,} resting orders: growth {big / small:.2f}")
    else:
        print("no growth over the twin's, for there is no g++ to compile it with")


if __name__ == "__main__":
    main()
