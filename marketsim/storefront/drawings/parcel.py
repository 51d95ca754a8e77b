"""Drawings of anything else: the box, bag, jar, tube, bottle or screen that it might be."""

from __future__ import annotations

from marketsim.storefront.drawings.colours import mixed
from marketsim.storefront.drawings.look import Look
from marketsim.storefront.drawings.shapes import Drawing, arc


def package(drawing: Drawing, look: Look) -> None:
    """Draw a package, of one of six shapes that the title decides."""
    (_box, _bag, _jar, _tube, _bottle, _carton)[look.one_of(2, 6)](drawing, look)


def _label(drawing: Drawing, look: Look, x: float, y: float, width: float, height: float) -> None:
    pale = mixed(look.colour.main, "#ffffff", 0.82)
    drawing.rect(x, y, width, height, pale, 4)
    for number in range(2 + look.one_of(3, 3)):
        share = 0.35 + 0.5 * look.digits[10 + number] / 255
        drawing.line(
            [(x + 6, y + 8 + 7 * number), (x + 6 + share * (width - 12), y + 8 + 7 * number)], look.colour.dark, 2.4
        )


def _box(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.polygon([(52, 66), (112, 56), (112, 138), (52, 132)], main)
    drawing.polygon([(112, 56), (150, 66), (150, 130), (112, 138)], dark)
    drawing.polygon([(52, 66), (90, 50), (150, 66), (112, 76)], light)
    drawing.polygon([(112, 76), (150, 66), (150, 130), (112, 138)], dark)
    drawing.polygon([(52, 66), (112, 76), (112, 138), (52, 132)], main)
    _label(drawing, look, 62, 86, 38, 34)


def _bag(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.polygon([(66, 42), (134, 42), (142, 138), (58, 138)], main)
    drawing.rect(64, 36, 72, 12, dark, 2)
    drawing.polygon([(66, 48), (76, 48), (70, 138), (58, 138)], light)
    _label(drawing, look, 78, 74, 48, 38)


def _jar(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.rect(64, 56, 72, 82, main, 12)
    drawing.rect(68, 62, 6, 70, light, 3)
    drawing.rect(62, 42, 76, 18, dark, 5)
    _label(drawing, look, 76, 80, 48, 38)


def _tube(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.polygon([(70, 34), (130, 34), (118, 122), (82, 122)], main)
    drawing.rect(67, 28, 66, 9, dark, 2)
    drawing.polygon([(74, 37), (82, 37), (90, 122), (84, 122)], light)
    drawing.rect(84, 121, 32, 18, dark, 4)
    _label(drawing, look, 86, 56, 30, 34)


def _bottle(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.rect(90, 24, 20, 36, main, 4)
    drawing.polygon(
        [(90, 54), (110, 54), *arc(112, 72, 16, 16, 300, 360), (128, 138), (72, 138), *arc(88, 72, 16, 16, 180, 240)],
        main,
    )
    drawing.rect(88, 20, 24, 13, dark, 3)
    drawing.rect(77, 76, 5, 56, light, 2)
    _label(drawing, look, 84, 84, 38, 38)


def _carton(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.rect(60, 52, 80, 86, main, 3)
    drawing.polygon([(60, 52), (72, 34), (128, 34), (140, 52)], light)
    drawing.rect(96, 34, 8, 104, dark)
    _label(drawing, look, 66, 82, 26, 36)
