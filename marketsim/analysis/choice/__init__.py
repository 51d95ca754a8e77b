"""What moves a choice: conditional logit, its tests and effects, and design-based effects beside it.

Everything takes a long table, one row an alternative, with columns ``choice_set``, ``alternative``, ``chosen`` and
covariates: simulated or from anywhere.
"""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.analysis.choice.choice_sets import ChoiceColumns as ChoiceColumns
    from marketsim.analysis.choice.choice_sets import read_answers as read_answers
    from marketsim.analysis.choice.choice_sets import wilson_interval as wilson_interval
    from marketsim.analysis.choice.component_effects import AmceResult as AmceResult
    from marketsim.analysis.choice.component_effects import Inference as Inference
    from marketsim.analysis.choice.component_effects import amce as amce
    from marketsim.analysis.choice.effects import compensating_price_factor as compensating_price_factor
    from marketsim.analysis.choice.effects import concentration as concentration
    from marketsim.analysis.choice.effects import effects_table as effects_table
    from marketsim.analysis.choice.effects import marginal_effect as marginal_effect
    from marketsim.analysis.choice.effects import modal_product as modal_product
    from marketsim.analysis.choice.effects import money_surplus as money_surplus
    from marketsim.analysis.choice.effects import price_equivalent as price_equivalent
    from marketsim.analysis.choice.effects import shares as shares
    from marketsim.analysis.choice.errors import ChoiceDataError as ChoiceDataError
    from marketsim.analysis.choice.errors import CollinearityError as CollinearityError
    from marketsim.analysis.choice.errors import ConvergenceError as ConvergenceError
    from marketsim.analysis.choice.errors import SeparationError as SeparationError
    from marketsim.analysis.choice.errors import SpecificationError as SpecificationError
    from marketsim.analysis.choice.hypotheses import hausman_mcfadden as hausman_mcfadden
    from marketsim.analysis.choice.hypotheses import likelihood_ratio_test as likelihood_ratio_test
    from marketsim.analysis.choice.hypotheses import wald_test as wald_test
    from marketsim.analysis.choice.logit import conditional_logit as conditional_logit
    from marketsim.analysis.choice.published import ACES_SPECIFICATION as ACES_SPECIFICATION
    from marketsim.analysis.choice.published import PUBLISHED as PUBLISHED
    from marketsim.analysis.choice.published import beside_published as beside_published
    from marketsim.analysis.choice.randomisation import Randomisation as Randomisation
    from marketsim.analysis.choice.result import LogitResult as LogitResult

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".component_effects": ["AmceResult", "Inference", "amce"],
        ".choice_sets": ["ChoiceColumns", "read_answers", "wilson_interval"],
        ".effects": [
            "compensating_price_factor",
            "concentration",
            "effects_table",
            "marginal_effect",
            "modal_product",
            "money_surplus",
            "price_equivalent",
            "shares",
        ],
        ".errors": [
            "ChoiceDataError",
            "CollinearityError",
            "ConvergenceError",
            "SeparationError",
            "SpecificationError",
        ],
        ".hypotheses": ["hausman_mcfadden", "likelihood_ratio_test", "wald_test"],
        ".logit": ["conditional_logit"],
        ".published": ["ACES_SPECIFICATION", "PUBLISHED", "beside_published"],
        ".randomisation": ["Randomisation"],
        ".result": ["LogitResult"],
    },
)
