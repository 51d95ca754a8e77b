"""Why a replay has no answer: the nearest record, and what differs from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from marketsim.llm.errors import ReplayMissError
from marketsim.llm.record import Entry, RecordStore
from marketsim.llm.request import Draw, Json, Origin


def miss(store: RecordStore, key: str, draw: Draw, request: str, origin: Origin) -> ReplayMissError:
    """Return the error for a request that the record does not answer: which key, agent, step, what differs."""
    who = f"agent {origin.agent}, step {origin.step}" if origin.agent else "no agent"
    text = (
        f"{store.path}: replay: found no answer to key {key[:12]} ({who}, draw {draw.number}, attempt {draw.attempt})"
    )
    nearest = _nearest(store, json.loads(request), origin)
    if nearest is None:
        return ReplayMissError(f"{text}; the record is empty")
    entry, differences = nearest
    where = f"{entry.key[:12]} ({entry.origin.agent or 'no agent'}, step {entry.origin.step})"
    if differences:
        listed = "; ".join(differences[:3]) + (f"; and {len(differences) - 3} more" if len(differences) > 3 else "")
        return ReplayMissError(f"{text}; the nearest record, {where}, differs in {listed}")
    found = f"draw {entry.draw.number}, attempt {entry.draw.attempt}"
    return ReplayMissError(f"{text}; the record has this request under {found} only, as with another seed")


def _nearest(store: RecordStore, request: Json, origin: Origin) -> tuple[Entry, list[str]] | None:
    candidates: list[Entry] = []
    for agent, step in ((origin.agent, origin.step), (origin.agent, None), ("", None)):
        candidates = [entry for entry, _ in zip(store.entries(agent, step), range(64), strict=False)]
        if candidates:
            break
    ranked = [(entry, list(_differences(request, entry.request, ""))) for entry in candidates]
    return min(ranked, key=lambda each: len(each[1]), default=None)


def _differences(now: Any, then: Any, path: str) -> Iterator[str]:
    """Yield the paths at which two JSON values differ, with a little of both."""
    if isinstance(now, dict) and isinstance(then, dict):
        for name in sorted(now.keys() | then.keys()):
            yield from _differences(now.get(name), then.get(name), f"{path}.{name}" if path else name)
    elif isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        for place, (left, right) in enumerate(zip(now, then, strict=True)):
            yield from _differences(left, right, f"{path}[{place}]")
    elif now != then:
        yield f"{path} (now {_short(now, then)}, recorded {_short(then, now)})"


def _short(value: Any, other: Any) -> str:
    """Return a piece of a value around the first character at which it differs from the other."""
    text, against = str(value), str(other)
    first = next((at for at, (a, b) in enumerate(zip(text, against, strict=False)) if a != b), 0)
    start = max(0, first - 12)
    piece = text[start : start + 40]
    return repr(f"{'...' if start else ''}{piece}{'...' if start + 40 < len(text) else ''}")
