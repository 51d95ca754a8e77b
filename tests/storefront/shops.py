"""Small catalogues and shops for tests."""

from pathlib import Path

import numpy as np

from marketsim.analysis.storefront import ShopFacts, choice_table
from marketsim.core.venue import Stop
from marketsim.scenario.loader import load_scenario
from marketsim.storefront.catalog import Catalog
from marketsim.storefront.config import StorefrontConfig
from marketsim.storefront.engine import Storefront

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
SECOND = 10**9
HOUR = 3600 * SECOND
PLANTED = {
    "row": [1.22, 0.0],
    "column": [0.2, 0.6, 0.6, 0.0],
    "ln_price": -1.62,
    "ln_reviews": 0.42,
    "rating": 4.91,
    "sponsored": -0.14,
    "overall_pick": 1.06,
    "scarcity": -0.05,
    "quality": 1.0,
}


def catalogue(categories=2, each=9, seed=0):
    """Categories of products with drawn numbers."""
    rng, n = np.random.default_rng(seed), categories * each
    return Catalog(
        product_id=tuple(f"p{i:03d}" for i in range(n)),
        category=tuple(f"category {i // each}" for i in range(n)),
        title=tuple(f"thing {i} of category {i // each}" for i in range(n)),
        description=("",) * n,
        price_minor=rng.integers(1000, 9000, n),
        cost_minor=rng.integers(100, 900, n),
        rating_tenths=rng.integers(36, 49, n),
        reviews=rng.integers(0, 3000, n),
        quality=rng.normal(0.0, 0.5, n),
        attributes=tuple({"brand": f"b{i % 3}", "colour": ("red", "black")[i % 2]} for i in range(n)),
        image=("",) * n,
    )


def shop(shoppers=({"name": "some"},), *, products=None, seed=1, duration_ns=HOUR, buyers=0, start_ns=0, **keys):
    """A shop; what is no argument here is a key of ``[storefront]``."""
    keys.setdefault("ranking", {"policy": "fixed"})
    options = {name: keys.pop(name) for name in ("log_rows", "budget", "tables", "replicate") if name in keys}
    config = StorefrontConfig.model_validate({"shoppers": list(shoppers), **keys})
    products = catalogue() if products is None else products
    made = Storefront(config, seed=seed, duration_ns=duration_ns, start_ns=start_ns, catalog=products, **options)
    for number in range(buyers):
        made.add_agent(f"buyer-{number}", "test", "rule")
    return made


def rows_of(venue, until=None, cuts=()):
    """Run to the end, or in pieces; return each table as a dict of arrays."""
    parts = {}

    def take(batches):
        for name, batch in batches:
            parts.setdefault(name.removeprefix("storefront/"), []).append(batch.to_pandas())

    for end in (*cuts, until if until is not None else venue._duration):
        while (stop := venue.advance(end, inclusive=False)) != Stop.HORIZON:
            assert stop in (Stop.LOG_FULL, Stop.BUDGET, Stop.NOTICE)
            take(venue.tables())
        take(venue.tables())
    take(venue.finish())
    import pandas as pd

    return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}


def pages(impressions, column, slots=8):
    """A column of the impressions as an array [page, slot]."""
    return impressions[column].to_numpy().reshape(-1, slots)


def quickstart_choices(replicate=0, **changes):
    """The long table of a replicate of the quickstart, and its planted vector by the names of coefficients."""
    scenario = load_scenario(SCENARIOS / "storefront_quickstart.toml", changes)
    tables = ["storefront/impressions", "storefront/choices", "storefront/listings"]
    venue = Storefront(
        scenario.storefront, seed=scenario.seed, replicate=replicate, duration_ns=scenario.duration, tables=tables
    )
    found = rows_of(venue)
    table = choice_table(found["impressions"], found["choices"], found["listings"])
    return table, ShopFacts.from_manifest(venue.facts()).planted_terms()
