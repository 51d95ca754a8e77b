"""``Sampler``: one decision, asked in a regime, with a policy for answers that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from marketsim.core import rng
from marketsim.llm.answers import Parsed
from marketsim.llm.client import ChatClient
from marketsim.llm.config import LlmConfig
from marketsim.llm.errors import CapabilityError
from marketsim.llm.question import ANSWER, Question, default_fields
from marketsim.llm.regimes import Exchange, Plan, plan, read
from marketsim.llm.request import ChatRequest, Draw, Json, Origin, draw_index
from marketsim.llm.response import Outcome, Response


class Asker(NamedTuple):
    """Who asks and when: the address of all draws of a decision."""

    seed: int
    replicate: int
    agent: str
    step: int

    def draw(self, question: str, k: int = 0) -> int:
        """Return the draw index of a question."""
        return draw_index((self.seed << 31) + self.replicate, self.agent, self.step, question, k)

    def generator(self, question: str, k: int = 0) -> np.random.Generator:
        """Return the asker's own random draws for a question."""
        key = rng.stream_key(self.seed, self.replicate, "llm", self.agent, question)
        return rng.generator(key, self.step, k)


class Call(NamedTuple):
    """One call of a decision, for the record of a run."""

    response: Response
    plan: Plan
    answers: Sequence[Parsed]
    picked: int
    """Which answer was taken; -1: none."""


@dataclass(frozen=True)
class Decision:
    """What was decided."""

    outcome: Outcome
    """Of the answer that was taken, or of the last one."""
    value: Json | None
    """``answer`` and the fields; None where there is nothing to act on."""
    calls: Sequence[Call]
    held: bool = False
    """Whether ``invalid = "hold"`` put the value there, not the model."""

    @property
    def exchange(self) -> Exchange:
        """The question and the answer as they were said, for regime sequential; an answer that was none is empty."""
        call = self.calls[-1]
        content = call.plan.messages[-1]["content"]
        asked = content if isinstance(content, str) else content[0]["text"]
        said = call.response.completions[0].text if call.response.completions else ""
        return asked, said


class Sampler:
    """Asks questions of one model in one regime.

    Parameters
    ----------
    client : ChatClient
        The endpoint.
    config : LlmConfig
        ``[llm]`` with an agent's overrides.
    model : str
        Name of the model.
    """

    def __init__(self, client: ChatClient, config: LlmConfig, model: str) -> None:
        self.client, self.config, self.model = client, config, model

    async def decide(
        self, question: Question, asker: Asker, *, k: int = 0, history: Sequence[Exchange] = (), hold: str = ""
    ) -> Decision:
        """Ask until there is an answer to act on, as often as the policy allows.

        Parameters
        ----------
        question : Question
            What is to be decided.
        asker : Asker
            Who asks and when.
        k : int
            Which draw of one question: audits ask the same one many times.
        history : sequence of Exchange
            Earlier questions and answers, oldest first.
        hold : str
            Option that ``invalid = "hold"`` takes.

        Raises
        ------
        CapabilityError
            The regime needs what the model does not give.
        DecisionError
            The client's.
        """
        generator = asker.generator(question.name, k)
        calls: list[Call] = []
        for attempt in range(1 + (self.config.retry_up_to if self.config.invalid == "retry" else 0)):
            call = await self._call(question, asker, Draw(asker.draw(question.name, k), attempt), generator, history)
            calls.append(call)
            if call.picked >= 0:
                return Decision("ok", call.answers[call.picked].value, calls)
        outcome = calls[-1].answers[0].outcome
        if self.config.invalid == "hold" and hold:
            return Decision(outcome, {ANSWER: hold, **default_fields(question.fields)}, calls, held=True)
        return Decision(outcome, None, calls)

    async def _call(
        self, question: Question, asker: Asker, draw: Draw, generator: np.random.Generator, history: Sequence[Exchange]
    ) -> Call:
        config = self.config
        try:
            put = plan(
                question,
                config.sampling,
                generator,
                structured=config.structured == "schema",
                history=history,
            )
            request = ChatRequest(
                self.model, put.messages, put.parameters, put.schema, api=config.api, extra=config.extra
            )
            response = await self.client.complete(request, draw, Origin(asker.agent, asker.step, question.name))
            answers = read(put, config.sampling, response, generator)
        except CapabilityError as error:
            regime = config.sampling.regime
            text = f'llm.sampling.regime = "{regime}" with model {self.model} at {config.endpoint}: {error}'
            raise CapabilityError(error.capability, text) from None
        return Call(response, put, answers, _pick(answers, generator))


def _pick(answers: Sequence[Parsed], generator: np.random.Generator) -> int:
    """Return which answer is taken: one of all at random, so that an unusable one keeps its share; -1: unusable."""
    place = int(generator.integers(len(answers))) if len(answers) > 1 else 0
    return place if answers[place].outcome == "ok" else -1
