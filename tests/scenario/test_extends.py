"""``extends`` merges by name, ``remove`` deletes, and faults point into the file where the key stands."""

from __future__ import annotations

import pytest

from marketsim.core.errors import ScenarioError
from marketsim.scenario import load_scenario

CHILD = """\
extends = "base.toml"
seed = 2

[[exchange.populations]]
kind = "zero_intelligence"
limit_rate = 0.75

[[exchange.populations]]
kind = "zero_intelligence"
name = "second"
count = 5

[[exchange.instruments]]
symbol = "ACME"
fundamental = { jump_rate = 0.5 }
"""


@pytest.fixture
def files(folder, base):
    (folder / "base.toml").write_text(base)

    def write(**texts: str) -> None:
        for name, text in texts.items():
            (folder / f"{name}.toml").write_text(text)

    return write


def test_tables_merge_by_name_key_by_key(files):
    files(child=CHILD)
    scenario = load_scenario("child.toml")
    assert scenario.seed == 2
    assert scenario.name == "base"
    first, second = scenario.exchange.populations
    assert (first.name, first.count, first.limit_rate, first.order_latency) == (
        "zero_intelligence",
        50,
        0.75,
        1_000_000,
    )
    assert (second.name, second.count) == ("second", 5)
    fundamental = scenario.exchange.instruments[0].fundamental
    assert (fundamental.volatility, fundamental.jump_rate) == (0.01, 0.5)


def test_each_key_remembers_its_file_and_line(files, folder):
    files(child=CHILD)
    scenario = load_scenario("child.toml", ["exchange.populations.second.count=7"])
    sources = scenario.sources
    assert sources["seed"] == "child.toml:2"
    assert sources["duration"] == "base.toml:4"
    assert sources["exchange.populations.zero_intelligence.limit_rate"] == "child.toml:6"
    assert sources["exchange.populations.zero_intelligence.count"] == "base.toml:18"
    assert sources["exchange.populations.second.count"] == "--set"
    assert sources["exchange.instruments.ACME.fundamental.jump_rate"] == "child.toml:15"
    assert scenario.files == (folder / "child.toml", folder / "base.toml")


def test_faults_point_into_the_file_where_the_key_stands(files, folder, base):
    files(child=CHILD.replace("0.75", "-1"))
    (folder / "base.toml").write_text(base.replace("levels = 10", "levels = 0"))
    with pytest.raises(ScenarioError) as caught:
        load_scenario("child.toml")
    assert [fault.split(": ")[:2] for fault in str(caught.value).splitlines()] == [
        ["child.toml:6", "exchange.populations.zero_intelligence.limit_rate"],
        ["base.toml:24", "exchange.depth.levels"],
    ]


def test_remove_deletes_a_table(files):
    files(child='extends = "base.toml"\n[[agents]]\nkind = "twap"\nremove = true\n[exchange.depth]\nremove = true\n')
    scenario = load_scenario("child.toml")
    assert scenario.agents == ()
    assert scenario.exchange.depth.levels == 10


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (
            'kind = "twop"\nremove = true\n',
            'child.toml:5: agents.twop: found "twop", expected the name of a table to remove (twap); '
            "did you mean twap?",
        ),
        ('kind = "twap"\nremove = 1\n', "child.toml:5: agents.twap.remove: found 1, expected true"),
        (
            'kind = "twap"\nslices = 3\nremove = true\n',
            "child.toml:5: agents.twap.slices: found a key beside remove = true, "
            "expected only the table's name beside it",
        ),
    ],
)
def test_a_remove_that_means_nothing_is_refused(files, table, fault):
    files(child=f'extends = "base.toml"\n\n[[agents]]\n{table}')
    with pytest.raises(ScenarioError) as caught:
        load_scenario("child.toml")
    assert str(caught.value) == fault


def test_a_chain_of_files_in_folders_is_followed(files, folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "middle.toml").write_text('extends = "../base.toml"\nseed = 5\nduration = "-1s"\n')
    files(child='extends = "sub/middle.toml"\nduration = "1min"\n')
    scenario = load_scenario("child.toml")
    assert (scenario.seed, scenario.duration) == (5, 60_000_000_000)
    assert scenario.sources["seed"] == "sub/middle.toml:2"
    assert scenario.sources["start"] == "base.toml:3"


def test_a_circle_is_named_whole(files):
    files(a='extends = "b.toml"\n', b='seed = 1\nextends = "c.toml"\n', c='extends = "./b.toml"\n')
    with pytest.raises(ScenarioError) as caught:
        load_scenario("a.toml")
    assert str(caught.value) == (
        'c.toml:1: extends: found "./b.toml", expected no circle: b.toml extends c.toml extends b.toml'
    )


def test_a_file_that_extends_itself_is_a_circle(files):
    files(a='extends = "a.toml"\n')
    with pytest.raises(ScenarioError, match=r"^a\.toml:1: extends: .* expected no circle: a\.toml extends a\.toml$"):
        load_scenario("a.toml")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('"none.toml"', 'found "none.toml", expected a scenario in TOML; none.toml is no such file'),
        ('"."', 'found ".", expected a scenario in TOML; . is a directory'),
        ("3", 'found 3, expected the path of a scenario such as "base.toml"'),
        ('["base.toml"]', 'found ["base.toml"], expected the path of a scenario such as "base.toml"'),
        ('""', 'found "", expected the path of a scenario such as "base.toml"'),
    ],
)
def test_a_base_that_cannot_be_read_is_reported_where_it_is_named(files, value, message):
    files(child=f"seed = 1\nextends = {value}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario("child.toml")
    assert str(caught.value) == f"child.toml:2: extends: {message}"


def test_a_syntax_error_in_the_base_points_there(files, folder):
    (folder / "base.toml").write_text("a = 1\nb = \n")
    files(child='extends = "base.toml"\n')
    with pytest.raises(ScenarioError, match=r"^base\.toml:2: found no valid TOML"):
        load_scenario("child.toml")
