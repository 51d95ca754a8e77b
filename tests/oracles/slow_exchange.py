"""An exchange that is too simple to be wrong: one sorted list of events, books that are lists, accounts in a dict.

It shares with the engine the rules of the populations, their starts and the books' oracle (``list_book``). Its events
are calls ``schedule(at, method, *arguments)``, so they can stand in any list of events; ``SlowClock`` is the
plainest.
"""

import bisect
from collections import defaultdict

import numpy as np

from marketsim.core import fmath, rng
from marketsim.core.venue import NEVER, Notice
from marketsim.exchange.codes import EventKind
from marketsim.exchange.config import LatencyRange
from marketsim.exchange.population import StartContext
from marketsim.exchange.populations import KINDS
from tests.oracles.list_book import ListBook

SECOND = 10**9
TRADE = EventKind.TRADE


class SlowClock:
    """Events in the order of their times, those of one time in the order in which they were scheduled."""

    def __init__(self):
        self.events, self.now, self.n = [], 0, 0

    def schedule(self, at, method, *arguments):
        bisect.insort(self.events, (at, self.n, method, arguments))
        self.n += 1

    def run(self, until):
        while self.events and self.events[0][0] < until:
            at, _, method, arguments = self.events.pop(0)
            self.now = at
            method(at, *arguments)


class Member:
    """One in-kernel agent."""

    def __init__(self, account, instrument, wake, states, row, key, latency):
        self.account, self.instrument, self.wake, self.states, self.row = account, instrument, wake, states, row
        self.key, self.latency, self.wakes = key, latency, 0


class SlowFundamental:
    """The value of one instrument, step by step."""

    def __init__(self, instrument, seed):
        self.process, tick = instrument.fundamental, float(instrument.tick_size)
        start = instrument.open_price if self.process.mean is None else self.process.mean
        self.mean = self.value = float(start) / tick
        self.tick, self.steps = tick, 0
        self.key = rng.stream_key(seed, 0, "exchange", instrument.symbol, "fundamental")

    def at(self, now):
        while (self.steps + 1) * self.process.step <= now:
            self.steps += 1
            self.step()
        return self.value

    def step(self):
        process, seconds = self.process, self.process.step / SECOND
        words = rng.counters(self.key, self.steps, 0)
        noise, count, _, _ = rng.uniforms(words, 0)
        if process.reversion_rate * seconds < 1e-9:
            decay, deviation = fmath.exp(-process.reversion_rate * seconds), process.volatility * fmath.sqrt(seconds)
        else:
            decay = fmath.exp(-process.reversion_rate * seconds)
            deviation = process.volatility * fmath.sqrt((1.0 - decay * decay) / (2.0 * process.reversion_rate))
        value = self.mean + (self.value - self.mean) * decay + deviation / self.tick * fmath.normal_quantile(noise)
        total, jumps = 0.0, 0
        chance = below = fmath.exp(-process.jump_rate * seconds)
        while count > below:
            jumps += 1
            chance = chance * (process.jump_rate * seconds) / jumps
            below += chance
            size, sign, _, _ = rng.uniforms(words, jumps)
            size = process.jump_mean / self.tick + process.jump_deviation / self.tick * fmath.normal_quantile(size)
            total += size if sign < 0.5 else -size
        self.value = max(value + total, 0.0)


class SlowExchange:
    """The exchange, one event at a time."""

    name = "exchange"

    def __init__(self, config, seed, duration_ns, schedule, tell=lambda notice: None):
        self.config, self.end, self.schedule, self.tell = config, duration_ns, schedule, tell
        self.instruments = config.instruments
        self.books = [ListBook() for _ in self.instruments]
        self.fundamentals = [SlowFundamental(i, seed) if i.fundamental else None for i in self.instruments]
        self.last = [i.to_ticks(i.open_price) for i in self.instruments]
        self.volume, self.bought, self.n_trades = ([0] * len(self.books) for _ in range(3))
        self.touch = [(0, 0, 0, 0)] * len(self.books)
        self.position, self.cash = defaultdict(int), defaultdict(int)
        self.log, self.quotes, self.depths, self.values = [], [], [], []
        self.channels, self.n_messages = set(), 0
        self.schedule(0, self.sample)
        self.n_in_kernel = 0
        for table in config.populations:
            self.populate(table, seed)

    def populate(self, table, seed):
        cls, number = KINDS.resolve(table.kind), self.config.instrument_number(table.instrument)
        context = StartContext(table.label, table.count, self.instruments[number], self.end, seed, 0)
        state_i, state_f, first = cls.start(table, context)
        key = rng.stream_key(seed, 0, "exchange", table.label, "wake")
        draws = context.uniforms("order latency")
        for row in range(table.count):
            latency = table.order_latency
            if isinstance(latency, LatencyRange):
                latency = latency.low + int(draws[row] * (latency.high - latency.low + 1))
            self.n_in_kernel += 1
            member = Member(self.n_in_kernel, number, cls.wake, (state_i, state_f), row, key, latency)
            self.schedule(int(first[row]), self.wake, member)

    # ---- Events -----------------------------------------------------------------------------------------------

    def wake(self, now, member):
        out, address = np.zeros((256, 8), np.int64), rng.counters(member.key, member.wakes, member.row)
        member.wakes += 1
        market = self.market_of(member.account, member.instrument, now)
        following = int(member.wake(*member.states, member.row, now, market, address, out))
        assert following > now
        messages = [tuple(row[:6]) for row in out[1 : out[0, 0] + 1].tolist()]
        for message in messages:
            if member.latency:
                self.schedule(now + member.latency, self.deliver, member.account, member.instrument, message)
            else:
                self.deliver(now, member.account, member.instrument, message)
        self.schedule(min(following, NEVER), self.wake, member)

    def submit(self, command, at):
        agent, number, kind, order_id, side, price, size, flags = command
        self.schedule(at, self.deliver, agent, number, (kind, order_id, side, price, size, flags))

    def sample(self, now):
        for number, book in enumerate(self.books):
            for side in (1, -1):
                levels = book.levels(side)[: self.config.depth.levels]
                self.depths += [(now, number, side, place, *level) for place, level in enumerate(levels, 1)]
            if self.fundamentals[number]:
                self.values.append((now, number, self.fundamentals[number].at(now)))
        self.schedule(now + self.config.depth.interval, self.sample)

    def deliver(self, now, owner, number, message):
        kind, order_id, side, price, size, flags = message
        rows = self.books[number].apply(kind, order_id, side, price, size, flags, owner)
        n, self.n_messages = self.n_messages, self.n_messages + 1
        for row in rows:
            self.log.append((n, now, number, *row))
            if row[0] == TRADE:
                self.settle(number, row)
        self.report(n, now, number, rows, size)
        touch = self.touch_of(number)
        if touch != self.touch[number]:
            self.touch[number] = touch
            self.quotes.append((n, now, number, *touch))
            names = ("bid_price_ticks", "bid_size_lots", "ask_price_ticks", "ask_size_lots")
            self.publish(now, number, "quote", "quotes", dict(zip(names, touch, strict=True)))

    # ---- What follows from them -------------------------------------------------------------------------------

    def settle(self, number, row):
        _, _, _, side, price, lots, _, taker, maker = row
        cash = price * lots * self.instruments[number].tick_value_minor
        for owner, sign in ((taker, side), (maker, -side)):
            self.position[number, owner] += sign * lots
            self.cash[number, owner] -= sign * cash
        self.last[number] = price
        self.volume[number] += lots
        self.bought[number] += lots if side == 1 else 0
        self.n_trades[number] += 1

    def touch_of(self, number):
        best = [self.books[number].levels(side)[:1] for side in (1, -1)]
        return tuple(word for level in best for word in (level[0][:2] if level else (0, 0)))

    def market_of(self, account, number, now):
        """In the order of the fields in ``rules``."""
        book, value = self.books[number], 0
        if self.fundamentals[number]:
            value = int(self.fundamentals[number].at(now) * (1 << 20) + 0.5)
        open_price = self.instruments[number].to_ticks(self.instruments[number].open_price)
        fields = [*self.touch[number], self.last[number], self.volume[number], self.bought[number]]
        fields += [self.n_trades[number], value, open_price, self.end]
        fields += [self.position[number, account], self.cash[number, account], len(book.own(account)), 0, 0]
        return np.array(fields, np.int64)

    def report(self, message, now, number, rows, size):
        left = size
        for kind, order_id, other_id, side, price, lots, rests, owner, other_owner in rows:
            base = {"instrument": number, "order_id": order_id, "side": side, "price_ticks": price, "size_lots": lots}
            if kind == TRADE:
                left -= lots
                if owner > self.n_in_kernel:
                    self.tell(Notice(now, owner, "fill", "", {**base, "left_lots": left, "maker": 0}))
                if other_owner > self.n_in_kernel:
                    mine = {"order_id": other_id, "side": -side, "left_lots": rests, "maker": 1}
                    self.tell(Notice(now, other_owner, "fill", "", {**base, **mine}))
                self.publish(now, number, "trade", "trades", {"price_ticks": price, "size_lots": lots, "side": side})
            elif owner > self.n_in_kernel:
                data = {**base, "left_lots": rests}
                if kind == EventKind.REJECTED:
                    data["reason"] = other_id
                self.tell(Notice(now, owner, EventKind(kind).name.lower(), "", data))

    def publish(self, now, number, topic, what, data):
        channel = f"{self.instruments[number].symbol}.{what}"
        if channel in self.channels:
            self.tell(Notice(now, 0, topic, channel, {"instrument": number, **data}))

    def listen(self, channel):
        self.channels.add(channel)
