"""The loopback server, spoken to by the plain library: formats, draws, faults."""

import asyncio
import json

import openai
import pytest

from marketsim.llm import RespondentServer
from marketsim.llm.respondents import FaultPlan, respondent_for

SEEN = '{"recent_mids": [1.00, 1.04], "tick_size": 0.01, "account": {"position_lots": 0, "limit_lots": 10}}'
STATE = f"<state>\n{SEEN}\n</state>"
CHOICE = (
    f"{STATE}\n\nOptions:\n[A] buy: now\n[B] sell: now\n[C] hold\n\nAnswer with one label and nothing else, A, B, C."
)


def messages(text=CHOICE):
    return [{"role": "user", "content": text}]


@pytest.fixture
def plain(respondent_server):
    with openai.OpenAI(base_url=respondent_server.base_url, api_key="any", max_retries=0) as client:
        yield client


def test_models_are_listed(plain):
    assert {"echo", "trader"} <= {model.id for model in plain.models.list()}


def test_a_stream_gives_the_same_text_as_one_answer(plain):
    text = "a long answer, in several pieces, each of them short"
    stream = plain.chat.completions.create(model="echo", messages=messages(text), stream=True)
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 13
    assert len(chunks) > 4


def test_n_answers_are_draws_of_their_own(plain):
    answer = plain.chat.completions.create(model="trader", messages=messages(), n=60)
    assert {choice.message.content for choice in answer.choices} == {"A", "B", "C"}


def test_log_probabilities_are_those_that_the_answers_are_drawn_from(plain):
    answer = plain.chat.completions.create(
        model="trader?patience=1", messages=messages(), logprobs=True, top_logprobs=5, max_tokens=1
    )
    tokens = answer.choices[0].logprobs.content[0].top_logprobs
    assert {token.token: round(token.logprob, 4) for token in tokens} == {"A": -1.5514, "B": -1.5514, "C": -0.5514}


def test_a_seed_makes_answers_equal_and_without_one_equal_requests_are_draws(plain):
    def said(**parameters):
        return (
            plain.chat.completions.create(model="trader", messages=messages(), **parameters).choices[0].message.content
        )

    assert len({said(seed=4) for _ in range(10)}) == 1
    assert len({said() for _ in range(40)}) == 3


def test_answers_do_not_depend_on_the_order_of_arrival(respondent_server):
    async def answers(keys):
        async with openai.AsyncOpenAI(base_url=respondent_server.base_url, api_key="any") as client:

            async def one(key):
                answer = await client.chat.completions.create(
                    model="trader", messages=messages(), extra_headers={"Idempotency-Key": key}
                )
                return key, answer.choices[0].message.content

            return dict(await asyncio.gather(*(one(key) for key in keys)))

    keys = [f"key-{number}" for number in range(30)]
    forward, backward = asyncio.run(answers(keys)), asyncio.run(answers(keys[::-1]))
    assert forward == backward
    assert len({*forward.values()}) == 3


def test_another_seed_of_the_server_gives_other_draws():
    found = []
    for seed in (0, 0, 1):
        with RespondentServer(seed=seed) as server, openai.OpenAI(base_url=server.base_url, api_key="any") as client:
            answer = client.chat.completions.create(model="trader", messages=messages(), n=40)
            found.append([choice.message.content for choice in answer.choices])
    assert found[0] == found[1] != found[2]


def test_a_long_answer_is_cut_at_max_tokens(plain):
    answer = plain.chat.completions.create(model="echo", messages=messages("word " * 50), max_tokens=3)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("word word wo", "length")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate_limit", openai.RateLimitError),
        ("quota", openai.RateLimitError),
        ("server_error", openai.InternalServerError),
        ("disconnect", openai.APIConnectionError),
    ],
)
def test_each_fault_has_the_form_of_a_real_one(plain, respondent_server, fault, error):
    respondent_server.faults = FaultPlan([fault])
    with pytest.raises(error) as caught:
        plain.chat.completions.create(model="echo", messages=messages("x"))
    if fault == "rate_limit":
        assert caught.value.response.headers["retry-after"] == "0.01"
    if fault == "quota":
        assert caught.value.code == "insufficient_quota"


def test_faults_come_once_for_each_request_and_then_it_is_answered(plain, respondent_server):
    respondent_server.faults = FaultPlan(["server_error"])
    headers = {"Idempotency-Key": "one"}
    with pytest.raises(openai.InternalServerError):
        plain.chat.completions.create(model="echo", messages=messages("x"), extra_headers=headers)
    answer = plain.chat.completions.create(model="echo", messages=messages("x"), extra_headers=headers)
    assert answer.choices[0].message.content == "x"


def test_unknown_faults_models_and_options_are_named():
    with pytest.raises(ValueError, match="found explosion"):
        FaultPlan(["explosion"])
    with pytest.raises(ValueError, match="expected a respondent: .*did you mean trader"):
        respondent_for("tradr")
    with pytest.raises(ValueError, match="expected options of trader among: trend, .*found 'trnd=1'"):
        respondent_for("trader?trnd=1")


def test_a_respondent_of_ones_own_is_found_beside_the_scenario(tmp_path):
    (tmp_path / "own_model.py").write_text(
        "from marketsim.llm.respondents import Reply, Respondent\n"
        "class Yes(Respondent):\n"
        "    def answer(self, asked, generator):\n"
        "        return Reply('yes')\n"
    )
    with (
        RespondentServer(folder=tmp_path) as server,
        openai.OpenAI(base_url=server.base_url, api_key="any") as client,
    ):
        answer = client.chat.completions.create(model="own_model:Yes", messages=messages("x"))
    assert answer.choices[0].message.content == "yes"


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /v1/nothing HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 3\r\n\r\n{{{", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
    ],
)
def test_what_is_no_request_gets_a_status_and_the_server_lives_on(respondent_server, request_text, status):
    async def say():
        reader, writer = await asyncio.open_connection("127.0.0.1", respondent_server.port)
        writer.write(request_text)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return line

    assert asyncio.run(say()).split()[1] == status
    with openai.OpenAI(base_url=respondent_server.base_url, api_key="any") as client:
        assert client.models.list().data


def test_the_body_of_an_error_is_the_apis(respondent_server):
    async def say():
        reader, writer = await asyncio.open_connection("127.0.0.1", respondent_server.port)
        body = json.dumps({"model": "echo", "messages": messages("x"), "temperature": 9}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        text = await reader.read()
        writer.close()
        await writer.wait_closed()
        return json.loads(text.partition(b"\r\n\r\n")[2])

    error = asyncio.run(say())["error"]
    assert (error["param"], error["code"]) == ("temperature", "invalid_value")
    assert error["message"] == "expected temperature from 0 to 2; found 9"
