"""Settings of all tests, and the folder of real data."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The first example compiles kernels, so there is no deadline. Every run tries the same examples: no failure by chance.
settings.register_profile("fixed", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", parent=settings.get_profile("fixed"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data; a test that needs it skips where ``MARKETSIM_DATA`` is not set."""
    folder = os.environ.get("MARKETSIM_DATA")
    if not folder:
        pytest.skip("needs real data: set MARKETSIM_DATA to its folder")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"MARKETSIM_DATA names no folder: {folder}")
    return path
