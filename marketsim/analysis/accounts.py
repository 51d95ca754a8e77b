"""Final accounts by population: who holds what, and who won and lost.

Positions are lots and cash is minor units, both as changed by trades alone, so that over all accounts they add up
to zero. Profit and loss marks the position at one price (the last mid, where there was one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketsim.analysis.columns import FloatArray, IntArray, TableLike, read_columns
from marketsim.analysis.instruments import Instrument

ACCOUNT_COLUMNS = ("agent", "instrument", "position_lots", "cash_minor")
AGENT_COLUMNS = ("agent", "name", "kind", "provenance")


@dataclass(frozen=True)
class Population:
    """Agents of one scenario table: they share its name, kind and provenance."""

    name: str
    kind: str
    provenance: str
    agents: IntArray
    """Account numbers, increasing."""


@dataclass(frozen=True)
class PopulationAccounts:
    """What the agents of one population made of one instrument.

    Attributes
    ----------
    population : Population
        Who they are.
    n_agents : int
        Those of them that have an account in the instrument; the means and extremes are over these.
    taken_lots, made_lots : int
        Lots that they traded as takers and as makers.
    position_lots : int
        Sum of their final positions.
    cash : float
        Sum of their cash, in currency.
    profit, profit_mean, profit_least, profit_most : float
        Cash and position together, in currency: sum, and mean, least and greatest over the agents. NaN where a
        position could not be marked for want of a price.
    """

    population: Population
    n_agents: int
    taken_lots: int
    made_lots: int
    position_lots: int
    cash: float
    profit: float
    profit_mean: float
    profit_least: float
    profit_most: float


def read_populations(agents: TableLike) -> tuple[Population, ...]:
    """Group the rows of ``exchange/agents`` by name, kind and provenance, in the order of account numbers."""
    members: dict[tuple[str, str, str], list[int]] = {}
    for columns in read_columns(agents, AGENT_COLUMNS):
        for number, *key in zip(*(columns[name].tolist() for name in AGENT_COLUMNS), strict=True):
            members.setdefault((key[0], key[1], key[2]), []).append(number)
    return tuple(Population(*key, np.array(sorted(numbers), dtype=np.int64)) for key, numbers in members.items())


@dataclass(frozen=True)
class Balances:
    """Final position and cash of every account in one instrument, by account number."""

    present: FloatArray
    position_lots: IntArray
    cash_minor: IntArray


def read_balances(accounts: TableLike, n_accounts: int, n_instruments: int) -> list[Balances]:
    """Read ``exchange/accounts``; where an account has several rows for an instrument, the last one counts.

    Parameters
    ----------
    accounts : table
        With the columns ``ACCOUNT_COLUMNS``.
    n_accounts : int
        Account numbers are below this, or the arrays grow.
    n_instruments : int
        Instrument numbers are below this.
    """
    batches = read_columns(accounts, ACCOUNT_COLUMNS)
    rows = [np.stack([columns[name] for name in ACCOUNT_COLUMNS]) for columns in batches]
    table = np.concatenate([np.zeros((4, 0), dtype=np.int64), *rows], axis=1)
    n_accounts = max(n_accounts, int(table[0].max(initial=0)) + 1)
    balances = []
    for number in range(n_instruments):
        agent, _, position, cash = table[:, table[1] == number]
        result = Balances(np.zeros(n_accounts), np.zeros(n_accounts, np.int64), np.zeros(n_accounts, np.int64))
        result.present[agent] = 1
        result.position_lots[agent] = position
        result.cash_minor[agent] = cash
        balances.append(result)
    return balances


def mark_accounts(
    populations: Sequence[Population],
    balances: Balances,
    instrument: Instrument,
    mark_ticks: float,
    volumes: tuple[IntArray, IntArray],
) -> tuple[PopulationAccounts, ...]:
    """Mark every account at one price and add up by population; populations without an account are left out.

    Parameters
    ----------
    mark_ticks : float
        Price of the marking; NaN where there is none.
    volumes : pair of int64 arrays
        Lots taken and lots made, by account number (shorter where the last accounts did not trade).
    """
    size = len(balances.present)
    taken, made = (np.append(lots, np.zeros(size, dtype=np.int64))[:size] for lots in volumes)
    lines = []
    for population in populations:
        agent = population.agents[population.agents < size]
        agent = agent[(balances.present[agent] > 0) | (taken[agent] + made[agent] > 0)]
        if not len(agent):
            continue
        position, cash = balances.position_lots[agent], instrument.cash(1) * balances.cash_minor[agent]
        worth = np.array([instrument.value(mark_ticks, lots) if lots else 0.0 for lots in position.tolist()])
        profit = cash + worth
        lines.append(
            PopulationAccounts(
                population=population,
                n_agents=len(agent),
                taken_lots=int(taken[agent].sum()),
                made_lots=int(made[agent].sum()),
                position_lots=int(position.sum()),
                cash=float(cash.sum()),
                profit=float(profit.sum()),
                profit_mean=float(profit.mean()),
                profit_least=float(profit.min()),
                profit_most=float(profit.max()),
            )
        )
    return tuple(lines)
