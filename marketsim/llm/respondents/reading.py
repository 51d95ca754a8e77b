"""What respondents share: reading a prompt as it is shown, and saying an answer in the form that is asked for.

A respondent sees the text of the request and nothing else: labels from lines ``[label] text``, a state from the JSON
between ``<state>`` and ``</state>``, its persona from lines ``- trait: value`` under ``Persona:``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

import numpy as np

from marketsim.llm.request import Json
from marketsim.llm.respondents.respondent import Asked, Reply

Fields = Callable[[str], Json]
"""From the chosen label to the further keys of a structured answer."""


def labels_in(text: str) -> dict[str, str]:
    """Return the labels of the last block of options with their texts, in the order shown."""
    block = text.rpartition("Options:\n")[2]
    return dict(re.findall(r"^\[([^\]\n]+)\] (.+)$", block, re.MULTILINE))


def option_of(label: str, text: str) -> str:
    """Return the name of an option: the label itself, or what stands before the colon where that is a letter."""
    return text.partition(":")[0].strip() if len(label) == 1 and label.isupper() else label


def state_in(text: str) -> Json:
    """Return the JSON between the last ``<state>`` and ``</state>``; empty where there is none."""
    block = re.findall(r"<state>\n(.*?)\n</state>", text, re.DOTALL)
    if not block:
        return {}
    try:
        found = json.loads(block[-1])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def persona_in(text: str) -> dict[str, str]:
    """Return the traits of a persona; empty where there is none."""
    block = re.search(r"^Persona:\n((?:- .*\n?)+)", text, re.MULTILINE)
    return dict(re.findall(r"^- ([^:\n]+): (.*)$", block[1], re.MULTILINE)) if block else {}


def tempered(probabilities: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Return probabilities at a temperature: p ** (1 / T), renormalised; the likeliest alone at 0."""
    likeliest = max(probabilities, key=lambda each: probabilities[each])
    if temperature == 0.0:
        return {label: float(label == likeliest) for label in probabilities}
    most = probabilities[likeliest]
    powers = {label: (p / most) ** (1.0 / temperature) if p > 0.0 else 0.0 for label, p in probabilities.items()}
    total = sum(powers.values())
    return {label: power / total for label, power in powers.items()}


def draw(probabilities: Mapping[str, float], generator: np.random.Generator) -> str:
    """Return a label, each as likely as its probability."""
    uniform, total = generator.random() * sum(probabilities.values()), 0.0
    for label, p in probabilities.items():
        total += p
        if uniform < total:
            return label
    return next(label for label in reversed(list(probabilities)) if probabilities[label] > 0.0)


def say(asked: Asked, probabilities: Mapping[str, float], generator: np.random.Generator, fields: Fields) -> Reply:
    """Return an answer drawn from label probabilities, in the form that the request asks for.

    Parameters
    ----------
    asked : Asked
        The request: its schema, or the words of its prompt, tell the form.
    probabilities : mapping of str to float
        Of each label at temperature 1.
    generator : numpy.random.Generator
        Of this choice.
    fields : callable
        From the chosen label to the further keys of a structured answer.
    """
    odds = tempered(probabilities, asked.temperature)
    many = re.search(r"Give exactly (\d+) answers", asked.last)
    if many:
        answers = [_object(draw(odds, generator), fields) for _ in range(int(many[1]))]
        return Reply(json.dumps({"answers": answers}))
    label = draw(odds, generator)
    if asked.schema is None and "Answer with one label" in asked.last:
        return Reply(label, label_probabilities=probabilities)
    return Reply(json.dumps(_object(label, fields)))


def _object(label: str, fields: Fields) -> Json:
    return {"answer": label, **fields(label)}
