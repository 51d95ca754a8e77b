"""A teacher's bins, a few of its books, and the small model that ships."""

from pathlib import Path

import pytest

from marketsim.lmm.checkpoint import load_checkpoint
from marketsim.lmm.teacher import teacher_scale

MODELS = Path(__file__).parent.parent.parent / "models"


@pytest.fixture(scope="session")
def scale():
    """Bins of the Hawkes teacher."""
    return teacher_scale("hawkes")


@pytest.fixture(scope="session")
def shipped():
    """The trained model of the smallest size."""
    return load_checkpoint(MODELS / "ci")


@pytest.fixture(scope="session")
def network(shipped):
    """Its weights in PyTorch."""
    import torch

    from marketsim.lmm.training import model_from

    torch.set_num_threads(1)
    return model_from(shipped.folder)
