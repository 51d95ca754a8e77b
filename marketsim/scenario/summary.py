"""What a scenario would run, in a few lines."""

from __future__ import annotations

from typing import Any

from marketsim.agents.llm_estimate import estimate
from marketsim.core.registry import user_module_file
from marketsim.core.units import format_decimal, format_duration, format_time_of_day
from marketsim.scenario.schema import Scenario
from marketsim.storefront.config import StorefrontConfig


def summarize(scenario: Scenario) -> dict[str, Any]:
    """Return what a scenario would run, as JSON can hold it.

    Returns
    -------
    dict
        ``name``, ``seed``, ``start``, ``duration``; ``instruments`` (symbols); ``populations`` and ``agents`` (name to
        number of agents), ``shoppers`` likewise; ``catalogue`` (products, categories, and how missing columns were
        filled; None without a shop); ``llm`` (what language models would cost, where agents ask one); ``modules``
        (files of the user's own kinds, whose code loading the scenario has run).
    """
    exchange, shop = scenario.exchange, scenario.storefront
    asked = estimate(scenario.agents, scenario.llm, scenario.duration)
    modules = {name: user_module_file(name, folder) for name, folder in scenario.plugins.items()}
    return {
        "name": scenario.name,
        "seed": scenario.seed,
        "replicate": scenario.replicate,
        "start": format_time_of_day(scenario.start),
        "duration": format_duration(scenario.duration),
        "instruments": [instrument.symbol for instrument in exchange.instruments] if exchange else [],
        "populations": {table.label: table.count for table in exchange.populations} if exchange else {},
        "shoppers": {table.name: table.count for table in shop.shoppers} if shop else {},
        "catalogue": _catalogue(shop) if shop else None,
        "agents": {table.label: table.count for table in scenario.agents},
        **({"llm": asked} if asked else {}),
        "modules": [str(file) for file in modules.values() if file is not None],
    }


def _catalogue(shop: StorefrontConfig) -> dict[str, Any]:
    from marketsim.storefront.checks import load_catalog

    catalog = load_catalog(shop)
    filled = {} if shop.catalog == "builtin" else dict(catalog.filled)
    return {"products": len(catalog), "categories": len(catalog.categories), "filled": filled}


def summary_text(scenario: Scenario) -> str:
    """Return ``summarize`` as a table for a reader."""
    facts = summarize(scenario)
    rows = [
        ("name", scenario.name),
        ("time", f"{facts['duration']} from {facts['start']}"),
        ("seed", f"{scenario.seed}" + (f", replicate {scenario.replicate}" if scenario.replicate else "")),
    ]
    for instrument in scenario.exchange.instruments if scenario.exchange else ():
        price, tick = format_decimal(instrument.open_price), format_decimal(instrument.tick_size)
        rows.append(("instrument", f"{instrument.symbol}, {price} {instrument.currency} in steps of {tick}"))
    if facts["catalogue"]:
        catalogue = facts["catalogue"]
        products, categories = catalogue["products"], catalogue["categories"]
        kinds = f"{categories} categor{'y' if categories == 1 else 'ies'}"
        rows.append(("catalogue", f"{products:,} product{'' if products == 1 else 's'} in {kinds}"))
        rows += [("filled in", f"{column}, {rule}") for column, rule in catalogue["filled"].items()]
    for what in ("populations", "shoppers", "agents"):
        counts: dict[str, int] = facts[what]
        if counts:
            listed = ", ".join(f"{count:,} {name}" for name, count in counts.items())
            rows.append((what, listed + (f" ({sum(counts.values()):,} in all)" if len(counts) > 1 else "")))
    rows += [("llm", _estimate_text(row)) for row in facts.get("llm", ())]
    rows += [("module", f"{file} (its code was run to check this)") for file in facts["modules"]]
    width = max(len(word) for word, _ in rows)
    return "\n".join(f"{word:<{width}}  {text}" for word, text in rows)


def _estimate_text(row: dict[str, Any]) -> str:
    most = f" (at most {row['calls_at_most']:,})" if row["calls_at_most"] != row["calls"] else ""
    tokens = f"{row['prompt_tokens']:,} + {row['completion_tokens']:,} tokens"
    where = f"{row['model']} at {row['endpoint']}"
    return f"{row['table']}: {row['calls']:,} calls{most} to {where}, about {tokens}, {row['money']} {row['currency']}"
