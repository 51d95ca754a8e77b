"""What moves a choice: conditional logit, its tests and effects, and design-based effects beside it.

Everything takes a long table, one row an alternative, with columns ``choice_set``, ``alternative``, ``chosen`` and covariates:
simulated or from anywhere.
"""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.analysis.choice.logit import conditional_logit as conditional_logit

__getattr__, __dir__, __all__ = lazy_exports(__name__, {".logit": ["conditional_logit"]})
