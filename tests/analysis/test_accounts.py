from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from marketsim.analysis.accounts import mark_accounts, read_balances, read_populations
from marketsim.analysis.instruments import Instrument

NAN = float("nan")
AGENTS = pa.table(
    {
        "agent": [1, 2, 3, 4],
        "name": ["noise-1", "noise-2", "maker", "watcher-7"],
        "kind": ["noise", "noise", "market_maker", "quote_watcher"],
        "provenance": ["rule"] * 4,
    }
)
ACCOUNTS = pa.table(
    {
        "agent": [1, 2, 3, 1],
        "instrument": pa.array([0, 0, 0, 1], pa.int32()),
        "position_lots": [10, -4, -6, 0],
        "cash_minor": [-100_000, 41_000, 59_000, 0],
    }
)
VOLUMES = np.array([0, 10, 4]), np.array([0, 0, 0, 14])


def mark(price, instrument=None, number=0, accounts=ACCOUNTS, volumes=VOLUMES, with_idle=False):
    balances = read_balances(accounts, 5, 2)[number]
    return mark_accounts(
        read_populations(AGENTS), balances, instrument or Instrument("ACME"), price, volumes, with_idle=with_idle
    )


def test_agents_of_one_table_are_one_population():
    found = read_populations(AGENTS)
    assert [(one.name, one.kind, one.agents.tolist()) for one in found] == [
        ("noise", "noise", [1, 2]),
        ("maker", "market_maker", [3]),
        ("watcher-7", "quote_watcher", [4]),
    ]


def test_profit_is_cash_and_the_position_at_the_mark():
    noise, maker = mark(10_050.0)
    assert (noise.n_agents, noise.position_lots, noise.taken_lots, noise.made_lots) == (2, 6, 14, 0)
    assert noise.cash == pytest.approx(-590)
    assert noise.profit == pytest.approx((-1000 + 10 * 100.5) + (410 - 4 * 100.5))
    assert (noise.profit_least, noise.profit_most) == (pytest.approx(5), pytest.approx(8))
    assert noise.profit_mean == pytest.approx(noise.profit / 2)
    assert (maker.population.name, maker.made_lots) == ("maker", 14)


@pytest.mark.parametrize("price", [0.0, 9_999.5, 10_050.0, 123_456.0])
def test_what_one_wins_another_loses(price):
    lines = mark(price)
    assert sum(line.profit for line in lines) == pytest.approx(0, abs=1e-9)
    assert sum(line.position_lots for line in lines) == 0


def test_ticks_lots_and_minor_units_count():
    instrument = Instrument("BIG", tick_size=Decimal("0.5"), lot_size=100, cash_decimals=0)
    noise, _ = mark(20.0, instrument)
    assert noise.profit == pytest.approx(-59_000 + 6 * 100 * 10.0)


def test_a_position_without_a_price_has_no_profit_and_a_flat_one_has():
    noise, maker = mark(NAN)
    assert np.isnan([noise.profit, maker.profit]).all()
    flat, _ = mark(NAN, number=1, accounts=ACCOUNTS.slice(3))
    assert flat.profit == 0


def test_populations_that_did_nothing_are_listed_on_request():
    assert [line.population.name for line in mark(1.0)] == ["noise", "maker"]
    assert [line.population.name for line in mark(1.0, with_idle=True)] == ["noise", "maker", "watcher-7"]


def test_orders_without_an_owner_are_a_population_of_theirs():
    taken, made = np.array([5, 0, 0, 0]), np.array([0, 0, 0, 5])
    (nobody,) = [line for line in mark(1.0, volumes=(taken, made)) if line.population.name == "no owner"]
    assert (nobody.n_agents, nobody.taken_lots) == (1, 5)


def test_the_last_row_of_an_account_counts():
    later = pa.concat_tables([ACCOUNTS, ACCOUNTS.slice(0, 1).set_column(2, "position_lots", [[3]])])
    assert read_balances(later, 1, 2)[0].position_lots.tolist() == [0, 3, -4, -6]


def test_nothing_recorded_gives_nothing():
    assert read_populations(AGENTS.slice(0, 0)) == ()
    assert read_balances((), 3, 1)[0].position_lots.tolist() == [0, 0, 0]
