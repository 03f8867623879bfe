"""Ctrl-C is noted when it comes: it can break a session at any moment, and the error that follows need not show it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_came = threading.Event()
_noting: list[bool] = []


@contextmanager
def noting() -> Iterator[None]:
    """While this is open, Ctrl-C is noted, and handled as it was before; the outermost one begins anew.

    Outside the main thread, and where a program left no handler of Python's own, nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        _came.set()
        before(number, frame)

    signal.signal(signal.SIGINT, note)
    _noting.append(True)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _noting.pop()
        if not _noting:
            _came.clear()


def is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is what ended it: whatever fails after it fails because of it."""
    if _came.is_set():
        return True
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False
