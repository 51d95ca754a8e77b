"""Ctrl-C: a flag between two events; the second one is an exception."""

import os
import signal
import threading
import time

import pytest

from marketsim.simulation.interrupt import interruptible
from tests.simulation.toy_market import END, Diarist, Setting, add, diaries, finished, market


class Interrupter(Diarist):
    def act(self, notice):
        if len(self.diary) == 20:
            os.kill(os.getpid(), signal.SIGINT)


class Bystander(Diarist):
    pass


def test_ctrl_c_stops_between_two_events_and_a_second_run_goes_on():
    whole = market(Setting())
    add(whole, Bystander, "interrupter")
    expected = finished(whole)
    line = market(Setting())
    add(line, Interrupter, "interrupter")
    assert not line.run()
    assert line.interrupted
    assert 0 < line.now < END
    logs, told, _ = finished(line)
    assert (logs, told) == expected[:2]
    assert not line.interrupted


def test_ctrl_c_while_an_answer_is_awaited_leaves_the_decision_in_flight():
    line = market(Setting(), lambda: 60.0)
    begun = time.monotonic()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    assert not line.run()
    timer.join()
    assert time.monotonic() - begun < 30
    assert line.state().document["decisions"]["pending"]
    assert any(hook == "on_decision" for _, _, hook, _ in line.state().document["agenda"])
    line.close()


def test_the_second_ctrl_c_raises():
    calls = []

    def press_twice():
        with interruptible(lambda: calls.append(1)):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert calls == [1]


def test_the_handler_of_ctrl_c_is_given_back():
    before = signal.getsignal(signal.SIGINT)
    with interruptible(lambda: None):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_a_run_works_and_signals_are_left_alone():
    line, results = market(Setting()), []
    thread = threading.Thread(target=lambda: results.append(line.run()))
    thread.start()
    thread.join()
    assert results == [True]
    assert diaries(line) == finished(market(Setting()))[1]


def test_a_run_can_be_interrupted_from_any_thread():
    line = market(Setting(), lambda: 60.0)
    timer = threading.Timer(0.2, line.interrupt)
    timer.start()
    assert not line.run()
    assert line.interrupted
    timer.join()
    line.close()
