"""Tables of choices for the tests beside this file."""

import numpy as np
import pandas as pd
import pytest

from marketsim.core.rng import generator, stream_key


@pytest.fixture
def rng(request):
    """A generator of the test's own: its name is the seed."""
    return generator(stream_key(1, 0, "tests", request.node.name, "choice"), 0, 0)


@pytest.fixture
def make_table():
    """Make a table of choices among ``x``, ``price`` and ``brand`` with planted effects .8, -1.5 ln, B .5, C -.5."""

    def make(rng, n_sets=400, sizes=(3, 4, 5)):
        size = rng.choice(sizes, n_sets)
        number = np.repeat(np.arange(n_sets), size)
        n_rows = len(number)
        table = pd.DataFrame(
            {
                "choice_set": number,
                "alternative": np.concatenate([np.arange(k) for k in size]),
                "x": rng.normal(size=n_rows),
                "price": rng.lognormal(3, 0.5, n_rows),
                "brand": rng.choice(["A", "B", "C"], n_rows),
                "income": np.repeat(rng.normal(size=n_sets), size),
            }
        )
        value = 0.8 * table["x"] - 1.5 * np.log(table["price"]) + table["brand"].map({"A": 0, "B": 0.5, "C": -0.5})
        noisy = value + rng.gumbel(size=n_rows)
        table["chosen"] = (noisy == noisy.groupby(number).transform("max")).astype(int)
        return table

    return make
