"""Tables whose ``kind`` decides which keys they have: populations of the exchange and agents in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from marketsim.agents import kinds as agent_kinds
from marketsim.agents.config import AgentConfig
from marketsim.core.errors import PluginError, PopulationError
from marketsim.core.registry import Registry, is_plugin, user_module_file
from marketsim.exchange.config import PopulationConfig
from marketsim.exchange.populations import KINDS as POPULATIONS


@dataclass(frozen=True)
class Kinded:
    """An array of tables with kinds."""

    registry: Registry
    base: type[BaseModel]
    """Keys that all kinds share."""
    config_of: Callable[[str, Path | None], type[BaseModel]]
    """Kind and folder to the class of the table; raises ``ValueError`` or ``PluginError``."""


def population_config(kind: str, folder: Path | None) -> type[BaseModel]:
    """Return the class of a population's table.

    Raises
    ------
    ValueError
        There is no such kind.
    PluginError
        The user's module cannot be imported, or its class is no population.
    """
    found = POPULATIONS.resolve(kind, folder)
    if is_plugin(kind):
        from marketsim.exchange.population import check_population

        try:
            check_population(found)
        except PopulationError as error:
            raise PluginError(str(user_module_file(kind.partition(":")[0], folder) or ""), 0, str(error)) from error
    config: type[BaseModel] = found.Config
    return config


KINDED: Final[Mapping[tuple[str, ...], Kinded]] = {
    ("exchange", "populations"): Kinded(POPULATIONS, PopulationConfig, population_config),
    ("agents",): Kinded(agent_kinds.KINDS, AgentConfig, agent_kinds.config_class),
}
"""Path of the array to what its kinds are."""


def module_of(kind: str) -> str:
    """Return the module of a user's kind."""
    return kind.partition(":")[0]
