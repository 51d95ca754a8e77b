"""Studies of many runs: designs, workers, results, comparison of two runs, SQL over all tables.

``run_sweep`` is the whole road: a sweep file becomes a design, its cells become runs in a sweep directory, and a
``Study`` reads them.
"""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.experiments.comparison import Comparison as Comparison
    from marketsim.experiments.comparison import compare_runs as compare_runs
    from marketsim.experiments.config import SweepConfig as SweepConfig
    from marketsim.experiments.loader import Sweep as Sweep
    from marketsim.experiments.loader import load_sweep as load_sweep
    from marketsim.experiments.sql import open_database as open_database
    from marketsim.experiments.study import Study as Study
    from marketsim.experiments.study import open_study as open_study
    from marketsim.experiments.sweep import run_sweep as run_sweep

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".comparison": ["Comparison", "compare_runs"],
        ".config": ["SweepConfig"],
        ".loader": ["Sweep", "load_sweep"],
        ".sql": ["open_database"],
        ".study": ["Study", "open_study"],
        ".sweep": ["run_sweep"],
    },
)
