"""All numbers and series of an exchange's run, from its tables in one pass each.

``summarise_exchange`` is what the report draws and what the end of a run prints. It reads tables batch by batch and
keeps results of fixed size (one byte for each aggressive order apart), so a long run needs no more memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from marketsim.analysis.accounts import (
    ACCOUNT_COLUMNS,
    AGENT_COLUMNS,
    Population,
    PopulationAccounts,
    mark_accounts,
    read_balances,
    read_populations,
)
from marketsim.analysis.autocorrelation import Correlogram, correlogram
from marketsim.analysis.columns import FloatArray, TableLike, read_columns, split_by
from marketsim.analysis.depth import DEPTH_COLUMNS, DepthMeter, DepthSummary
from marketsim.analysis.instruments import Instrument
from marketsim.analysis.quotes import QUOTE_COLUMNS, QuoteMeter, QuoteSummary
from marketsim.analysis.returns import (
    HORIZONS_NS,
    MIN_SAMPLE,
    NormalComparison,
    TailIndex,
    choose_horizon,
    compare_with_normal,
    excess_kurtosis,
    hill_tail_index,
    log_returns,
    volatility_per_minute,
)
from marketsim.analysis.steps import BinnedSeries, StepBins, bin_edges
from marketsim.analysis.trades import TRADE_COLUMNS, TradeMeter, TradeSummary

FUNDAMENTAL_COLUMNS = ("time_ns", "instrument", "value_ticks")

EXCHANGE_COLUMNS = {
    "exchange/quotes": QUOTE_COLUMNS,
    "exchange/trades": TRADE_COLUMNS,
    "exchange/depth": DEPTH_COLUMNS,
    "exchange/fundamentals": FUNDAMENTAL_COLUMNS,
    "exchange/accounts": ACCOUNT_COLUMNS,
    "exchange/agents": AGENT_COLUMNS,
}
"""Tables that ``summarise_exchange`` reads, and the columns that it needs of each."""

N_BINS = 600
"""Bins of time of the series for drawing."""

N_VOLUME_BINS = 90
"""Bins of time of the traded volumes, and of the depth."""


@dataclass(frozen=True)
class HorizonReturns:
    """Returns of the mid over one horizon.

    Attributes
    ----------
    horizon_ns : int
        Time from one price to the next.
    n, n_missing : int
        Returns, and instants without a mid at one end.
    mean, deviation : float
        Of log returns, without a unit.
    zero_share : float
        Share of returns that are exactly 0.
    volatility : float
        Per root minute, see ``volatility_per_minute``.
    excess_kurtosis : float
        0 for a normal.
    tail : TailIndex or None
        Hill's estimate from absolute returns.
    first_autocorrelation : float
        At lag 1; NaN where there are too few returns.
    """

    horizon_ns: int
    n: int
    n_missing: int
    mean: float
    deviation: float
    zero_share: float
    volatility: float
    excess_kurtosis: float
    tail: TailIndex | None
    first_autocorrelation: float


@dataclass(frozen=True)
class ReturnSummary:
    """Returns of the mid of one instrument.

    Attributes
    ----------
    main : HorizonReturns
        At the horizon of ``choose_horizon``; the figures show this one.
    by_horizon : tuple of HorizonReturns
        That one and the longer ones of ``HORIZONS_NS`` with at least ``MIN_SAMPLE`` returns.
    value : float64 array
        The log returns of ``main``, NaN where missing.
    normal : NormalComparison or None
        None where the returns do not vary.
    correlogram, absolute_correlogram : Correlogram or None
        Of returns, with the band that allows for clustered volatility, and of absolute returns.
    """

    main: HorizonReturns
    by_horizon: tuple[HorizonReturns, ...]
    value: FloatArray
    normal: NormalComparison | None
    correlogram: Correlogram | None
    absolute_correlogram: Correlogram | None


@dataclass(frozen=True)
class InstrumentSummary:
    """One instrument in a run.

    Attributes
    ----------
    returns : ReturnSummary or None
        None where fewer than ``MIN_SAMPLE`` returns exist.
    depth : DepthSummary or None
        None where no depth was recorded.
    fundamental : BinnedSeries or None
        Value in ticks, where the instrument has one that was recorded.
    mark_ticks : float
        Price at which accounts are marked: the last mid, or the last trade where there never was one, or NaN.
    accounts : tuple of PopulationAccounts
        By population; empty where accounts or agents were not recorded.
    recorded : frozenset of str
        Tables that there were; without one of them the measures above are those of an empty table.
    """

    instrument: Instrument
    quotes: QuoteSummary
    trades: TradeSummary
    depth: DepthSummary | None
    fundamental: BinnedSeries | None
    returns: ReturnSummary | None
    mark_ticks: float
    accounts: tuple[PopulationAccounts, ...]
    recorded: frozenset[str]


@dataclass(frozen=True)
class ExchangeSummary:
    """What ``summarise_exchange`` found."""

    begin_ns: int
    end_ns: int
    horizon_ns: int
    instruments: tuple[InstrumentSummary, ...]
    populations: tuple[Population, ...]


def summarise_exchange(
    tables: Mapping[str, TableLike],
    instruments: Sequence[Instrument],
    begin_ns: int,
    end_ns: int,
    *,
    horizon_ns: int | None = None,
) -> ExchangeSummary:
    """Measure everything that the report of an exchange shows.

    Parameters
    ----------
    tables : mapping of str to table
        Any of ``EXCHANGE_COLUMNS``, each a ``pyarrow.Table`` or an iterable of record batches; others are ignored.
    instruments : sequence of Instrument
        In the order of the instruments' numbers.
    begin_ns, end_ns : int
        Time stamps between which the run took place.
    horizon_ns : int, optional
        Horizon of returns; by default ``choose_horizon`` of the duration.

    Raises
    ------
    ValueError
        ``end_ns`` is not after ``begin_ns``, a table lacks a column, or a row names an instrument that is not there.
    """
    if end_ns <= begin_ns:
        raise ValueError(f"found a run from {begin_ns} to {end_ns} ns, expected an end after its begin")
    horizon = horizon_ns or choose_horizon(end_ns - begin_ns)
    grid = np.arange(begin_ns, end_ns + 1, horizon, dtype=np.int64)
    fine, coarse = bin_edges(begin_ns, end_ns, N_BINS), bin_edges(begin_ns, end_ns, N_VOLUME_BINS)
    quotes = [QuoteMeter(begin_ns, end_ns, grid, fine) for _ in instruments]
    trades = [TradeMeter(coarse) for _ in instruments]
    depths = [DepthMeter(coarse) for _ in instruments]
    _feed(tables.get("exchange/quotes", ()), QUOTE_COLUMNS, quotes)
    _feed(tables.get("exchange/trades", ()), TRADE_COLUMNS, trades)
    _feed(tables.get("exchange/depth", ()), DEPTH_COLUMNS, depths)
    fundamental = _fundamentals(tables.get("exchange/fundamentals", ()), len(instruments), end_ns, fine)
    recorded = frozenset(tables) & frozenset(EXCHANGE_COLUMNS)
    summaries = [
        _one_instrument(
            instrument,
            (quotes[number].result(), trades[number].result(), depths[number].result(), fundamental[number]),
            horizon,
            recorded,
        )
        for number, instrument in enumerate(instruments)
    ]
    populations = read_populations(tables.get("exchange/agents", ()))
    if "exchange/accounts" in tables:
        summaries = _with_accounts(summaries, populations, tables["exchange/accounts"])
    return ExchangeSummary(begin_ns, end_ns, horizon, tuple(summaries), populations)


def summarise_returns(price: FloatArray, horizon_ns: int) -> ReturnSummary | None:
    """Measure the returns of a price that was sampled every ``horizon_ns``; None where there are too few.

    Parameters
    ----------
    price : float64 array
        Positive, NaN where there was none.
    horizon_ns : int
        Time between two of them.
    """
    value = log_returns(price)
    main = _at_horizon(value, horizon_ns)
    if main.n < MIN_SAMPLE:
        return None
    longer = [horizon for horizon in HORIZONS_NS if horizon > horizon_ns and horizon % horizon_ns == 0]
    rows = [_at_horizon(log_returns(price, horizon // horizon_ns), horizon) for horizon in longer]
    return ReturnSummary(
        main=main,
        by_horizon=(main, *(row for row in rows if row.n >= MIN_SAMPLE)),
        value=value,
        normal=compare_with_normal(value),
        correlogram=correlogram(value, robust=True),
        absolute_correlogram=correlogram(np.abs(value)),
    )


def _at_horizon(value: FloatArray, horizon_ns: int) -> HorizonReturns:
    present = value[np.isfinite(value)]
    found = correlogram(value)
    nan = float("nan")
    return HorizonReturns(
        horizon_ns=horizon_ns,
        n=len(present),
        n_missing=len(value) - len(present),
        mean=float(present.mean()) if len(present) else nan,
        deviation=float(present.std()) if len(present) else nan,
        zero_share=float((present == 0).mean()) if len(present) else nan,
        volatility=volatility_per_minute(value, horizon_ns),
        excess_kurtosis=excess_kurtosis(value),
        tail=hill_tail_index(value),
        first_autocorrelation=float(found.value[0]) if found else nan,
    )


def _one_instrument(
    instrument: Instrument,
    measured: tuple[QuoteSummary, TradeSummary, DepthSummary | None, BinnedSeries | None],
    horizon_ns: int,
    recorded: frozenset[str],
) -> InstrumentSummary:
    quotes, trades, depth, fundamental = measured
    grid = np.where(quotes.grid_mid > 0, quotes.grid_mid, np.nan)
    return InstrumentSummary(
        instrument=instrument,
        quotes=quotes,
        trades=trades,
        depth=depth,
        fundamental=fundamental,
        returns=summarise_returns(grid, horizon_ns),
        mark_ticks=trades.last_ticks if np.isnan(quotes.mid_last) else quotes.mid_last,
        accounts=(),
        recorded=recorded,
    )


def _with_accounts(
    summaries: Sequence[InstrumentSummary], populations: Sequence[Population], accounts: TableLike
) -> list[InstrumentSummary]:
    """Add the accounts, marked at each instrument's last price."""
    named = [int(population.agents.max()) + 1 for population in populations]
    traded = [len(lots) for one in summaries for lots in (one.trades.taken_by, one.trades.made_by)]
    n_accounts = max([1, *named, *traded])
    balances = read_balances(accounts, n_accounts, len(summaries))
    return [
        replace(
            one,
            accounts=mark_accounts(
                populations,
                balance,
                one.instrument,
                one.mark_ticks,
                (one.trades.taken_by, one.trades.made_by),
                with_idle=len(summaries) == 1,
            ),
        )
        for one, balance in zip(summaries, balances, strict=True)
    ]


def _feed(table: TableLike, names: tuple[str, ...], meters: Sequence[QuoteMeter | TradeMeter | DepthMeter]) -> None:
    """Hand each instrument's rows to its meter."""
    for columns in read_columns(table, names):
        for number, rows in split_by(columns["instrument"], columns):
            meters[_known(number, len(meters))].add(rows)


def _fundamentals(table: TableLike, n: int, end_ns: int, edge_ns: npt.NDArray[Any]) -> list[BinnedSeries | None]:
    """Read ``exchange/fundamentals``; each value holds until the next."""
    bins: list[StepBins | None] = [None] * n
    carry: dict[int, tuple[npt.NDArray[Any], npt.NDArray[Any]]] = {}
    for columns in read_columns(table, FUNDAMENTAL_COLUMNS):
        for number, rows in split_by(columns["instrument"], columns):
            _known(number, n)
            before = carry.get(number, (rows["time_ns"][:0], rows["value_ticks"][:0]))
            time, value = np.append(before[0], rows["time_ns"]), np.append(before[1], rows["value_ticks"])
            meter = bins[number] = bins[number] or StepBins(edge_ns)
            meter.add(time[:-1], value[:-1], int(time[-1]))
            carry[number] = time[-1:], value[-1:]
    for number, (time, value) in carry.items():
        if (meter_ := bins[number]) is not None:
            meter_.add(time, value, end_ns)
    return [None if one is None else one.result() for one in bins]


def _known(number: int, n: int) -> int:
    if number >= n:
        raise ValueError(f"found a row of instrument {number}, expected numbers below {n}")
    return number
