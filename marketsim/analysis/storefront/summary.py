"""Everything that the end of a run and its report say about a shop, from its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from marketsim.analysis.choice.choice_sets import wilson_interval
from marketsim.analysis.columns import FloatArray, IntArray, TableLike, read_columns
from marketsim.analysis.storefront.facts import ShopFacts
from marketsim.analysis.storefront.long_table import (
    CHOICE_COLUMNS,
    IMPRESSION_COLUMNS,
    choice_table,
)
from marketsim.analysis.storefront.meter import (
    ALMOST,
    ANSWER_COLUMNS,
    SHOWN_COLUMNS,
    AnswerMeter,
    PageMeter,
)
from marketsim.analysis.storefront.model import MAX_SETS, ChoiceModel, fit_run

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

IMPRESSIONS: Final = "storefront/impressions"
CHOICES: Final = "storefront/choices"
LISTINGS: Final = "storefront/listings"
AGENTS: Final = "storefront/agents"

STOREFRONT_COLUMNS: Final = {
    IMPRESSIONS: tuple(dict.fromkeys((*SHOWN_COLUMNS, *IMPRESSION_COLUMNS))),
    CHOICES: tuple(dict.fromkeys((*ANSWER_COLUMNS, *CHOICE_COLUMNS))),
    LISTINGS: ("product", "product_id", "category", "title", "price_minor"),
    AGENTS: ("name", "kind", "provenance", "count"),
}
"""Tables that ``summarise_storefront`` reads, and the columns that it needs of each."""


@dataclass(frozen=True)
class Rate:
    """A share with Wilson's 95 % interval."""

    successes: int
    trials: int

    @property
    def share(self) -> float:
        """NaN of nothing."""
        return self.successes / self.trials if self.trials else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """NaN of nothing."""
        return wilson_interval(self.successes, self.trials) if self.trials else (float("nan"),) * 2


@dataclass(frozen=True)
class Shopping:
    """Shoppers of one scenario table."""

    name: str
    kind: str
    provenance: str
    count: int


@dataclass(frozen=True)
class CategoryShares:
    """Market shares within one category, of the products that were shown."""

    category: str
    product: tuple[str, ...]
    """Best sold first."""
    share: FloatArray
    hhi: float
    """Herfindahl and Hirschman's index: from 1 over the number of products to 1."""


@dataclass(frozen=True)
class StorefrontSummary:
    """What ``summarise_storefront`` found.

    Attributes
    ----------
    facts : ShopFacts
    n_sets, n_bought, n_left, n_invalid, n_open : int
        Choice sets, and what became of them.
    revenue, price_mean : float
        In currency; NaN where nothing was bought.
    sponsored_bought, sponsored_shown : Rate
        Offers with a sponsored tag, of all bought and of all shown.
    missed : Rate
        Answers that were worth less to the person served than the best offer shown: failures, where one offer is
        better than all others.
    needs_missed : Rate or None
        Of the answers to pages on which an offer met all needs, those that chose no such offer: instructions not
        followed. None where nobody has needs.
    welfare_share : float
        Gain over offers drawn at random from the page, as a share of what the best offer shown gains; NaN where all
        offers are worth the same.
    regret_shown, regret_listed : float
        Utility forgone, a choice set: against the best shown, and against the best in the catalogue.
    by_slot : int64 array, shape (3, slots)
        Offers shown, looked at and chosen.
    by_price : int64 array, shape (2, bins); log_ratio : float64 array
        Offers shown and chosen by the logarithm of the price over the listed one, and its mean in each bin.
    shares : tuple of CategoryShares
    model : ChoiceModel
    shoppers : tuple of Shopping
    end_ns : int
        Time of the last choice.
    recorded : frozenset of str
        Tables that there were.
    """

    facts: ShopFacts
    n_sets: int
    n_bought: int
    n_left: int
    n_invalid: int
    n_open: int
    revenue: float
    price_mean: float
    sponsored_bought: Rate
    sponsored_shown: Rate
    missed: Rate
    needs_missed: Rate | None
    welfare_share: float
    regret_shown: float
    regret_listed: float
    by_slot: IntArray
    by_price: IntArray
    log_ratio: FloatArray
    shares: tuple[CategoryShares, ...]
    model: ChoiceModel
    shoppers: tuple[Shopping, ...]
    end_ns: int
    recorded: frozenset[str]


def summarise_storefront(tables: Mapping[str, TableLike], facts: ShopFacts) -> StorefrontSummary:
    """Measure everything that the report of a shop shows.

    Parameters
    ----------
    tables : mapping of str to table
        Any of ``STOREFRONT_COLUMNS``, each a ``pyarrow.Table`` or an iterable of record batches; others are ignored.
    facts : ShopFacts
        The shop.

    Raises
    ------
    ValueError
        A table lacks a column.
    """
    shown, chosen = _Head(tables.get(IMPRESSIONS, ())), _Head(tables.get(CHOICES, ()))
    listings = _frame(tables.get(LISTINGS, ()), STOREFRONT_COLUMNS[LISTINGS])
    answers = AnswerMeter()
    for columns in read_columns(chosen.pass_on(), ANSWER_COLUMNS):
        answers.add(columns)
    pages = PageMeter(listings["price_minor"].to_numpy(dtype=np.int64), facts.slots)
    for columns in read_columns(shown.pass_on(), SHOWN_COLUMNS):
        pages.add(columns)
    n_sets = int(answers.outcomes.sum())
    return StorefrontSummary(
        facts=facts,
        n_sets=n_sets,
        **_outcomes(answers),
        sponsored_bought=Rate(int(pages.sponsored[1]), int(pages.by_slot[2].sum())),
        sponsored_shown=Rate(int(pages.sponsored[0]), int(pages.by_slot[0].sum())),
        **_welfare(answers, facts),
        by_slot=pages.by_slot,
        by_price=pages.by_price,
        log_ratio=pages.log_ratio / np.maximum(pages.by_price[0], 1),
        shares=_shares(pages, listings, facts),
        model=_model(shown.frame(IMPRESSION_COLUMNS), chosen.frame(CHOICE_COLUMNS), listings, facts, n_sets),
        shoppers=_shoppers(tables.get(AGENTS, ())),
        end_ns=answers.last_ns,
        recorded=frozenset(tables) & frozenset(STOREFRONT_COLUMNS),
    )


class _Head:
    """Batches on their way to a meter, of which the rows of the first choice sets are kept."""

    def __init__(self, table: TableLike) -> None:
        self._table = table
        self._kept: list[pa.RecordBatch] = []

    def pass_on(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches."""
        import pyarrow.compute as pc

        for batch in self._table.to_batches() if hasattr(self._table, "to_batches") else self._table:
            if batch.num_rows:
                self._kept.append(batch.filter(pc.less(batch.column("choice_set"), MAX_SETS)))
            yield batch

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Return what was kept."""
        return _frame(self._kept, names)


def _frame(batches: TableLike, names: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    parts = [pd.DataFrame(columns) for columns in read_columns(batches, names)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in names}, dtype=np.int64)


def _outcomes(answers: AnswerMeter) -> dict[str, Any]:
    left, bought, invalid, still_open = answers.outcomes.tolist()
    revenue = answers.revenue_minor / 100.0
    return {
        "n_left": left,
        "n_bought": bought,
        "n_invalid": invalid,
        "n_open": still_open,
        "revenue": revenue,
        "price_mean": revenue / bought if bought else float("nan"),
    }


def _welfare(answers: AnswerMeter, facts: ShopFacts) -> dict[str, Any]:
    chosen, best, listed, mean = answers.welfare.tolist()
    n = max(answers.answered, 1)
    gain = best - mean
    return {
        "missed": Rate(answers.missed, answers.answered),
        "needs_missed": Rate(answers.needs_missed, answers.needs_shown) if facts.has_needs else None,
        "welfare_share": (chosen - mean) / gain if gain > ALMOST * n else float("nan"),
        "regret_shown": (best - chosen) / n,
        "regret_listed": (listed - chosen) / n,
    }


def _shares(pages: PageMeter, listings: pd.DataFrame, facts: ShopFacts) -> tuple[CategoryShares, ...]:
    found = []
    for number in sorted(set(listings["category"]) - {-1}):
        products = listings.loc[listings["category"] == number, "product"].to_numpy()
        products = products[pages.by_product[0][products] > 0]
        sold = pages.by_product[1][products]
        if not sold.sum():
            continue
        order = np.argsort(-sold, kind="stable")
        share = sold[order] / sold.sum()
        names = listings["product_id"].to_numpy()[products[order]]
        found.append(CategoryShares(facts.categories[number], tuple(names), share, float((share**2).sum())))
    return tuple(found)


def _model(
    shown: pd.DataFrame, chosen: pd.DataFrame, listings: pd.DataFrame, facts: ShopFacts, n_sets: int
) -> ChoiceModel:
    table = choice_table(shown, chosen if len(chosen) else None, listings if len(listings) else None)
    listed = dict(zip(listings["product_id"], listings["price_minor"], strict=True))
    return fit_run(table, facts, listed, n_sets)


def _shoppers(agents: TableLike) -> tuple[Shopping, ...]:
    names = STOREFRONT_COLUMNS[AGENTS]
    return tuple(
        Shopping(*row)
        for columns in read_columns(agents, names)
        for row in zip(*(columns[name].tolist() for name in names), strict=True)
    )
