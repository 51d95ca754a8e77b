"""Ctrl-C as a flag: between two events in place of an exception at an arbitrary line."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible(interrupt: Callable[[], None]) -> Iterator[None]:
    """Call ``interrupt`` at the first Ctrl-C in this block; the second raises ``KeyboardInterrupt``.

    Signals reach the main thread only; elsewhere the block runs as it is. The handler that was there comes back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        interrupt()

    previous = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
