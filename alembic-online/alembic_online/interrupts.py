"""Ctrl-C, or a SIGTERM that a program handles, is noted: the error that follows need not show it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_came = threading.Event()
_noting: list[bool] = []


@contextmanager
def noting() -> Iterator[None]:
    """While this is open, the signals are noted, and handled as they were before; the outermost one begins anew.

    Outside the main thread, and where a program left no handler of Python's own, nothing is changed.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handled = {number: handler for number, handler in before.items() if callable(handler)}
    if not handled or threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        _came.set()
        handled[signal.Signals(number)](number, frame)

    for number in handled:
        signal.signal(number, note)
    _noting.append(True)
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)
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
