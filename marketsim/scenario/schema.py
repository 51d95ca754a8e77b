"""The whole scenario: keys of the run, and the sections of the engines and agents put together.

Each package keeps its own section in its ``config.py``. ``Scenario`` is frozen; ``to_toml`` writes it out with every
default, and loading that text gives an equal scenario.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, SerializeAsAny, model_validator

from marketsim.agents.config import AgentConfig
from marketsim.agents.llm_config import LlmAgentConfig
from marketsim.core.config import Section
from marketsim.core.units import MILLISECOND, MINUTE, Duration, TimeOfDay, parse_time_of_day
from marketsim.exchange.config import ExchangeConfig
from marketsim.llm.config import LlmConfig
from marketsim.scenario.writer import to_toml
from marketsim.storefront.config import StorefrontConfig

MAX_SEED = (1 << 63) - 1
"""Largest seed: the largest integer of TOML."""

VENUES = ("exchange", "storefront")
"""Sections that each describe a venue; a scenario has at least one of them."""

Codec = Literal["none", "snappy", "lz4", "zstd"]


class RecordConfig(Section):
    """``[record]``: what a run writes down, and how."""

    tables: Literal["all"] | tuple[str, ...] = "all"
    """Tables to write, such as ``["exchange/trades"]``, or ``"all"``; the run's digest counts these."""
    compression: Codec = "lz4"
    """Codec of the Parquet files: lz4 and snappy write fastest, zstd is smallest."""
    table_compression: dict[str, Codec] = Field(default_factory=dict)
    """Codecs of single tables: ``{ "exchange/messages" = "zstd" }``."""
    checkpoint_every: Annotated[Duration, Field(ge=MILLISECOND)] = MINUTE
    """Time on your clock, not simulated time, between two checkpoints, at least 1ms; Ctrl-C writes one too."""

    def codec(self, table: str) -> str:
        """Return the codec of a table's files."""
        return self.table_compression.get(table, self.compression)

    def writes(self, table: str) -> bool:
        """Say whether a table is written."""
        return self.tables == "all" or table in self.tables


class Scenario(Section):
    """A scenario: what is simulated, from when, for how long, and from which seed."""

    name: str = Field(default="scenario", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """Names the run directory: letters, digits, ``_``, ``.`` and ``-``. Default: the file's name."""
    seed: int = Field(default=1, ge=0, le=MAX_SEED)
    """Where all randomness comes from; the same seed gives the same bytes."""
    replicate: int = Field(default=0, ge=0, le=(1 << 31) - 1)
    """Number of a repetition: other draws from the same seed."""
    start: TimeOfDay = parse_time_of_day("09:30:00")
    """Time of day at which it begins; simulated time counts from here."""
    duration: Annotated[Duration, Field(ge=1)]
    """Simulated time from start to end."""
    plugins: dict[str, Path] = Field(default_factory=dict)
    """Folders of your own modules, by name of the module. Default: the folder of the file that names the kind."""
    exchange: ExchangeConfig | None = None
    """The exchange engine; without it there is none."""
    storefront: StorefrontConfig | None = None
    """The shop; without it there is none."""
    llm: LlmConfig | None = None
    """Language models behind agents that ask one; without it they are the embedded respondents."""
    agents: tuple[SerializeAsAny[AgentConfig], ...] = Field(default=(), max_length=10_000)
    """Agents in Python; their accounts follow those of the populations, in this order."""
    record: RecordConfig = RecordConfig()
    """What is written down."""

    _sources: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _files: tuple[Path, ...] = PrivateAttr(default=())

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each key that was given came from, by its path: ``"scenarios/x.toml:14"`` or ``"--set"``."""
        return MappingProxyType(dict(self._sources))

    @property
    def files(self) -> tuple[Path, ...]:
        """The files it was read from: the scenario, then those it extends."""
        return self._files

    def folder_of(self, kind: str) -> Path | None:
        """Return the folder in which a user's kind, ``"my_module:Name"``, is looked for; None for any other kind."""
        return self.plugins.get(kind.partition(":")[0]) if ":" in kind else None

    def to_toml(self) -> str:
        """Return the scenario as TOML with every default written out and absolute paths.

        Loading the text gives an equal scenario.
        """
        return to_toml(self.model_dump(mode="json"))

    def __eq__(self, other: object) -> bool:
        """Two scenarios are equal where their keys are, wherever these came from."""
        if not isinstance(other, Scenario):
            return NotImplemented
        return self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]  # tables that map names to values are not hashable

    @model_validator(mode="after")
    def _has_a_venue(self) -> Self:
        if all(getattr(self, venue) is None for venue in VENUES):
            raise ValueError("expected at least one venue, such as [exchange]")
        return self

    @model_validator(mode="after")
    def _agents_are_known_apart(self) -> Self:
        symbols = [instrument.symbol for instrument in self.exchange.instruments] if self.exchange else []
        owner: dict[str, str] = {}
        for table in self.agents:
            if table.instrument and table.instrument not in symbols:
                raise ValueError(f"agents.{table.label}.instrument: expected {_one_of(symbols)}")
            for name in table.agent_names():
                if name in owner:
                    raise ValueError(
                        f"agents.{table.label}.name: expected a name under which no agent is called {name}, "
                        f"as one of {owner[name]} is already"
                    )
                owner[name] = table.label
        return self

    @model_validator(mode="after")
    def _language_models_can_be_asked(self) -> Self:
        for table in self.asking:
            if getattr(self, table.venue) is None:
                raise ValueError(
                    f"agents.{table.label}.kind: expected a kind that needs no [{table.venue}], as there is none"
                )
            for fault in table.merged(self.llm).faults():
                key = fault.partition(":")[0]
                is_here = table.llm.model_fields_set & {key, "endpoint", "api"}
                raise ValueError(f"agents.{table.label}.llm.{fault}" if is_here else f"llm.{fault}")
            if table.prompt is not None:
                _check_prompt(table)
        return self

    @property
    def asking(self) -> list[LlmAgentConfig]:
        """The tables of agents that ask a language model."""
        return [table for table in self.agents if isinstance(table, LlmAgentConfig)]


def _check_prompt(table: LlmAgentConfig) -> None:
    from marketsim.llm.errors import PromptError
    from marketsim.llm.prompts import load_prompt  # loads Jinja

    try:
        load_prompt(table.kind, table.prompt)
    except PromptError as error:
        raise ValueError(f"agents.{table.label}.prompt: expected a prompt that can be filled in: {error}") from None


def _one_of(symbols: list[str]) -> str:
    return f"the symbol of an instrument: {', '.join(symbols)}" if symbols else "no instrument: there is no exchange"
