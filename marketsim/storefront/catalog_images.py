"""Pictures of a catalogue of one's own, embedded so that a page loads nothing."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

TYPES: Final = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
MAX_BYTES: Final = 2_000_000


def embedded(text: str, folder: Path) -> str:
    """Return a picture as a ``data:`` URI.

    Parameters
    ----------
    text : str
        SVG text, or the name of a file, relative to ``folder``.

    Raises
    ------
    ValueError
        There is no such file, it is none of ``TYPES``, or it has more than ``MAX_BYTES``; the message says what is
        expected instead. Addresses of other machines are refused likewise.
    """
    if text.startswith("<"):
        if "<svg" not in text[:1000]:
            raise ValueError("SVG text, which begins with <svg")
        return _uri("image/svg+xml", text.encode())
    path = folder / text
    kind = TYPES.get(path.suffix.lower())
    if kind is None or "://" in text:
        raise ValueError(f"SVG text or a file beside the catalogue, one of {', '.join(TYPES)}")
    try:
        content = path.read_bytes()
    except OSError:
        raise ValueError(f"the name of a picture that is there; {path} is not") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"a picture of at most {MAX_BYTES:,} bytes; this one has {len(content):,}")
    return _uri(kind, content)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
