"""Fixtures of the language-model layer; everything speaks to the loopback server through the real client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from marketsim.llm import Access, ChatClient, ChatRequest, Patience, RespondentServer, Shared
from marketsim.llm.respondents.fixture import respondent_server

__all__ = ["respondent_server"]

QUICK = Patience(retries=3, timeout_s=5.0, backoff_s=0.001)


def ask_for(text: str = "hello", model: str = "echo", **parameters: Any) -> ChatRequest:
    """A request of one message."""
    return ChatRequest(model, [{"role": "user", "content": text}], parameters)


@pytest.fixture
def client_of(respondent_server: RespondentServer) -> Iterator[Callable[..., ChatClient]]:
    """Clients of the running server, closed afterwards."""
    clients = []

    def make(patience: Patience = QUICK, key_env: str = "", **shared: Any) -> ChatClient:
        access = Access(respondent_server.base_url, key_env, patience)
        clients.append(ChatClient(access, Shared(**shared)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
