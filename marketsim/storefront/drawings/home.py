"""Drawings for home and office: desk lamps, office chairs, wall clocks."""

from __future__ import annotations

import math
from typing import Final

from marketsim.storefront.drawings.colours import mixed, shades
from marketsim.storefront.drawings.look import Look
from marketsim.storefront.drawings.shapes import Drawing, arc, curve

METAL: Final = shades("steel")
DARK: Final = shades("graphite")
GLOW: Final = "#fdf0c4"


def desk_lamp(drawing: Drawing, look: Look) -> None:
    """Draw a lamp: with a jointed arm, a clamp or clip, a fabric shade, or a bar for the top of a screen."""
    if look.kind == "bar":
        _light_bar(drawing, look)
    elif look.kind == "shade":
        _shade_lamp(drawing, look)
    else:
        _arm_lamp(drawing, look)


def _light_bar(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.rect(46, 66, 108, 66, DARK.main, 5)
    drawing.rect(51, 71, 98, 53, "#8ba4b5", 2)
    drawing.polygon([(60, 56), (140, 56), (149, 100), (51, 100)], mixed("#8ba4b5", GLOW, 0.5))
    drawing.rect(92, 130, 16, 6, DARK.dark)
    drawing.rect(72, 134, 56, 5, DARK.dark, 2)
    drawing.rect(52, 44, 96, 13, main, 6)
    drawing.rect(56, 46, 88, 3.5, light, 1.5)
    drawing.rect(92, 55, 16, 12, dark, 3)


def _shade_lamp(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    half = look.pick(2, 36, 44)
    drawing.rect(72, 131, 56, 8, shades("oak").main, 4)
    drawing.line([(100, 132), (100, 80)], shades("oak").dark, 6)
    drawing.polygon([(100 - half + 15, 30), (100 + half - 15, 30), (100 + half, 86), (100 - half, 86)], main)
    drawing.polygon([(100 - half + 15, 30), (100 - half + 26, 30), (100 - half + 14, 86), (100 - half, 86)], light)
    drawing.line([(100 - half, 86), (100 + half, 86)], dark, 3)
    drawing.ellipse(100, 90, half - 12, 4, GLOW)


def _arm_lamp(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    base = 66.0
    elbow = (look.pick(2, 46, 60), look.pick(3, 62, 76))
    head = (look.pick(4, 118, 136), look.pick(5, 32, 42))
    if look.kind in ("clamp", "clip"):
        drawing.rect(38, 128, 124, 9, shades("oak").main, 2)
        drawing.rect(base - 10, 116, 20, 26, dark, 4)
        drawing.rect(base - 3, 136, 6, 12, METAL.dark, 2)
    else:
        width = 34 if look.kind != "wide" else 42
        drawing.rect(base - width / 2 - 4, 129, width + 8, 9, dark, 4)
        drawing.rect(base - width / 2 - 4, 128, width + 8, 4, main, 2)
        if look.kind == "tray":
            drawing.line([(base + 24, 130), (base + 46, 130)], dark, 6)
            drawing.line([(base + 34, 126), (base + 40, 108)], shades("coral").main, 3)
        if look.kind == "charging":
            drawing.ellipse(base + 34, 134, 19, 4.5, main)
            drawing.ellipse(base + 34, 133, 12, 2.6, light)
    arm = METAL.dark if main == "#f1efe9" else main
    if look.kind == "clip":
        drawing.line(curve((base, 118), (base - 20, 70), (base + 10, 50), head), METAL.dark, 5)
    elif look.kind == "portable":
        drawing.line([(base, 130), (base, 50)], arm, 8)
        drawing.line([(base, 50), head], arm, 6)
    else:
        drawing.line([(base, 130), elbow], arm, 5)
        drawing.line([elbow, head], arm, 5)
        drawing.ellipse(*elbow, 6, 6, dark)
    x, y = head
    drawing.polygon([(x - 12, y + 16), (x + 34, y + 16), (x + 52, 126), (x - 22, 126)], mixed(GLOW, "#ffffff", 0.35))
    if look.kind in ("wide", "charging", "tray", "portable"):
        drawing.rect(x - 24, y - 2, 74, 11, main, 5)
        drawing.rect(x - 20, y + 7, 66, 4, GLOW, 2)
        return
    drawing.polygon([(x - 6, y - 12), (x + 20, y - 12), (x + 38, y + 18), (x - 20, y + 18)], main)
    drawing.polygon([(x - 6, y - 12), (x + 1, y - 12), (x - 9, y + 18), (x - 20, y + 18)], light)
    drawing.ellipse(x + 9, y + 18, 29, 5, dark)
    drawing.ellipse(x + 9, y + 20, 15, 5, GLOW)


def office_chair(drawing: Drawing, look: Look) -> None:
    """Draw a chair from the front: with a mesh, a high or a low back, a stool, or for kneeling."""
    main, dark, light = look.colour
    base = METAL.dark if look.one_of(7, 2) else DARK.main
    if look.kind == "kneeling":
        _kneeling_chair(drawing, look)
        return
    for foot in (-40, -20, 0, 20, 40):
        drawing.line([(100, 120), (100 + foot, 134 - abs(foot) / 12)], base, 5)
        drawing.ellipse(100 + foot, 138 - abs(foot) / 12, 4.5, 4.5, DARK.dark)
    drawing.rect(96, 98, 8, 24, base, 2)
    if look.kind == "stool":
        drawing.polygon(
            [
                (66, 88),
                *curve((66, 78), (84, 74), (92, 86), (100, 86)),
                *curve((100, 86), (108, 86), (116, 74), (134, 78)),
                (134, 88),
                (112, 100),
                (88, 100),
            ],
            main,
        )
        return
    half = look.pick(2, 29, 36)
    top = {"high": 18.0, "headrest": 36.0, "executive": 18.0, "task": 44.0, "compact": 42.0}.get(
        look.kind, look.pick(3, 28, 36)
    )
    if look.kind == "headrest":
        drawing.rect(80, 12, 40, 19, main, 8)
        drawing.rect(96, 28, 8, 12, base)
    drawing.rect(97, 74, 6, 20, base)
    drawing.rect(100 - half, top, 2 * half, 82 - top, main, look.pick(4, 10, 20))
    if look.material == "mesh":
        drawing.rect(100 - half + 5, top + 5, 2 * half - 10, 72 - top, light, 8)
        for y in range(int(top) + 12, 74, 6):
            drawing.line([(100 - half + 8, y), (100 + half - 8, y)], main, 1.6)
    elif look.kind in ("executive", "high", "recliner"):
        for y in range(int(top) + 15, 78, 15):
            drawing.line([(100 - half + 6, y), (100 + half - 6, y)], dark, 2.4)
    else:
        drawing.rect(100 - half + 6, top + 6, 7, 58 - (top - 20), light, 3)
    drawing.rect(100 - half - 3, 86, 2 * half + 6, 15, dark, 7)
    drawing.rect(100 - half - 3, 84, 2 * half + 6, 11, main, 5)
    if look.kind not in ("task", "velvet"):
        for side in (-1, 1):
            edge = 100 + side * (half + 6)
            drawing.line([(edge, 92), (edge, 68)], base, 4.5)
            drawing.line([(edge - 8 * side, 67), (edge + 3 * side, 67)], DARK.main, 7)


def _kneeling_chair(drawing: Drawing, look: Look) -> None:
    main, _, light = look.colour
    wood = shades("oak")
    drawing.line([(56, 136), (128, 60)], wood.main, 7)
    drawing.line([(150, 136), (88, 92)], wood.dark, 7)
    drawing.line([(50, 137), (66, 137)], wood.dark, 6)
    drawing.line([(140, 137), (158, 137)], wood.dark, 6)
    drawing.polygon([(96, 52), (150, 62), (150, 74), (96, 66)], main)
    drawing.polygon([(96, 52), (150, 62), (150, 66), (96, 56)], light)
    drawing.polygon([(48, 96), (98, 106), (98, 117), (48, 108)], main)
    drawing.polygon([(48, 96), (98, 106), (98, 110), (48, 100)], light)


def wall_clock(drawing: Drawing, look: Look) -> None:
    """Draw a clock: round, square or digital, with a pendulum, rays or large numerals."""
    main, dark, _ = look.colour
    if look.kind == "digital":
        _digital_clock(drawing, look)
        return
    radius = look.pick(2, 46, 54)
    middle = 62.0 if look.kind == "pendulum" else 79.0
    if look.kind == "pendulum":
        radius = 42.0
        drawing.rect(80, 96, 40, 46, dark, 4)
        drawing.rect(84, 98, 32, 40, mixed(main, "#ffffff", 0.75), 3)
        drawing.line([(100, 98), (106, 124)], shades("brass").main, 3)
        drawing.ellipse(106, 126, 8, 8, shades("brass").main)
    if look.kind == "rays":
        for number in range(24):
            angle = math.radians(15 * number)
            reach = 64 if number % 2 else 56
            drawing.line(
                [
                    (100 + 36 * math.cos(angle), 79 + 36 * math.sin(angle)),
                    (100 + reach * math.cos(angle), 79 + reach * math.sin(angle)),
                ],
                main,
                4,
            )
        radius = 40.0
    face = {"mirror": "#dfe9ec", "wood": mixed(main, "#ffffff", 0.45)}.get(look.kind, "#fcfaf5")
    if look.kind == "dark" or look.one_of(6, 5) == 0:
        face = mixed(main, "#ffffff", 0.86)
    if look.kind == "square":
        drawing.rect(100 - radius, middle - radius, 2 * radius, 2 * radius, main, 12)
        drawing.rect(107 - radius, middle + 7 - radius, 2 * radius - 14, 2 * radius - 14, face, 8)
    else:
        drawing.ellipse(100, middle, radius, radius, dark)
        drawing.ellipse(100, middle, radius - 1.5, radius - 1.5, main)
        drawing.ellipse(100, middle, radius - 7, radius - 7, face)
    ink = "#32373d"
    _marks(drawing, look, middle, radius - 12, ink)
    if look.kind == "thermometer":
        drawing.rect(84, middle + 16, 32, 9, mixed(face, "#000000", 0.1), 3)
        drawing.rect(86, middle + 19, 18, 3, shades("red").main, 1)
    hour, minute = look.digits[7] % 12, 5 * (look.digits[8] % 12)
    _hand(drawing, middle, 30 * hour + minute / 2, (radius - 14) * 0.58, ink, 4.6)
    _hand(drawing, middle, 6 * minute, (radius - 14) * 0.9, ink, 3.2)
    drawing.ellipse(100, middle, 4, 4, shades("coral").main if look.one_of(9, 2) else ink)


def _marks(drawing: Drawing, look: Look, middle: float, radius: float, ink: str) -> None:
    bright = ("#c14b45", "#d9823b", "#5b8c66", "#4a7ab5")
    for number in range(12):
        angle = math.radians(30 * number)
        x, y = math.cos(angle), math.sin(angle)
        if look.kind == "kids":
            drawing.ellipse(100 + (radius - 2) * x, middle + (radius - 2) * y, 4.6, 4.6, bright[number % 4])
            continue
        if look.kind == "minimal" and number % 3:
            continue
        is_long = number % 3 == 0 or look.kind in ("station", "numerals")
        inner = radius - (9 if is_long else 4)
        width = 4.4 if look.kind in ("station", "numerals") else 2.4
        drawing.line([(100 + inner * x, middle + inner * y), (100 + radius * x, middle + radius * y)], ink, width)


def _hand(drawing: Drawing, middle: float, degrees: float, length: float, ink: str, width: float) -> None:
    angle = math.radians(degrees - 90)
    end = (100 + length * math.cos(angle), middle + length * math.sin(angle))
    drawing.line([(100, middle), end], ink, width)


def _digital_clock(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.rect(32, 44, 136, 66, dark, 10)
    drawing.rect(32, 42, 136, 64, main, 10)
    drawing.rect(40, 50, 120, 48, "#20262b", 5)
    lit, unlit = "#8fe0c0", "#2d353b"
    segments = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgecd", "abc", "abcdefg", "abfgcd")
    hour, minute = look.digits[7] % 24, look.digits[8] % 60
    for place, digit in enumerate((hour // 10, hour % 10, minute // 10, minute % 10)):
        left = 50 + 25 * place + (8 if place > 1 else 0)
        lines = {
            "a": [(left + 2, 57), (left + 13, 57)],
            "d": [(left + 2, 91), (left + 13, 91)],
            "g": [(left + 2, 74), (left + 13, 74)],
            "f": [(left, 59), (left, 72)],
            "b": [(left + 15, 59), (left + 15, 72)],
            "e": [(left, 76), (left, 89)],
            "c": [(left + 15, 76), (left + 15, 89)],
        }
        for name, points in lines.items():
            drawing.line(points, lit if name in segments[digit] else unlit, 3.4)
    for y in (68, 82):
        drawing.ellipse(102, y, 2.2, 2.2, lit)
    drawing.line(arc(100, 44, 10, 8, 190, 350), light, 2)
