"""Final accounts by population: who holds what, and who won and lost.

Positions are lots and cash is minor units, both as changed by trades alone, so that over all accounts they add up
to zero. Profit and loss marks the position at one price (the last mid, where there was one).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketsim.analysis.columns import IntArray, TableLike, read_columns
from marketsim.analysis.instruments import Instrument

ACCOUNT_COLUMNS = ("agent", "instrument", "position_lots", "cash_minor")
AGENT_COLUMNS = ("agent", "name", "kind", "provenance")

NO_OWNER = 0
"""Account number of orders that nobody owns."""

_NUMBER = re.compile(r"-\d+$")


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
        How many they are.
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
    """Group the rows of ``exchange/agents`` into the tables of the scenario that made them.

    The agents of a table with a count above 1 are called ``name-1``, ``name-2``, ...; so those of one kind and
    provenance whose names differ in that number alone are one population.
    """
    members: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for columns in read_columns(agents, AGENT_COLUMNS):
        for number, name, kind, provenance in zip(*(columns[key].tolist() for key in AGENT_COLUMNS), strict=True):
            members.setdefault((_NUMBER.sub("", name), kind, provenance), []).append((number, name))
    return tuple(
        Population(
            rows[0][1] if len(rows) == 1 else name,
            kind,
            provenance,
            np.array(sorted(number for number, _ in rows), dtype=np.int64),
        )
        for (name, kind, provenance), rows in members.items()
    )


@dataclass(frozen=True)
class Balances:
    """Final position and cash of every account in one instrument, by account number."""

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
        result = Balances(np.zeros(n_accounts, dtype=np.int64), np.zeros(n_accounts, dtype=np.int64))
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
    *,
    with_idle: bool = True,
) -> tuple[PopulationAccounts, ...]:
    """Mark every account at one price and add up by population; orders that nobody owns are a population of theirs.

    Parameters
    ----------
    mark_ticks : float
        Price of the marking; NaN where there is none.
    volumes : pair of int64 arrays
        Lots taken and lots made, by account number (shorter where the last accounts did not trade).
    with_idle : bool
        List populations that neither traded nor hold anything; those of other instruments are among them.
    """
    size = len(balances.position_lots)
    taken, made = (np.append(lots, np.zeros(size, dtype=np.int64))[:size] for lots in volumes)
    nobody = Population("no owner", "", "", np.array([NO_OWNER]))
    lines = []
    for population in (*populations, nobody):
        agent = population.agents[population.agents < size]
        active = any(array[agent].any() for array in (taken, made, balances.position_lots, balances.cash_minor))
        if not len(agent) or not (active or (with_idle and population is not nobody)):
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
