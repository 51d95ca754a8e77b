"""The result files of ACES, in and out: a row an offer of an experiment, and which one the model selected.

Columns are those of the public repository mycustomai/ACES: ``experiments/data_loader.py`` groups rows by ``query``,
``experiment_label`` and ``experiment_number`` and sorts them by ``assigned_position``; ``agent/src/logger.py`` adds
``selected``, ``model_name``, ``provider`` and ``prompt``; ``experiments/analysis/choice_model.py`` reads them, and
takes ``assigned_position // 4`` for the row of the page. The others are those of its data set ACE-BB (features of
``choice_behavior``). ``selected`` is 1 where title, price, rating and reviews of the answer agree with the offer, 2
where the title alone does, and -2 in every row where several offers agree; an experiment whose sum is below 1 has no
answer.

``experiments/analysis/choice_model_headless.py`` reads files with other names and no label, of offers in a list, not a
grid: ``HEADLESS``. These are read too.

References
----------
Allouah, Besbes, Figueroa, Kanoria & Kumar (2025), What Is Your AI Agent Buying?, arXiv 2508.02630.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from marketsim.core.errors import MarketSimError

COLUMNS: Final = (
    *("query", "experiment_label", "experiment_number", "sku", "title", "url", "image_url", "sponsored", "rating"),
    *("rating_count", "price", "overall_pick", "best_seller", "limited_time", "discounted", "low_stock"),
    *("stock_quantity", "position_in_experiment", "assigned_position", "desired_choice", "original_price"),
    *("original_rating", "original_rating_count", "selected", "model_name", "provider", "prompt"),
)
"""What is written, in this order."""

REQUIRED: Final = (
    *("query", "experiment_label", "experiment_number", "title", "price", "rating", "rating_count", "sponsored"),
    *("overall_pick", "low_stock", "assigned_position", "selected", "model_name"),
)
"""What the choice model of ACES reads."""

HEADLESS: Final = {
    "chosen": "selected",
    "number_of_reviews": "rating_count",
    "overall_pick_tag": "overall_pick",
    "scarcity_tag": "low_stock",
    "model": "model_name",
    "position_in_experiment": "assigned_position",
}
"""Columns of the files without a grid, and what the others call them."""

GRID_COLUMNS: Final = 4
"""Offers in a row of ACES' page."""

TAGS: Final = ("sponsored", "overall_pick", "best_seller", "limited_time", "discounted")
MODEL_PREFIX: Final = "marketsim"
_TRUE: Final = {"true": 1, "1": 1, "1.0": 1, "false": 0, "0": 0, "0.0": 0, "": 0}


class AcesFault(NamedTuple):
    """A row of such a file that cannot be used."""

    row: int
    """From 0, without the head."""
    found: str
    expected: str


class AcesDataError(MarketSimError):
    """A file in the format of ACES does not hold what it should; ``faults`` lists its rows."""

    exit_code = 2

    def __init__(self, faults: Sequence[AcesFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"row {one.row + 1}: found {one.found}, expected {one.expected}" for one in faults))


def is_aces(table: pd.DataFrame) -> bool:
    """Say whether a table has the columns of an ACES result file, of either kind, and is no long table itself."""
    columns = set(table.columns)
    has_choices = {"query", "experiment_number"} <= columns and bool({"selected", "chosen"} & columns)
    return has_choices and "choice_set" not in columns


def to_aces(
    impressions: pd.DataFrame,
    listings: pd.DataFrame,
    *,
    choices: pd.DataFrame,
    agents: pd.DataFrame,
    categories: Sequence[str],
    queries: Sequence[str],
    label: str,
) -> pd.DataFrame:
    """Return a run's choices as an ACES result file.

    Parameters
    ----------
    impressions, listings, choices, agents : DataFrame
        The tables of ``storefront/``, codes as numbers.
    categories, queries : sequence of str
        Names by number.
    label : str
        ``experiment_label`` of all rows; such as the regime.

    Returns
    -------
    DataFrame
        ``COLUMNS``. ``experiment_number`` is the choice set, ``model_name`` who chose: the name of the agent or of the
        table of shoppers. ``desired_choice`` is 0, as nothing was asked for;
        ``url``, ``image_url`` and ``prompt`` are empty, ``stock_quantity`` is where nothing was said of it. Leaving and
        invalid answers select nothing, which ACES counts as an error of the model.
    """
    shown = impressions.merge(listings, on="product", suffixes=("", "_listed"))
    shown = shown.sort_values(["choice_set", "slot"], ignore_index=True)
    known = choices.set_index("choice_set").reindex(shown["choice_set"])
    query = known["query"].to_numpy()
    names = [
        queries[asked] if asked >= 0 else categories[category]
        for asked, category in zip(query, shown["category"], strict=True)
    ]
    agents = agents.sort_values("first_shopper")
    who = np.searchsorted(agents["first_shopper"].to_numpy(), shown["shopper"].to_numpy(), side="right") - 1
    table = pd.DataFrame(
        {
            "query": names,
            "experiment_label": label,
            "experiment_number": shown["choice_set"],
            "sku": shown["product_id"],
            "title": shown["title"],
            "url": "",
            "image_url": "",
            "rating": shown["rating_tenths"] / 10,
            "rating_count": shown["reviews"],
            "price": shown["price_minor"] / 100,
            "low_stock": shown["left"] > 0,
            "stock_quantity": shown["left"].where(shown["left"] > 0).astype("Int64"),
            "position_in_experiment": shown["slot"],
            "assigned_position": shown["slot"],
            "desired_choice": 0,
            "original_price": shown["price_minor_listed"] / 100,
            "original_rating": shown["rating_tenths_listed"] / 10,
            "original_rating_count": shown["reviews_listed"],
            "selected": shown["chosen"],
            "model_name": [f"{MODEL_PREFIX} {name}" for name in agents["name"].to_numpy()[who]],
            "provider": MODEL_PREFIX,
            "prompt": "",
            "discounted": shown["was_price_minor"] > shown["price_minor"],
        }
    )
    tags = {name: shown[name].astype(bool) for name in TAGS if name != "discounted"}
    return table.assign(**tags)[list(COLUMNS)]


def from_aces(table: pd.DataFrame) -> pd.DataFrame:
    """Return an ACES result file as the long table that estimators take.

    Returns
    -------
    DataFrame
        choice_set (model, query, label and number), alternative, chosen, model, category (the query), product (``sku``,
        else the title), slot (from 1), row, col, price, reviews, rating, sponsored, overall_pick, best_seller,
        limited_time, discounted, scarcity (0 or 1). Of a list without a grid each offer is a row. A set in which the
        model selected nothing has nothing chosen.

    Raises
    ------
    AcesDataError
        A column is missing, or rows are malformed; all of them are listed.
    """
    is_list = "selected" not in table.columns
    if is_list:
        table = table.rename(columns=HEADLESS).assign(experiment_label="")
    missing = [name for name in REQUIRED if name not in table.columns]
    if missing:
        raise AcesDataError([AcesFault(0, f"columns {', '.join(table.columns)}", f"a column {missing[0]}")])
    reader = _Reader(table)
    place = reader.numbers("assigned_position", "a place from 0", lambda x: (x >= 0) & (x == np.floor(x))).astype(int)
    selected = reader.numbers("selected", "a whole number from -2 to 2", lambda x: np.isin(x, [-2, -1, 0, 1, 2]))
    group = ["model_name", "query", "experiment_label", "experiment_number"]
    sets = table[group].astype(str).agg(" / ".join, axis=1)
    product = _products(table)
    reader.check_sets(sets, place, selected)
    result = pd.DataFrame(
        {
            "choice_set": sets,
            "alternative": place + 1 if pd.DataFrame({"s": sets, "p": product}).duplicated().any() else product,
            "chosen": (selected > 0).astype(np.int8),
            "model": table["model_name"],
            "category": table["query"],
            "product": product,
            "slot": place + 1,
            "row": place + 1 if is_list else place // GRID_COLUMNS + 1,
            "col": 1 if is_list else place % GRID_COLUMNS + 1,
            "price": reader.numbers("price", "a price above 0", lambda x: x > 0),
            "reviews": reader.numbers("rating_count", "a number of at least 0", lambda x: x >= 0),
            "rating": reader.numbers("rating", "stars from 0 to 5", lambda x: (x >= 0) & (x <= 5)),
            **{name: reader.flags(name) for name in TAGS},
            "scarcity": reader.flags("low_stock"),
        }
    )
    reader.raise_faults()
    return result


def _products(table: pd.DataFrame) -> pd.Series:
    title = table["title"].astype(str)
    if "sku" not in table.columns:
        return title
    has_sku = table["sku"].notna() & (table["sku"].astype(str) != "")
    return table["sku"].astype(str).where(has_sku, title)


class _Reader:
    """Columns of a file, and what is wrong with its rows."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table
        self._faults: list[AcesFault] = []

    def numbers(self, name: str, expected: str, is_good: object) -> pd.Series:
        """Return a column as numbers; where one is not what it should be, 0 and a fault."""
        assert callable(is_good)
        values = pd.to_numeric(self._table[name], errors="coerce").to_numpy(np.float64)
        good = np.isfinite(values)
        good[good] = is_good(values[good])
        for row in np.flatnonzero(~good):
            self._add(int(row), name, expected)
        return pd.Series(np.where(good, values, 0.0), index=self._table.index)

    def flags(self, name: str) -> np.ndarray:
        """Return a column of true and false as 1 and 0; an empty cell is false, as is a column that is not there."""
        if name not in self._table.columns:
            return np.zeros(len(self._table), np.int8)
        words = self._table[name].fillna("").astype(str).str.strip().str.lower()
        values = words.map(_TRUE)
        for row in np.flatnonzero(values.isna()):
            self._add(int(row), name, "True or False")
        return values.fillna(0).to_numpy(np.int8)

    def check_sets(self, sets: pd.Series, place: pd.Series, selected: pd.Series) -> None:
        """Find places that two offers of one experiment have, and experiments with two selected offers."""
        twice = pd.DataFrame({"set": sets, "place": place}).duplicated().to_numpy()
        for row in np.flatnonzero(twice):
            self._add(int(row), "assigned_position", "a place that no other offer of the experiment has")
        chosen = (selected > 0).to_numpy()
        again = pd.DataFrame({"set": sets[chosen]}).duplicated()
        for row in np.flatnonzero(chosen)[again.to_numpy()]:
            self._add(int(row), "selected", "one selected offer an experiment; an earlier row has one already")

    def raise_faults(self) -> None:
        """Raise all faults that were found, in the order of rows."""
        if self._faults:
            raise AcesDataError(sorted(self._faults))

    def _add(self, row: int, name: str, expected: str) -> None:
        cell = self._table[name].iloc[row]
        written = f"{cell:g}" if isinstance(cell, float) else cell  # a column with a gap reads 7 as 7.0
        found = f"{name} nothing" if pd.isna(cell) else f'{name} "{written}"'
        self._faults.append(AcesFault(row, found, expected))
