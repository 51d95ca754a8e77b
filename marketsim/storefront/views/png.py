"""The page as a PNG picture: a screenshot of the HTML view where Chromium is installed, else drawn by Pillow.

Either way the result says which, as does the picture's own ``Software`` text.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from marketsim.core.errors import MarketSimError
from marketsim.storefront.page import Page, Viewable
from marketsim.storefront.views import drawn

if TYPE_CHECKING:
    from PIL.Image import Image

RENDERERS: Final = ("auto", "chromium", "pillow")
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER_VARIABLE: Final = "MARKETSIM_CHROMIUM"
"""Environment variable that names the browser's program, where it is not on the path."""

TIMEOUT_S: Final = 90
MAX_HEIGHT: Final = 16_000
"""Most pixels that Chromium paints in one picture."""


class Screenshot(NamedTuple):
    """A picture of a page."""

    png: bytes
    renderer: str
    """``chromium`` or ``pillow``: who drew it."""
    width: int
    height: int
    reason: str
    """Why it was Pillow, where Chromium was asked for or might have been; else empty."""

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows."""
        return self.png


class BrowserError(MarketSimError):
    """Chromium is not there, or took no picture."""


def png_of(view: Viewable, *, width: int, renderer: str) -> Screenshot:
    """Return a picture of a page or a product.

    Parameters
    ----------
    width : int
        Pixels, 320 to 4,000. Below 960 a page has fewer columns, as on a narrow screen.
    renderer : str
        ``"chromium"``, ``"pillow"``, or ``"auto"``: Chromium where it works, else Pillow, with the reason.

    Raises
    ------
    BrowserError
        Chromium was asked for and took no picture.
    ValueError
        ``width`` or ``renderer`` is none of these.
    """
    if renderer not in RENDERERS or not 320 <= width <= 4000:
        raise ValueError(
            f"expected a width from 320 to 4000 and a renderer out of {', '.join(RENDERERS)}; found {width}, {renderer}"
        )
    reason = ""
    if renderer != "pillow":
        try:
            return _finished(_photograph(view.to_html(), width, _height(view, width)), "chromium", "")
        except BrowserError as error:
            if renderer == "chromium":
                raise
            reason = str(error)
    return _finished(drawn.image_of(view, width), "pillow", reason)


def find_browser() -> str | None:
    """Return the program of Chromium, from ``$MARKETSIM_CHROMIUM`` or the path; None where there is none."""
    named = os.environ.get(BROWSER_VARIABLE)
    found = (shutil.which(name) for name in ((named,) if named else BROWSERS))
    return next((program for program in found if program), None)


def _photograph(document: str, width: int, height: int) -> Image:
    from PIL import Image

    program = find_browser()
    if program is None:
        raise BrowserError(f"no Chromium on the path; {BROWSER_VARIABLE} may name one")
    with tempfile.TemporaryDirectory(prefix="marketsim-page-") as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.png")
        source.write_text(document, encoding="utf-8")
        options = [
            "--headless",
            *(["--no-sandbox"] if _is_root() else []),
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            "--force-color-profile=srgb",
            "--blink-settings=preferredColorScheme=1",
            f"--user-data-dir={Path(folder, 'profile')}",
            f"--window-size={width},{height}",
            f"--screenshot={target}",
            source.as_uri(),
        ]
        try:
            subprocess.run([program, *options], capture_output=True, timeout=TIMEOUT_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise BrowserError(f"{program} took no picture: {type(error).__name__}") from None
        if not target.exists():
            raise BrowserError(f"{program} took no picture")
        with Image.open(target) as picture:
            return _without_foot(picture.convert("RGB"))


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _height(view: Viewable, width: int) -> int:
    """Return a height that is certainly enough; what is too much is cut off."""
    if not isinstance(view, Page):
        return 2 * width + 1200
    columns = min(view.columns, drawn.columns_at(width))
    rows = -(-max(1, len(view.offers)) // columns)
    longest = max((len(offer.title) for offer in view.offers), default=0)
    card = width / columns
    height = round(300 + rows * (card + 260 + 24 * longest * 9 / max(card - 60, 60)))
    if height > MAX_HEIGHT:
        raise BrowserError(f"{len(view.offers)} offers are too many for one picture; take one page at a time")
    return height


def _without_foot(image: Image) -> Image:
    """Cut off the empty ground below the page."""
    from PIL import Image as Images
    from PIL import ImageChops

    ground = Images.new("RGB", image.size, image.getpixel((0, image.height - 1)))
    box = ImageChops.difference(image, ground).getbbox()
    return image.crop((0, 0, image.width, min(image.height, box[3] + drawn.MARGIN))) if box else image


def _finished(image: Image, renderer: str, reason: str) -> Screenshot:
    from PIL.PngImagePlugin import PngInfo

    about, buffer = PngInfo(), io.BytesIO()
    about.add_text("Software", f"marketsim, {renderer}")
    image.save(buffer, "PNG", pnginfo=about)
    return Screenshot(buffer.getvalue(), renderer, image.width, image.height, reason)
