"""Drawings for the kitchen: coffee grinders and frying pans."""

from __future__ import annotations

from typing import Final

from marketsim.storefront.drawings.colours import mixed, shades
from marketsim.storefront.drawings.look import Look
from marketsim.storefront.drawings.shapes import Drawing, arc

BEANS: Final = "#5b3d2b"
METAL: Final = shades("steel")
DARK: Final = shades("graphite")
GLASS: Final = "#dbe8ea"


def coffee_grinder(drawing: Drawing, look: Look) -> None:
    """Draw a hand mill, a small blade grinder, or an electric one with a hopper."""
    if look.kind == "hand":
        _hand_mill(drawing, look)
    elif look.kind == "blade":
        _blade_grinder(drawing, look)
    else:
        _hopper_grinder(drawing, look)


def _hand_mill(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    half = look.pick(2, 19, 26)
    top = look.pick(3, 50, 60)
    drawing.rect(100 - half, top, 2 * half, 138 - top, main, 6)
    drawing.rect(100 - half, top + 50, 2 * half, 88 - top, mixed(main, "#000000", 0.12), 6)
    drawing.rect(100 - half + 4, top + 5, 5, 40, light, 2)
    drawing.rect(100 - half, top + 45, 2 * half, 5, METAL.dark)
    drawing.rect(100 - half - 2, top - 6, 2 * half + 4, 9, METAL.main, 3)
    drawing.rect(97, top - 18, 6, 14, METAL.dark, 2)
    reach = look.pick(4, 36, 50)
    drawing.line([(100, top - 17), (100 + reach, top - 23)], METAL.dark, 4.5)
    drawing.line([(100 + reach, top - 24), (100 + reach, top - 38)], METAL.dark, 3)
    drawing.ellipse(100 + reach, top - 40, 7, 7, shades("oak").main if look.one_of(5, 2) else dark)


def _blade_grinder(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    half = look.pick(2, 27, 34)
    drawing.polygon(
        [
            (100 - half, 74),
            (100 + half, 74),
            *arc(100 + half - 6, 130, 8, 8, 0, 90),
            *arc(100 - half + 6, 130, 8, 8, 90, 180),
        ],
        main,
    )
    drawing.rect(100 - half + 5, 80, 6, 46, light, 3)
    drawing.polygon([*arc(100, 72, half, look.pick(3, 36, 44), 180, 360)], GLASS)
    for number in range(7):
        drawing.ellipse(100 - half + 9 + number * (2 * half - 18) / 6, 67 - 3 * (number % 2), 4.5, 3.4, BEANS)
    drawing.rect(100 - half - 1, 71, 2 * half + 2, 6, dark, 2)
    drawing.ellipse(100, 104, 7, 7, dark)
    drawing.ellipse(100, 104, 4, 4, light)


def _hopper_grinder(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    half = look.pick(2, 28, 35)
    is_espresso = look.kind == "espresso"
    hopper = look.pick(3, 30, 38)
    drawing.polygon([(100 - hopper, 24), (100 + hopper, 24), (100 + 19, 62), (100 - 19, 62)], GLASS)
    drawing.polygon([(100 - hopper + 7, 38), (100 + hopper - 7, 38), (100 + 17, 61), (100 - 17, 61)], BEANS)
    for number in range(6):
        drawing.ellipse(78 + 9 * number, 38, 5, 3.6, mixed(BEANS, "#ffffff", 0.08 * (number % 3)))
    drawing.rect(100 - hopper - 3, 18, 2 * hopper + 6, 8, dark, 3)
    drawing.rect(100 - half, 60, 2 * half, 34, main, 7)
    drawing.rect(100 - half, 88, 14 if is_espresso else 2 * half, 50, main, 6)
    drawing.rect(100 - half - 4, 130, 2 * half + 8, 9, dark, 4)
    drawing.rect(100 - half + 5, 65, 5, 24, light, 2)
    if is_espresso:
        drawing.rect(104, 92, 12, 8, DARK.main, 2)
        drawing.line([(110, 104), (146, 104)], DARK.dark, 6)
        drawing.rect(98, 100, 26, 7, METAL.main, 2)
    else:
        drawing.rect(82, 96, 36, 34, mixed(main, "#000000", 0.35), 4)
        drawing.rect(86, 102, 28, 27, GLASS, 3)
        drawing.rect(86, 116, 28, 13, mixed(BEANS, "#ffffff", 0.15), 3)
    for number in range(1 + look.one_of(4, 3)):
        drawing.ellipse(92 + 13 * number, 77, 4.5, 4.5, DARK.main if main != DARK.main else METAL.main)


def frying_pan(drawing: Drawing, look: Look) -> None:
    """Draw a pan from above: round or square, smooth or ridged, with its handle to the right."""
    main, dark, light = look.colour
    inside = mixed(DARK.dark, main, 0.1) if look.material not in ("stainless steel", "steel") else METAL.main
    if look.material == "ceramic":
        inside = shades("cream").main
    length = look.pick(2, 64, 74)
    handle = shades("walnut").main if look.one_of(3, 3) == 0 else DARK.main
    if look.material in ("cast iron", "stainless steel", "carbon steel"):
        handle = dark if look.material == "cast iron" else METAL.dark
    radius = look.pick(4, 50, 56)
    drawing.polygon([(116, 74), (118 + length, 70), (118 + length, 84), (116, 86)], handle)
    drawing.ellipse(118 + length, 77, 7, 7, handle)
    drawing.ellipse(118 + length, 77, 2.6, 2.6, mixed(handle, "#ffffff", 0.7))
    if look.kind == "grill":
        drawing.rect(80 - radius, 78 - radius, 2 * radius, 2 * radius, main, 14)
        drawing.rect(86 - radius, 84 - radius, 2 * radius - 12, 2 * radius - 12, inside, 10)
        for number in range(8):
            x = 93 - radius + number * (2 * radius - 26) / 7
            drawing.line([(x, 95 - radius), (x, 61 + radius)], mixed(inside, "#ffffff", 0.18), 3.4)
        return
    if look.kind == "set":
        drawing.ellipse(98, 92, radius - 8, radius - 8, light)
        drawing.ellipse(98, 92, radius - 13, radius - 13, inside)
    if look.kind in ("deep", "skillet"):
        drawing.ellipse(80 - radius + 2, 78, 8, 10, handle)
    drawing.ellipse(80, 78, radius, radius, main)
    drawing.ellipse(80, 78, radius - 3, radius - 3, mixed(main, "#ffffff", 0.12))
    rim = 13 if look.kind == "deep" else 8
    drawing.ellipse(80, 78, radius - rim, radius - rim, mixed(inside, "#000000", 0.16))
    drawing.ellipse(80, 79, radius - rim - 3, radius - rim - 3, inside)
    drawing.line(arc(80, 78, radius - rim - 8, radius - rim - 8, 195, 255), mixed(inside, "#ffffff", 0.32), 3)
    if look.kind == "egg":
        drawing.ellipse(76, 80, 19, 16, "#fbf7ec")
        drawing.ellipse(77, 79, 7, 7, "#e8b13c")
    if look.kind == "lid":
        drawing.ellipse(80, 78, radius - 5, radius - 5, "#d3e0e2")
        drawing.line(arc(80, 78, radius - 14, radius - 14, 200, 265), "#f3f8f8", 4)
        drawing.ellipse(80, 78, 10, 10, handle)
        drawing.ellipse(80, 78, 5, 5, mixed(handle, "#ffffff", 0.3))
