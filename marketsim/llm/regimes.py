"""The eight sampling regimes: how a question is put, and how its answer is read.

What one model answers depends on how it is asked (arXiv 2501.16356): independent calls, several answers at once and
answers with the earlier ones in view are different experiments. A regime is two functions: ``plan`` puts the question,
``read`` turns the response into answers. All randomness is the asker's own, addressed, so no regime depends on timing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketsim.llm.answers import Parsed, parse_completion
from marketsim.llm.config import SamplingConfig
from marketsim.llm.errors import CapabilityError
from marketsim.llm.question import (
    ANSWER,
    Question,
    Shown,
    answer_schema,
    default_fields,
    has_defaults,
    instruction,
    label_instruction,
    option_lines,
    show,
)
from marketsim.llm.request import Json
from marketsim.llm.response import Completion, Response

Exchange = tuple[str, str]
"""An earlier question and its answer, as they were said."""

LEAST_LABEL_MASS = 0.5
"""Probability on labels below which an answer of regime logprob is invalid: the model meant to say something else."""

_TOP_LOGPROBS = 20


@dataclass(frozen=True)
class Plan:
    """A question as it is put."""

    question: Question
    shown: Shown
    messages: Sequence[Json]
    parameters: Json
    schema: Json | None
    answers: int = 1
    """Answers in one completion."""


def plan(
    question: Question,
    sampling: SamplingConfig,
    generator: np.random.Generator,
    *,
    structured: bool = True,
    history: Sequence[Exchange] = (),
) -> Plan:
    """Put a question.

    Parameters
    ----------
    question : Question
        What is to be decided.
    sampling : SamplingConfig
        The regime and its parameters.
    generator : numpy.random.Generator
        The asker's own draws.
    structured : bool
        Send a JSON Schema; otherwise the words of the prompt must do.
    history : sequence of Exchange
        Earlier questions and answers, for regime sequential.

    Raises
    ------
    CapabilityError
        The regime draws bare labels, and the question has none or has fields without a default.
    """
    regime = sampling.regime
    if regime in ("logprob", "relabel", "calibrated", "seeded") and not question.options:
        raise CapabilityError("options", f'regime "{regime}" needs a question with options; {question.name} has none')
    order = [int(place) for place in generator.permutation(len(question.options))] if regime == "relabel" else None
    shown = show(question, order, letters=regime in ("relabel", "logprob"))
    answers = sampling.k if regime == "batch" else 1
    bare = regime == "logprob" or (question.fields is None and answers == 1 and not structured)
    if regime == "logprob" and not has_defaults(question.fields):
        raise CapabilityError("fields", 'regime "logprob" draws a label; a field of the answer has no default')
    parts = [question.text]
    if regime == "seeded":
        bits = "".join("01"[bit] for bit in generator.integers(0, 2, sampling.bits))
        parts.append(f"Random bits, to be used where you would choose at random: {bits}")
    if shown.labels:
        parts.append(f"Options:\n{option_lines(question, shown)}")
    parts.append(label_instruction(shown) if bare else instruction(question, shown, answers))
    schema = answer_schema(question, shown, answers) if structured and regime != "logprob" else None
    past = history[-sampling.history :] if regime == "sequential" else ()
    messages = _messages(question, "\n\n".join(parts), past)
    return Plan(question, shown, messages, _parameters(sampling), schema, answers)


def _messages(question: Question, text: str, history: Sequence[Exchange]) -> list[Json]:
    messages: list[Json] = [{"role": "system", "content": question.system}] if question.system else []
    for asked, said in history:
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    if not question.images:
        return [*messages, {"role": "user", "content": text}]
    pictures: list[Json] = [{"type": "image_url", "image_url": {"url": image}} for image in question.images]
    return [*messages, {"role": "user", "content": [{"type": "text", "text": text}, *pictures]}]


def _parameters(sampling: SamplingConfig) -> Json:
    names = ("temperature", "top_p", "seed", "max_tokens", "reasoning_effort")
    given = {name: getattr(sampling, name) for name in names}
    if sampling.regime == "logprob":
        given |= {"temperature": None, "logprobs": True, "top_logprobs": _TOP_LOGPROBS, "max_tokens": 1}
    if sampling.regime == "n_choices":
        given["n"] = sampling.k
    return {name: value for name, value in given.items() if value is not None}


# ---- Reading --------------------------------------------------------------------------------------------------


def read(put: Plan, sampling: SamplingConfig, response: Response, generator: np.random.Generator) -> list[Parsed]:
    """Return all answers of a response, at least one; k of them in n_choices and batch.

    Raises
    ------
    CapabilityError
        The endpoint ignored what the regime needs.
    """
    if response.timed_out:
        return [Parsed("timeout")]
    if sampling.regime == "logprob":
        return [_draw_label(put, sampling, response.completions[0], generator)]
    wanted = sampling.k if sampling.regime == "n_choices" else 1
    if len(response.completions) != wanted:
        raise CapabilityError("n", f"asked for n = {wanted} and got {len(response.completions)} answers")
    found = [
        parsed
        for completion in response.completions
        for parsed in parse_completion(put.question, put.shown, completion, put.answers)
    ]
    if sampling.regime == "calibrated":
        return [_calibrated(parsed, sampling, generator) for parsed in found]
    return found


def label_probabilities(shown: Shown, first_token: Mapping[str, float]) -> dict[str, float]:
    """Return the probability of each option by its label as first token, not renormalised.

    Tokens that differ in spaces or case only, such as ``" A"``, count together.
    """
    mass = dict.fromkeys(shown.names, 0.0)
    for token, logprob in first_token.items():
        name = shown.name_of(token.strip(" \n\t\"'[(`*"))
        if name is not None:
            mass[name] += math.exp(logprob)
    return mass


def _draw_label(put: Plan, sampling: SamplingConfig, completion: Completion, generator: np.random.Generator) -> Parsed:
    if completion.refusal:
        return Parsed("refusal")
    if not completion.first_token:
        raise CapabilityError("logprobs", "asked for log-probabilities and got none")
    mass = label_probabilities(put.shown, completion.first_token)
    total = sum(mass.values())
    if total < LEAST_LABEL_MASS:
        return Parsed("invalid", None, f"only {total:.3f} of the probability is on labels")
    names = sorted(mass)
    weights = np.array([mass[name] for name in names])
    temperature = 1.0 if sampling.temperature is None else sampling.temperature
    uniform = generator.random()
    if temperature == 0.0:
        place = int(weights.argmax())
    else:
        tempered = (weights / weights.max()) ** (1.0 / temperature)
        place = _place(tempered, uniform)
    return Parsed("ok", {ANSWER: names[place], **default_fields(put.question.fields)})


def _calibrated(parsed: Parsed, sampling: SamplingConfig, generator: np.random.Generator) -> Parsed:
    """Map an answer so that shares ``source`` become shares ``target``, changing as few answers as possible.

    The maximal coupling: an answer of share p is kept with probability min(1, q / p); otherwise another is drawn in
    proportion to what the target still lacks.
    """
    keep, pick = generator.random(), generator.random()
    if parsed.value is None:
        return parsed
    name = parsed.value[ANSWER]
    p, q = sampling.source.get(name, 0.0), sampling.target.get(name, 0.0)
    if p <= 0.0:
        return Parsed("invalid", None, f"llm.sampling.source gives {name} no share, but the model chose it")
    if keep < q / p:
        return parsed
    lacking = {each: max(0.0, share - sampling.source.get(each, 0.0)) for each, share in sampling.target.items()}
    names = sorted(each for each, gap in lacking.items() if gap > 0.0)
    name = names[_place(np.array([lacking[each] for each in names]), pick)]
    return parsed._replace(value={**parsed.value, ANSWER: name})


def _place(weights: NDArray[np.float64], uniform: float) -> int:
    """Return the place that a uniform draw falls on, each as likely as its weight."""
    edges = np.cumsum(weights / weights.sum())
    return int(np.searchsorted(edges, uniform, side="right").clip(max=len(weights) - 1))
