"""Reading answers: objects alone, fenced, in prose; bare labels; and nothing guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from marketsim.llm.answers import find_json, parse_completion
from marketsim.llm.question import Option, Question, answer_schema, instruction, show
from marketsim.llm.response import Completion


class Order(BaseModel):
    size_lots: int = Field(default=1, ge=0, le=10, description="lots to trade")
    limit_price: float | None = None


CHOICE = Question("", "Decide.", [Option("buy"), Option("hold", "do nothing")], Order)


def parse(text, question=CHOICE, answers=1):
    return parse_completion(question, show(question), Completion(text, "stop"), answers)


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "buy", "size_lots": 3, "limit_price": null}',
        'Sure! Here it is:\n```json\n{"answer": "buy", "size_lots": 3, "limit_price": null}\n```\nGood luck.',
        'In {brackets}: {"answer": "Buy", "size_lots": 3}',
    ],
)
def test_an_object_is_found_wherever_it_stands(text):
    assert parse(text)[0].value == {"answer": "buy", "size_lots": 3, "limit_price": None}


@pytest.mark.parametrize("text", ["buy", " Buy. ", '"buy"', "I would buy.", "**buy**"])
def test_a_text_that_names_one_label_is_that_label(text):
    assert parse(text)[0].value == {"answer": "buy", "size_lots": 1, "limit_price": None}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("buy or hold", "expected one label"),
        ("", "expected one label"),
        ("buyer", "expected one label"),
        ('{"answer": "sell"}', "expected one of buy, hold; found 'sell'"),
        ('{"size_lots": 2}', "found None"),
        ('{"answer": "buy", "size_lots": 11}', "size_lots: Input should be less than or equal to 10; found 11"),
        ('{"answer": "buy", "size_lots": "many"}', "size_lots"),
        ('{"answer": "buy"', "expected a JSON object"),
    ],
)
def test_nothing_is_guessed(text, fault):
    found = parse(text)[0]
    assert (found.outcome, found.value) == ("invalid", None)
    assert fault in found.fault


def test_a_letter_is_no_word_of_a_sentence():
    shown = show(CHOICE, letters=True)
    for text, value in (("A", "buy"), ("I take a look: B", "hold"), ("a", "buy"), ("it is a pity", None)):
        found = parse_completion(CHOICE, shown, Completion(text, "stop"))[0]
        assert (found.value or {}).get("answer") == value


def test_a_batch_has_as_many_answers_as_asked_or_none():
    one = '{"answer": "buy", "size_lots": 1, "limit_price": null}'
    assert [each.outcome for each in parse(f'{{"answers": [{one}, {one}]}}', answers=2)] == ["ok", "ok"]
    assert [each.outcome for each in parse(f"[{one}, {one}]", answers=2)] == ["ok", "ok"]
    assert [each.outcome for each in parse(f'{{"answers": [{one}]}}', answers=2)] == ["invalid", "invalid"]
    assert [each.outcome for each in parse(f'{{"answers": [{one}, {{}}]}}', answers=2)] == ["ok", "invalid"]


def test_the_schema_requires_every_key_and_allows_no_other():
    schema = answer_schema(CHOICE, show(CHOICE))
    assert schema["required"] == list(schema["properties"]) == ["answer", "size_lots", "limit_price"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["answer"]["enum"] == ["buy", "hold"]
    many = answer_schema(CHOICE, show(CHOICE), 3)["properties"]["answers"]
    assert (many["minItems"], many["maxItems"], many["items"]) == (3, 3, schema)


def test_the_prompt_says_what_the_schema_says():
    text = instruction(CHOICE, show(CHOICE))
    assert '"answer" (one of: buy, hold)' in text
    assert '"size_lots" (integer: lots to trade)' in text


@settings(max_examples=30)
@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text):
    found = parse(text)[0]
    assert (found.value is None) == (found.outcome != "ok")


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_object_in_prose_is_found_as_it_is(value):
    import json

    assert find_json(f"Well: {json.dumps({'key': value})} indeed") == {"key": value}
