"""Colours of pictures: what a word such as "navy" looks like, and its darker and lighter shades."""

from __future__ import annotations

import colorsys
import hashlib
from typing import Final, NamedTuple

NAMED: Final = {
    "black": "#3a3d42",
    "white": "#f1efe9",
    "cream": "#eee2c6",
    "beige": "#d9c7a5",
    "grey": "#8d939b",
    "graphite": "#54585f",
    "silver": "#c3c8ce",
    "steel": "#b4bcc4",
    "red": "#c14b45",
    "coral": "#e07f6a",
    "orange": "#d9823b",
    "copper": "#b8744f",
    "brass": "#c7a252",
    "yellow": "#e0b84a",
    "olive": "#84894a",
    "green": "#5b8c66",
    "sage": "#9db39a",
    "mint": "#a3d0be",
    "teal": "#3d8487",
    "blue": "#4a7ab5",
    "sky": "#8db9db",
    "navy": "#35476b",
    "purple": "#80669f",
    "lilac": "#b9a6cf",
    "pink": "#dc9cae",
    "brown": "#8a6548",
    "oak": "#c79f6b",
    "walnut": "#75543c",
    "bamboo": "#d3b57c",
    "cork": "#c69c6d",
    "clear": "#cfe3ea",
}

SPELLINGS: Final = {"gray": "grey", "charcoal": "graphite", "gold": "brass", "transparent": "clear", "wood": "oak"}


class Shades(NamedTuple):
    """A colour, and what it is where light falls on it and where it does not."""

    main: str
    dark: str
    light: str


def shades(word: str, other: str = "") -> Shades:
    """Return the shades of a colour by its name; where it is unknown, of one that ``other`` decides."""
    known = [part for part in word.lower().replace("-", " ").split() if SPELLINGS.get(part, part) in NAMED]
    if known:
        last = known[-1]
        return of_hex(NAMED[SPELLINGS.get(last, last)])
    names = sorted(set(NAMED) - {"white", "cream", "clear"})
    return of_hex(NAMED[names[digits(word + other)[0] % len(names)]])


def of_hex(colour: str) -> Shades:
    """Return the shades of a colour ``#rrggbb``."""
    return Shades(colour, mixed(colour, "#1c2530", 0.28), mixed(colour, "#ffffff", 0.38))


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it."""
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def tint(text: str) -> str:
    """Return a pale colour that a text decides, for what stands behind a product."""
    hue = digits(text)[1] / 255
    red, green, blue = colorsys.hls_to_rgb(hue, 0.925, 0.36)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def digits(text: str) -> bytes:
    """Return 32 numbers from 0 to 255 that a text decides, the same on every machine."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
