"""Planted respondents: what they plant, and that the server says the same as the series that tests are made of."""

import asyncio
import json
from collections import Counter

import numpy as np
import pytest

from marketsim.core.loop_thread import LoopThread
from marketsim.core.rng import generator, stream_key
from marketsim.llm import ChatClient
from marketsim.llm.config import LlmConfig, SamplingConfig
from marketsim.llm.question import Option, Question
from marketsim.llm.regimes import plan
from marketsim.llm.respondents import respondent_for
from marketsim.llm.respondents.registry import PLANTED, PLANTED_CHOICES
from marketsim.llm.respondents.wire import read_chat
from marketsim.llm.sampler import Asker, Sampler

COIN = Question("You answer.", "Toss a coin.", [Option("yes"), Option("no")])


def rng(number=0):
    return generator(stream_key(3, 0, "tests", "planted", "answers"), number, 0)


def series(model, n_calls=4000, size=10, number=0):
    return respondent_for(model).series(rng(number), n_calls, size).astype(int)


def ask(model, n, question=COIN, history=(), **sampling):
    """Put a question as the regime does and let the respondent answer: answers of each call, and what it said."""
    respondent, config = respondent_for(model), SamplingConfig.model_validate(sampling)
    put = plan(question, config, rng(), history=history)
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": put.schema}}
    asked = read_chat({"model": model, "messages": put.messages, **put.parameters, "response_format": form})
    replies = [respondent.answer(asked, rng(1000 + draw)) for draw in range(n)]
    return [_labels(reply.text) for reply in replies], replies


def _labels(text):
    try:
        read = json.loads(text)
    except ValueError:
        return []
    return [one["answer"] for one in read.get("answers", [read])]


def through_the_server(model, n, question=COIN, **sampling):
    """The same through client and server."""
    client, thread = ChatClient(), LoopThread("test planted")
    sampler = Sampler(client, LlmConfig.model_validate({"sampling": sampling}), model)

    async def gather():
        return await asyncio.gather(*(sampler.decide(question, Asker(1, 0, "tester", step)) for step in range(n)))

    decisions = thread.start(gather()).result()
    thread.start(client.aclose()).result()
    thread.close()
    return [[one.value["answer"] for one in d.calls[0].answers if one.value] for d in decisions], [
        d.outcome for d in decisions
    ]


def test_every_name_has_a_respondent_that_answers():
    for name in (*PLANTED, *PLANTED_CHOICES):
        answers, outcomes = through_the_server(name, 2, regime="one_shot")
        assert set(outcomes) <= {"ok", "refusal", "invalid"}
        assert {word for call in answers for word in call} <= {"yes", "no"}
    assert len(PLANTED) + len(PLANTED_CHOICES) == 21


# ---- What each plants ---------------------------------------------------------------------------------------


def switches(bits):
    return (bits[:, 1:] != bits[:, :-1]).mean()


@pytest.mark.parametrize(
    ("model", "measure", "planted"),
    [
        ("bernoulli?p=0.43", np.mean, 0.43),
        ("markov?switch=0.58", switches, 0.58),
        ("order_2?pull=0.2", lambda x: (x[:, 2:] == x[:, :-2]).mean(), 0.6),
        ("order_2?pull=0.2", switches, 0.5),
        ("first_item?first=0.8", lambda x: x[:, 0].mean(), 0.8),
        ("first_item?first=0.8", lambda x: x[:, 1:].mean(), 0.5),
        ("mixture?share=0.25&one=0.2&other=0.6", np.mean, 0.5),
        ("beta_binomial?p=0.3&correlation=0.2", np.mean, 0.3),
        ("beta_binomial?p=0.5&correlation=0.2", lambda x: np.corrcoef(x[:, 0], x[:, 5])[0, 1], 0.2),
        ("drift?step=0.5&snapshot=2", np.mean, 1 / (1 + np.exp(-1.0))),
        ("history_polarity?pull=0", np.mean, 0.5),
    ],
)
def test_a_series_has_what_is_planted(model, measure, planted):
    assert measure(series(model)) == pytest.approx(planted, abs=0.02)


def test_recency_switches_the_more_the_longer_the_run():
    bits = series("recency?growth=0.1", 20_000, 6)
    same = (bits[:, 4] == bits[:, 3]) & (bits[:, 3] == bits[:, 2]) & (bits[:, 2] != bits[:, 1])
    assert (bits[same, 5] != bits[same, 4]).mean() == pytest.approx(0.7, abs=0.02)
    short = bits[:, 4] != bits[:, 3]
    assert (bits[short, 5] != bits[short, 4]).mean() == pytest.approx(0.5, abs=0.02)


def test_a_count_balancer_makes_calls_alike_and_a_history_pulls_them_apart():
    assert series("count_balancer").sum(axis=1).var() < 0.6 * 2.5
    assert series("history_polarity?pull=2").sum(axis=1).var() > 2 * 2.5


# ---- The server says the same -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["bernoulli?p=0.3", "markov?switch=0.8", "first_item?first=0.9", "count_balancer"])
def test_a_batch_has_the_law_of_the_series(model):
    answers, _ = ask(model, 1000, regime="batch", k=4)
    asked = np.array([[word == "yes" for word in call] for call in answers]).astype(int)
    drawn = series(model, 4000, 4)
    assert asked.shape == (1000, 4)
    assert asked.mean(axis=0) == pytest.approx(drawn.mean(axis=0), abs=0.06)
    assert switches(asked) == pytest.approx(switches(drawn), abs=0.04)


def test_a_history_in_the_prompt_is_the_past_of_the_series():
    said = [("Toss a coin.", json.dumps({"answer": "yes"}))]
    answers, _ = ask("markov?switch=0.9", 200, history=said, regime="sequential")
    assert np.mean([call[0] == "no" for call in answers]) == pytest.approx(0.9, abs=0.07)


def test_the_temperature_law_holds_through_the_server():
    law = respondent_for("temperature_law?p=0.9")
    for temperature in (0.5, 1.0, 2.0):
        answers, _ = ask("temperature_law?p=0.9", 300, regime="one_shot", temperature=temperature)
        share = np.mean([call[0] == "yes" for call in answers])
        assert share == pytest.approx(law.at(temperature), abs=0.08)
    assert respondent_for("temperature_law").at(2.0) == pytest.approx(0.89, abs=0.001)


def test_refusals_and_invalid_answers_are_outcomes():
    for model, outcome in (("refuser?rate=0.3", "refusal"), ("invalid_json?rate=0.3", "invalid")):
        _, outcomes = through_the_server(model, 60, regime="one_shot")
        counts = Counter(outcomes)
        assert set(counts) == {"ok", outcome}
        assert counts[outcome] / 60 == pytest.approx(0.3, abs=0.19)


def test_a_batch_through_client_and_server_has_the_planted_first_answer():
    answers, _ = through_the_server("first_item?first=0.95", 60, regime="batch", k=3)
    assert {len(call) for call in answers} == {3}
    assert np.mean([call[0] == "yes" for call in answers]) == pytest.approx(0.95, abs=0.1)


@pytest.mark.parametrize(
    ("model", "text", "options", "planted"),
    [
        ("position_logit?position=1", "", ("yes", "no"), 0.731),
        ("position_logit?position=1", "", ("no", "yes"), 0.269),
        ("always_a", "", ("no", "yes"), 0.0),
        ("bradley_terry?scale=0.5", "", ("yes: worth 3", "no: worth 1"), 0.731),
        ("cycle?strength=2", "", ("yes: item 1", "no: item 2"), 0.881),
        ("cycle?strength=2", "", ("yes: item 1", "no: item 3"), 0.119),
        ("prospect_theory", "", ("yes: 4000 with 80 %", "no: 3000 with 100 %"), 0.0),
        ("hyperbolic?k=0.1&scale=0.1", "", ("yes: 100 in 10 days", "no: 40 today"), 0.731),
        ("persona_gap?gap=2", "Persona:\n- gender: female\n", ("yes", "no"), 0.119),
        ("persona_gap?gap=2", "Persona:\n- gender: male\n", ("yes", "no"), 0.5),
        ("step_mixer", "Say yes with probability 45 %.", ("yes", "no"), 0.0),
        ("step_mixer", "Say yes with probability 55 %.", ("yes", "no"), 0.993),
    ],
)
def test_readers_find_what_they_look_for_in_the_prompt(model, text, options, planted):
    parts = [option.partition(": ") for option in options]
    question = Question("You answer.", f"Choose.\n\n{text}", [Option(name, what) for name, _, what in parts])
    answers, _ = ask(model, 300, question=question, regime="one_shot")
    assert np.mean([call[0] == "yes" for call in answers]) == pytest.approx(planted, abs=0.08)


def test_prospect_theory_prefers_the_sure_thing_among_gains_and_the_gamble_among_losses():
    taste = respondent_for("prospect_theory")
    assert taste.value(3000, 1.0) > taste.value(4000, 0.8)
    assert taste.value(-3000, 1.0) < taste.value(-4000, 0.8)
    assert float(taste.value(100, 1.0)) == pytest.approx(100**0.88)
