"""``Mind``: how an agent asks a language model, whatever it does with the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from marketsim.agents.agent import Agent
from marketsim.agents.llm_config import LlmAgentConfig
from marketsim.exchange.config import LatencyRange
from marketsim.llm.prompts import load_prompt
from marketsim.llm.question import Option, Question
from marketsim.llm.regimes import Exchange
from marketsim.llm.sampler import Asker, Decision
from marketsim.llm.service import LlmService


class Mind:
    """Turns what an agent sees into questions, and remembers its decisions: so many, as the scenario says.

    Parameters
    ----------
    agent : Agent
        Whose mind it is; its ``config`` is an ``LlmAgentConfig``.
    """

    def __init__(self, agent: Agent) -> None:
        service: LlmService = agent.host.llm
        config: LlmAgentConfig = agent.config
        self._agent, self._service = agent, service
        self.config = service.settings(config)
        self.is_replayed = service.config.mode == "replay"
        self._prompt = load_prompt(config.kind, config.prompt)
        self._asker = (agent.host.seed, agent.host.replicate, agent.name)
        self.steps = 0
        """Decisions asked for so far."""
        self.memory: list[Any] = []
        """Own earlier decisions, oldest first."""
        self.history: list[list[str]] = []
        """Earlier questions and answers as they were said; kept in regime sequential only."""
        self.outcomes: dict[str, int] = {}
        """How often each outcome came."""

    # ---- Asking ----------------------------------------------------------------------------------------------

    def ask(self, seen: Any) -> bool:
        """Start a decision on what is seen, JSON that ``decide`` gets back; its latency is drawn from the scenario.

        A long text costs less on its way than a tree of the same length: it is neither walked nor copied.
        """
        agent = self._agent
        question = {"seen": seen, "step": self.steps, "asked_ns": agent.now, "history": list(self.history)}
        self.steps += 1
        return agent.ask(question, self._latency_ns(), agent.config.overlap)

    async def decide(
        self,
        question: Mapping[str, Any],
        fields: Mapping[str, Any],
        options: Sequence[Option],
        form: type[BaseModel] | None,
        hold: str,
    ) -> tuple[Decision, dict[str, Any]]:
        """Ask the model; called from ``Agent.decide``.

        Parameters
        ----------
        question : mapping
            As ``ask`` made it.
        fields : mapping
            Fields of the prompt.
        options : sequence of Option
            What can be chosen.
        form : type of BaseModel, optional
            Further fields of the answer.
        hold : str
            Option that ``llm.invalid = "hold"`` takes.
        """
        sampler = self._service.sampler(self.config, self.config.model)
        asked = Question(self._prompt.system, self._prompt.user(fields), options, form)
        history: list[Exchange] = [(text, said) for text, said in question["history"]]
        asker = Asker(*self._asker, question["step"])
        decision = await sampler.decide(asked, asker, history=history, hold=hold)
        return decision, {"step": question["step"], "asked_ns": question["asked_ns"], "question": asked.name}

    def take(self, answer: tuple[Decision, dict[str, Any]]) -> dict[str, Any] | None:
        """Log a decision that takes effect now; return its value, None where there is nothing to act on."""
        decision, facts = answer
        agent = self._agent
        who = {
            **facts,
            "time_ns": agent.now,
            "agent": agent.name,
            "kind": agent.config.kind,
            "arm": agent.table,
            "regime": self.config.sampling.regime,
            "model": self.config.model,
            "prompt": self._prompt.identity,
        }
        self._service.log(decision, who, agent.provenance)
        self.outcomes[decision.outcome] = self.outcomes.get(decision.outcome, 0) + 1
        if self.config.sampling.regime == "sequential":
            self.history = [*self.history, list(decision.exchange)][-self.config.sampling.history :]
        return decision.value

    def remember(self, what: Mapping[str, Any]) -> None:
        """Put a decision into the memory; the oldest leaves it where it is full."""
        length = self._agent.config.memory
        self.memory = [*self.memory, dict(what)][-length:] if length else []

    def _latency_ns(self) -> int:
        latency = self._agent.config.decision_latency
        if isinstance(latency, LatencyRange):
            return int(self._agent.rng().integers(latency.low, latency.high, endpoint=True))
        return int(latency)

    # ---- State -----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what it remembers."""
        return {"steps": self.steps, "memory": self.memory, "history": self.history, "outcomes": self.outcomes}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state."""
        self.steps, self.memory, self.history = state["steps"], state["memory"], state["history"]
        self.outcomes = dict(state["outcomes"])
