"""The client against the loopback server: retries, errors, budgets, limits, and the key that no one may see."""

import logging
import time
from decimal import Decimal

import pytest

from marketsim.core.errors import BudgetError
from marketsim.llm import Access, Caps, ChatClient, ChatRequest, Patience, Prices, RecordStore, RespondentServer, Shared
from marketsim.llm.errors import (
    AuthenticationError,
    BadRequestError,
    CapabilityError,
    EndpointError,
    QuotaError,
    UnknownModelError,
)
from marketsim.llm.respondents import FaultPlan
from marketsim.llm.transport import retry_after_s
from tests.llm.conftest import QUICK, ask_for


def text_of(response):
    return response.completions[0].text


def test_a_client_without_an_address_asks_the_embedded_respondents():
    with ChatClient() as client:
        assert text_of(client.ask(ask_for("hello"))) == "hello"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_both_apis_give_the_same_answer_in_the_same_form(client_of, api):
    request = ChatRequest("echo", [{"role": "system", "content": "s"}, {"role": "user", "content": "hello"}], api=api)
    response = client_of().ask(request)
    assert (text_of(response), response.completions[0].outcome, response.model) == ("hello", "ok", "echo")
    assert response.usage.prompt_tokens > 0 < response.usage.completion_tokens


def test_a_picture_reaches_the_model(client_of):
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]
    for api in ("chat", "responses"):
        response = client_of().ask(ChatRequest("echo", [{"role": "user", "content": parts}], api=api))
        assert text_of(response) == "look"


@pytest.mark.parametrize("fault", ["rate_limit", "server_error", "disconnect"])
def test_a_passing_fault_is_tried_again(client_of, respondent_server, fault):
    respondent_server.faults = FaultPlan([fault, fault])
    response = client_of().ask(ask_for())
    assert (text_of(response), response.tries) == ("hello", 3)
    assert respondent_server.requests[fault] == 2


def test_a_fault_that_stays_is_an_error_after_all_retries(client_of, respondent_server):
    respondent_server.faults = FaultPlan(["server_error"], always=True)
    with pytest.raises(EndpointError, match="500 The server had an error"):
        client_of().ask(ask_for())
    assert respondent_server.requests["server_error"] == 1 + QUICK.retries


def test_an_exhausted_quota_is_never_tried_again(client_of, respondent_server):
    respondent_server.faults = FaultPlan(["quota"])
    with pytest.raises(QuotaError, match="quota is exhausted, so it was not tried again"):
        client_of().ask(ask_for())
    assert respondent_server.requests["all"] == 1


def test_no_try_comes_before_what_retry_after_asks():
    with (
        RespondentServer(faults=FaultPlan(["rate_limit"]), retry_after_s=0.3) as server,
        ChatClient(Access(server.base_url, patience=QUICK)) as client,
    ):
        assert client.ask(ask_for()).latency_s >= 0.3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "2"}, 2.0), ({"retry-after-ms": "250"}, 0.25), ({"retry-after": "soon"}, 0.0), ({}, 0.0)],
)
def test_retry_after_is_read_as_seconds(headers, seconds):
    assert retry_after_s(headers) == seconds


def test_a_question_that_no_try_answers_in_time_is_an_outcome_that_is_recorded(respondent_server, tmp_path):
    respondent_server.faults = FaultPlan(["timeout"], always=True)
    store = RecordStore(tmp_path / "record.sqlite")
    access = Access(respondent_server.base_url, patience=Patience(retries=1, timeout_s=0.05, backoff_s=0.001))
    with ChatClient(access, Shared(store)) as client:
        response = client.ask(ask_for())
        assert (response.timed_out, response.tries) == (True, 2)
        assert client.ask(ask_for()).source == "recorded"


@pytest.mark.parametrize(("fault", "outcome"), [("truncated", "truncated"), ("refusal", "refusal")])
def test_an_answer_that_cannot_be_used_is_an_outcome_and_no_error(client_of, respondent_server, fault, outcome):
    for api in ("chat", "responses"):
        respondent_server.faults = FaultPlan([fault])
        response = client_of().ask(ChatRequest("echo", [{"role": "user", "content": "hello"}], api=api))
        assert response.completions[0].outcome == outcome


def test_an_unknown_model_is_an_error_that_names_it(client_of):
    with pytest.raises(UnknownModelError, match="llm.model is 'ehco'"):
        client_of().ask(ask_for(model="ehco"))


def test_a_wrong_request_is_an_error_at_once(client_of, respondent_server):
    with pytest.raises(BadRequestError, match="expected n from 1 to 128"):
        client_of().ask(ask_for(n=1000))
    assert respondent_server.requests["all"] == 0


def test_a_parameter_that_the_model_lacks_is_named_and_never_dropped(client_of):
    with pytest.raises(CapabilityError, match="model echo does not support logprobs") as caught:
        client_of().ask(ask_for(logprobs=True))
    assert caught.value.capability == "logprobs"


def test_a_parameter_that_the_api_lacks_is_refused_before_it_is_sent(client_of, respondent_server):
    request = ChatRequest("echo", [{"role": "user", "content": "x"}], {"n": 2}, api="responses")
    with pytest.raises(CapabilityError, match="the responses API has no parameter n"):
        client_of().ask(request)
    assert respondent_server.requests["all"] == 0


def test_an_endpoint_that_is_down_is_an_error_that_names_it():
    with RespondentServer() as server:
        address = server.base_url
    with (
        ChatClient(Access(address, patience=Patience(retries=1, backoff_s=0.001))) as client,
        pytest.raises(EndpointError, match=rf"{address}: cannot be reached"),
    ):
        client.ask(ask_for())


# ---- The key -------------------------------------------------------------------------------------------------


def test_a_missing_key_names_the_variable(client_of, monkeypatch):
    monkeypatch.delenv("SHOP_KEY", raising=False)
    with pytest.raises(AuthenticationError, match="environment variable SHOP_KEY, which is not set"):
        client_of(key_env="SHOP_KEY").ask(ask_for())


def test_a_refused_key_is_an_error_at_once(monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "wrong")
    with (
        RespondentServer(api_key="right") as server,
        ChatClient(Access(server.base_url, "SHOP_KEY", QUICK)) as client,
        pytest.raises(AuthenticationError, match="401 Incorrect API key"),
    ):
        client.ask(ask_for())


def test_the_key_is_in_no_record_no_log_and_no_error(monkeypatch, tmp_path, caplog):
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("SHOP_KEY", secret)
    caplog.set_level(logging.DEBUG)
    store = RecordStore(tmp_path / "record.sqlite")
    with (
        RespondentServer(api_key=secret) as server,
        ChatClient(Access(server.base_url, "SHOP_KEY", QUICK), Shared(store)) as client,
    ):
        client.ask(ask_for("hello"))
        with pytest.raises(UnknownModelError) as caught:  # the endpoint repeats the name of the model
            client.ask(ask_for(model=f"no-{secret}"))
    store.close()
    assert secret not in caplog.text
    assert caplog.text
    assert f"does not exist: {secret}" not in str(caught.value)
    assert "`no-***`" in str(caught.value)
    assert all(secret.encode() not in file.read_bytes() for file in tmp_path.iterdir())


# ---- Budget, limits, concurrency -----------------------------------------------------------------------------


def test_calls_are_capped_exactly_and_counted_over_restarts(respondent_server, tmp_path):
    store = RecordStore(tmp_path / "record.sqlite")
    for done, cap in ((0, 3), (3, 5)):
        with ChatClient(respondent_server.base_url, Shared(store, caps=Caps(calls=cap), run="mine")) as client:
            for number in range(cap):
                client.ask(ask_for(f"hello {number}"))
            with pytest.raises(
                BudgetError, match=f"llm.budget.calls: the cap of {cap} is reached: {cap} spent"
            ) as error:
                client.ask(ask_for("one more"))
        assert error.value.exit_code == 3
        assert respondent_server.requests["answered"] == cap
        assert client.shared.asked == cap - done


def test_money_is_capped_before_it_is_spent(respondent_server):
    prices = Prices(Decimal(1_000_000), Decimal(0))  # one unit of money a token of a prompt
    access = Access(respondent_server.base_url, prices=prices)
    with ChatClient(access, Shared(caps=Caps(money=Decimal(30)))) as client:
        client.ask(ask_for("x" * 40))
        with pytest.raises(BudgetError, match=r"llm.budget.money: the cap of 30 is reached: 13 spent"):
            client.ask(ask_for("x" * 80))
    assert respondent_server.requests["answered"] == 1


def test_never_more_calls_in_flight_than_the_concurrency():
    with RespondentServer(delay_s=0.02) as server, ChatClient(server.base_url, Shared(concurrency=4)) as client:
        client.ask(ask_for("warm"))
        begun = time.monotonic()
        client.ask_all([(ask_for(f"{number}"), 0) for number in range(20)])
        assert time.monotonic() - begun >= 5 * 0.02


def test_requests_per_minute_spread_what_is_beyond_a_minutes_allowance():
    with RespondentServer() as server, ChatClient(server.base_url, Shared(requests_per_minute=600)) as client:
        client.shared.requests._level = 2.0  # the allowance of this minute is all but used
        begun = time.monotonic()
        client.ask_all([(ask_for(f"{number}"), 0) for number in range(6)])
        assert time.monotonic() - begun >= 4 * 0.1 * 0.9


def test_one_error_cancels_the_questions_beside_it(client_of):
    client = client_of()
    with pytest.raises(UnknownModelError):
        client.ask_all([(ask_for(), 0), (ask_for(model="nobody"), 0)])
    assert text_of(client.ask(ask_for())) == "hello"
