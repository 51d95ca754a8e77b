"""``Question``: a decision as a model is asked it: options with labels, and further fields of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from marketsim.llm.errors import CapabilityError
from marketsim.llm.request import Json

ANSWER = "answer"
"""Key of the chosen label in a structured answer."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Option(NamedTuple):
    """One thing that can be chosen."""

    name: str
    """What the engine calls it; a label where the regime gives none."""
    text: str = ""
    """What it is, in the prompt."""


@dataclass(frozen=True)
class Question:
    """A decision to be made.

    Parameters
    ----------
    system : str
        The system message: instructions only, never anything that comes from a market.
    text : str
        The user's message up to the options: static text first, persona and state last.
    options : sequence of Option
        What can be chosen; empty where the answer has fields only.
    fields : type of BaseModel, optional
        Further keys of a structured answer, and their bounds.
    name : str
        Which of an agent's questions this is; addresses its draws.
    images : sequence of str
        Pictures as ``data:`` URIs.
    """

    system: str
    text: str
    options: Sequence[Option] = ()
    fields: type[BaseModel] | None = None
    name: str = "decision"
    images: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse a question without an answer."""
        names = [option.name for option in self.options]
        if len(set(names)) < len(names):
            raise ValueError(f"expected options of different names; found {', '.join(names)}")
        if not names and self.fields is None:
            raise ValueError("expected options or fields")


@dataclass(frozen=True)
class Shown:
    """The options as they are shown: labels in order, and what each stands for."""

    labels: tuple[str, ...]
    names: tuple[str, ...]
    lettered: bool = False

    def name_of(self, label: str) -> str | None:
        """Return the option that a label stands for; None for another label."""
        places = [place for place, each in enumerate(self.labels) if each.lower() == label.strip().lower()]
        return self.names[places[0]] if places else None


def show(question: Question, order: Sequence[int] | None = None, *, letters: bool = False) -> Shown:
    """Return how options are shown: in an order, under their names or under letters A, B, C, ..."""
    names = [question.options[place].name for place in (order if order is not None else range(len(question.options)))]
    if letters and len(names) > len(LETTERS):
        text = f"labels of one letter are enough for {len(LETTERS)} options; {question.name} has {len(names)}"
        raise CapabilityError("options", text)
    return Shown(tuple(LETTERS[: len(names)]) if letters else tuple(names), tuple(names), letters)


def option_lines(question: Question, shown: Shown) -> str:
    """Return the options as lines ``[label] text``; under letters the name stands in front of the text."""
    texts = {option.name: option.text for option in question.options}
    lines = []
    for label, name in zip(shown.labels, shown.names, strict=True):
        text = f"{name}: {texts[name]}" if shown.lettered and texts[name] else texts[name] or name
        lines.append(f"[{label}] {text}")
    return "\n".join(lines)


@lru_cache(maxsize=128)
def _fields_schema(fields: type[BaseModel]) -> Json:
    return fields.model_json_schema()


def answer_schema(question: Question, shown: Shown, answers: int = 1) -> Json:
    """Return the JSON Schema of an answer, or of a list of several under the key ``answers``.

    Every key is required and no other allowed, which is what endpoints with strict schemas ask.
    """
    properties: Json = {ANSWER: {"type": "string", "enum": list(shown.labels)}} if shown.labels else {}
    definitions: Json = {}
    if question.fields is not None:
        schema = _fields_schema(question.fields)
        properties |= {name: _without(each, "default", "title") for name, each in schema["properties"].items()}
        definitions = schema.get("$defs", {})
    one: Json = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    if answers > 1:
        many = {"type": "array", "items": one, "minItems": answers, "maxItems": answers}
        one = {**one, "properties": {"answers": many}, "required": ["answers"]}
    return one | ({"$defs": definitions} if definitions else {})


def _without(schema: Json, *keys: str) -> Json:
    return {name: value for name, value in schema.items() if name not in keys}


def instruction(question: Question, shown: Shown, answers: int = 1) -> str:
    """Return the sentence that says what an answer looks like."""
    one_label = f"one of: {', '.join(shown.labels)}"
    keys = [f'"{ANSWER}" ({one_label})'] if shown.labels else []
    if question.fields is not None:
        properties = _fields_schema(question.fields)["properties"]
        keys += [f'"{name}" ({_describe(each)})' for name, each in properties.items()]
    form = f"a JSON object with the keys {', '.join(keys)}"
    if answers > 1:
        return (
            f'Give exactly {answers} answers, each as if it were the only one, as a JSON object {{"answers": [...]}} '
            f"whose list holds {answers} times {form}."
        )
    return f"Answer with {form}, and nothing else."


def label_instruction(shown: Shown) -> str:
    """Return the sentence that asks for a bare label."""
    return f"Answer with one label and nothing else, {', '.join(shown.labels)}."


def _describe(schema: Json) -> str:
    kinds = [each.get("type", "") for each in schema.get("anyOf", [schema])]
    text = " or ".join(kind for kind in kinds if kind)
    described = schema.get("description")
    return f"{text}: {described}" if described else text


def has_defaults(fields: type[BaseModel] | None) -> bool:
    """Say whether an answer of a bare label is enough: every field has a default."""
    if fields is None:
        return True
    return all(not field.is_required() for field in fields.model_fields.values())


def default_fields(fields: type[BaseModel] | None) -> dict[str, Any]:
    """Return the fields' defaults."""
    if fields is None:
        return {}
    values = {name: field.get_default(call_default_factory=True) for name, field in fields.model_fields.items()}
    return {name: value for name, value in values.items() if value is not PydanticUndefined}
