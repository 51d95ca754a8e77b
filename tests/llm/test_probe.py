"""The probe: what works, what is ignored, what is refused, in nine calls; and what a kept card prevents."""

import pytest

from marketsim.llm import Access, ChatRequest, RespondentServer
from marketsim.llm.config import LlmConfig
from marketsim.llm.errors import CapabilityError, EndpointError, UnknownModelError
from marketsim.llm.probe import CAPABILITIES, keep_card, kept_card, probe, red_square
from marketsim.llm.service import LlmService
from tests.llm.conftest import QUICK

DULL = """
from marketsim.llm.respondents import Reply, Respondent


class Dull(Respondent):
    '''Takes every parameter and minds none.'''

    def answer(self, asked, generator):
        return Reply(f"a {generator.integers(1000000)}")


class Strict(Dull):
    capabilities = frozenset()
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "dull_models.py").write_text(DULL)
    with RespondentServer(folder=tmp_path) as server:
        yield server


def verdicts(server, model, api="chat"):
    card = probe(Access(server.base_url, patience=QUICK), model, api)
    assert server.requests["all"] == card.calls <= 9
    return {name: each.verdict for name, each in card.capabilities.items()}


def test_a_model_that_can_do_everything_passes_everything(server):
    assert verdicts(server, "uniform") == dict.fromkeys(CAPABILITIES, "works")


def test_what_the_responses_api_lacks_is_absent(server):
    found = verdicts(server, "uniform", "responses")
    assert {name for name, verdict in found.items() if verdict == "absent"} == {"n", "seed"}
    assert {found[name] for name in CAPABILITIES if name not in ("n", "seed")} == {"works"}


def test_a_parameter_without_effect_is_not_taken_for_a_capability(server):
    found = verdicts(server, "dull_models:Dull")
    ignored = {"json_schema", "logprobs", "images", "reasoning_effort", "tools"}
    assert {name for name, verdict in found.items() if verdict == "ignored"} == ignored


def test_a_refused_parameter_is_told_apart_from_an_ignored_one(server):
    card = probe(Access(server.base_url, patience=QUICK), "dull_models:Strict")
    assert {each.verdict for each in card.capabilities.values()} == {"refused"}
    assert "not supported" in card.capabilities["n"].detail
    assert "n_choices (needs n), logprob (needs logprobs)" in card.to_text()


def test_an_endpoint_that_cannot_be_asked_is_an_error(server):
    with pytest.raises(UnknownModelError):
        probe(Access(server.base_url, patience=QUICK), "nobody")
    address = server.base_url
    server.stop()
    with pytest.raises(EndpointError, match="cannot be reached"):
        probe(Access(address, patience=QUICK), "uniform")


def test_a_kept_card_stops_a_regime_before_anything_is_asked(server):
    card = probe(Access(server.base_url, patience=QUICK), "dull_models:Dull")
    keep_card(card)
    assert kept_card(server.base_url, "dull_models:Dull", "chat") == card
    assert kept_card(server.base_url, "other", "chat") is None
    before = server.requests["all"]
    keys = {"endpoint": server.base_url, "model": "dull_models:Dull", "sampling": {"regime": "logprob"}}
    config = LlmConfig.model_validate(keys)
    service = LlmService(config)
    with pytest.raises(
        CapabilityError, match=r'regime = "logprob" needs logprobs, which dull_models:Dull at .*ignored'
    ):
        service.sampler(config, config.model)
    service.close()
    assert server.requests["all"] == before


def test_the_picture_of_the_probe_is_a_png():
    assert red_square().startswith("data:image/png;base64,iVBORw0KGgo")


def test_a_request_with_a_tool_gets_a_call_of_it(client_of):
    tool = {
        "type": "function",
        "function": {"name": "buy", "parameters": {"type": "object", "properties": {"slot": {"type": "integer"}}}},
    }
    request = ChatRequest("uniform", [{"role": "user", "content": "shop"}], {"tools": [tool]})
    completion = client_of().ask(request).completions[0]
    assert completion.tool_calls[0]["function"]["name"] == "buy"
    assert completion.finish_reason == "tool_calls"


def test_a_server_that_breaks_on_a_parameter_refuses_it(server, tmp_path):
    (tmp_path / "brittle_models.py").write_text(
        "from marketsim.llm.respondents import Reply, Respondent\n"
        "class Brittle(Respondent):\n"
        "    def answer(self, asked, generator):\n"
        "        if asked.images:\n"
        "            raise RuntimeError('no pictures here')\n"
        "        return Reply('5')\n"
    )
    card = probe(Access(server.base_url, patience=QUICK), "brittle_models:Brittle")
    assert card.capabilities["images"].verdict == "refused"
    assert "no pictures here" in card.capabilities["images"].detail
