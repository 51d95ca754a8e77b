import pytest

from marketsim.core import errors
from marketsim.core.errors import (
    AgentError,
    Fault,
    InputError,
    MarketSimError,
    PastError,
    PluginError,
    PopulationError,
    RunDirectoryError,
    ScenarioError,
    SimulationError,
    ZeroLatencyError,
)


def test_a_fault_reads_as_one_line_with_file_line_and_key():
    fault = Fault("x.toml", 14, "exchange.fees.taker", '"cheap"', 'a decimal such as "0.003"')
    assert str(fault) == 'x.toml:14: exchange.fees.taker: found "cheap", expected a decimal such as "0.003"'


def test_a_fault_leaves_out_what_it_does_not_have():
    assert str(Fault("--set", 0, "seed", "-1", "an integer of at least 0")) == (
        "--set: seed: found -1, expected an integer of at least 0"
    )
    assert str(Fault("x.toml", 0, "", "", "no such file")) == "x.toml: no such file"


def test_a_scenario_error_lists_all_its_faults():
    faults = [Fault("x.toml", line, "a", "1", "2") for line in (1, 2)]
    error = ScenarioError(faults)
    assert error.faults == tuple(faults)
    assert str(error).splitlines() == ["x.toml:1: a: found 1, expected 2", "x.toml:2: a: found 1, expected 2"]


def test_an_input_error_gives_file_row_found_and_expected():
    assert str(InputError("m.csv", 3, '"x"', "a price")) == 'm.csv:3: found "x", expected a price'


def test_a_plugin_error_gives_file_and_line():
    assert (
        str(PluginError("my.py", 3, "NameError: name 'x' is not defined"))
        == "my.py:3: NameError: name 'x' is not defined"
    )


def test_an_agents_error_names_agent_time_and_cause():
    cause = KeyError("quote")
    error = AgentError("twap", 1_500_000_000, cause)
    assert str(error) == "agent twap failed at 1500ms: KeyError: 'quote'"
    assert error.__cause__ is cause


def test_a_zero_latency_error_names_the_agents_and_the_remedy():
    error = ZeroLatencyError(["ping", "pong"], 5, 10_001)
    assert str(error).startswith("10,001 wakes at 5ns and no end: ping, pong; give one of")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (MarketSimError, 1),
        (ScenarioError, 2),
        (InputError, 2),
        (PluginError, 2),
        (RunDirectoryError, 2),
        (SimulationError, 1),
        (AgentError, 1),
        (PastError, 1),
        (PopulationError, 1),
        (ZeroLatencyError, 1),
    ],
)
def test_every_error_is_one_of_ours_and_has_its_exit_code(kind, code):
    assert issubclass(kind, MarketSimError)
    assert kind.exit_code == code


def test_the_tree_in_the_docstring_names_every_error():
    ours = {
        name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, MarketSimError)
    }
    assert all(name in errors.__doc__ for name in ours)
