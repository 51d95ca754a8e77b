"""Drawings of sport and travel: running shoes, yoga mats, backpacks, water bottles."""

from __future__ import annotations

from typing import Final

from marketsim.storefront.drawings.colours import NAMED, mixed, shades
from marketsim.storefront.drawings.look import Look
from marketsim.storefront.drawings.shapes import Drawing, arc, curve

METAL: Final = shades("steel")
DARK: Final = shades("graphite")


def running_shoes(drawing: Drawing, look: Look) -> None:
    """Draw a shoe from the side; the sole is thick or thin, flat or lugged."""
    main, dark, light = look.colour
    accent = NAMED[("coral", "sky", "yellow", "mint", "navy", "silver")[look.one_of(6, 6)]]
    thick = {"trail": 13.0, "racing": 9.0, "barefoot": 6.0, "rocker": 19.0, "cushioned": 18.0}.get(look.kind, 14.0)
    floor, heel, toe = 138.0, 38.0, 168.0
    top = floor - thick
    drawing.polygon(
        [
            (heel, top - 3),
            *curve((heel + 4, top - 30), (heel + 2, top - 52), (heel + 6, top - 60), (heel + 14, top - 64)),
            *curve((heel + 22, top - 56), (heel + 34, top - 50), (heel + 42, top - 54), (heel + 52, top - 58)),
            *curve((heel + 66, top - 50), (heel + 78, top - 24), (heel + 104, top - 24), (toe - 8, top - 18)),
            *curve((toe, top - 12), (toe + 2, top - 6), (toe, top), (toe - 2, top + 3)),
        ],
        main,
    )
    drawing.polygon([(heel, top - 2), (heel + 4, top - 32), (heel + 22, top - 30), (heel + 26, top)], dark)
    drawing.polygon(
        [(toe - 32, top + 2), *curve((toe - 30, top - 19), (toe - 14, top - 22), (toe, top - 12), (toe - 1, top + 2))],
        light,
    )
    for number in range(4):
        x = heel + 56 + 9 * number
        drawing.line([(x, top - 47 + 8 * number), (x + 11, top - 54 + 8 * number)], "#fdfcf8", 3)
    stripe = look.one_of(7, 3)
    if stripe == 0:
        drawing.line(
            curve((heel + 30, top - 8), (heel + 60, top - 6), (heel + 70, top - 16), (heel + 84, top - 30)), accent, 6
        )
    elif stripe == 1:
        for number in range(3):
            drawing.line([(heel + 40 + 11 * number, top - 6), (heel + 50 + 11 * number, top - 30)], accent, 4)
    else:
        drawing.polygon(
            [(heel + 30, top - 6), (heel + 74, top - 30), (heel + 84, top - 24), (heel + 60, top - 6)], accent
        )
    lift = 8 if look.kind == "rocker" else 3
    sole = [
        (heel - 4, top - 2),
        (toe - 2, top - 2),
        *curve((toe + 3, top), (toe + 4, floor - lift), (toe - 4, floor), (toe - 20, floor)),
    ]
    drawing.polygon([*sole, (heel + 6, floor), (heel - 4, floor - lift)], "#f6f3ec")
    drawing.line([(heel + 2, floor - thick * 0.45), (toe - 8, floor - thick * 0.45)], accent, 2)
    tread = DARK.main
    if look.kind == "trail":
        for number in range(11):
            drawing.rect(heel + 2 + 11.5 * number, floor - 3, 7, 6, tread, 1.5)
    else:
        drawing.line([(heel + 2, floor), (toe - 14, floor)], tread, 3.4)


def yoga_mat(drawing: Drawing, look: Look) -> None:
    """Draw a mat: rolled up and standing, half unrolled, folded, or with a strap."""
    main, dark, light = look.colour
    if look.kind == "folded":
        for number in range(4):
            drawing.rect(48, 128 - 13 * number, 104, 12, (main, mixed(main, "#ffffff", 0.14))[number % 2], 5)
        drawing.rect(48, 87, 104, 4, light, 2)
        return
    if look.kind == "strap":
        half = look.pick(2, 18, 24)
        drawing.rect(100 - half, 28, 2 * half, 108, main, 4)
        drawing.ellipse(100, 136, half, 7, main)
        drawing.rect(100 - half + 4, 34, 6, 98, light, 3)
        drawing.ellipse(100, 28, half, 8, dark)
        for share in (0.72, 0.45, 0.2):
            drawing.line(arc(100, 28, half * share, 8 * share, 0, 360), light, 1.6)
        for y in (54, 108):
            drawing.rect(100 - half - 1, y, 2 * half + 2, 7, DARK.main, 1)
        drawing.line(
            curve((100 + half, 57), (100 + half + 38, 62), (100 + half + 38, 100), (100 + half, 111)), DARK.main, 4
        )
        return
    radius = look.pick(2, 19, 25)
    left = look.pick(3, 42, 50)
    drawing.polygon([(left + 26, 138), (left, 112), (160, 112), (178, 138)], main)
    drawing.polygon([(left + 26, 138), (178, 138), (178, 142), (left + 26, 142)], dark)
    if look.kind == "lines":
        drawing.line([(left + 60, 125), (160, 125)], light, 1.8)
        drawing.line([(118, 114), (130, 136)], light, 1.8)
    if look.kind in ("cork", "studio"):
        for number in range(14):
            x = left + 40 + (look.digits[8 + number] % 90)
            drawing.ellipse(x, 117 + look.digits[22 - number] % 18, 1.8, 1.1, light)
    drawing.rect(left - 12, 112 - 2 * radius + 26, 34, 2 * radius - 4, main, radius)
    drawing.ellipse(left + 10, 112 - radius + 24, radius, radius, mixed(main, "#ffffff", 0.1))
    turns = look.one_of(4, 2) + 3
    for number in range(turns):
        share = 1 - (number + 0.6) / (turns + 0.4)
        drawing.line(arc(left + 10, 112 - radius + 24, radius * share, radius * share, 0, 360), dark, 2)


def backpack(drawing: Drawing, look: Look) -> None:
    """Draw a bag from the front: a daypack, a roll-top, a tote or one for laptops."""
    main, dark, light = look.colour
    half = look.pick(2, 37, 45)
    top = look.pick(3, 36, 44)
    for side in (-1, 1):
        drawing.line(
            curve(
                (100 + side * (half - 10), 62),
                (100 + side * (half + 16), 74),
                (100 + side * (half + 14), 110),
                (100 + side * (half - 3), 128),
            ),
            dark,
            7,
        )
    if look.kind == "tote":
        for shift in (-15, 15):
            drawing.line(arc(100 + shift / 5, 54, 22, 34, 185, 355), dark, 4)
    else:
        drawing.line(arc(100, top - 2, 12, 13, 180, 360), dark, 5)
    if look.kind == "rolltop":
        drawing.rect(100 - half, top + 14, 2 * half, 124 - top, main, 10)
        drawing.rect(100 - half + 5, top - 2, 2 * half - 10, 18, light, 6)
        drawing.rect(100 - half + 5, top + 12, 2 * half - 10, 4, dark, 2)
        drawing.rect(95, top - 2, 10, 50, DARK.main, 2)
        drawing.rect(91, top + 30, 18, 11, METAL.main, 3)
    else:
        drawing.polygon(
            [
                (100 - half, 138),
                *arc(100 - half + 26, top + 28, 26, 28, 180, 270),
                *arc(100 + half - 26, top + 28, 26, 28, 270, 360),
                (100 + half, 138),
            ],
            main,
        )
        drawing.line(
            [*arc(100 - half + 30, top + 32, 22, 22, 180, 270), *arc(100 + half - 30, top + 32, 22, 22, 270, 360)],
            dark,
            2.4,
        )
    drawing.rect(100 - half, 122, 2 * half, 17, dark, 7)
    pocket = look.one_of(4, 3)
    if pocket == 0:
        drawing.rect(100 - half + 12, 92, 2 * half - 24, 34, light, 7)
        drawing.line([(100 - half + 18, 100), (100 + half - 18, 100)], dark, 2.4)
    elif pocket == 1:
        drawing.polygon(
            [(100 - half + 12, 86), (100 + half - 12, 86), (100 + half - 18, 126), (100 - half + 18, 126)], light
        )
        drawing.rect(96, 84, 8, 12, METAL.main, 2)
    else:
        for side in (-1, 1):
            drawing.rect(100 + side * 18 - 15, 94, 30, 32, light, 6)
            drawing.line([(100 + side * 18 - 9, 101), (100 + side * 18 + 9, 101)], dark, 2.2)
    drawing.rect(90, 72, 20, 9, mixed(main, "#ffffff", 0.7), 2)


def water_bottle(drawing: Drawing, look: Look) -> None:
    """Draw a bottle: of steel, of glass, for sports with a straw, wide, slim or with a cup on top."""
    main, dark, light = look.colour
    half = {"slim": 15.0, "wide": 27.0, "kids": 24.0, "collapsible": 26.0}.get(look.kind, look.pick(2, 19, 23))
    top = {"kids": 66.0, "collapsible": 72.0, "slim": 40.0}.get(look.kind, look.pick(3, 48, 56))
    lid = DARK.main if main != DARK.main else METAL.main
    body = mixed("#d6e7ec", main, 0.25) if look.material in ("glass", "tritan") else main
    neck = half - 7
    drawing.polygon(
        [
            (100 - neck, top),
            *curve((100 - neck, top + 4), (100 - half, top + 10), (100 - half, top + 14), (100 - half, top + 22)),
            *arc(100 - half + 7, 131, 7, 7, 180, 90, 8),
            *arc(100 + half - 7, 131, 7, 7, 90, 0, 8),
            *curve((100 + half, top + 22), (100 + half, top + 14), (100 + half, top + 10), (100 + neck, top + 4)),
            (100 + neck, top),
        ],
        body,
    )
    if look.material in ("glass", "tritan"):
        drawing.rect(100 - half + 3, top + 36, 2 * half - 6, 98 - top, mixed(body, "#7fb4cf", 0.35), 6)
    if look.material == "glass" or look.kind == "sleeve":
        drawing.rect(100 - half - 1, top + 44, 2 * half + 2, 86 - top, main, 5)
    if look.kind == "collapsible":
        for y in range(int(top) + 24, 130, 11):
            drawing.line([(100 - half, y), (100 + half, y)], dark, 2.2)
    if look.kind == "marks":
        for number in range(5):
            drawing.line([(100 + half - 14, top + 30 + 11 * number), (100 + half - 5, top + 30 + 11 * number)], dark, 2)
    if look.kind == "infuser":
        drawing.rect(93, top + 12, 14, 54, mixed(body, "#ffffff", 0.5), 5)
        for number in range(3):
            drawing.ellipse(100, top + 26 + 14 * number, 5, 5, NAMED[("coral", "yellow", "green")[number]])
    if look.kind == "kids":
        drawing.ellipse(100, 106, 11, 11, light)
        drawing.ellipse(96, 103, 1.8, 1.8, dark)
        drawing.ellipse(104, 103, 1.8, 1.8, dark)
        drawing.line(arc(100, 106, 5, 4, 20, 160), dark, 1.8)
    drawing.rect(100 - half + 4, top + 26, 4.5, 96 - top, mixed(body, "#ffffff", 0.5), 2)
    _lid(drawing, look, neck, top, lid)


def _lid(drawing: Drawing, look: Look, neck: float, top: float, lid: str) -> None:
    if look.kind == "cup":
        drawing.polygon(
            [(100 - neck - 3, top + 4), (100 + neck + 3, top + 4), (100 + neck, top - 20), (100 - neck, top - 20)], lid
        )
        return
    drawing.rect(100 - neck - 2, top - 11, 2 * neck + 4, 14, lid, 4)
    if look.kind in ("sports", "kids", "bike"):
        drawing.rect(95, top - 22, 10, 12, mixed(lid, "#ffffff", 0.35), 4)
        if look.kind != "bike":
            drawing.line([(100, top - 20), (110, top - 32)], mixed(lid, "#ffffff", 0.5), 4)
    elif look.one_of(5, 2):
        drawing.line(arc(100, top - 11, neck, 13, 180, 360), lid, 4)
    else:
        drawing.line(arc(100 + neck + 2, top - 2, 9, 9, 270, 450), lid, 3.4)
