"""Drawings of things one carries or uses oneself: speakers, toothbrushes, umbrellas."""

from __future__ import annotations

import math
from typing import Final

from marketsim.storefront.drawings.colours import NAMED, mixed, shades
from marketsim.storefront.drawings.look import Look
from marketsim.storefront.drawings.shapes import Drawing, arc, curve

METAL: Final = shades("steel")
DARK: Final = shades("graphite")
WHITE: Final = "#f8f6f1"


def bluetooth_speaker(drawing: Drawing, look: Look) -> None:
    """Draw a speaker: a can, a box, a ball, a pair, one with a handle, a clock or lights."""
    main, dark, light = look.colour
    if look.kind in ("can", "floating"):
        _can_speaker(drawing, look)
        return
    if look.kind in ("clip", "ball", "disc"):
        radius = look.pick(2, 34, 42)
        drawing.ellipse(100, 138 - radius, radius, radius, main)
        drawing.ellipse(100, 138 - radius, radius - 7, radius - 7, dark)
        _grille(drawing, 100, 138 - radius, radius - 11, light)
        if look.kind == "clip":
            drawing.line(arc(100, 138 - 2 * radius + 2, 13, 16, 170, 370), METAL.dark, 5)
        return
    if look.kind == "pair":
        for x in (70, 130):
            drawing.rect(x - 23, 56, 46, 82, main, 7)
            drawing.ellipse(x, 112, 15, 15, dark)
            drawing.ellipse(x, 112, 7, 7, light)
            drawing.ellipse(x, 77, 8, 8, dark)
        return
    half, top = (look.pick(2, 54, 62), look.pick(3, 74, 84)) if look.kind != "tower" else (32.0, 34.0)
    if look.kind in ("handle", "retro", "party"):
        drawing.line(arc(100, top + 2, half * 0.6, 24, 180, 360), dark, 5)
    wood = shades("walnut").main if look.kind in ("shelf", "retro") else main
    drawing.rect(100 - half, top, 2 * half, 137 - top, wood, 9 if look.kind != "shelf" else 4)
    drawing.rect(100 - half + 6, top + 6, 2 * half - 12, 125 - top, main if wood != main else dark, 6)
    middle = (top + 137) / 2
    if look.kind == "clock":
        drawing.rect(66, middle - 16, 68, 30, "#20262b", 4)
        for x in (76, 90, 110, 124):
            drawing.line([(x, middle - 9), (x, middle + 7)], "#8fe0c0", 4)
        for y in (-5, 4):
            drawing.ellipse(100, middle + y, 1.8, 1.8, "#8fe0c0")
        return
    size = (137 - top) / 2 - 12
    if look.kind == "tower":
        for y in (62, 106):
            drawing.ellipse(100, y, 19, 19, dark)
            drawing.ellipse(100, y, 9, 9, light)
        return
    for side in (-0.5, 0.5):
        drawing.ellipse(100 + side * half, middle, size, size, mixed(dark, "#000000", 0.2))
        drawing.ellipse(100 + side * half, middle, size * 0.72, size * 0.72, mixed(main, "#ffffff", 0.18))
        drawing.ellipse(100 + side * half, middle, size * 0.3, size * 0.3, dark)
    if look.kind == "party":
        for number, name in enumerate(("coral", "yellow", "mint", "sky", "lilac")):
            drawing.rect(
                100 - half + 12 + number * (2 * half - 24) / 5, top + 3, (2 * half - 30) / 5, 4, NAMED[name], 2
            )
    elif look.kind == "retro":
        drawing.ellipse(100, middle, 7, 7, shades("brass").main)


def _can_speaker(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    half, top = look.pick(2, 28, 34), look.pick(3, 50, 62)
    drawing.rect(100 - half, top, 2 * half, 132 - top, main, 4)
    drawing.ellipse(100, 131, half, 8, main)
    for row in range(5):
        for column in range(7):
            x = 100 - half + 7 + column * (2 * half - 14) / 6
            drawing.ellipse(x, top + 20 + row * (100 - top) / 4.4, 1.7, 1.7, dark)
    drawing.ellipse(100, top, half, 9, light)
    drawing.ellipse(100, top, half - 7, 6, dark)
    if look.kind == "floating":
        for x, width in ((70, 52), (120, 44)):
            drawing.line(curve((x - width / 2, 140), (x - 6, 134), (x + 6, 146), (x + width / 2, 140)), NAMED["sky"], 4)
    else:
        drawing.line(arc(100 + half, top + 12, 9, 12, 270, 450), DARK.main, 4)


def _grille(drawing: Drawing, x: float, y: float, radius: float, colour: str) -> None:
    for ring, n in ((0.0, 1), (0.36, 7), (0.68, 13), (1.0, 19)):
        for number in range(n):
            angle = 2 * math.pi * number / n
            drawing.ellipse(x + ring * radius * math.cos(angle), y + ring * radius * math.sin(angle), 1.9, 1.9, colour)


def toothbrush(drawing: Drawing, look: Look) -> None:
    """Draw an electric brush that stands, alone or with its stand, glass, case or spare heads."""
    main, dark, light = look.colour
    x = {"glass": 76.0, "case": 70.0, "heads": 74.0}.get(look.kind, 100.0)
    half = look.pick(2, 10, 14) if look.kind != "slim" else 8.0
    if look.kind == "glass":
        drawing.polygon([(114, 84), (156, 84), (151, 138), (119, 138)], "#dbe8ea")
        drawing.line([(116, 96), (154, 96)], "#f6fafa", 3)
    if look.kind == "case":
        drawing.rect(104, 36, 40, 102, mixed(main, "#ffffff", 0.55), 18)
        drawing.line([(104, 88), (144, 88)], dark, 2)
        drawing.rect(116, 96, 16, 6, light, 3)
    if look.kind == "heads":
        for number in range(4):
            left = 104 + 18 * number
            drawing.rect(left - 2.5, 104, 5, 32, WHITE, 2)
            drawing.rect(left - 5, 92, 10, 14, WHITE, 3)
            drawing.rect(left - 5, 92, 10, 7, NAMED[("coral", "sky", "mint", "yellow")[number]], 2)
    drawing.rect(x - half - 6, 132, 2 * half + 12, 8, dark, 4)
    drawing.polygon(
        [(x - half + 3, 66), (x + half - 3, 66), (x + half, 84), (x + half, 134), (x - half, 134), (x - half, 84)], main
    )
    drawing.rect(x - half + 3, 82, 3.4, 46, light, 1.5)
    drawing.rect(x - 4, 50, 8, 18, METAL.main)
    drawing.rect(x - 3, 30, 6, 24, WHITE, 2)
    if look.kind == "rotating":
        drawing.ellipse(x, 26, 10, 10, WHITE)
        drawing.ellipse(x, 26, 7, 7, NAMED["sky"])
        drawing.ellipse(x, 26, 3, 3, WHITE)
    else:
        drawing.rect(x - 6, 14, 12, 24, WHITE, 5)
        for number in range(4):
            colour = (NAMED["sky"], "#ffffff", NAMED["mint"], "#ffffff")[number]
            drawing.rect(x + 5, 16 + 5 * number, 10, 4, colour, 1)
    drawing.ellipse(x, 96, 4.6, 4.6, dark)
    for number in range(1 + look.one_of(4, 4)):
        drawing.ellipse(x, 110 + 6 * number, 1.6, 1.6, "#8fe0c0")
    if look.kind == "kids":
        drawing.ellipse(x - 3, 92, 1.4, 1.4, WHITE)
        drawing.ellipse(x + 3, 92, 1.4, 1.4, WHITE)
        drawing.ellipse(x - half, 72, 5, 7, main)
        drawing.ellipse(x + half, 72, 5, 7, main)


def umbrella(drawing: Drawing, look: Look) -> None:
    """Draw an umbrella: open, as a dome, folded up, or turned inside out."""
    if look.kind in ("folded", "pocket"):
        _folded_umbrella(drawing, look)
        return
    main, dark, light = look.colour
    is_dome = look.kind == "dome"
    half, height = (52.0, 72.0) if is_dome else (look.pick(2, 66, 76), look.pick(3, 50, 60))
    edge = 92.0 if is_dome else 80.0
    wood = look.material == "wood" or look.kind == "cane"
    stick = shades("walnut").main if wood else METAL.dark
    drawing.line([(100, edge - 20), (100, 126)], stick, 4)
    if look.kind == "straight":
        drawing.line([(100, 124), (100, 142)], DARK.main, 7)
    else:
        drawing.line([*arc(110, 128, 10, 12, 180, 0)], shades("walnut").dark if wood else DARK.main, 6)
    colour = mixed("#d6e7ec", main, 0.2) if look.material == "clear" else main
    drawing.polygon(arc(100, edge, half, height, 180, 360, 36), colour)
    ribs = 8 if look.kind == "golf" else 6
    for number in range(ribs):
        left = 100 - half + number * 2 * half / ribs
        right = left + 2 * half / ribs
        shade = (light, colour)[number % 2] if look.one_of(5, 2) else colour
        top = (100.0, edge - height)
        drawing.polygon(
            [
                top,
                *curve(top, (left + (100 - left) * 0.32, edge - height), (left, edge - 24), (left, edge)),
                (right, edge),
                *reversed(curve(top, (right + (100 - right) * 0.32, edge - height), (right, edge - 24), (right, edge))),
            ],
            mixed(shade, "#000000", 0.05 * (number % 2)),
        )
        drawing.line(
            curve(top, (left + (100 - left) * 0.32, edge - height), (left, edge - 24), (left, edge)), dark, 1.2
        )
        drawing.polygon(arc((left + right) / 2, edge + 1, (right - left) / 2, 8, 180, 360), dark)
    if look.kind == "vented":
        drawing.polygon(arc(100, edge - height + 22, 26, 20, 180, 360), light)
    if look.kind == "reflective":
        drawing.line(arc(100, edge, half - 1, height - 1, 184, 356, 36), "#eef2f3", 3)
    drawing.line([(100, edge - height), (100, edge - height - 9)], stick, 4)


def _folded_umbrella(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    half = look.pick(2, 13, 17) if look.kind == "folded" else 22.0
    top, end = (34.0, 118.0) if look.kind == "folded" else (56.0, 122.0)
    drawing.polygon([(100 - half + 6, top), (100 + half - 6, top), (100 + half, end), (100 - half, end)], main)
    drawing.polygon([(100 - half + 6, top), (100 - half + 11, top), (100 - half + 7, end), (100 - half, end)], light)
    drawing.line([(100 + 3, top), (100 + 6, end)], dark, 2)
    drawing.rect(100 - half - 1, (top + end) / 2, 2 * half + 2, 8, dark, 2)
    drawing.ellipse(100 + half - 6, (top + end) / 2 + 4, 2.6, 2.6, METAL.main)
    drawing.rect(94, top - 12, 12, 13, METAL.dark, 3)
    drawing.rect(91, end, 18, 18, DARK.main if main != DARK.main else METAL.main, 6)
    drawing.line(arc(100, end + 20, 11, 9, 20, 160), DARK.dark, 2.6)
