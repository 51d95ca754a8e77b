"""The generative order model: tokens, teachers, prepared data, the model, training, rollout, evaluation.

Only ``model`` and ``training`` need PyTorch (``pip install marketsim[lmm]``); a trained model is run by ``Pool``.
"""

from typing import TYPE_CHECKING

from marketsim.core.lazy import lazy_exports

if TYPE_CHECKING:
    from marketsim.lmm.checkpoint import Checkpoint as Checkpoint
    from marketsim.lmm.checkpoint import load_checkpoint as load_checkpoint
    from marketsim.lmm.model import OrderModel as OrderModel
    from marketsim.lmm.prepare import prepare_teachers as prepare_teachers
    from marketsim.lmm.scale import Scale as Scale
    from marketsim.lmm.shards import Shards as Shards
    from marketsim.lmm.teacher import Teacher as Teacher
    from marketsim.lmm.training import Training as Training
    from marketsim.lmm.training import TrainingConfig as TrainingConfig

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        ".checkpoint": ["Checkpoint", "load_checkpoint"],
        ".model": ["OrderModel"],
        ".prepare": ["prepare_teachers"],
        ".scale": ["Scale"],
        ".shards": ["Shards"],
        ".teacher": ["Teacher"],
        ".training": ["Training", "TrainingConfig"],
    },
)
