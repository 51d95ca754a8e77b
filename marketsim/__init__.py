"""Agent-based simulation of financial and e-commerce markets.

    >>> import marketsim
    >>> run = marketsim.run("scenarios/quickstart.toml", seed=7)  # doctest: +SKIP
    >>> run.trades.head()  # doctest: +SKIP

The names below are the public interface; engines are useful alone as well, for instance
``marketsim.exchange.OrderBook``. Importing this package loads none of them.
"""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.api import Run as Run
    from marketsim.api import Study as Study
    from marketsim.api import load_scenario as load_scenario
    from marketsim.api import open_run as open_run
    from marketsim.api import open_study as open_study
    from marketsim.api import resume as resume
    from marketsim.api import run as run
    from marketsim.api import sweep as sweep

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {".api": ["Run", "Study", "load_scenario", "open_run", "open_study", "resume", "run", "sweep"]},
)
