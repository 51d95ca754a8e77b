"""Respondents with a planted taste: what they read in the options, or in the prompt, decides.

Options carry what they are worth in their text: ``[a] 3`` or ``[tea] worth 3`` (a number), ``[safe] 3000 with 100 %``
(a gamble), ``[later] 100 in 30 days`` (a delayed amount). Each class has its law as a function of arrays, for tests and
estimators, and reads the same quantities from a request.
"""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
from pydantic import Field

from marketsim.llm.respondents.planted import BitArray, FloatArray, Planted, Shown, read_options
from marketsim.llm.respondents.reading import persona_in, say
from marketsim.llm.respondents.respondent import Asked, Reply, RespondentConfig

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_GAMBLE = re.compile(r"(-?\d+(?:\.\d+)?) with (\d+(?:\.\d+)?) ?%")
_DELAYED = re.compile(r"(\d+(?:\.\d+)?) in (\d+(?:\.\d+)?) days?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?(?:%|per cent)")


def logistic(x: FloatArray | float) -> FloatArray:
    """Return 1 / (1 + exp(-x))."""
    result: FloatArray = 1.0 / (1.0 + np.exp(-np.asarray(x, dtype=np.float64)))
    return result


class Reader(Planted):
    """Base: the chance of the counted option, from the options and the prompt; answers of a call are independent."""

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return the chance of the counted option."""
        raise NotImplementedError

    def chance(self, past: BitArray, call: FloatArray) -> FloatArray:
        """Return the chance without any text: one half."""
        return np.full(len(call), 0.5)

    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Answer a request from what it says."""
        shown = read_options(asked)
        if shown is None:
            return Reply("I can only choose between options.")
        return say(asked, shown.odds(self.reads(shown, asked)), generator, lambda label: {})


def first_number(text: str) -> float:
    """Return the first number of a text; 0 where it has none."""
    found = _NUMBER.search(text)
    return float(found[0]) if found else 0.0


# ---- Order and labels ---------------------------------------------------------------------------------------


class PositionLogit(Reader):
    """Prefers what is shown first, beside a taste for the counted option."""

    class Config(RespondentConfig):
        """Options: ``"position_logit?position=0.5"``."""

        position: float = 0.7
        """What being shown first adds to the logit; being shown last takes as much away."""
        taste: float = 0.0
        """Logit of the counted option, order apart."""

    def law(self, taste: FloatArray | float, first: FloatArray | float) -> FloatArray:
        """Return the chance of the counted option; ``first`` is +1 where it is shown first, -1 where it is not."""
        return logistic(self.config.taste + np.asarray(taste) + self.config.position * np.asarray(first))

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return the chance given the order."""
        return float(self.law(0.0, 1.0 if shown.place == 0 else -1.0))


class AlwaysA(Reader):
    """Takes the option that is shown first, whatever it is."""

    def law(self, first: FloatArray | float) -> FloatArray:
        """Return 1 where the counted option is shown first (+1), 0 where it is not (-1)."""
        return (np.asarray(first, dtype=np.float64) + 1.0) / 2.0

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return 1 or 0."""
        return float(self.law(1.0 if shown.place == 0 else -1.0))


# ---- Tastes -------------------------------------------------------------------------------------------------


class BradleyTerry(Reader):
    """One scalar worth decides each pair."""

    class Config(RespondentConfig):
        """Options: ``"bradley_terry?scale=0.5"``."""

        scale: float = 1.0
        """Logit for one unit of worth."""

    def law(self, one: FloatArray | float, other: FloatArray | float) -> FloatArray:
        """Return the chance of the first of two, from their worths."""
        return logistic(self.config.scale * (np.asarray(one) - np.asarray(other)))

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return the chance from the first number in each option's text."""
        return float(self.law(first_number(shown.texts[shown.place]), first_number(shown.texts[shown.other])))


class Cycle(Reader):
    """Prefers rock to scissors, scissors to paper and paper to rock: no scalar worth explains it."""

    class Config(RespondentConfig):
        """Options: ``"cycle?strength=1"``."""

        strength: float = 1.5
        """Logit of the preferred one."""

    def law(self, one: FloatArray | float, other: FloatArray | float) -> FloatArray:
        """Return the chance of the first of two items, numbered; n is preferred to n + 1, in threes."""
        step = (np.asarray(other) - np.asarray(one)) % 3
        return logistic(self.config.strength * np.where(step == 1, 1.0, np.where(step == 2, -1.0, 0.0)))

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return the chance from the first number in each option's text."""
        return float(self.law(first_number(shown.texts[shown.place]), first_number(shown.texts[shown.other])))


class ProspectTheory(Reader):
    """Weighs gambles by cumulative prospect theory (Tversky & Kahneman 1992) with one non-zero outcome each."""

    class Config(RespondentConfig):
        """Options: ``"prospect_theory?gamma=0.61"``."""

        alpha: float = 0.88
        """Curvature of gains and losses."""
        aversion: float = 2.25
        """Losses count so much more."""
        gamma: float = 0.61
        """Curvature of the weights of chances."""
        scale: float = 0.05
        """Logit for one unit of value."""

    def value(self, outcome: FloatArray | float, chance: FloatArray | float) -> FloatArray:
        """Return the value of an outcome with a chance, otherwise nothing."""
        x, p = np.asarray(outcome, dtype=np.float64), np.asarray(chance, dtype=np.float64)
        felt = np.where(x >= 0, 1.0, -self.config.aversion) * np.abs(x) ** self.config.alpha
        weight = p**self.config.gamma
        result: FloatArray = felt * weight / (weight + (1.0 - p) ** self.config.gamma) ** (1.0 / self.config.gamma)
        return result

    def law(self, one: FloatArray | float, other: FloatArray | float) -> FloatArray:
        """Return the chance of the first of two gambles, from their values."""
        return logistic(self.config.scale * (np.asarray(one) - np.asarray(other)))

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return the chance from each option's ``OUTCOME with CHANCE %``."""
        one, other = (self._gamble(shown.texts[place]) for place in (shown.place, shown.other))
        return float(self.law(one, other))

    def _gamble(self, text: str) -> float:
        return sum(float(self.value(float(x), float(p) / 100.0)) for x, p in _GAMBLE.findall(text))


class Hyperbolic(Reader):
    """Discounts a delayed amount by 1 / (1 + k delay)."""

    class Config(RespondentConfig):
        """Options: ``"hyperbolic?k=0.02"``."""

        k: Annotated[float, Field(ge=0.0)] = 0.02
        """Discount rate, per day."""
        scale: float = 0.1
        """Logit for one unit of discounted amount."""

    def law(
        self, amount: FloatArray, delay: FloatArray, other_amount: FloatArray, other_delay: FloatArray
    ) -> FloatArray:
        """Return the chance of the first of two delayed amounts; delays in days."""
        one = amount / (1.0 + self.config.k * delay)
        return logistic(self.config.scale * (one - other_amount / (1.0 + self.config.k * other_delay)))

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return the chance from each option's ``AMOUNT in DELAY days``; without a delay it is today."""
        one, other = (_delayed(shown.texts[place]) for place in (shown.place, shown.other))
        return float(self.law(*map(np.asarray, (*one, *other))))


def _delayed(text: str) -> tuple[float, float]:
    found = _DELAYED.search(text)
    return (float(found[1]), float(found[2])) if found else (first_number(text), 0.0)


# ---- Prompts ------------------------------------------------------------------------------------------------


class PersonaGap(Reader):
    """Gives the counted answer less often to one persona."""

    class Config(RespondentConfig):
        """Options: ``"persona_gap?trait=age&value=61&gap=1"``."""

        trait: str = "gender"
        """Trait that it looks at."""
        value: str = "female"
        """Value of the trait that costs."""
        gap: float = 0.8
        """What it takes from the logit."""
        taste: float = 0.0
        """Logit of the counted answer otherwise."""

    def law(self, taste: FloatArray | float, has_trait: FloatArray | float) -> FloatArray:
        """Return the chance of the counted answer; ``has_trait`` is 1 or 0."""
        return logistic(self.config.taste + np.asarray(taste) - self.config.gap * np.asarray(has_trait))

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return the chance given the persona of the prompt and the first number of the counted option's text."""
        persona = persona_in(asked.last)
        taste = first_number(shown.texts[shown.place])
        return float(self.law(taste, float(persona.get(self.config.trait) == self.config.value)))


class StepMixer(Reader):
    """Asked to mix with a stated probability, it gives one answer below a threshold and the other above."""

    class Config(RespondentConfig):
        """Options: ``"step_mixer?threshold=0.5&width=0.02"``."""

        threshold: float = 0.525
        """Stated probability where the answer changes."""
        width: Annotated[float, Field(gt=0.0)] = 0.005
        """How soft the step is."""

    def law(self, stated: FloatArray | float) -> FloatArray:
        """Return the chance of the counted answer where a probability is stated."""
        return logistic(np.clip((np.asarray(stated) - self.config.threshold) / self.config.width, -500.0, 500.0))

    def reads(self, shown: Shown, asked: Asked) -> float:
        """Return the chance from the first per cent figure of the prompt; one half where there is none."""
        stated = _PERCENT.search(asked.last)
        return float(self.law(float(stated[1]) / 100.0)) if stated else 0.5
