"""From the text of an answer to a value, or to the outcome ``invalid``. Nothing is guessed and nothing defaulted."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from pydantic import ValidationError

from marketsim.llm.question import ANSWER, Question, Shown, default_fields, has_defaults
from marketsim.llm.request import Json
from marketsim.llm.response import Completion, Outcome


class Parsed(NamedTuple):
    """What became of one answer."""

    outcome: Outcome
    value: Json | None = None
    """Keys of the fields, and ``answer`` with the name of an option; None unless the outcome is ok."""
    fault: str = ""
    """Why it is invalid."""


def parse_completion(question: Question, shown: Shown, completion: Completion, answers: int = 1) -> list[Parsed]:
    """Return the answers that a completion holds: ``answers`` of them where it is usable.

    A structured answer is one JSON object, alone or in the midst of text. Where there is none, a text that names
    exactly one label counts as that label, if every field has a default.
    """
    if completion.outcome != "ok":
        return [Parsed(completion.outcome)] * answers
    document = find_json(completion.text)
    if answers > 1:
        found = document.get("answers") if isinstance(document, dict) else document
        if not isinstance(found, list) or len(found) != answers:
            return [Parsed("invalid", None, f"expected {answers} answers in a list")] * answers
        return [parse_value(question, shown, each) for each in found]
    if isinstance(document, dict):
        return [parse_value(question, shown, document)]
    return [parse_label(question, shown, completion.text)]


def parse_value(question: Question, shown: Shown, document: Any) -> Parsed:
    """Return the answer that a JSON value is."""
    if not isinstance(document, dict):
        document = {ANSWER: document}
    rest = dict(document)
    value: Json = {}
    if shown.labels:
        label = rest.pop(ANSWER, None)
        name = shown.name_of(label) if isinstance(label, str) else None
        if name is None:
            return Parsed("invalid", None, f"{ANSWER}: expected one of {', '.join(shown.labels)}; found {label!r}")
        value[ANSWER] = name
    if question.fields is None:
        if rest:
            return Parsed("invalid", None, f"expected no key {', '.join(rest)}")
        return Parsed("ok", value)
    try:
        fields = question.fields.model_validate(rest)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return Parsed("invalid", None, f"{where}: {first['msg']}; found {first['input']!r}"[:200])
    return Parsed("ok", value | fields.model_dump(mode="json"))


def parse_label(question: Question, shown: Shown, text: str) -> Parsed:
    """Return the answer of a text that names one label and no other."""
    if not shown.labels or not has_defaults(question.fields) or "{" in text:  # half an object may say more than a label
        return Parsed("invalid", None, "expected a JSON object")
    name = shown.name_of(text.strip().strip(".\"'`*[]() \n"))
    if name is None:
        named = {label for label in shown.labels if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text, _case(label))}
        name = shown.name_of(named.pop()) if len(named) == 1 else None
    if name is None:
        return Parsed("invalid", None, f"expected one label, {', '.join(shown.labels)}")
    return Parsed("ok", {ANSWER: name, **default_fields(question.fields)})


def _case(label: str) -> re.RegexFlag:
    """A letter is looked for as it is written: in a sentence "a" is a word, not a label."""
    return re.NOFLAG if len(label) == 1 else re.IGNORECASE


def find_json(text: str) -> Any:
    """Return the first JSON object or list in a text, alone, fenced or in a sentence; None where there is none."""
    stripped = text.strip()
    try:
        document = json.loads(stripped)
    except ValueError:
        pass
    else:
        return document if isinstance(document, dict | list) else None
    decoder = json.JSONDecoder()
    for match in re.finditer(r"[{\[]", text):
        try:
            document, _ = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if isinstance(document, dict) or (isinstance(document, list) and document and isinstance(document[0], dict)):
            return document
    return None
