"""States and checkpoints: a run that goes on from one cannot be told from a run that was never interrupted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from marketsim.core.errors import AgentError, RunDirectoryError, SimulationError
from marketsim.simulation import Simulation
from marketsim.simulation.checkpoint import DOCUMENT, State, read_checkpoint, write_checkpoint
from tests.simulation.toy_market import (
    END,
    Diarist,
    Setting,
    add,
    any_setting,
    diaries,
    finished,
    instants,
    logs,
    market,
    state_bytes,
)


def through_disk(state, folder):
    write_checkpoint(folder, state)
    return read_checkpoint(folder)


@settings(max_examples=30, deadline=None)
@given(any_setting, instants)
def test_a_run_that_goes_on_from_a_checkpoint_cannot_be_told_from_a_whole_one(tmp_path_factory, setting, instant):
    whole = finished(market(setting))
    line = market(setting)
    line.run(until=instant)
    before = logs(line)
    resumed = market(setting)
    resumed.restore(through_disk(line.state(), tmp_path_factory.mktemp("checkpoint")))
    after, told, state = finished(resumed)
    assert [first + rest for first, rest in zip(before, after, strict=True)] == whole[0]
    assert (told, state) == whole[1:]


@settings(max_examples=20, deadline=None)
@given(any_setting, instants)
def test_a_fork_goes_its_own_way_and_leaves_the_original_alone(setting, instant):
    if setting.flow_every:
        setting = setting._replace(flow_every=0)  # sources of order flow are outside of the simulation
    expected = finished(market(setting))
    line = market(setting)
    line.run(until=instant)
    twin = line.fork()
    assert state_bytes(twin) == state_bytes(line)
    twin.agent("arbitrageur").remove()
    twin.run()
    assert finished(line) == expected


def test_two_forks_with_the_same_future_are_equal():
    line = market(Setting())
    line.run(until=END // 3)
    first, second = line.fork(), line.fork()
    first.run()
    second.run(until=END // 2)
    second.run()
    line.run()
    assert diaries(first) == diaries(second) == diaries(line)


def test_a_simulation_that_cannot_make_its_venues_again_cannot_be_forked():
    line = market(Setting())
    line._build_venues = None
    with pytest.raises(SimulationError, match="built without build_venues"):
        line.fork()


# ---- Agents that leave -----------------------------------------------------------------------------------------


def test_nothing_reaches_an_agent_that_has_left():
    line = market(Setting())
    leaver = add(line, Diarist, "leaver", market_data_latency=1000)
    leaver.wake_at(END - 1)
    line.run(until=END // 2)
    heard = len(leaver.diary)
    assert heard > 5
    leaver.remove()
    line.run()
    assert len(leaver.diary) == heard
    with pytest.raises(KeyError):
        line.agent("leaver")


def test_an_agent_may_leave_while_its_decision_is_in_flight():
    line = market(Setting(decision_latency=300_000))
    line.run(until=END // 4)
    assert "ponderer" in [entry[0] for entry in line.state().document["decisions"]["pending"]]
    line.agent("ponderer").remove()
    assert "ponderer" not in json.dumps(line.state().document["decisions"])
    assert line.run()


def test_an_agent_that_left_before_a_checkpoint_stays_away():
    line = market(Setting())
    line.run(until=END // 2)
    line.agent("slow").remove()
    resumed = market(Setting())
    resumed.restore(line.state())
    with pytest.raises(KeyError):
        resumed.agent("slow")
    line.run()
    resumed.run()
    assert state_bytes(resumed) == state_bytes(line)


# ---- What cannot be resumed --------------------------------------------------------------------------------------


class Forgetful(Diarist):
    state = Diarist.__mro__[1].state


def test_a_class_without_state_is_named_where_a_run_is_resumed_or_forked():
    line = market(Setting())
    add(line, Forgetful, "forgetful")
    line.run(until=END // 2)
    state = line.state()  # a checkpoint can be written all the same
    again = market(Setting())
    add(again, Forgetful, "forgetful")
    message = r"class Forgetful \(agent forgetful\) lacks state, so a run with it can be neither resumed nor forked"
    with pytest.raises(SimulationError, match=message):
        again.restore(state)
    with pytest.raises(SimulationError, match=message):
        line.fork()


def test_other_agents_than_those_of_the_state_are_an_error():
    state = market(Setting()).state()
    other = market(Setting())
    add(other, Diarist, "newcomer")
    with pytest.raises(SimulationError, match=r"the agents of this state are others: newcomer \(Diarist\)"):
        other.restore(state)


def test_a_state_that_json_cannot_hold_is_an_error_of_its_agent():
    class Numpyish(Diarist):
        def state(self):
            return {"count": np.int64(3)}

    line = market(Setting())
    add(line, Numpyish, "numpyish")
    with pytest.raises(AgentError, match=r"agent numpyish.*Numpyish.state\(\) must survive JSON: found .*int64"):
        line.state()


def test_a_restore_that_fails_is_an_error_of_its_agent():
    class Picky(Diarist):
        def restore(self, state):
            raise KeyError("mood")

    def build():
        line = market(Setting())
        add(line, Picky, "picky")
        return line

    with pytest.raises(AgentError, match="agent picky failed.*mood"):
        build().restore(build().state())


# ---- Files -------------------------------------------------------------------------------------------------------

STATE = State({"exchange/heap": np.arange(6).reshape(2, 3), "exchange/empty": np.zeros((0, 4))}, {"now": 5, "x": [1.5]})


def test_a_checkpoint_comes_back_and_the_last_one_counts(tmp_path):
    folder = tmp_path / "checkpoint"
    assert read_checkpoint(folder) is None
    write_checkpoint(folder, State({"a": np.ones(3)}, {"now": 1}))
    write_checkpoint(folder, STATE)
    arrays, document = read_checkpoint(folder)
    assert document == STATE.document
    assert {name: array.tolist() for name, array in arrays.items()} == {
        name: array.tolist() for name, array in STATE.arrays.items()
    }
    assert sorted(file.name for file in folder.iterdir()) == ["arrays-2.npz", DOCUMENT]


def test_a_checkpoint_that_was_cut_short_leaves_the_one_before(tmp_path, monkeypatch):
    write_checkpoint(tmp_path, STATE)

    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("marketsim.simulation.checkpoint.write_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(tmp_path, State({}, {"now": 6}))
    assert read_checkpoint(tmp_path).document["now"] == 5


def test_arrays_of_objects_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_checkpoint(tmp_path, State({"a": np.array([object()])}, {}))


@pytest.mark.parametrize("text", ["{", '{"arrays": 3}', "{}", '{"arrays": "arrays-9.npz"}'])
def test_a_damaged_checkpoint_is_an_error(tmp_path, text):
    write_checkpoint(tmp_path, STATE)
    (tmp_path / DOCUMENT).write_text(text)
    with pytest.raises(RunDirectoryError, match="the checkpoint"):
        read_checkpoint(tmp_path)


def test_damaged_arrays_are_an_error(tmp_path):
    write_checkpoint(tmp_path, STATE)
    (tmp_path / "arrays-1.npz").write_bytes(b"PK half")
    with pytest.raises(RunDirectoryError, match="the checkpoint cannot be read"):
        read_checkpoint(tmp_path)


def test_a_simulation_needs_a_venue():
    with pytest.raises(ValueError, match="at least one venue"):
        Simulation([], END, seed=1)
