"""The file of ``marketsim audit sampling``: one question, a model, and the regimes to ask it in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from marketsim.core.config import Section
from marketsim.core.errors import ScenarioError
from marketsim.llm.config import LlmConfig, SamplingConfig
from marketsim.scenario.document import read_document
from marketsim.scenario.pydantic_errors import schema_of
from marketsim.scenario.validation import Validation

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=64)]


class QuestionConfig(Section):
    """``[question]``: what is asked, again and again."""

    system: str = ""
    """The system message."""
    text: str
    """The question."""
    options: tuple[str, ...] = Field(min_length=2, max_length=26)
    """What can be answered."""
    counted: str = ""
    """The option whose share is tested. Default: the first one."""
    expected: float = Field(default=0.5, gt=0.0, lt=1.0)
    """Its stated probability."""

    @model_validator(mode="after")
    def _counts_an_option(self) -> Self:
        if len(set(self.options)) < len(self.options):
            raise ValueError("expected options that differ")
        if self.counted and self.counted not in self.options:
            raise ValueError(f"expected counted to be one of {', '.join(self.options)}")
        return self

    @property
    def one(self) -> str:
        """The option whose share is tested."""
        return self.counted or self.options[0]


class RegimeConfig(SamplingConfig):
    """``[[regimes]]``: one way of asking; the keys of ``[llm.sampling]`` and a name."""

    name: Name
    """Of the regime in tables and figures. Default: the regime."""
    draws: int | None = Field(default=None, ge=20, le=100_000)
    """Answers; default: those of the file."""
    sessions: int = Field(default=10, ge=1, le=10_000)
    """Conversations in regime sequential."""


class SamplingFile(Section):
    """A whole file."""

    audit: Literal["sampling"]
    """What kind of file this is."""
    name: Name
    """Of the audit. Default: the file's name."""
    seed: int = Field(default=1, ge=0, le=(1 << 31) - 1)
    """Of everything drawn here: orders of options, picks, random orders, controls."""
    draws: int = Field(default=400, ge=20, le=100_000)
    """Answers in each regime."""
    question: QuestionConfig
    """What is asked."""
    llm: LlmConfig = LlmConfig(model="bernoulli")
    """Who answers; ``sampling`` and ``invalid`` stand with the regimes: an audit asks no question again."""
    regimes: tuple[RegimeConfig, ...] = Field(min_length=1, max_length=50)
    """Ways of asking."""

    @field_validator("llm")
    @classmethod
    def _names_a_model(cls, value: LlmConfig) -> LlmConfig:
        if not value.model:
            raise ValueError('expected a model, such as model = "bernoulli?p=0.43"')
        if value.invalid != "skip":
            raise ValueError('expected invalid = "skip": asking again would select the answers')
        return value


def load_sampling(path: str | Path) -> SamplingFile:
    """Return the file of an audit of regimes.

    Raises
    ------
    ScenarioError
        It cannot be used; ``faults`` lists everything that is wrong with it, each with file and line.
    """
    path = Path(path)
    document = read_document(path, str(path))
    faults = list(document.faults)
    found = _SamplingValidation(document.root, path.stem, faults).file()
    if found is None:
        raise ScenarioError(sorted(dict.fromkeys(faults), key=lambda fault: fault.line))
    return found


class _SamplingValidation(Validation):
    """A scenario's validation, on another schema."""

    def file(self) -> SamplingFile | None:
        """Return the keys of the file; None where there are faults."""
        schema = schema_of(SamplingFile)
        data = self._with_absolute_paths(self._data, schema, (), schema)
        regimes = data.get("regimes")
        if isinstance(regimes, list):
            data["regimes"] = [
                {"name": one.get("regime", "one_shot"), **one} if isinstance(one, dict) else one for one in regimes
            ]
        found = self._validate(SamplingFile, data, ())
        return found if not self.faults else None
