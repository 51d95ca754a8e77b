"""``marketsim llm``, ``prompts`` and ``respondents``, as they are typed."""

import json
import signal
from pathlib import Path

import openai
import pytest

from marketsim.llm import ChatClient, RecordStore, Shared
from marketsim.llm.request import ChatRequest


@pytest.fixture
def store(tmp_path):
    file = tmp_path / "run" / "llm" / "record.sqlite"
    with RecordStore(file) as opened, ChatClient(shared=Shared(opened)) as client:
        client.ask_all([(ChatRequest("echo", [{"role": "user", "content": f"word {n}"}]), 0) for n in range(3)])
    return file


def test_records_of_a_run_are_counted_listed_exported_and_pruned(marketsim, store, tmp_path):
    run = store.parent.parent
    found = json.loads(marketsim("llm", "records", run, "--json").stdout)["models"]
    assert [(row["model"], row["endpoint"], row["answers"]) for row in found] == [("echo", "respondents", 3)]
    assert "3  echo at respondents" in marketsim("llm", "records", store).stdout
    marketsim("llm", "records", run, "--export", "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sorted(line["response"]["choices"][0]["message"]["content"] for line in lines) == [
        "word 0",
        "word 1",
        "word 2",
    ]
    assert marketsim("llm", "records", run, "--prune").exit_code == 2
    assert marketsim("llm", "records", run, "--prune", "--before", "2999-01-01").stdout == "removed 3 records\n"


def test_a_folder_without_records_is_bad_input(marketsim, tmp_path):
    result = marketsim("llm", "records", tmp_path)
    assert result.exit_code == 2
    assert "found no record store" in result.stderr


def test_a_probe_prints_its_card_and_keeps_it(marketsim, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = marketsim("llm", "probe", "--json")
    card = json.loads(result.stdout)
    assert card["capabilities"]["logprobs"]["verdict"] == "works"
    assert card["calls"] == 9
    assert json.loads(Path(card["file"]).read_text())["model"] == "uniform"
    assert "regimes that cannot be used: none" in marketsim("llm", "probe").stdout
    assert marketsim("llm", "probe", "--model", "nobody").exit_code == 2


def test_a_prompt_is_shown_with_its_fields(marketsim):
    result = marketsim("prompts", "show", "llm_trader")
    assert result.stdout.startswith("{# version: 1 #}")
    assert "fields: persona, state" in result.stderr
    wrong = marketsim("prompts", "show", "llm_tradr")
    assert wrong.exit_code == 2
    assert "did you mean llm_trader?" in wrong.stderr


def test_respondents_are_served_until_they_are_told_to_stop(marketsim_process):
    process = marketsim_process("respondents", "serve", "--port", "0", "--fault", "server_error")
    address = process.stdout.readline().strip()
    with openai.OpenAI(base_url=address, api_key="any", max_retries=1) as client:
        answer = client.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "hello"}], extra_headers={"Idempotency-Key": "1"}
        )
    assert answer.choices[0].message.content == "hello"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    said = process.communicate()[1]
    assert "serving " in said
    assert all(f" {model}," in said for model in ("bernoulli", "echo", "shopper", "trader"))


def test_an_unknown_fault_is_bad_input(marketsim):
    result = marketsim("respondents", "serve", "--fault", "explosion")
    assert result.exit_code == 2
    assert "expected faults among rate_limit" in result.stderr
