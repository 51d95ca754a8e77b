"""Views of a page: CPU time of each format, of a page of eight offers and of one product.

Run from a checkout: ``marketsim bench page`` or ``python benchmarks/page.py [--repeats 200] [--json]``. Pictures of
products are drawn once and kept, as in a run; ``first`` is the time of a page whose pictures are not drawn yet.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from marketsim.storefront import Catalog, Offer, Page
from marketsim.storefront.drawings import _drawn_uri

VIEWS = {
    "html": lambda view: view.to_html(),
    "json": lambda view: view.to_json(),
    "markdown": lambda view: view.to_markdown(),
    "text": lambda view: view.to_text(),
    "png (pillow)": lambda view: view.to_png(renderer="pillow"),
}


def page() -> Page:
    """The first eight products of the built-in catalogue."""
    catalog = Catalog.builtin()
    offers = tuple(
        Offer(
            slot=number,
            product=number,
            opaque_id=f"{number:010x}",
            title=catalog.title[number],
            description=catalog.description[number],
            price_minor=int(catalog.price_minor[number]),
            rating_tenths=int(catalog.rating_tenths[number]),
            reviews=int(catalog.reviews[number]),
            sponsored=number < 2,
            category=catalog.category[number],
            attributes=tuple(catalog.attributes[number].items()),
        )
        for number in range(8)
    )
    return Page("", catalog.category[0], 2, 4, 1, 1, offers, "USD")


def milliseconds(action: Callable[[], object], repeats: int) -> float:
    """Median CPU time of one call."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        action()
        times.append(time.process_time() - began)
    return 1000 * statistics.median(times)


def main() -> None:
    """Print a line a view."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    shown = page()
    detail = shown.detail(shown.offers[0].opaque_id)
    shown.to_html()  # loads the templates
    figures: dict[str, dict[str, float]] = {}

    def first() -> None:
        _drawn_uri.cache_clear()
        shown.to_html()

    figures["html, first"] = {"page": milliseconds(first, options.repeats)}
    for name, view in VIEWS.items():
        repeats = max(1, options.repeats // (20 if "png" in name else 1))
        figures[name] = {
            "page": milliseconds(lambda view=view: view(shown), repeats),
            "product": milliseconds(lambda view=view: view(detail), repeats),
        }
    if options.json:
        print(json.dumps({"milliseconds": figures}, indent=2))
        return
    print("CPU milliseconds, median: a page of 8 offers, one product")
    for name, row in figures.items():
        print(f"{name:<14}" + "".join(f"{value:>10.2f}" for value in row.values()))


if __name__ == "__main__":
    main()
