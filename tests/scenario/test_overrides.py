"""``--set`` reaches every key by name, reads its value as TOML or text, and says what it does not find."""

from __future__ import annotations

import pytest

from marketsim.scenario import load_scenario
from marketsim.scenario.overrides import split_override, split_path

POPULATION = "exchange.populations.zero_intelligence"


@pytest.fixture
def load(folder, base):
    (folder / "x.toml").write_text(base)
    return lambda *overrides: load_scenario("x.toml", overrides)


def test_a_key_is_changed_by_name(load):
    scenario = load(
        f"{POPULATION}.count=7", "exchange.instruments.ACME.tick_size=0.05", "seed = 9", "agents.twap.side=sell"
    )
    assert scenario.exchange.populations[0].count == 7
    assert str(scenario.exchange.instruments[0].tick_size) == "0.05"
    assert scenario.seed == 9
    assert scenario.agents[0].side == "sell"


def test_keys_and_tables_with_defaults_need_not_stand_in_the_file(load):
    scenario = load("record.compression=zstd", "exchange.instruments.ACME.fundamental.jump_rate=1", "replicate=3")
    assert scenario.record.compression == "zstd"
    assert scenario.exchange.instruments[0].fundamental.jump_rate == 1
    assert scenario.replicate == 3


def test_the_last_of_two_options_wins(load):
    assert load("seed=5", "seed=6").seed == 6


def test_a_table_is_merged_and_can_be_removed(load):
    scenario = load(f"{POPULATION}={{ count = 3 }}", "agents.twap.remove=true")
    assert (scenario.exchange.populations[0].count, scenario.exchange.populations[0].limit_rate) == (3, 0.5)
    assert scenario.agents == ()


def test_a_mapping_gives_values_as_they_are(folder, base):
    (folder / "x.toml").write_text(base)
    scenario = load_scenario("x.toml", {"seed": 7, "start": "10:00", f"{POPULATION}.count": 3})
    assert (scenario.seed, scenario.start, scenario.exchange.populations[0].count) == (7, 36_000_000_000_000, 3)
    assert scenario.sources["seed"] == "--set"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("a=3", 3),
        ("a=0.5", 0.5),
        ("a=true", True),
        ('a="x"', "x"),
        ("a=[1, 2]", [1, 2]),
        ("a={ b = 1 }", {"b": 1}),
        ("a=plain words", "plain words"),
        ("a=", ""),
        ("a=b=c", "b=c"),
        ("a=09:30:00", "09:30:00"),
        ("a=2024-01-01", "2024-01-01"),
        ("a=1\nb = 2", "1\nb = 2"),
    ],
)
def test_a_value_is_read_as_toml_and_else_as_text(option, value):
    assert split_override(option) == ("a", value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.b.c", ["a", "b", "c"]),
        ('a."b.c:D".e', ["a", "b.c:D", "e"]),
        ("a.'b.c'", ["a", "b.c"]),
        ("a . b", ["a", "b"]),
        ("a.m:N.b", ["a", "m:N", "b"]),
    ],
)
def test_a_path_is_split_at_dots_outside_quotes(text, parts):
    assert split_path(text) == parts


@pytest.mark.parametrize(
    ("option", "fault"),
    [
        ("seed", '--set: found "seed", expected path=value such as "exchange.populations.value.count=50"'),
        ("a..b=1", '--set: found "a..b=1", expected a path of keys such as exchange.populations.value.count'),
        ("=1", '--set: found "=1", expected a path of keys such as exchange.populations.value.count'),
        (
            "exchange.populations.zero_inteligence.count=1",
            '--set: exchange.populations.zero_inteligence.count: found "zero_inteligence", '
            f"expected the name of a table (zero_intelligence); did you mean {POPULATION}.count?",
        ),
        (
            "agents.vwap2000.side=buy",
            '--set: agents.vwap2000.side: found "vwap2000", expected the name of a table (twap)',
        ),
        (
            "exchange.depth.level=3",
            "--set: exchange.depth.level: found an unknown key, expected interval or levels; "
            "did you mean exchange.depth.levels?",
        ),
        (
            f"{POPULATION}=3",
            f"--set: {POPULATION}: found 3, expected a table such as {{ count = 50 }}, or the path of one of its keys",
        ),
        (f"{POPULATION}.count=0", f"--set: {POPULATION}.count: found 0, expected an integer from 1 to 16777215"),
        (
            "duration.minutes=3",
            '--set: duration: found a table, expected a duration such as "250ms" (units: ns, us, ms, s, min, h, d)',
        ),
        (
            "exchange.instruments.ACME.open_price=1.005",
            "--set: exchange.instruments.ACME.open_price: found 1.005, expected a multiple of the tick size 0.01",
        ),
    ],
)
def test_an_option_that_means_nothing_is_refused(faults_of, base, option, fault):
    assert faults_of(base, option) == [fault]


def test_an_unknown_path_gives_the_nearest(faults_of, base):
    (fault,) = faults_of(base, "exchagne.depth.levels=3")
    assert fault.endswith("did you mean exchange?")


def test_faults_of_options_follow_those_of_the_file(faults_of, base):
    faults = faults_of(base.replace("levels = 10", "levels = 0"), "seed=-1", "bare")
    assert [fault.split(": ")[0] for fault in faults] == ["x.toml:24", "--set", "--set"]
