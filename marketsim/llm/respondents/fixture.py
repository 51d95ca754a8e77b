"""A pytest fixture, for anyone's tests: ``from marketsim.llm.respondents.fixture import respondent_server``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marketsim.llm.respondents.server import RespondentServer


@pytest.fixture
def respondent_server() -> Iterator[RespondentServer]:
    """Return a running loopback server; set its ``faults`` to have something go wrong."""
    with RespondentServer() as server:
        yield server
