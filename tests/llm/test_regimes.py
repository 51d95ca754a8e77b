"""The sampling regimes: what each sends, and that each gives back what is planted."""

import asyncio
import math
from collections import Counter

import pytest
from pydantic import BaseModel, Field
from scipy.stats import chisquare

from marketsim.core.loop_thread import LoopThread
from marketsim.llm import ChatClient
from marketsim.llm.config import LlmConfig
from marketsim.llm.errors import CapabilityError
from marketsim.llm.question import Option, Question, show
from marketsim.llm.regimes import label_probabilities
from marketsim.llm.respondents import FaultPlan
from marketsim.llm.sampler import Asker, Sampler

REGIMES = ["one_shot", "n_choices", "batch", "sequential", "logprob", "seeded", "relabel"]


class Order(BaseModel):
    size_lots: int = Field(default=1, ge=0, le=10, description="lots")


OPTIONS = [Option("buy", "buy at the best ask"), Option("sell", "sell at the best bid"), Option("hold", "do nothing")]
SEEN = '{"recent_mids": [1.00, 1.05], "tick_size": 0.01, "account": {"position_lots": 2, "limit_lots": 10}}'
STATE = f"<state>\n{SEEN}\n</state>"
QUESTION = Question("You trade.", f"Decide.\n\nPersona:\n- style: momentum\n\n{STATE}", OPTIONS, Order)


def planted(temperature=1.0):
    drive = 0.15 * 5 - 1.5 * 0.2  # trend times the last move, inventory times the share of the limit
    weights = {"buy": math.exp(drive), "sell": math.exp(-drive), "hold": 1.0}
    powers = {name: weight ** (1.0 / temperature) for name, weight in weights.items()}
    return {name: power / sum(powers.values()) for name, power in powers.items()}


@pytest.fixture(scope="module")
def decide():
    """Decide a question many times, at steps 0, 1, 2, ... of one agent."""
    client, thread = ChatClient(), LoopThread("test")

    def ask(n, question=QUESTION, model="trader", history=(), **keys):
        sampler = Sampler(client, LlmConfig.model_validate(keys), model)

        async def gather():
            calls = (sampler.decide(question, Asker(1, 0, "tester", step), history=history) for step in range(n))
            return await asyncio.gather(*calls)

        return thread.start(gather()).result()

    yield ask
    thread.start(client.aclose()).result()
    thread.close()


@pytest.mark.parametrize("structured", ["schema", "text"])
@pytest.mark.parametrize("regime", REGIMES)
def test_each_regime_gives_the_planted_shares(decide, regime, structured):
    decisions = decide(160, structured=structured, sampling={"regime": regime})
    counts = Counter(decision.value["answer"] for decision in decisions)
    expected = planted()
    result = chisquare([counts[name] for name in expected], [160 * p for p in expected.values()])
    assert result.pvalue > 0.001
    if regime != "logprob":
        sizes = {(d.value["answer"] == "hold", d.value["size_lots"]) for d in decisions}
        assert sizes == {(True, 0), (False, 2)}


def test_logprob_applies_the_temperature_itself(decide):
    decisions = decide(160, sampling={"regime": "logprob", "temperature": 0.5})
    counts = Counter(decision.value["answer"] for decision in decisions)
    expected = planted(0.5)
    assert chisquare([counts[name] for name in expected], [160 * p for p in expected.values()]).pvalue > 0.001
    assert all("temperature" not in decision.calls[0].plan.parameters for decision in decisions)
    assert decisions[0].value["size_lots"] == 1  # a bare label leaves the field at its default


def test_calibrated_maps_the_models_shares_to_the_target(decide):
    target = {"buy": 0.2, "sell": 0.3, "hold": 0.5}
    decisions = decide(240, sampling={"regime": "calibrated", "source": planted(), "target": target})
    counts = Counter(decision.value["answer"] for decision in decisions)
    assert chisquare([counts[name] for name in target], [240 * p for p in target.values()]).pvalue > 0.001
    said = Counter('"buy"' in decision.calls[0].response.completions[0].text for decision in decisions)
    assert said[True] > 85  # the model itself still mostly buys


def test_k_answers_are_all_kept_and_one_is_picked_by_the_agents_own_draw(decide):
    for regime in ("n_choices", "batch"):
        decisions = decide(60, sampling={"regime": regime, "k": 4})
        assert {len(decision.calls[0].answers) for decision in decisions} == {4}
        assert {decision.calls[0].picked for decision in decisions} == {0, 1, 2, 3}


def test_relabel_shows_every_order_and_undoes_it(decide):
    decisions = decide(60, sampling={"regime": "relabel"})
    assert len({decision.calls[0].plan.shown.names for decision in decisions}) == 6
    for decision in decisions:
        shown = decision.calls[0].plan.shown
        label = decision.calls[0].response.completions[0].text.split('"answer": "')[1][0]
        assert decision.value["answer"] == shown.names["ABC".index(label)]


def test_seeded_puts_other_bits_into_each_prompt(decide):
    decisions = decide(10, sampling={"regime": "seeded", "bits": 40})
    texts = {decision.calls[0].plan.messages[-1]["content"] for decision in decisions}
    assert len(texts) == 10


def test_sequential_shows_earlier_answers_up_to_its_length(decide):
    history = [(f"question {n}", f"answer {n}") for n in range(8)]
    decision = decide(1, sampling={"regime": "sequential", "history": 3}, history=history)[0]
    said = [each["content"] for each in decision.calls[0].plan.messages]
    assert said[1:7] == ["question 5", "answer 5", "question 6", "answer 6", "question 7", "answer 7"]
    without = decide(1, sampling={"regime": "one_shot"}, history=history)[0]
    assert len(without.calls[0].plan.messages) == 2


# ---- What a model lacks --------------------------------------------------------------------------------------


def test_a_regime_without_its_capability_is_an_error_that_names_both(decide):
    with pytest.raises(
        CapabilityError, match='regime = "logprob" with model echo at respondents: .*logprobs'
    ) as caught:
        decide(1, model="echo", sampling={"regime": "logprob"})
    assert caught.value.capability == "logprobs"


def test_a_regime_that_draws_labels_needs_options(decide):
    class Text(BaseModel):
        text: str

    with pytest.raises(CapabilityError, match='regime "relabel" needs a question with options'):
        decide(1, Question("", "Say something.", fields=Text), sampling={"regime": "relabel"})
    with pytest.raises(CapabilityError, match="a field of the answer has no default"):
        decide(1, Question("", "Say.", OPTIONS, Text), sampling={"regime": "logprob"})


def test_tokens_that_differ_in_spaces_and_case_count_as_one_label():
    shown = show(Question("", "", OPTIONS), letters=True)
    mass = label_probabilities(
        shown, {"A": math.log(0.4), " a": math.log(0.2), "B": math.log(0.1), "The": math.log(0.3)}
    )
    assert mass == pytest.approx({"buy": 0.6, "sell": 0.1, "hold": 0.0})


@pytest.mark.parametrize(
    ("sampling", "fault"),
    [
        ({"regime": "logprob", "top_p": 0.9}, "neither top_p nor reasoning_effort"),
        ({"regime": "calibrated"}, "expected source in regime calibrated: shares from 0 that add up to 1"),
        ({"regime": "calibrated", "source": {"a": 1.0}, "target": {"b": 1.0}}, "found none for b"),
        ({"target": {"a": 1.0}}, "source and target in regime calibrated only"),
    ],
)
def test_parameters_that_do_not_fit_a_regime_are_refused(sampling, fault):
    with pytest.raises(ValueError, match=fault):
        LlmConfig.model_validate({"sampling": sampling})


# ---- Answers that cannot be used -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "outcome"), [("invalid_json", "invalid"), ("refusal", "refusal"), ("truncated", "truncated")]
)
def test_an_unusable_answer_is_counted_and_skipped_held_or_asked_again(client_of, respondent_server, fault, outcome):
    client, thread = client_of(), LoopThread("test")

    def decide(**keys):
        respondent_server.faults = FaultPlan([fault])
        sampler = Sampler(client, LlmConfig.model_validate(keys), "trader")
        return thread.start(sampler.decide(QUESTION, Asker(1, 0, "tester", 0), hold="hold")).result()

    skipped, held, asked_again = decide(), decide(invalid="hold"), decide(invalid="retry")
    thread.start(client.aclose()).result()
    thread.close()
    assert (skipped.outcome, skipped.value, len(skipped.calls)) == (outcome, None, 1)
    assert (held.outcome, held.held) == (outcome, True)
    assert held.value == {"answer": "hold", "size_lots": 1}
    assert len(asked_again.calls) == 3  # the fault meets the first try of each attempt, which is a request of its own
    assert [call.response.attempt for call in asked_again.calls] == [0, 1, 2]
