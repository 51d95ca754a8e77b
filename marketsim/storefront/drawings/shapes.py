"""Pictures made of a few shapes, which are written as SVG or painted by Pillow, alike.

Coordinates run from 0 to 200 in x and to 160 in y, from the upper left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH: Final = 200
HEIGHT: Final = 160

Point = tuple[float, float]


class Shape(NamedTuple):
    """A filled area or a line."""

    kind: str
    """``rect``, ``ellipse``, ``polygon`` or ``line``."""
    numbers: tuple[float, ...]
    """rect: x, y, width, height, radius of corners. ellipse: centre, half-axes. Others: x, y of each point."""
    colour: str
    """``#rrggbb``."""
    width: float = 0.0
    """Of a line."""


class Drawing:
    """Shapes, from the back to the front."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = []

    def rect(self, x: float, y: float, width: float, height: float, colour: str, radius: float = 0.0) -> None:
        """Add a rectangle, with round corners where ``radius`` is above 0."""
        self.shapes.append(Shape("rect", (x, y, width, height, min(radius, width / 2, height / 2)), colour))

    def ellipse(self, x: float, y: float, half_width: float, half_height: float, colour: str) -> None:
        """Add an ellipse around a centre."""
        self.shapes.append(Shape("ellipse", (x, y, half_width, half_height), colour))

    def polygon(self, points: Sequence[Point], colour: str) -> None:
        """Add a filled polygon."""
        self.shapes.append(Shape("polygon", tuple(number for point in points for number in point), colour))

    def line(self, points: Sequence[Point], colour: str, width: float) -> None:
        """Add a line with round ends."""
        self.shapes.append(Shape("line", tuple(number for point in points for number in point), colour, width))

    def to_svg(self) -> str:
        """Return the picture as SVG, which refers to nothing outside it."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        return head + "".join(_element(shape) for shape in self.shapes) + "</svg>"

    def to_image(self, width: int) -> Image:
        """Return the picture as Pillow paints it, ``width`` pixels wide and four to three fifths of five high."""
        from PIL import Image, ImageDraw

        fine = 3  # painted larger, then reduced, which smooths the edges
        scale = fine * width / WIDTH
        size = (fine * width, round(scale * HEIGHT))
        image = Image.new("RGB", size, "#ffffff")
        painter = ImageDraw.Draw(image)
        for shape in self.shapes:
            _paint(painter, shape, scale)
        return image.resize((width, round(width * HEIGHT / WIDTH)), Image.Resampling.LANCZOS)


def curve(start: Point, first: Point, second: Point, end: Point, n: int = 14) -> list[Point]:
    """Return points of a cubic Bezier curve with two handles."""
    points = []
    for step in range(n + 1):
        t = step / n
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        points.append(
            (
                a * start[0] + b * first[0] + c * second[0] + d * end[0],
                a * start[1] + b * first[1] + c * second[1] + d * end[1],
            )
        )
    return points


def arc(
    x: float, y: float, half_width: float, half_height: float, start: float, end: float, n: int = 24
) -> list[Point]:
    """Return points of an ellipse's arc; degrees clockwise from the right."""
    angles = [math.radians(start + (end - start) * step / n) for step in range(n + 1)]
    return [(x + half_width * math.cos(angle), y + half_height * math.sin(angle)) for angle in angles]


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _points(numbers: Sequence[float]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in zip(numbers[::2], numbers[1::2], strict=True))


def _element(shape: Shape) -> str:
    numbers = [_number(value) for value in shape.numbers]
    if shape.kind == "rect":
        x, y, width, height, radius = numbers
        corner = "" if radius == "0" else f' rx="{radius}"'
        return f'<rect x="{x}" y="{y}" width="{width}" height="{height}"{corner} fill="{shape.colour}"/>'
    if shape.kind == "ellipse":
        x, y, half_width, half_height = numbers
        return f'<ellipse cx="{x}" cy="{y}" rx="{half_width}" ry="{half_height}" fill="{shape.colour}"/>'
    if shape.kind == "polygon":
        return f'<polygon points="{_points(shape.numbers)}" fill="{shape.colour}"/>'
    return (
        f'<polyline points="{_points(shape.numbers)}" fill="none" stroke="{shape.colour}" '
        f'stroke-width="{_number(shape.width)}" stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _paint(painter: object, shape: Shape, scale: float) -> None:
    from PIL.ImageDraw import ImageDraw

    assert isinstance(painter, ImageDraw)
    numbers = [value * scale for value in shape.numbers]
    if shape.kind == "rect":
        x, y, width, height, radius = numbers
        painter.rounded_rectangle((x, y, x + width, y + height), radius, shape.colour)
    elif shape.kind == "ellipse":
        x, y, half_width, half_height = numbers
        painter.ellipse((x - half_width, y - half_height, x + half_width, y + half_height), shape.colour)
    elif shape.kind == "polygon":
        painter.polygon(numbers, shape.colour)
    else:
        width = shape.width * scale
        painter.line(numbers, shape.colour, max(1, round(width)), joint="curve")
        for x, y in (numbers[:2], numbers[-2:]):  # round ends
            painter.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), shape.colour)
