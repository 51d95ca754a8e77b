"""What can go wrong between a question and its answer.

    DecisionError                 exit code 1   (core.errors)
    ├── EndpointError             1   no answer after all retries: down, overloaded, too slow
    ├── QuotaError                1   the account behind the key has nothing left; never retried
    ├── AuthenticationError       2   no key, or the endpoint refuses it; never retried
    ├── UnknownModelError         2   the endpoint has no such model
    ├── BadRequestError           2   the endpoint refuses the request as it stands
    ├── CapabilityError           2   a parameter or regime needs what the model does not give
    ├── ReplayMissError           1   replay, and the record has no such answer
    └── BudgetError               3   (core.errors)
    RecordError                   2   a record store of another format, or a damaged one
    PromptError                   2   a template that cannot be read, or names an unknown field

Answers that cannot be used are no errors: ``invalid``, ``refusal``, ``timeout`` and ``truncated`` are outcomes.
"""

from __future__ import annotations

from marketsim.core.errors import BudgetError, DecisionError, MarketSimError

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "BudgetError",
    "CapabilityError",
    "DecisionError",
    "EndpointError",
    "PromptError",
    "QuotaError",
    "RecordError",
    "ReplayMissError",
    "UnknownModelError",
]


class EndpointError(DecisionError):
    """The endpoint gave no answer: it is down, overloaded or broken, and retrying did not help."""

    def __init__(self, text: str, status: int = 0) -> None:
        self.status = status
        """Of its last reply; 0: there was none."""
        super().__init__(text)


class QuotaError(DecisionError):
    """The account has nothing left to spend."""


class AuthenticationError(DecisionError):
    """There is no key, or the endpoint refuses it."""

    exit_code = 2


class UnknownModelError(DecisionError):
    """The endpoint has no such model."""

    exit_code = 2


class BadRequestError(DecisionError):
    """The endpoint refuses the request as it stands."""

    exit_code = 2


class CapabilityError(DecisionError):
    """A parameter or a regime needs what the model or the API does not give; nothing is dropped silently."""

    exit_code = 2

    def __init__(self, capability: str, text: str) -> None:
        self.capability = capability
        super().__init__(text)


class ReplayMissError(DecisionError):
    """The record that is replayed holds no answer to a request."""


class RecordError(MarketSimError):
    """A record store cannot be used."""

    exit_code = 2


class PromptError(MarketSimError):
    """A prompt cannot be used."""

    exit_code = 2
