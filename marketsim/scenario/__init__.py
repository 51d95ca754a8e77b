"""The scenario: its schema, its loader, its overrides and its located errors."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.scenario.loader import load_scenario as load_scenario
    from marketsim.scenario.schema import RecordConfig as RecordConfig
    from marketsim.scenario.schema import Scenario as Scenario

__getattr__, __dir__, __all__ = lazy_exports(
    __name__, {".loader": ["load_scenario"], ".schema": ["RecordConfig", "Scenario"]}
)
