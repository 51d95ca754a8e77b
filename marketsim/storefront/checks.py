"""What a shop's configuration and its catalogue must agree on, found before anything runs."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from marketsim.core.errors import Fault, ScenarioError
from marketsim.core.registry import nearest_names
from marketsim.storefront.catalog import Catalog
from marketsim.storefront.config import StorefrontConfig
from marketsim.storefront.ranking import Shelf
from marketsim.storefront.shopper_config import ShopperConfig


class Disagreement(NamedTuple):
    """Something that the configuration asks of a catalogue which it has not."""

    path: tuple[str | int, ...]
    """Of the key below ``[storefront]``; a number is a place in an array."""
    found: str
    expected: str


def load_catalog(config: StorefrontConfig) -> Catalog:
    """Return the catalogue that a configuration names.

    Raises
    ------
    InputError
        The file is missing or faulty.
    """
    return Catalog.builtin() if config.catalog == "builtin" else Catalog.load(config.catalog)


def sound_part(data: Mapping[str, Any]) -> StorefrontConfig | None:
    """Return the configuration that is left without the keys that have faults of their own; None where none is.

    So a catalogue, or a page, is held against all the rest at once, and not only once every other fault is gone.
    """
    kept = copy.deepcopy(dict(data))
    while True:
        try:
            return StorefrontConfig.model_validate(kept)
        except ValidationError as error:
            places = [_place(kept, details) for details in error.errors(include_url=False)]
            if not all(places):
                return None
            for place in sorted(places, key=str, reverse=True):  # of an array the last first
                _remove(kept, place)


def _place(data: Any, details: ErrorDetails) -> tuple[str | int, ...]:
    """Return where a fault stands in the data, as far as it is there, without pydantic's names of union branches."""
    place: list[str | int] = []
    named = re.match(r"Value error, (\w+): expected", details["msg"])
    for part in (*details["loc"], *([named[1]] if named else [])):
        below = _below(data, part)
        if below is not None:
            data = below
            place.append(part)
    return tuple(place)


def _below(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    is_there = isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)
    return data[part] if is_there and isinstance(part, int) else None


def _remove(data: Any, place: tuple[str | int, ...]) -> None:
    *way, last = place
    for part in way:
        if isinstance(data, dict) and part not in data:
            return  # gone with a table around it
        data = data[part]
    if isinstance(data, dict):
        data.pop(last, None)
    elif isinstance(last, int) and last < len(data):
        del data[last]


def require_vectors(config: StorefrontConfig, catalog: Catalog) -> None:
    """Read the vectors that a ranking names, if any, as the shop will.

    Raises
    ------
    InputError
        Their file is missing or faulty, or lacks a product, a category or a search.
    """
    if config.ranking.embeddings is not None:
        from marketsim.storefront.embeddings import Embeddings

        queries = [query for table in config.shoppers for query in table.queries]
        Embeddings.load(config.ranking.embeddings.file, catalog, [*sold_categories(config, catalog), *queries])


def disagreements(config: StorefrontConfig, catalog: Catalog) -> list[Disagreement]:
    """Return everything in which a configuration and a catalogue disagree, or two tables of the configuration."""
    return [
        *_tables_that_do_not_fit(config),
        *_unknown_products(config, catalog),
        *_unknown_categories(config, catalog),
        *_unknown_attributes(config, catalog),
    ]


def refuse(found: Sequence[Disagreement]) -> None:
    """Raise ``ScenarioError`` where there is a disagreement."""
    if found:
        paths = [".".join(str(part + 1) if isinstance(part, int) else part for part in one.path) for one in found]
        raise ScenarioError(
            Fault("", 0, f"storefront.{path}", one.found, one.expected) for path, one in zip(paths, found, strict=True)
        )


def sold_categories(config: StorefrontConfig, catalog: Catalog) -> list[str]:
    """Return the categories that are sold, in the order of the configuration, else of the catalogue."""
    return list(config.categories) or catalog.categories


def _tables_that_do_not_fit(config: StorefrontConfig) -> Iterator[Disagreement]:
    """Yield what the page has no room for."""
    slots, randomise = config.page.slots, config.randomise
    for place, slot in enumerate(config.sponsored.slots):
        if slot > slots:
            yield Disagreement(("sponsored", "slots", place), f"{slot}", f"a slot of the page, from 1 to {slots}")
    if randomise.regime in ("aces", "sobol") and slots < randomise.sponsored_most + 2:
        if slots < 3:
            yield Disagreement(
                ("page",), f"{slots} slots", f"at least 3, one for each tag of the regime {randomise.regime}"
            )
        else:
            expected = f"at most {slots - 2}, so that offers are left for the other tags"
            yield Disagreement(("randomise", "sponsored_most"), f"{randomise.sponsored_most}", expected)


def _unknown_products(config: StorefrontConfig, catalog: Catalog) -> Iterator[Disagreement]:
    tags = config.tags
    named: dict[str, Iterable[str]] = {
        "ranking.order": config.ranking.order,
        "sponsored.products": config.sponsored.products,
        "tags.overall_pick": tags.overall_pick,
        "tags.best_seller": tags.best_seller,
        "tags.limited_time": tags.limited_time,
        "tags.was_price": tags.was_price,
        "tags.left": tags.left,
    }
    known = set(catalog.product_id)
    for path, products in named.items():
        for place, product in enumerate(products):
            if product not in known:
                hint = nearest_names(product, catalog.product_id)
                below = product if isinstance(products, dict) else place
                yield _disagreement((*path.split("."), below), product, f"the id of a product of the catalogue{hint}")


def _unknown_categories(config: StorefrontConfig, catalog: Catalog) -> Iterator[Disagreement]:
    places: list[tuple[tuple[str, ...], Sequence[str], Sequence[str]]]
    places = [(("categories",), config.categories, catalog.categories)]
    sold = sold_categories(config, catalog)
    places += [(("shoppers", table.name, "categories"), table.categories, sold) for table in config.shoppers]
    for path, categories, known in places:
        for place, category in enumerate(categories):
            if category not in known:
                yield _disagreement(
                    (*path, place), category, f"a category: {', '.join(known)}{nearest_names(category, known)}"
                )
    for category in sold:
        n = len(catalog.products_of(category))
        if category in catalog.categories and n < config.page.slots and config.randomise.regime != "identical":
            yield Disagreement(
                ("page",),
                f"{config.page.slots} slots",
                f"at most {n}, as category {category} has {n} product{'' if n == 1 else 's'}",
            )


def shelf_faults(config: StorefrontConfig, queries: Sequence[str], shelves: Sequence[Shelf]) -> list[Disagreement]:
    """Return the searches that find too little for a page."""
    regime, randomise = config.randomise.regime, config.randomise
    least = randomise.sponsored_most + 2 if regime in ("aces", "sobol") else 1
    found = {queries[shelf.query]: len(shelf.products) for shelf in shelves if shelf.query >= 0}
    return [
        _disagreement(
            ("shoppers", table.name, "queries", place),
            query,
            f"a search that finds at least {least}; this one finds {found[query]}",
        )
        for table in config.shoppers
        for place, query in enumerate(table.queries)
        if found[query] < least
    ]


def _unknown_attributes(config: StorefrontConfig, catalog: Catalog) -> Iterator[Disagreement]:
    known = sorted({key for row in catalog.attributes for key in row})
    named = [(("shoppers", table.name, *key), names) for table in config.shoppers for key, names in _attributes(table)]
    for path, names in [*named, (("buyers", "needs"), list(config.buyers.needs))]:
        for name in names:
            if name not in known:
                expected = f"an attribute of the catalogue: {', '.join(known) or 'it has none'}"
                yield _disagreement(path, name, f"{expected}{nearest_names(name, known)}")


def _attributes(table: ShopperConfig) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    yield ("needs",), list(table.needs)
    if table.nests is not None and table.nests.by != "category":
        yield ("nests", "by"), [table.nests.by]


def _disagreement(path: tuple[str | int, ...], found: str, expected: str) -> Disagreement:
    return Disagreement(path, f'"{found}"', expected)
