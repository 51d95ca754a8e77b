"""Every fault of a scenario is reported at once, with file, line, key, what was found and what was expected."""

from __future__ import annotations

import pytest

from marketsim.core.errors import ScenarioError
from marketsim.scenario import load_scenario

KINDS = "gode_sunder, hawkes, market_maker, momentum, noise, value, zero_intelligence"
POPULATION = "exchange.populations.zero_intelligence"


def line_of(text: str, row: str) -> int:
    """Line of the first row that is ``row``, from 1: independent of how the loader counts."""
    return text.split("\n").index(row) + 1


# (row of the base scenario, what it becomes, path of the fault, its text)
ONE_FAULT = [
    (
        'tick_size = "0.01"',
        'tick_size = "-0.01"',
        "exchange.instruments.ACME.tick_size",
        'found "-0.01", expected a positive decimal such as "0.01"',
    ),
    (
        'tick_size = "0.01"',
        "tick_size = 0",
        "exchange.instruments.ACME.tick_size",
        'found 0, expected a positive decimal such as "0.01"',
    ),
    (
        'tick_size = "0.01"',
        'tick_sise = "0.01"',
        "exchange.instruments.ACME.tick_sise",
        "found an unknown key, expected one of symbol, tick_size, lot_size, open_price, currency, fundamental; "
        "did you mean tick_size?",
    ),
    (
        'open_price = "100.00"',
        'open_price = "100.005"',
        "exchange.instruments.ACME.open_price",
        'found "100.005", expected a multiple of the tick size 0.01',
    ),
    (
        "volatility = 0.01",
        "volatility = nan",
        "exchange.instruments.ACME.fundamental.volatility",
        "found nan, expected a number from 0 to 1000000000",
    ),
    (
        "volatility = 0.01",
        "volatility = inf",
        "exchange.instruments.ACME.fundamental.volatility",
        "found inf, expected a number from 0 to 1000000000",
    ),
    (
        'open_price = "100.00"',
        "open_price = nan",
        "exchange.instruments.ACME.open_price",
        'found nan, expected a positive decimal such as "0.01"',
    ),
    ("seed = 1", "seed = -1", "seed", "found -1, expected an integer from 0 to 9223372036854775807"),
    ("seed = 1", 'seed = "1"', "seed", 'found "1", expected an integer from 0 to 9223372036854775807'),
    ("seed = 1", "seed = 1.0", "seed", "found 1.0, expected an integer from 0 to 9223372036854775807"),
    ("seed = 1", "seed = true", "seed", "found true, expected an integer from 0 to 9223372036854775807"),
    ("seed = 1", "seed = 9223372036854775808", "seed", None),
    ('duration = "30min"', 'duration = "0s"', "duration", None),
    ('duration = "30min"', "duration = 30", "duration", None),
    ('duration = "30min"', 'duration = "-5min"', "duration", None),
    ('duration = "30min"', 'duration = "30 minutes"', "duration", None),
    ('duration = "30min"', 'duration = ["30min"]', "duration", None),
    ('duration = "30min"', "duration = { min = 30 }", "duration", None),
    (
        'start = "09:30:00"',
        'start = "25:00:00"',
        "start",
        'found "25:00:00", expected a time of day such as "09:30:00"',
    ),
    ("count = 50", "count = 0", f"{POPULATION}.count", "found 0, expected an integer from 1 to 16777215"),
    ("count = 50", "count = 1e3", f"{POPULATION}.count", "found 1000.0, expected an integer from 1 to 16777215"),
    (
        "limit_rate = 0.5",
        'limit_rate = "fast"',
        f"{POPULATION}.limit_rate",
        'found "fast", expected a number from 0 to 1000000',
    ),
    (
        'order_latency = "1ms"',
        "order_latency = 5",
        f"{POPULATION}.order_latency",
        'found 5, expected a duration such as "250ms" or a table',
    ),
    (
        'order_latency = "1ms"',
        'order_latency = { low = "1ms" }',
        f"{POPULATION}.order_latency.high",
        'found nothing, expected a duration such as "250ms"',
    ),
    (
        'order_latency = "1ms"',
        'order_latency = { low = "2ms", high = "1ms" }',
        f"{POPULATION}.order_latency",
        "expected low to be at most high",
    ),
    ("levels = 10", "levels = true", "exchange.depth.levels", "found true, expected an integer from 1 to 1000"),
    (
        "levels = 10",
        "level = 10",
        "exchange.depth.level",
        "found an unknown key, expected interval or levels; did you mean levels?",
    ),
    ('interval = "1s"', 'interval = "0s"', "exchange.depth.interval", None),
    ('side = "buy"', 'side = "by"', "agents.twap.side", 'found "by", expected "buy" or "sell"'),
    ('name = "base"', 'name = "a/b"', "name", None),
    ('name = "base"', "nmae = 1", "nmae", None),
]


@pytest.mark.parametrize(("row", "change", "path", "text"), ONE_FAULT, ids=[change for _, change, _, _ in ONE_FAULT])
def test_a_fault_names_its_line_and_key_what_was_found_and_expected(faults_of, base, row, change, path, text):
    changed = base.replace(f"{row}\n", f"{change}\n", 1)
    faults = faults_of(changed)
    assert len(faults) == 1
    place, _, message = faults[0].partition(f": {path}: ")
    assert place == f"x.toml:{line_of(changed, change)}"
    assert message == text if text else "expected " in message


def test_all_faults_come_at_once_in_the_order_of_the_file(faults_of, base):
    changed = base
    for row, change in (("slices = 10", "slices = 0"), ("levels = 10", "levels = 0"), ("seed = 1", "seed = -1")):
        changed = changed.replace(row, change)
    changed = changed.replace("count = 50", "cuont = 50").replace('symbol = "ACME"', 'symbol = "A CME"')
    places = [fault.split(": ")[:2] for fault in faults_of(changed)]
    assert places == [
        ["x.toml:2", "seed"],
        ["x.toml:7", "exchange.instruments.A CME.symbol"],
        ["x.toml:16", f"{POPULATION}.count"],
        ["x.toml:18", f"{POPULATION}.cuont"],
        ["x.toml:24", "exchange.depth.levels"],
        ["x.toml:31", "agents.twap.slices"],
    ]


def test_a_missing_key_is_reported_at_its_table(faults_of, base):
    assert faults_of(base.replace('symbol = "ACME"\n', "").replace('duration = "30min"\n', "")) == [
        'x.toml:1: duration: found nothing, expected a duration such as "250ms"',
        "x.toml:5: exchange.instruments.#1.symbol: found nothing, expected a string that matches ^[A-Za-z0-9_-]{1,32}$",
    ]


def test_a_table_without_a_kind_is_told_the_kinds(faults_of, base):
    assert faults_of(base.replace('kind = "zero_intelligence"\n', 'name = "mine"\n')) == [
        f"x.toml:16: exchange.populations.mine.kind: found nothing, expected a population: {KINDS}, "
        'or "module:Class" for one of your own'
    ]


def test_an_unknown_kind_gives_the_nearest(faults_of, base):
    changed = base.replace('"zero_intelligence"', '"zero_inteligence"').replace('"twap"', '"twop"')
    assert faults_of(changed) == [
        'x.toml:17: exchange.populations.zero_inteligence.kind: found "zero_inteligence", '
        f'expected a population: {KINDS}, or "module:Class" for one of your own; did you mean zero_intelligence?',
        'x.toml:27: agents.twop.kind: found "twop", expected a kind of agent: llm_buyer, llm_trader, '
        'quote_watcher, twap, or "module:Class" for one of your own; did you mean twap?',
    ]


def test_two_tables_of_one_name_are_refused_where_the_second_stands(faults_of, base):
    again = '\n[[exchange.populations]]\nkind = "zero_intelligence"\ncount = 3\n'
    more = '\n[[exchange.instruments]]\nopen_price = 3\nsymbol = "ACME"\n'
    changed = base + again + more
    assert faults_of(changed) == [
        f'x.toml:34: {POPULATION}.kind: found a second "zero_intelligence", '
        "expected a name of its own (the first stands at x.toml:16)",
        'x.toml:39: exchange.instruments.ACME.symbol: found a second "ACME", '
        "expected a name of its own (the first stands at x.toml:6)",
    ]


def test_the_other_faults_of_a_doubled_table_are_found_too(faults_of, base):
    faults = faults_of(base + '\n[[exchange.populations]]\nkind = "zero_intelligence"\ncount = 0\n')
    assert [fault.split(": ")[0] for fault in faults] == ["x.toml:34", "x.toml:35"]


def test_a_table_may_name_itself(folder, base):
    (folder / "x.toml").write_text(base + '\n[[agents]]\nkind = "twap"\nname = "seller"\n' + base.split('"twap"\n')[1])
    assert [table.name for table in load_scenario("x.toml").agents] == ["twap", "seller"]


def test_agents_whose_numbered_names_collide_are_refused(faults_of, base):
    own = base.split('kind = "twap"\n')[1]
    changed = base + "count = 2\n\n[[agents]]\n" + 'kind = "twap"\nname = "twap-1"\n' + own
    assert faults_of(changed) == [
        "x.toml:36: agents.twap-1.name: "
        'found "twap-1", expected a name under which no agent is called twap-1, as one of twap is already'
    ]


def test_instruments_that_are_not_there_are_named_wherever_they_occur(faults_of, base):
    changed = base.replace("count = 50", 'instrument = "ACNE"\ncount = 50') + 'instrument = "XYZ"\n'
    assert faults_of(changed.replace("levels = 10", "levels = 0")) == [
        f'x.toml:18: {POPULATION}.instrument: found "ACNE", expected the symbol of an instrument: ACME; '
        "did you mean ACME?",
        "x.toml:25: exchange.depth.levels: found 0, expected an integer from 1 to 1000",
        'x.toml:33: agents.twap.instrument: found "XYZ", expected the symbol of an instrument: ACME',
    ]


def test_a_scenario_needs_a_venue(faults_of):
    assert faults_of('duration = "1min"\n') == ["x.toml:1: expected at least one venue, such as [exchange]"]


def test_an_exchange_needs_an_instrument(faults_of):
    assert faults_of('duration = "1min"\n\n[exchange.depth]\nlevels = 3\n') == [
        "x.toml:3: exchange.instruments: found nothing, expected an array of tables with 1 to 1000 elements"
    ]
    assert faults_of('duration = "1min"\n\n[exchange]\ninstruments = []\n') == [
        "x.toml:4: exchange.instruments: found [], expected an array of tables with 1 to 1000 elements"
    ]


@pytest.mark.parametrize("wrong", ["3", '"all"', "[1, 2]", "[[1], { a = 1 }]"])
def test_something_else_than_tables_is_refused_where_tables_belong(faults_of, wrong):
    instrument = '[[exchange.instruments]]\nsymbol = "A"\nopen_price = 1\n'
    for key in ("agents", "record", "plugins"):
        faults = faults_of(f'duration = "1min"\n\n{key} = {wrong}\n{instrument}')
        assert faults
        assert all(fault.startswith(f"x.toml:3: {key}") for fault in faults)


def test_elements_of_an_array_have_lines_of_their_own(faults_of, base):
    changed = base + '\n[record]\ntables = [\n  "exchange/trades",\n  "exchange/qoutes",\n  3,\n]\n'
    faults = faults_of(changed)
    assert faults[0].startswith('x.toml:36: record.tables.#2: found "exchange/qoutes", expected the name of a table: ')
    assert "; did you mean exchange/quotes" in faults[0]
    assert faults[1] == "x.toml:37: record.tables.#3: found 3, expected a string"


def test_codecs_are_checked_with_their_tables(faults_of, base):
    changed = base + '\n[record.table_compression]\n"exchange/trades" = "lz5"\n"exchange/trade" = "lz4"\n'
    faults = faults_of(changed)
    assert faults[0] == (
        'x.toml:34: record.table_compression.exchange/trades: found "lz5", '
        'expected one of "none", "snappy", "lz4", "zstd"'
    )
    assert faults[1].startswith("x.toml:35: record.table_compression.exchange/trade: ")


# ---- Files that cannot be read ------------------------------------------------------------------------------


def test_a_missing_file_says_so(folder):
    with pytest.raises(ScenarioError, match=r"^nowhere\.toml: found no such file, expected a scenario in TOML$"):
        load_scenario("nowhere.toml")


def test_a_directory_is_no_scenario(folder):
    (folder / "sub").mkdir()
    with pytest.raises(ScenarioError, match=r"^sub: found a directory, expected a scenario in TOML, a file$"):
        load_scenario("sub")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name = "x"\nseed = \n', 2),
        ('name = "x"\n\nseed = 1 2\n', 3),
        ('name = "x\nseed = 1\n', 1),
        ("[exchange\n", 1),
        ('a = 1\n\n[[agents]]\nkind = "twap"\nkind = "twap"\n', 5),
        ("[a]\n[b]\n[a]\n", 3),
        ("seed = 01\n", 1),
        ('a = 1\nb = """never\nclosed\n', 3),
        ("a = [1,\n", 1),
    ],
)
def test_toml_syntax_errors_have_a_line(faults_of, text, line):
    (fault,) = faults_of(text)
    assert fault.startswith(f"x.toml:{line}: found no valid TOML: ")


def test_text_that_is_not_utf8_has_a_line(folder):
    (folder / "x.toml").write_bytes(b'name = "x"\n# caf\xe9\n')
    with pytest.raises(ScenarioError, match=r"^x\.toml:2: found byte 0xe9, expected text in UTF-8$"):
        load_scenario("x.toml")


def test_a_byte_order_mark_is_skipped(folder, base):
    (folder / "x.toml").write_bytes(b"\xef\xbb\xbf" + base.encode())
    assert load_scenario("x.toml").name == "base"


def test_deep_nesting_is_an_error_and_no_crash(faults_of):
    faults = faults_of("a = " + "[" * 5000 + "]" * 5000 + "\n")
    assert faults == ["x.toml:1: found arrays or tables nested too deeply to read"]


def test_a_scenario_without_a_name_is_called_like_its_file(folder, base):
    (folder / "my market.v2.toml").write_text(base.replace('name = "base"\n', ""))
    assert load_scenario("my market.v2.toml").name == "my_market.v2"
