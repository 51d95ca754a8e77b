"""Respondents with a planted behaviour: what a test of the audit should find, and what it should not.

Each behaves in two ways that are one: ``series`` draws many calls of answers at once, for tests over thousands of
repetitions, and ``answer`` says the same through the loopback server. A behaviour is the chance of the counted answer,
given the call's own answers so far, which a request shows as the list that it asks for or as the turns before it. Where
there are more than two options, all but the counted one share the rest.

Those that read the options are in ``planted_choices``.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from marketsim.llm.respondents.reading import draw, labels_in, option_of, say, tempered
from marketsim.llm.respondents.respondent import Asked, Reply, Respondent, RespondentConfig

BitArray = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

_COUNTED: Final = ("1", "yes", "heads", "true", "buy", "accept")
"""Names of options that count as the answer 1; otherwise the first by letter does."""


@dataclass(frozen=True)
class Shown:
    """The options of a request: labels in the order shown, what each stands for, and which of them counts."""

    labels: tuple[str, ...]
    names: tuple[str, ...]
    texts: tuple[str, ...]
    place: int

    @property
    def counted(self) -> str:
        """Label of the counted option."""
        return self.labels[self.place]

    @property
    def other(self) -> int:
        """Place of the first option that is not the counted one."""
        return 0 if self.place else 1

    def odds(self, p: float) -> dict[str, float]:
        """Return a probability for each label."""
        rest = (1.0 - p) / (len(self.labels) - 1)
        return {label: p if label == self.counted else rest for label in self.labels}

    def bit(self, said: str) -> int:
        """Return 1 where an earlier answer was the counted one, by label or by name."""
        return int(said in (self.counted, self.names[self.place]))


def read_options(asked: Asked) -> Shown | None:
    """Return the options of a request; None where it shows fewer than two."""
    labels = labels_in(asked.last)
    if len(labels) < 2:
        return None
    names = tuple(option_of(label, text) for label, text in labels.items())
    lower = [name.lower() for name in names]
    counted = next((word for word in _COUNTED if word in lower), min(lower))
    return Shown(tuple(labels), names, tuple(labels.values()), lower.index(counted))


def own_bits(asked: Asked, shown: Shown) -> BitArray:
    """Return the model's own earlier answers, as the turns of the request show them: uint8[1, t]."""
    said: list[str] = []
    for text in asked.own_answers:
        try:
            read = json.loads(text)
        except ValueError:
            read = text.strip()
        answers = read.get("answers", [read]) if isinstance(read, dict) else [read]
        said += [str(one.get("answer", "")) if isinstance(one, dict) else str(one) for one in answers]
    return np.array([[shown.bit(word) for word in said]], np.uint8).reshape(1, -1)


class Planted(Respondent):
    """Base of all: answers 1 with a chance that may depend on the call and on its answers so far."""

    def start(self, generator: np.random.Generator, n_calls: int) -> FloatArray:
        """Draw what distinguishes a call: float64[n_calls]. None do by default."""
        return np.zeros(n_calls)

    @abstractmethod
    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance of a 1 in each call.

        Parameters
        ----------
        past : uint8 array, shape (n_calls, t)
            The calls' answers so far.
        call : float64 array, shape (n_calls,)
            From ``start``.
        """

    def series(self, generator: np.random.Generator, n_calls: int, size: int) -> BitArray:
        """Draw answers of many calls: uint8[n_calls, size]."""
        bits = np.zeros((n_calls, size), np.uint8)
        call = self.start(generator, n_calls)
        for t in range(size):
            bits[:, t] = generator.random(n_calls) < self.chance(bits[:, :t], call)
        return bits

    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Answer a request: one answer, or as many as it asks for."""
        shown = read_options(asked)
        if shown is None:
            return Reply("I can only choose between options.")
        past = own_bits(asked, shown)
        call = self.start(generator, 1)
        many = re.search(r"Give exactly (\d+) answers", asked.last)
        if many is None:
            return say(asked, shown.odds(float(self.chance(past, call)[0])), generator, lambda label: {})
        answers = []
        for _ in range(int(many[1])):
            odds = tempered(shown.odds(float(self.chance(past, call)[0])), asked.temperature)
            answers.append({"answer": draw(odds, generator)})
            past = np.append(past, [[shown.bit(answers[-1]["answer"])]], axis=1).astype(np.uint8)
        return Reply(json.dumps({"answers": answers}))


# ---- Independent answers ------------------------------------------------------------------------------------


class Bernoulli(Planted):
    """Independent answers of one probability."""

    class Config(RespondentConfig):
        """Options: ``"bernoulli?p=0.43"``."""

        p: Share = 0.5
        """Chance of the counted answer."""

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return p."""
        return np.full(len(call), self.config.p)


class TemperatureLaw(Bernoulli):
    """Independent answers with logit p(T) = logit p(1) / T: 98.5 % at temperature 1 is 89 % at 2."""

    class Config(RespondentConfig):
        """Options: ``"temperature_law?p=0.985"``."""

        p: Share = 0.985
        """Chance of the counted answer at temperature 1."""

    def at(self, temperature: float) -> float:
        """Return the chance at a temperature."""
        return tempered({"1": self.config.p, "0": 1.0 - self.config.p}, temperature)["1"]


class Drift(Planted):
    """Independent answers whose probability moves from one snapshot of the model to the next."""

    class Config(RespondentConfig):
        """Options: ``"drift?snapshot=2"``."""

        p: Share = 0.5
        """Chance of the counted answer in snapshot 0."""
        step: float = 0.5
        """What a snapshot adds to the logit."""
        snapshot: int = 0
        """Which snapshot this is."""

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance in this snapshot."""
        odds = self.config.p / (1.0 - self.config.p) * np.exp(self.config.step * self.config.snapshot)
        return np.full(len(call), odds / (1.0 + odds))


# ---- Memory of one's own answers ----------------------------------------------------------------------------


class Markov(Planted):
    """Switches the answer with one probability, whatever it was."""

    class Config(RespondentConfig):
        """Options: ``"markov?switch=0.58"``."""

        switch: Share = 0.58
        """Chance that an answer differs from the one before."""

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance given the last answer; one half at the begin."""
        if past.shape[1] == 0:
            return np.full(len(call), 0.5)
        switch = float(self.config.switch)
        return np.where(past[:, -1] == 1, 1.0 - switch, switch)


class Order2(Planted):
    """Repeats or avoids the answer before the last; neighbours are independent."""

    class Config(RespondentConfig):
        """Options: ``"order_2?pull=-0.2"``."""

        pull: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.25
        """Chance of the answer before the last, less that of the other one."""

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance given the answer before the last."""
        if past.shape[1] < 2:
            return np.full(len(call), 0.5)
        pull = 0.5 * float(self.config.pull)
        return np.where(past[:, -2] == 1, 0.5 + pull, 0.5 - pull)


class Recency(Planted):
    """Switches the more readily the longer the run: the gambler's fallacy."""

    class Config(RespondentConfig):
        """Options: ``"recency?growth=0.1"``."""

        growth: float = 0.12
        """What each further equal answer adds to the chance of a switch, one half after one."""

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance given the last run."""
        if past.shape[1] == 0:
            return np.full(len(call), 0.5)
        same = np.cumprod(past[:, ::-1][:, :10] == past[:, -1:], axis=1).sum(axis=1)
        switch: FloatArray = np.clip(0.5 + self.config.growth * (same - 1.0), 0.02, 0.98)
        return np.where(past[:, -1] == 1, 1.0 - switch, switch)


class CountBalancer(Planted):
    """Gives the answer that the call has had less often, so that calls come out alike."""

    class Config(RespondentConfig):
        """Options: ``"count_balancer?strength=0.5"``."""

        strength: float = 0.4
        """How much one answer more of a kind takes from the logit of that kind."""

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance given the counts so far."""
        surplus = 2.0 * past.sum(axis=1) - past.shape[1]
        result: FloatArray = 1.0 / (1.0 + np.exp(self.config.strength * surplus))
        return result


class HistoryPolarity(Planted):
    """Is pulled along by the share of its own earlier answers, whatever their order."""

    class Config(RespondentConfig):
        """Options: ``"history_polarity?pull=1&growth=0"``."""

        pull: float = 1.0
        """What a history of the counted answer alone adds to the logit."""
        growth: float = 0.0
        """What doubling one plus its length adds to the pull."""

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance given the share of ones so far."""
        if past.shape[1] == 0:
            return np.full(len(call), 0.5)
        return self.after(2.0 * past.mean(axis=1) - 1.0, np.full(len(call), float(past.shape[1])))

    def after(self, polarity: FloatArray, length: FloatArray) -> FloatArray:
        """Return the chance after a history of a polarity, -1 to 1, and a length."""
        pull = self.config.pull + self.config.growth * np.log2(1.0 + length)
        result: FloatArray = 1.0 / (1.0 + np.exp(-pull * polarity))
        return result


# ---- Calls that differ --------------------------------------------------------------------------------------


class BetaBinomial(Planted):
    """Draws a probability for each call and answers independently with it."""

    class Config(RespondentConfig):
        """Options: ``"beta_binomial?p=0.5&correlation=0.1"``."""

        p: Share = 0.5
        """Mean chance of the counted answer."""
        correlation: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
        """Of two answers of one call."""

    def start(self, generator: np.random.Generator, n_calls: int) -> FloatArray:
        """Draw each call's probability."""
        size = 1.0 / self.config.correlation - 1.0
        return generator.beta(size * self.config.p, size * (1.0 - self.config.p), n_calls)

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the call's probability."""
        return call


class Mixture(Planted):
    """Two kinds of calls, each with a probability of its own: a latent class."""

    class Config(RespondentConfig):
        """Options: ``"mixture?share=0.5&one=0.3&other=0.7"``."""

        share: Share = 0.5
        """Of calls of the first kind."""
        one: Share = 0.3
        """Chance of the counted answer in these."""
        other: Share = 0.7
        """Chance of it in the rest."""

    def start(self, generator: np.random.Generator, n_calls: int) -> FloatArray:
        """Draw each call's kind."""
        is_one = generator.random(n_calls) < self.config.share
        return np.where(is_one, float(self.config.one), float(self.config.other))

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance of the call's kind."""
        return call


class FirstItem(Planted):
    """Begins a call with the counted answer more often, and answers independently afterwards."""

    class Config(RespondentConfig):
        """Options: ``"first_item?first=0.8&p=0.5"``."""

        first: Share = 0.75
        """Chance of the counted answer at the begin of a call."""
        p: Share = 0.5
        """Chance of it afterwards."""

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance of a first answer, or of a later one."""
        return np.full(len(call), self.config.p if past.shape[1] else self.config.first)


# ---- Answers that are none ----------------------------------------------------------------------------------


class Refuser(Bernoulli):
    """Refuses some requests, and answers the others as a coin would."""

    class Config(RespondentConfig):
        """Options: ``"refuser?rate=0.2"``."""

        rate: Share = 0.2
        """Share of requests that are refused."""
        p: Share = 0.5
        """Chance of the counted answer otherwise."""

    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Refuse, or answer."""
        if generator.random() < self.config.rate:
            return Reply(refusal="I cannot help with that.")
        return super().answer(asked, generator)


class InvalidJson(Bernoulli):
    """Answers some requests in words that are no JSON, and the others as a coin would."""

    class Config(RespondentConfig):
        """Options: ``"invalid_json?rate=0.2"``."""

        rate: Share = 0.2
        """Share of answers that cannot be read."""
        p: Share = 0.5
        """Chance of the counted answer otherwise."""

    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Answer, or say something that is no JSON."""
        if generator.random() < self.config.rate:
            return Reply('Well, it depends. {"answer":')
        return super().answer(asked, generator)
