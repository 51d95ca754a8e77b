"""Whatever stands in a file, loading it gives a scenario or located faults: never another exception."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.core.errors import Fault, ScenarioError
from marketsim.scenario import load_scenario
from marketsim.scenario.overrides import SET_OPTION

SCENARIO = (Path(__file__).parents[2] / "scenarios" / "quickstart.toml").read_text()
ROWS = [row for row in SCENARIO.splitlines() if row and not row.startswith("#")]
KEYS = sorted({row.split(" = ")[0] for row in ROWS if " = " in row} | {"extends", "remove", "plugins", "record"})
HEADERS = sorted({row for row in ROWS if row.startswith("[")} | {"[plugins]", "[extends]", "[[name]]", "[agents]"})
NAMES = [*KEYS, "exchange", "agents", "populations", "instruments", "value", "twap", "ACME"]
VALUES = """\
0
-1
1.5
-0.0
nan
-inf
1e400
true
""
"x"
"-1s"
"0.01"
"1e3"
"a:b"
"../x"
"é.ü"
"\\u0000"
[]
{}
[[]]
[{}]
[nan]
[1, "a"]
{ low = "1ms" }
{ a = { b = [ { c = 1 } ] } }
[{ kind = "twap" }, 3]
[{ name = "a" }, { name = "a" }]
09:30:00
2024-01-01
9223372036854775808
""".splitlines()

pairs = st.builds("{} = {}".format, st.sampled_from(KEYS), st.sampled_from(VALUES))
rows = st.one_of(st.sampled_from(ROWS), st.sampled_from(HEADERS), pairs)
changes = st.lists(st.tuples(st.integers(0, len(ROWS)), st.booleans(), rows), max_size=4)
options = st.lists(st.builds("{}={}".format, st.lists(st.sampled_from(NAMES)).map(".".join), st.sampled_from(VALUES)))


def faults_of(file: Path, overrides: list[str]) -> list[Fault]:
    """Load a scenario; where that works, its resolved copy must load to the same."""
    try:
        scenario = load_scenario(file, overrides)
    except ScenarioError as error:
        return list(error.faults) or [Fault("", 0, "", "", "an error without a fault")]
    file.write_text(scenario.to_toml(), encoding="utf-8")
    assert load_scenario(file) == scenario
    return []


@given(changes)
@settings(max_examples=150)
def test_a_changed_scenario_loads_or_says_what_is_wrong(tmp_path_factory, changes):
    text = list(ROWS)
    for place, replaces, row in changes:
        text[place : place + replaces] = [row]
    file = tmp_path_factory.mktemp("fuzz") / "x.toml"
    file.write_text("\n".join(text) + "\n", encoding="utf-8")
    for fault in faults_of(file, []):
        assert (fault.file, fault.line > 0) == (str(file), True)
        assert "\n" not in str(fault)


@given(options)
@settings(max_examples=100)
def test_any_option_is_taken_or_refused(tmp_path_factory, options):
    file = tmp_path_factory.mktemp("fuzz") / "x.toml"
    file.write_text(SCENARIO, encoding="utf-8")
    for fault in faults_of(file, options):
        assert fault.file in (SET_OPTION, str(file))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("fuzz") / "x.toml"
    file.write_bytes(data)
    assert all(fault.file == str(file) and fault.line > 0 for fault in faults_of(file, []))
