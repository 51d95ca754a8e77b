"""Decisions in flight: coroutines of agents, whose answers take effect at simulated times fixed when they are asked.

An answer's virtual latency comes from the scenario, never from the wall clock. The market goes on until the first
effect is next; only then does the loop wait, in slices, so that Ctrl-C is seen. So neither the wall-clock order of the
answers nor how many are asked at once changes a result.
"""

from __future__ import annotations

import concurrent.futures
import copy
import time
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from marketsim.agents.agent import Agent
from marketsim.core.errors import BudgetError
from marketsim.core.loop_thread import LoopThread

PATIENCE_SECONDS = 0.05
"""Longest wait for an answer between two looks at the interrupt flag."""


@dataclass
class Pending:
    """A decision in flight."""

    asked_at: int
    effect_at: int
    question: Any
    answer: concurrent.futures.Future[Any]
    begun: float
    """Wall clock, for the time-out."""


class Schedule(Protocol):
    """The part of the agenda that decisions need."""

    now: int

    def add(self, at: int, agent: Agent, hook: str, payload: Any = None) -> None:
        """Have a hook called at ``at``."""


class Decisions:
    """All decisions in flight, one an agent at most, and the questions that wait for them.

    Parameters
    ----------
    agenda : Schedule
        Where the effects go.
    end : int
        End of the scenario, in ns; a decision due then or later is not asked.
    timeout_s : float, optional
        Wall-clock seconds after which an unanswered question is a ``TimeoutError``.
    thinker : LoopThread, optional
        Where coroutines run; by default a thread of its own, which ``close`` ends.
    """

    def __init__(
        self, agenda: Schedule, end: int, timeout_s: float | None = None, thinker: LoopThread | None = None
    ) -> None:
        self._agenda, self._end, self._timeout_s = agenda, end, timeout_s
        self._given = thinker
        self._pending: dict[Agent, Pending] = {}
        self._queued: dict[Agent, deque[tuple[Any, int]]] = {}

    def ask(self, agent: Agent, question: Any, latency_ns: int, overlap: str) -> bool:
        """Start a decision; ``Agent.ask`` says what the arguments mean."""
        if overlap not in ("drop", "queue"):
            raise ValueError(f'overlap: expected "drop" or "queue"; found {overlap!r}')
        if type(latency_ns) is not int or latency_ns < 0:
            raise TypeError(f"the latency of a decision must be an int of nanoseconds, 0 or more; found {latency_ns!r}")
        if agent in self._pending:
            if overlap == "queue":
                self._queued.setdefault(agent, deque()).append((copy.deepcopy(question), latency_ns))
                return True
            agent.questions_dropped += 1
            return False
        return self._begin(agent, copy.deepcopy(question), latency_ns)

    def is_ready(self, agent: Agent) -> bool:
        """Say whether the agent's answer is there, after a wait of ``PATIENCE_SECONDS`` at most."""
        pending = self._pending[agent]
        if concurrent.futures.wait([pending.answer], PATIENCE_SECONDS).done:
            return True
        return self._timeout_s is not None and time.monotonic() - pending.begun > self._timeout_s

    def refused(self, agent: Agent) -> BudgetError | None:
        """Return the error where the agent's answer is that a cap is reached: its effect must wait for a larger one."""
        answer = self._pending[agent].answer
        error = answer.exception() if answer.done() and not answer.cancelled() else None
        return error if isinstance(error, BudgetError) else None

    def drain(self) -> None:
        """Wait until every answer in flight is there: it is paid for, and so it should be recorded."""
        concurrent.futures.wait([pending.answer for pending in self._pending.values()])

    def take(self, agent: Agent) -> Any:
        """Return the answer that takes effect now, and start the agent's next question.

        Raises
        ------
        Exception
            Whatever ``decide`` raised; ``TimeoutError`` where it took too long.
        """
        pending = self._pending.pop(agent)
        if not pending.answer.done():
            pending.answer.cancel()
            raise TimeoutError(f"no answer within {self._timeout_s} s to the question {pending.question!r}")
        answer = pending.answer.result()
        queued = self._queued.get(agent)
        while queued and not self._begin(agent, *queued.popleft()):
            pass
        return answer

    def forget(self, agent: Agent) -> None:
        """Drop what an agent asked."""
        self._queued.pop(agent, None)
        pending = self._pending.pop(agent, None)
        if pending is not None:
            pending.answer.cancel()

    def close(self) -> None:
        """Cancel what is unfinished and end the thread; what is pending can be asked again by ``restore`` only."""
        for pending in self._pending.values():
            pending.answer.cancel()
        if "_thinker" in vars(self):
            if self._given is None:
                self._thinker.close()
            del self._thinker

    def state(self) -> dict[str, Any]:
        """Return the decisions in flight as JSON: agent, asked at, effect at, question; and what is queued."""
        pending = [[agent.name, p.asked_at, p.effect_at, p.question] for agent, p in self._pending.items()]
        queued = [[agent.name, *waiting] for agent, items in self._queued.items() for waiting in items]
        return {"pending": pending, "queued": queued}

    def restore(self, state: Mapping[str, Iterable[list[Any]]], agents: Mapping[str, Agent]) -> None:
        """Ask again what was in flight. The effects stand on the agenda already."""
        for agent in list(self._pending):
            self.forget(agent)
        self._queued.clear()
        for name, asked_at, effect_at, question in state["pending"]:
            self._think(agents[name], asked_at, effect_at, question)
        for name, question, latency_ns in state["queued"]:
            self._queued.setdefault(agents[name], deque()).append((question, latency_ns))

    def _begin(self, agent: Agent, question: Any, latency_ns: int) -> bool:
        now = self._agenda.now
        if now + latency_ns >= self._end:  # of the whole, not of this leg, or cutting would change what is asked
            agent.questions_too_late += 1
            return False
        self._agenda.add(now + latency_ns, agent, "on_decision")
        self._think(agent, now, now + latency_ns, question)
        return True

    def _think(self, agent: Agent, asked_at: int, effect_at: int, question: Any) -> None:
        thought = agent.decide(question)
        answer = _at_once(thought) if agent.decides_at_once else self._thinker.start(thought)
        self._pending[agent] = Pending(asked_at, effect_at, question, answer, time.monotonic())

    @cached_property
    def _thinker(self) -> LoopThread:
        return LoopThread("marketsim decisions") if self._given is None else self._given


def _at_once(thought: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
    """Carry out a coroutine that waits for nobody, here and now: a thread would only wait for this one."""
    answer: concurrent.futures.Future[Any] = concurrent.futures.Future()
    try:
        thought.send(None)
    except StopIteration as done:
        answer.set_result(done.value)
    except Exception as error:  # raised again where the answer is taken
        answer.set_exception(error)
    else:
        thought.close()
        answer.set_exception(RuntimeError("decides_at_once, but decide() waited for something"))
    return answer
