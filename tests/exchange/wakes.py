"""Asks a population's rule directly, as plain Python."""

import numpy as np

from marketsim.core import rng
from marketsim.exchange import rules
from marketsim.exchange.codes import ADD, CANCEL_ALL
from marketsim.exchange.config import FundamentalConfig, InstrumentConfig
from marketsim.exchange.population import StartContext
from marketsim.exchange.populations import KINDS

KEY = rng.stream_key(1, 0, "exchange", "test", "wake")


class Asked:
    """The agents of one population, and what they do when they are woken."""

    def __init__(self, kind, duration_ns=10**12, fundamental=None, **keys):
        self.cls = KINDS.resolve(kind)
        self.config = self.cls.Config(kind=kind, **{"count": 1, **keys})
        self.instrument = InstrumentConfig(symbol="ACME", open_price="100.00", fundamental=fundamental)
        context = StartContext("test", self.config.count, self.instrument, duration_ns, 1, 0)
        self.state_i, self.state_f, self.first = self.cls.start(self.config, context)
        self.end, self.wakes = duration_ns, 0

    def uniforms(self, block=0, agent=0):
        """The draws of the next wake."""
        return rng.uniforms(rng.counters(KEY, self.wakes, agent), block)

    def wake(self, now=10**9, agent=0, **fields):
        """Return the next wake and the messages, as (kind, side, price, size)."""
        market = np.zeros(rules.N_MARKET, np.int64)
        market[rules.LAST] = market[rules.OPEN_PRICE] = 10_000
        market[rules.END] = self.end
        for name, value in fields.items():
            market[getattr(rules, name.upper())] = value
        out = np.zeros((rules.MAX_MESSAGES + 1, rules.N_OUT_FIELDS), np.int64)
        counters = rng.counters(KEY, self.wakes, agent)
        self.wakes += 1
        following = self.cls.wake(self.state_i, self.state_f, agent, now, market, counters, out)
        sent = [(row[0], row[2], row[3], row[4]) for row in out[1 : out[0, 0] + 1].tolist()]
        return int(following), sent


def orders(sent):
    return [message[1:] for message in sent if message[0] == ADD]


def cancels_first(sent):
    return bool(sent) and sent[0][0] == CANCEL_ALL


__all__ = ["Asked", "FundamentalConfig", "cancels_first", "orders"]
