"""The Mesa model: one line of simulated time for venues and agents, decisions in flight, recording, checkpoints."""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.simulation.simulation import OrderFlow as OrderFlow
    from marketsim.simulation.simulation import Simulation as Simulation

__getattr__, __dir__, __all__ = lazy_exports(__name__, {".simulation": ["OrderFlow", "Simulation"]})
