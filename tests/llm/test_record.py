"""The record store: keys, draws, replay, kill -9, and files that are no good."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from marketsim.llm import ChatClient, ChatRequest, Draw, RecordStore, RespondentServer, Shared, draw_index
from marketsim.llm.errors import RecordError, ReplayMissError
from marketsim.llm.request import Origin, key_of
from tests.llm.conftest import ask_for


@pytest.fixture
def file(tmp_path):
    return tmp_path / "record.sqlite"


def recorded(file, server, requests):
    with RecordStore(file) as store, ChatClient(server.base_url, Shared(store)) as client:
        return client.ask_all(requests)


def test_500_draws_of_one_request_stay_500_records_and_come_back_in_replay(file, respondent_server):
    requests = [(ask_for(model="trader"), number) for number in range(500)]
    asked = recorded(file, respondent_server, requests)
    assert respondent_server.requests["answered"] == 500
    with RecordStore(file, read_only=True) as store:
        assert len(store) == 500
        with ChatClient(respondent_server.base_url, Shared(store, mode="replay")) as client:
            again = client.ask_all(requests)
    assert [each.completions for each in again] == [each.completions for each in asked]
    assert {each.source for each in again} == {"recorded"}
    assert respondent_server.requests["answered"] == 500


@pytest.mark.parametrize(
    "other",
    [
        ChatRequest("echo", [{"role": "user", "content": "hello!"}]),
        ChatRequest("trader", [{"role": "user", "content": "hello"}]),
        ChatRequest("echo", [{"role": "user", "content": "hello"}], {"temperature": 0.5}),
        ChatRequest("echo", [{"role": "user", "content": "hello"}], schema={"type": "object"}),
        ChatRequest("echo", [{"role": "user", "content": "hello"}], api="responses"),
        ChatRequest("echo", [{"role": "user", "content": "hello"}], extra={"top_k": 0}),
    ],
)
def test_everything_that_may_change_an_answer_is_in_the_key(other):
    same = ChatRequest("echo", [{"content": "hello", "role": "user"}], schema_name="other")
    request = ask_for("hello")
    assert request.text("respondents") == same.text("respondents")
    assert key_of(request.text("respondents")) != key_of(other.text("respondents"))
    assert request.text("respondents") != request.text("http://127.0.0.1:1/v1")


def test_a_draw_index_depends_on_who_asks_what_and_when_and_on_nothing_else():
    first = draw_index(1, "buyer-1", 0, "decision", 0)
    assert first == 5672264502200080306  # printf ... | sha256sum, first 8 bytes, halved
    others = [(2, "buyer-1", 0, "decision", 0), (1, "buyer-2", 0, "decision", 0), (1, "buyer-1", 1, "decision", 0)]
    others += [(1, "buyer-1", 0, "search", 0), (1, "buyer-1", 0, "decision", 1)]
    assert len({first, *(draw_index(*other) for other in others)}) == 6


def test_attempts_are_records_of_their_own(file, respondent_server):
    recorded(file, respondent_server, [(ask_for(), Draw(7, attempt)) for attempt in range(3)])
    with RecordStore(file) as store:
        assert [entry.draw for entry in store.entries()] == [(7, 0), (7, 1), (7, 2)]


def test_a_replay_miss_says_what_differs_from_the_nearest_record(file, respondent_server):
    recorded(file, respondent_server, [(ask_for("the price is 100"), 3)])
    with (
        RecordStore(file, read_only=True) as store,
        ChatClient(respondent_server.base_url, Shared(store, mode="replay")) as client,
    ):
        with pytest.raises(ReplayMissError, match="differs in .*now '... price is 101', recorded '... price is 100'"):
            client.ask(ask_for("the price is 101"), 3)
        with pytest.raises(ReplayMissError, match="has this request under draw 3, attempt 0 only"):
            client.ask(ask_for("the price is 100"), 4)
    assert respondent_server.requests["answered"] == 1


def test_what_was_asked_can_be_listed_exported_and_pruned(file, respondent_server):
    recorded(file, respondent_server, [(ask_for(f"{number}"), 0) for number in range(300)])
    with RecordStore(file) as store:
        assert [(row["endpoint"], row["model"], row["answers"]) for row in store.counts()] == [
            (respondent_server.base_url, "echo", 300)
        ]
        lines = list(store.export())
        assert len({*lines}) == 300
        assert all('"draw": 0' in line for line in lines)
        assert store.prune(before="2000-01-01") == 0
        assert store.prune() == 300
        assert len(store) == 0


PAYING = """
import sys
from marketsim.llm import ChatClient, RecordStore, Shared
from marketsim.llm.request import ChatRequest
with RecordStore(sys.argv[1]) as store, ChatClient(sys.argv[2], Shared(store, concurrency=8)) as client:
    client.ask_all([(ChatRequest("echo", [{"role": "user", "content": str(n)}]), n) for n in range(200)])
"""


def test_after_kill_9_no_committed_answer_is_asked_again(file):
    with RespondentServer(delay_s=0.01) as server:
        command = [sys.executable, "-c", PAYING, str(file), server.base_url]
        process = subprocess.Popen(command)
        while server.requests["answered"] < 60:
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.1)  # what was in flight is answered, to nobody
        with RecordStore(file) as store:
            committed = len(store)
        assert 0 < committed < 200
        before = server.requests["answered"]
        assert before - committed <= 8
        subprocess.run(command, check=True)
        assert server.requests["answered"] - before == 200 - committed
        assert sum(times - 1 for times in server.asked.values()) <= 8
        with RecordStore(file) as store:
            assert len(store) == 200


# ---- Files that are no good ----------------------------------------------------------------------------------


def test_a_store_that_is_not_there_cannot_be_replayed(file):
    with pytest.raises(RecordError, match="record.sqlite: found no record store"):
        RecordStore(file, read_only=True)


def test_a_store_of_another_format_is_named(file):
    RecordStore(file).close()
    db = sqlite3.connect(file)
    db.execute("UPDATE meta SET value = '0'")
    db.commit()
    db.close()
    with pytest.raises(RecordError, match="record.sqlite: found format 0 of the record store, expected 1"):
        RecordStore(file)


def test_a_file_that_is_something_else_is_named(file):
    file.write_text("date,price\n" * 100)
    with pytest.raises(RecordError, match="cannot be read as a record store: file is not a database"):
        RecordStore(file)
    file.unlink()
    db = sqlite3.connect(file)
    db.execute("CREATE TABLE trades (price REAL)")
    db.close()
    with pytest.raises(RecordError, match="is no record store: it has the tables trades"):
        RecordStore(file)


def test_a_half_written_store_is_named(file, respondent_server):
    recorded(file, respondent_server, [(ask_for(f"{number} " * 50), 0) for number in range(100)])
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordError, match=r"record.sqlite: (is damaged|cannot be read)"):
        RecordStore(file, read_only=True)


def test_an_answer_knows_who_asked(file):
    with RecordStore(file) as store, ChatClient(shared=Shared(store)) as client:
        client.ask(ask_for())
        entry = next(store.entries())
    assert entry.request["base_url"] == "respondents"
    assert entry.origin == Origin()
    assert entry.raw.body["choices"][0]["message"]["content"] == "hello"
