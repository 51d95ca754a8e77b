"""Decisions in flight: virtual latency, and a wall clock that changes nothing."""

import asyncio
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.core.errors import AgentError
from marketsim.simulation.checkpoint import State
from tests.simulation.toy_market import END, Diarist, Ponderer, Setting, add, any_setting, finished, market


@settings(max_examples=15, deadline=None)
@given(any_setting, st.integers(0, 2**32), st.sampled_from([0.0005, 0.003]))
def test_how_long_an_answer_takes_on_the_wall_clock_changes_nothing(setting, seed, longest):
    generator = random.Random(seed)
    assert finished(market(setting, lambda: generator.uniform(0, longest))) == finished(market(setting))


def test_an_answer_that_comes_after_those_to_later_questions_changes_nothing(monkeypatch):
    expected = finished(market(Setting()))
    answer, asked, answered = Ponderer.decide, [], []

    async def decide(ponderer: Ponderer, question: list[int]) -> int:
        asked.append((ponderer.name, question))
        await asyncio.sleep(0.2 if len(asked) == 1 else 0.0)
        answered.append((ponderer.name, question))
        return await answer(ponderer, question)

    monkeypatch.setattr(Ponderer, "decide", decide)
    assert finished(market(Setting())) == expected
    assert answered.index(asked[0]) > 0


class Asker(Diarist):
    """Asks at given times, and tells when the answers take effect."""

    latency, overlap = 100_000, "drop"

    def on_start(self):
        for at in (10, 20, 30):
            self.wake_at(at, {"question": at})

    def on_wake(self, payload):
        self.diary.append([self.now, "asked", self.ask(payload, self.latency, self.overlap)])

    async def decide(self, question):
        return question["question"] * 2

    def on_decision(self, answer):
        self.diary.append([self.now, "heard", answer])


def test_one_decision_is_in_flight_and_further_questions_are_dropped_and_counted():
    line = market(Setting())
    asker = add(line, Asker, "asker")
    line.run()
    assert asker.diary == [[10, "asked", True], [20, "asked", False], [30, "asked", False], [100_010, "heard", 20]]
    assert asker.questions_dropped == 2


def test_queued_questions_are_asked_when_the_one_before_has_taken_effect():
    class Patient(Asker):
        overlap = "queue"

    line = market(Setting())
    asker = add(line, Patient, "asker")
    line.run()
    assert asker.diary[3:] == [[100_010, "heard", 20], [200_010, "heard", 40], [300_010, "heard", 60]]
    assert asker.questions_dropped == 0


def test_a_queued_question_whose_effect_would_come_after_the_end_is_not_asked():
    class Patient(Asker):
        overlap, latency = "queue", END * 2 // 5

    line = market(Setting())
    asker = add(line, Patient, "asker")
    line.run()
    assert [entry for entry in asker.diary if entry[1] == "heard"] == [[400_010, "heard", 20], [800_010, "heard", 40]]
    assert asker.questions_too_late == 1


def test_no_question_is_asked_whose_effect_would_come_at_the_end_or_later():
    class Late(Asker):
        latency = END - 20

    line = market(Setting())
    asker = add(line, Late, "asker")
    line.run(until=15)  # the end is the scenario's, not that of a leg
    line.run()
    assert asker.diary == [[10, "asked", True], [20, "asked", False], [30, "asked", False], [END - 10, "heard", 20]]
    line = market(Setting())
    Late.latency = END - 10
    asker = add(line, Late, "asker")
    line.run()
    assert asker.questions_too_late == 3


@pytest.mark.parametrize("overlap", ["drop", "queue"])
def test_decisions_in_flight_and_queued_are_asked_again_after_a_checkpoint(overlap):
    asked = []

    class Counting(Asker):
        async def decide(self, question):
            asked.append(question["question"])
            return question["question"] * 2

    Counting.overlap = overlap

    def build():
        line = market(Setting())
        return line, add(line, Counting, "asker")

    whole, expected = build()
    whole.run()
    asked.clear()
    line, _ = build()
    line.run(until=50_000)
    arrays, document = line.state()
    pending = [entry for entry in document["decisions"]["pending"] if entry[0] == "asker"]
    assert pending == [["asker", 10, 100_010, {"question": 10}]]
    resumed, asker = build()
    resumed.restore(State(arrays, document))
    resumed.run()
    assert asker.diary == expected.diary
    assert asked.count(10) == 2


def test_the_market_goes_on_while_an_answer_is_awaited():
    begun, may_answer = threading.Event(), threading.Event()

    class Slow(Asker):
        async def decide(self, question):
            begun.set()
            await asyncio.to_thread(may_answer.wait, 30)
            return 1

    line = market(Setting())
    asker = add(line, Slow, "asker")
    assert line.run(until=100_010)  # the effect's own instant is left out, so nothing waits
    assert begun.wait(5)
    assert not may_answer.is_set()
    assert line.events > 50
    may_answer.set()
    line.run()
    assert [100_010, "heard", 1] in asker.diary


def test_a_failed_decision_is_an_error_of_its_agent():
    class Broken(Asker):
        async def decide(self, question):
            raise ConnectionError("no route")

    line = market(Setting())
    add(line, Broken, "asker")
    with pytest.raises(AgentError, match="agent asker failed at 100010ns: ConnectionError: no route"):
        line.run()


def test_an_answer_that_never_comes_is_a_time_out_of_its_agent():
    class Silent(Asker):
        async def decide(self, question):
            await asyncio.sleep(60)

    line = market(Setting(), decision_timeout_s=0.1)
    add(line, Silent, "asker")
    with pytest.raises(AgentError, match="TimeoutError: no answer within 0.1 s to the question"):
        line.run()


def test_a_question_may_be_changed_after_asking():
    class Careless(Asker):
        def on_wake(self, payload):
            super().on_wake(payload)
            payload["question"] = 1000

    line = market(Setting())
    asker = add(line, Careless, "asker")
    line.run()
    assert [100_010, "heard", 20] in asker.diary


@pytest.mark.parametrize(
    ("latency", "overlap", "message"),
    [(1.5, "drop", "an int of nanoseconds"), (-1, "drop", "0 or more"), (5, "wait", 'expected "drop" or "queue"')],
)
def test_wrong_arguments_of_a_question_are_refused(latency, overlap, message):
    line = market(Setting())
    asker = add(line, Asker, "asker")
    with pytest.raises((TypeError, ValueError), match=message):
        asker.ask({}, latency, overlap)


def test_an_agent_without_decide_says_so():
    class Speechless(Asker):
        decide = Diarist.decide

    line = market(Setting())
    add(line, Speechless, "asker")
    with pytest.raises(AgentError, match=r"Speechless asks questions but has no decide\(\)"):
        line.run()
