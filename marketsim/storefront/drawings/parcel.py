"""Drawings of anything else: plain packages, which say nothing of what is in them."""

from __future__ import annotations

from marketsim.storefront.drawings.colours import mixed
from marketsim.storefront.drawings.look import Look
from marketsim.storefront.drawings.shapes import Drawing


def package(drawing: Drawing, look: Look) -> None:
    """Draw a package, of one of three shapes that the title decides."""
    (_box, _carton, _mailer)[look.one_of(2, 3)](drawing, look)


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


def _mailer(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.rect(46, 52, 108, 84, main, 6)
    drawing.polygon([(48, 54), (152, 54), (100, 92)], light)
    drawing.line([(48, 54), (100, 92), (152, 54)], dark, 2.4)
    _label(drawing, look, 82, 100, 36, 30)


def _carton(drawing: Drawing, look: Look) -> None:
    main, dark, light = look.colour
    drawing.rect(60, 52, 80, 86, main, 3)
    drawing.polygon([(60, 52), (72, 34), (128, 34), (140, 52)], light)
    drawing.rect(96, 34, 8, 104, dark)
    _label(drawing, look, 66, 82, 26, 36)
